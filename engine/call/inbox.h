// SPDX-License-Identifier: GPL-3.0-or-later
//
// A bounded mailbox between the producers of events (SIP, media, voices, control) and the one coroutine that
// consumes them. Lives on the control thread: producers on other threads post to it. Producers never close
// it; when the consumer is gone, it is simply no longer attached.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

namespace linecheck::engine {

/// How long the last words of a call may take: longer than any SIP transaction (RFC 3261, 64*T1 = 32 s).
inline constexpr std::chrono::seconds kLastWords{40};

/// - `push` from the control thread; false (and counted) when the box is full: the producer is faster than a
/// call
///   can ever be, so dropping is a fault to be reported, not to be waited for.
/// - `next` from one coroutine at a time; nullopt at the deadline.
template <class T>
class Inbox {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Inbox(boost::asio::any_io_executor executor, std::size_t capacity = 4096)
      : timer_(executor), capacity_(capacity) {}

  // Out of line, or g++ 12 takes the parts of a variant that are not there for uninitialized ones.
  [[gnu::noinline]] bool push(T item) {
    if (items_.size() >= capacity_) {
      ++dropped_;
      return false;
    }
    items_.push_back(std::move(item));
    timer_.cancel();
    return true;
  }

  boost::asio::awaitable<std::optional<T>> next(Clock::time_point deadline) {
    while (items_.empty()) {
      if (Clock::now() >= deadline) co_return std::nullopt;
      timer_.expires_at(deadline);
      boost::system::error_code ignored;  // cancelled by push: look again
      co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
      const auto state = co_await boost::asio::this_coro::cancellation_state;
      if (state.cancelled() != boost::asio::cancellation_type::none) co_return std::nullopt;
    }
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    co_return item;
  }

  [[nodiscard]] std::size_t dropped() const { return dropped_; }

 private:
  boost::asio::steady_timer timer_;
  std::deque<T> items_;
  std::size_t capacity_;
  std::size_t dropped_ = 0;
};

}  // namespace linecheck::engine
