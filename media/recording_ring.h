// SPDX-License-Identifier: GPL-3.0-or-later
//
// A recording on its way from the media worker that lays audio down to the recorder thread that takes it
// away. Positions are samples since the leg's zero. The worker may write from the commit point on (what is
// not written is silence): the caller's side for as long as the agent's is held back, the agent's side a
// little way. What it commits is joined and goes into blocks of the pool that all recordings share.
//
// If the disk stalls for longer than the pool lasts, what does not fit is lost and counted, and silence
// stands in its place: the recording stays on its clock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "media/codec.h"
#include "media/queues.h"
#include "media/recording_pool.h"

namespace linecheck::media {

// The padding keeps what two threads write on two cache lines.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
class RecordingRing {
 public:
  using Frame = RecordingFrame;

  /// Without a pool it has one of its own.
  explicit RecordingRing(int rate = kNarrowRate, std::shared_ptr<RecordingPool> pool = nullptr);
  ~RecordingRing();
  RecordingRing(const RecordingRing&) = delete;
  RecordingRing& operator=(const RecordingRing&) = delete;

  [[nodiscard]] int rate() const { return rate_; }
  /// How far beyond the commit point the worker may write, the caller's side.
  [[nodiscard]] std::int64_t capacity() const { return static_cast<std::int64_t>(caller_size_); }

  // The worker's side.

  void write_caller(std::int64_t position, std::span<const std::int16_t> samples);
  /// The same, in mu-law: half the memory, for as long as nothing else is written.
  void write_caller_ulaw(std::int64_t position, std::span<const std::uint8_t> bytes);
  /// Commits what lies further back than this side's own window reaches.
  void write_agent(std::int64_t position, std::span<const std::int16_t> samples);
  /// Everything before `position` is final.
  void commit(std::int64_t position);
  [[nodiscard]] std::int64_t committed() const { return committed_; }
  /// Nothing more will come: also what fills no block may be taken now.
  void flush();

  // The recorder's side (the counters may be read from anywhere).

  [[nodiscard]] std::int64_t taken() const { return taken_.load(std::memory_order_relaxed); }
  /// Frames that can be taken: whole blocks, until flush().
  [[nodiscard]] std::int64_t available() const { return given_.load(std::memory_order_acquire) - taken(); }
  /// Copies out the next frames, at most as many as are available and fit.
  std::size_t take(std::span<Frame> out);
  /// Samples of time that found no room.
  [[nodiscard]] std::uint64_t overrun() const { return overrun_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kMostBlocks = 64;  // waiting for the recorder

  // What was written of one side and is not committed yet lies in a circle.
  template <typename Sample>
  void put(std::vector<Sample>& window, std::int64_t position, std::span<const Sample> samples);
  void widen_caller();
  void take_caller(std::size_t at, std::span<std::int16_t> out);
  void close_block();

  const int rate_;
  const std::shared_ptr<RecordingPool> pool_;
  const std::size_t reserved_;
  const std::size_t caller_size_;
  std::vector<std::uint8_t> caller_ulaw_;
  std::vector<std::int16_t> caller_;  // instead of it, once something else than mu-law was written
  std::vector<std::int16_t> agent_;
  std::int64_t committed_ = 0;
  RecordingBlock* filling_ = nullptr;
  RecordingBlock* emptying_ = nullptr;
  std::int64_t emptied_ = 0;  // frames of it
  SpscQueue<RecordingBlock*> full_{kMostBlocks};
  std::atomic<std::uint64_t> overrun_{0};
  alignas(kCacheLine) std::atomic<std::int64_t> given_{0};
  alignas(kCacheLine) std::atomic<std::int64_t> taken_{0};
};

}  // namespace linecheck::media
