// SPDX-License-Identifier: GPL-3.0-or-later
//
// The last four seconds of a recording, between the media worker that lays audio down and the recorder thread
// that takes it away. Positions are samples since the leg's zero. The worker may write anything from the
// commit point on (what is not written is silence); what it has committed belongs to the recorder.
//
// If the disk stalls for longer than the ring lasts, what does not fit is lost and counted, and silence
// stands in its place: the recording stays on its clock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "media/queues.h"

namespace linecheck::media {

// The padding keeps what two threads write on two cache lines.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
class RecordingRing {
 public:
  static constexpr std::int64_t kFrames = 32768;  // a power of two: 4.1 s at 8 kHz

  /// One sample of each side.
  struct Frame {
    std::int16_t caller = 0;
    std::int16_t agent = 0;
  };

  RecordingRing() : frames_(std::make_unique<Frame[]>(kFrames)) {}

  // The worker's side.

  void write_caller(std::int64_t position, std::span<const std::int16_t> samples) {
    write<&Frame::caller>(position, samples);
  }
  void write_agent(std::int64_t position, std::span<const std::int16_t> samples) {
    write<&Frame::agent>(position, samples);
  }
  /// Everything before `position` is final.
  void commit(std::int64_t position) {
    if (position > committed()) committed_.store(position, std::memory_order_release);
  }
  [[nodiscard]] std::int64_t committed() const { return committed_.load(std::memory_order_acquire); }

  // The recorder's side (both counters may be read from anywhere).

  [[nodiscard]] std::int64_t taken() const { return taken_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t available() const { return committed() - taken(); }
  /// Copies out the next frames, at most as many as are committed and fit, and leaves silence behind.
  std::size_t take(std::span<Frame> out);
  /// Samples that found no room, both sides together.
  [[nodiscard]] std::uint64_t overrun() const { return overrun_.load(std::memory_order_relaxed); }

 private:
  template <std::int16_t Frame::*Side>
  void write(std::int64_t position, std::span<const std::int16_t> samples) {
    const std::int64_t first = committed_.load(std::memory_order_relaxed);
    const std::int64_t end = taken_.load(std::memory_order_acquire) + kFrames;
    std::uint64_t lost = 0;
    for (const std::int16_t sample : samples) {
      if (position >= first) {
        if (position < end) {
          frames_[static_cast<std::size_t>(position & (kFrames - 1))].*Side = sample;
        } else {
          ++lost;
        }
      }
      ++position;
    }
    if (lost > 0) overrun_.fetch_add(lost, std::memory_order_relaxed);
  }

  std::unique_ptr<Frame[]> frames_;
  std::atomic<std::uint64_t> overrun_{0};
  alignas(kCacheLine) std::atomic<std::int64_t> committed_{0};
  alignas(kCacheLine) std::atomic<std::int64_t> taken_{0};
};

}  // namespace linecheck::media
