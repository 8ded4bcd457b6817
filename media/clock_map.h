// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where on the leg's clock the remote's audio lies.
//
// Each packet says when it was made (its RTP timestamp, on the remote's clock) and when it came (on ours).
// Their difference is a constant plus the time that the packet was held up on its way, which is never
// negative: so the constant is the lower envelope of (arrival - timestamp). It is taken over a sliding window
// of 6 s, so that it follows a clock that drifts (by at most 0.6 ms at 100 ppm), and speech is laid where its
// samples would have come over an idle network: neither the first packet's jitter nor anybody's later one
// moves it. What is applied follows the envelope with a hysteresis of 0.25 ms, so that a recording does not
// wobble. (In a stream's first second the window is still short: with 30 ms of jitter a place can be 1-2 ms
// off there.)
//
// A new SSRC or a jump of the timestamps starts a new map (an epoch); packets that came before it keep
// theirs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "media/codec.h"
#include "media/rtp_packet.h"

namespace linecheck::media {

class ClockMap {
 public:
  /// A packet's place: `offset` leg samples after the first packet of its epoch.
  struct Place {
    std::uint32_t epoch = 0;
    std::int64_t offset = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };

  /// `rate`: of the leg's clock, Hz.
  explicit ClockMap(int rate = kNarrowRate) : rate_(rate) {}

  /// Feeds an audio packet of `samples` leg samples, arrived at `arrival_ns` on the leg's clock.
  /// `clock_rate`: of its timestamps. Another one begins a new epoch, as another SSRC does.
  Place add(const RtpPacket& packet, std::int64_t arrival_ns, int samples, int clock_rate = 8000);

  /// Leg position (samples since the leg's zero) of a place as known now, for what is decided live.
  [[nodiscard]] std::int64_t live_position(Place place) const;
  /// The same for what is written down: with hysteresis. Meant for places that are held back long enough that
  /// the packets around them have all come.
  std::int64_t settled_position(Place place);

  /// Position of any timestamp of the current stream (telephone-events); nullopt before the first audio
  /// packet, or where the timestamp is of another SSRC or more than 10 s away from the last one.
  [[nodiscard]] std::optional<std::int64_t> position_of(std::uint32_t ssrc, std::uint32_t timestamp) const;

  /// Of the timestamps of the current epoch, Hz; 0 before the first packet.
  [[nodiscard]] int clock_rate() const { return epoch_ > 0 ? clock_rate_ : 0; }

  [[nodiscard]] int restarts() const { return epoch_ > 1 ? static_cast<int>(epoch_ - 1) : 0; }
  /// The last add() began a new epoch.
  [[nodiscard]] bool restarted() const { return restarted_; }
  /// Speed of the remote's clock against ours, ppm, from the envelope over at least 10 s of one epoch.
  [[nodiscard]] std::optional<double> skew_ppm() const;

 private:
  static constexpr std::size_t kBuckets = 24;
  static constexpr std::int64_t kBucketNs = 250'000'000;

  // An epoch's map. A few are kept, for packets that are still held back when the next one begins.
  struct Map {
    std::uint32_t epoch = 0;
    std::int64_t envelope_ns = 0;
    std::optional<std::int64_t> applied;  // samples
  };

  [[nodiscard]] const Map& map_of(std::uint32_t epoch) const { return maps_[epoch % maps_.size()]; }
  void begin(const RtpPacket& packet, std::int64_t arrival_ns);
  void lower(std::int64_t delay_ns, std::int64_t arrival_ns);
  [[nodiscard]] bool jumped(int sequence_step, std::int64_t timestamp_step, std::int64_t delay_ns) const;
  [[nodiscard]] std::int64_t in_samples(std::int64_t ticks) const;
  [[nodiscard]] std::int64_t to_samples(std::int64_t ns) const;

  int rate_;
  std::array<Map, 8> maps_{};
  std::uint32_t epoch_ = 0;  // 0: nothing has come
  bool restarted_ = false;

  // The current epoch.
  std::uint32_t ssrc_ = 0;
  std::uint16_t last_sequence_ = 0;
  std::uint32_t last_timestamp_ = 0;
  int clock_rate_ = 8000;
  std::int64_t last_ticks_ = 0;  // of the timestamps, since the epoch's first packet
  std::int64_t last_length_ = 0;

  std::array<std::int64_t, kBuckets> bucket_min_{};
  std::int64_t bucket_ = 0;  // number of the newest one

  // For the skew: the envelope of the epoch's first second, and of the last full one.
  std::int64_t epoch_began_ns_ = 0;
  std::int64_t first_second_min_ = 0;
  std::int64_t second_ = 0;
  std::int64_t second_min_ = 0;
  std::int64_t last_second_ = 0;
  std::int64_t last_second_min_ = 0;
};

}  // namespace linecheck::media
