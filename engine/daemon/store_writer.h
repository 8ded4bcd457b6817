// SPDX-License-Identifier: GPL-3.0-or-later
//
// Group commit: what many calls want to have on disk at the same time goes there together. While one batch is
// being written the next one gathers; a lone write is not kept waiting for company. Control thread only; the
// work runs on the database's thread, inside one transaction.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "scheduler/job_store.h"

namespace linecheck::engine {

class StoreWriter {
 public:
  /// All outlive it, and `database` has one thread.
  StoreWriter(boost::asio::io_context& control, boost::asio::thread_pool& database,
              scheduler::JobStore& store)
      : control_(control), database_(database), store_(store) {}
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  /// Runs `work`, which calls the store, and resumes with its value once that is durable. Throws what made
  /// the batch fail; then nothing of `work` has happened.
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work>> write(Work work) {
    using Value = std::invoke_result_t<Work>;
    auto item = std::make_shared<Item>(control_);
    auto value = std::make_shared<std::optional<Value>>();
    item->work = [value, work = std::move(work)]() mutable { *value = work(); };
    gathering_.push_back(item);
    if (!writing_) flush();
    while (!item->done) {
      boost::system::error_code woken;
      co_await item->ready.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
    if (item->error) std::rethrow_exception(item->error);
    co_return std::move(**value);
  }

  /// Since the start: batches, and the writes in them.
  [[nodiscard]] std::uint64_t batches() const { return batches_; }
  [[nodiscard]] std::uint64_t writes() const { return writes_; }

 private:
  struct Item {
    explicit Item(boost::asio::io_context& control)
        : ready(control, boost::asio::steady_timer::time_point::max()) {}
    std::function<void()> work;
    boost::asio::steady_timer ready;
    std::exception_ptr error;
    bool done = false;
  };
  using Items = std::vector<std::shared_ptr<Item>>;

  void flush();
  void written(const Items& items, const std::exception_ptr& error);

  boost::asio::io_context& control_;
  boost::asio::thread_pool& database_;
  scheduler::JobStore& store_;
  Items gathering_;
  bool writing_ = false;
  std::uint64_t batches_ = 0;
  std::uint64_t writes_ = 0;
};

}  // namespace linecheck::engine
