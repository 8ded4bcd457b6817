// SPDX-License-Identifier: GPL-3.0-or-later
//
// The agent's channel of the recording. Packets are held back for 1 s before they are laid down, so that
// by then the clock map knows what the packets around them have shown: the jitter of the first one, above
// all.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "media/clock_map.h"
#include "media/codec.h"
#include "media/recording_ring.h"

namespace linecheck::media {

class AgentTrack {
 public:
  static constexpr std::int64_t kHoldBack = kSampleRate;  // samples

  /// Takes a packet's payload. False: a place that is written already (it came too late), nothing is kept.
  bool hold(ClockMap& map, ClockMap::Place place, Codec codec, std::span<const std::uint8_t> payload,
            const RecordingRing& ring);

  /// Lays down what starts before `position` and commits everything up to there.
  void settle(ClockMap& map, std::int64_t position, RecordingRing& ring);

 private:
  // Longer packets are kept as several of these.
  static constexpr std::size_t kChunk = kFrameSamples;
  static constexpr std::size_t kMaxHeld = 128;  // of 10 ms packets 1.28 s

  struct Held {
    ClockMap::Place place;
    Codec codec = Codec::pcmu;
    std::uint8_t size = 0;
    std::array<std::uint8_t, kChunk> bytes{};
  };
  static_assert(kChunk <= 255);

  void lay_down(ClockMap& map, const Held& held, RecordingRing& ring);
  void insert(const Held& held);

  // Sorted by epoch and offset: indices into held_, so that sorting moves bytes, not audio.
  std::array<Held, kMaxHeld> held_{};
  std::array<std::uint8_t, kMaxHeld> order_{};
  std::array<std::uint8_t, kMaxHeld> free_{};
  std::size_t count_ = 0;
  bool ready_ = false;

  std::int64_t last_end_ = 0;
  std::int16_t last_sample_ = 0;
};

}  // namespace linecheck::media
