// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace linecheck::engine {

/// Waits until `until` or until somebody cancels the timer.
inline boost::asio::awaitable<void> wait(boost::asio::steady_timer& timer,
                                         std::chrono::steady_clock::time_point until) {
  timer.expires_at(until);
  boost::system::error_code woken;
  co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
}

}  // namespace linecheck::engine
