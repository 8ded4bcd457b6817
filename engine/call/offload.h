// SPDX-License-Identifier: GPL-3.0-or-later
//
// Work that blocks (the database, the disk, number crunching) leaves the control thread for a pool and comes
// back.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>
#include <utility>

namespace linecheck::engine {

/// Runs `work` on a thread of `pool`; resumes the coroutine on its own executor with what it returned or
/// threw.
template <class Work>
boost::asio::awaitable<std::invoke_result_t<Work>> offload(boost::asio::thread_pool& pool, Work work) {
  using Value = std::invoke_result_t<Work>;
  auto there = [work = std::move(work)]() mutable -> boost::asio::awaitable<Value> { co_return work(); };
  co_return co_await boost::asio::co_spawn(pool, std::move(there), boost::asio::use_awaitable);
}

}  // namespace linecheck::engine
