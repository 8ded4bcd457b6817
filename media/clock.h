// SPDX-License-Identifier: GPL-3.0-or-later
//
// The one source of time of the media engine. Everything that reads the time is handed a Clock, so that tests
// run in virtual time. All values are nanoseconds of CLOCK_MONOTONIC, which no step of the wall clock
// touches.
#pragma once

#include <atomic>
#include <cstdint>

namespace linecheck::media {

class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  /// Nanoseconds of CLOCK_MONOTONIC. Callable from any thread.
  [[nodiscard]] virtual std::int64_t now_ns() const = 0;
};

class SteadyClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t now_ns() const override;
};

/// Virtual time for tests: moves only when told to.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t start_ns = 1'000'000'000) : now_ns_(start_ns) {}

  [[nodiscard]] std::int64_t now_ns() const override { return now_ns_.load(std::memory_order_relaxed); }
  void advance(std::int64_t ns) { now_ns_.fetch_add(ns, std::memory_order_relaxed); }
  void set(std::int64_t ns) { now_ns_.store(ns, std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> now_ns_;
};

}  // namespace linecheck::media
