// SPDX-License-Identifier: GPL-3.0-or-later
//
// The agent's channel of the recording. Packets are held back for 1 s before they are laid down, so that
// by then the clock map knows what the packets around them have shown: the jitter of the first one, above
// all. They are held as they came, and decoded in order when they are laid down.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "media/clock_map.h"
#include "media/codec.h"
#include "media/codecs/coder.h"
#include "media/recording_ring.h"

namespace linecheck::media {

class AgentTrack {
 public:
  /// `rate`: of the leg.
  explicit AgentTrack(int rate) : rate_(rate), decoders_(rate, false) {}

  /// Samples between a packet's arrival and its place in the recording.
  [[nodiscard]] std::int64_t hold_back() const { return rate_; }

  /// Takes a packet's payload. False: a place that is written already (it came too late), nothing is kept.
  bool hold(ClockMap& map, ClockMap::Place place, Codec codec, std::uint16_t sequence,
            std::span<const std::uint8_t> payload, const RecordingRing& ring);

  /// Lays down what starts before `position` and commits everything up to there.
  void settle(ClockMap& map, std::int64_t position, RecordingRing& ring);
  /// The same for the last time.
  void finish(ClockMap& map, std::int64_t position, RecordingRing& ring);

 private:
  static constexpr std::size_t kMaxHeld = 128;  // of 10 ms packets 1.28 s
  // Bytes kept for what is held: 1.3 s of 64 kbit/s to begin with, more where the remote sends more.
  static constexpr std::size_t kFirstBytes = 10'400;
  static constexpr std::size_t kMostBytes = 166'400;

  struct Held {
    ClockMap::Place place;
    std::uint32_t at = 0;  // in bytes_
    std::uint16_t size = 0;
    std::uint16_t sequence = 0;
    Codec codec = Codec::pcmu;
  };

  void keep_going(std::int64_t hole, const Held& held, RecordingRing& ring);
  void lay_down(ClockMap& map, const Held& held, RecordingRing& ring);
  void bridge(std::int64_t position, RecordingRing& ring);
  void drain(RecordingRing& ring);
  void write(std::int64_t position, std::span<const std::int16_t> samples, RecordingRing& ring);
  [[nodiscard]] bool make_room(std::size_t size);

  int rate_;
  DecoderBank decoders_;
  std::vector<Held> held_;           // by epoch and offset
  std::vector<std::uint8_t> bytes_;  // in the order of arrival
  std::size_t used_bytes_ = 0;

  // What was laid down last.
  Decoder* decoder_ = nullptr;
  ClockMap::Place next_place_;
  std::uint16_t last_sequence_ = 0;
  std::int64_t last_end_ = 0;
  std::int16_t last_sample_ = 0;
};

}  // namespace linecheck::media
