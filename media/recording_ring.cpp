// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/recording_ring.h"

#include <algorithm>

namespace linecheck::media {

std::size_t RecordingRing::take(std::span<Frame> out) {
  const std::int64_t from = taken_.load(std::memory_order_relaxed);
  const std::int64_t committed = committed_.load(std::memory_order_acquire);
  const auto count = static_cast<std::size_t>(
      std::clamp<std::int64_t>(committed - from, 0, static_cast<std::int64_t>(out.size())));
  for (std::size_t i = 0; i < count; ++i) {
    // Beyond one round of the ring the worker had nowhere to write: nothing but silence is there, as it
    // should be, because every frame is cleared as it is taken and given back only after the whole batch.
    Frame& frame = frames_[static_cast<std::size_t>((from + static_cast<std::int64_t>(i)) & (kFrames - 1))];
    out[i] = frame;
    frame = Frame{};
  }
  taken_.store(from + static_cast<std::int64_t>(count), std::memory_order_release);
  return count;
}

}  // namespace linecheck::media
