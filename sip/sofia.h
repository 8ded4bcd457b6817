// SPDX-License-Identifier: GPL-3.0-or-later
//
// Owners of Sofia's handles and timers, and what must be set up once in a process before Sofia is used.
// Internal.
#pragma once

#include <sofia-sip/nua.h>
#include <sofia-sip/su_wait.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace linecheck::sip {

/// Initialises the library, silences its log (unless SOFIA_DEBUG is set) and gives it CLOCK_MONOTONIC: its
/// timers follow the wall clock otherwise, so that a clock step would fire or freeze all of them.
void sofia_init();

/// The last complaint of the transports on this thread (a connection refused, a certificate that is not
/// trusted), in Sofia's words; empty: none since the last call.
[[nodiscard]] std::string take_transport_complaint();

/// The one owner of a nua handle. Every handle must be destroyed once, also those of incoming requests, and
/// never be used after that; the gauge counts those alive.
class Handle {
 public:
  Handle() = default;
  Handle(nua_handle_t* handle, std::atomic<std::size_t>* gauge) : handle_(handle), gauge_(gauge) {
    if (handle_ != nullptr) gauge_->fetch_add(1, std::memory_order_relaxed);
  }
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)), gauge_(other.gauge_) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, nullptr);
      gauge_ = other.gauge_;
    }
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { reset(); }

  void reset() {
    if (handle_ == nullptr) return;
    nua_handle_destroy(std::exchange(handle_, nullptr));
    gauge_->fetch_sub(1, std::memory_order_relaxed);
  }
  [[nodiscard]] nua_handle_t* get() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  nua_handle_t* handle_ = nullptr;
  std::atomic<std::size_t>* gauge_ = nullptr;
};

struct TimerDestroy {
  void operator()(su_timer_t* timer) const { su_timer_destroy(timer); }
};
using Timer = std::unique_ptr<su_timer_t, TimerDestroy>;

}  // namespace linecheck::sip
