// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/clock_map.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "media/codec.h"

namespace linecheck::media {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

// A packet this late either was held up by the network, or its sender has stopped its timestamps while it was
// silent. A new map is right in both cases: if it was the network, the packets behind it come on its heels
// and bring the map back to where it was, before the first of them is written down.
constexpr std::int64_t kLongestDelayNs = 300 * kNsPerMs;
// Where the timestamp does not advance by as much as the sequence number says (a pause, or a jump), a change
// of delay this large means a jump: it is not what networks do at exactly that packet.
constexpr std::int64_t kJumpLaterNs = 100 * kNsPerMs;
constexpr std::int64_t kJumpEarlierNs = 40 * kNsPerMs;
constexpr int kSequenceReset = 100;
constexpr std::int64_t kHysteresisNs = 250'000;

}  // namespace

std::int64_t ClockMap::in_samples(std::int64_t ticks) const {
  const std::int64_t product = ticks * rate_;
  // Rounded down also before the epoch's first packet, so that equal steps are equal there too.
  return product >= 0 ? product / clock_rate_ : -((-product + clock_rate_ - 1) / clock_rate_);
}

std::int64_t ClockMap::to_samples(std::int64_t ns) const {
  const std::int64_t sample_ns = ns_per_sample(rate_);
  return (ns >= 0 ? ns + sample_ns / 2 : ns - sample_ns / 2) / sample_ns;
}

ClockMap::Place ClockMap::add(const RtpPacket& packet, std::int64_t arrival_ns, int samples, int clock_rate) {
  restarted_ = false;
  if (epoch_ == 0 || packet.ssrc != ssrc_ || clock_rate != clock_rate_) {
    clock_rate_ = clock_rate;
    begin(packet, arrival_ns);
  } else {
    const int sequence_step = static_cast<std::int16_t>(packet.sequence - last_sequence_);
    const std::int64_t timestamp_step = static_cast<std::int32_t>(packet.timestamp - last_timestamp_);
    const std::int64_t ticks = last_ticks_ + timestamp_step;
    const std::int64_t delay_ns = arrival_ns - ticks * kNsPerSecond / clock_rate_;
    if (sequence_step <= 0 &&
        sequence_step > -kSequenceReset) {  // reordered: its delay is no news for the envelope
      lower(delay_ns, arrival_ns);
      return {epoch_, in_samples(ticks)};
    }
    if (jumped(sequence_step, timestamp_step, delay_ns)) {
      begin(packet, arrival_ns);
    } else {
      last_ticks_ = ticks;
      lower(delay_ns, arrival_ns);
    }
  }
  last_sequence_ = packet.sequence;
  last_timestamp_ = packet.timestamp;
  last_length_ = std::int64_t{samples} * clock_rate_ / rate_;
  return {epoch_, in_samples(last_ticks_)};
}

bool ClockMap::jumped(int sequence_step, std::int64_t timestamp_step, std::int64_t delay_ns) const {
  const std::int64_t later = delay_ns - map_of(epoch_).envelope_ns;
  if (later > kLongestDelayNs) return true;
  const bool regular = timestamp_step == std::int64_t{sequence_step} * last_length_;
  return !regular && (later > kJumpLaterNs || -later > kJumpEarlierNs);
}

void ClockMap::begin(const RtpPacket& packet, std::int64_t arrival_ns) {
  restarted_ = epoch_ > 0;
  ++epoch_;
  maps_[epoch_ % maps_.size()] = Map{.epoch = epoch_, .envelope_ns = arrival_ns, .applied = {}};
  ssrc_ = packet.ssrc;
  last_ticks_ = 0;
  bucket_min_.fill(kNever);
  bucket_ = arrival_ns / kBucketNs;
  bucket_min_[static_cast<std::size_t>(bucket_) % kBuckets] = arrival_ns;
  epoch_began_ns_ = arrival_ns;
  first_second_min_ = second_min_ = last_second_min_ = arrival_ns;
  second_ = last_second_ = 0;
}

void ClockMap::lower(std::int64_t delay_ns, std::int64_t arrival_ns) {
  Map& map = maps_[epoch_ % maps_.size()];
  const std::int64_t bucket = std::max(bucket_, arrival_ns / kBucketNs);
  if (bucket != bucket_) {
    const std::int64_t steps = std::min<std::int64_t>(bucket - bucket_, kBuckets);
    for (std::int64_t i = 0; i < steps; ++i) {
      bucket_min_[static_cast<std::size_t>(bucket - i) % kBuckets] = kNever;
    }
    bucket_ = bucket;
  }
  auto& newest = bucket_min_[static_cast<std::size_t>(bucket) % kBuckets];
  newest = std::min(newest, delay_ns);
  map.envelope_ns = *std::min_element(bucket_min_.begin(), bucket_min_.end());

  const std::int64_t second = (arrival_ns - epoch_began_ns_) / kNsPerSecond;
  if (second != second_) {
    last_second_ = second_;
    last_second_min_ = second_min_;
    second_ = second;
    second_min_ = delay_ns;
  }
  second_min_ = std::min(second_min_, delay_ns);
  if (second == 0) first_second_min_ = second_min_;
}

std::int64_t ClockMap::live_position(Place place) const {
  return place.offset + to_samples(map_of(place.epoch).envelope_ns);
}

std::int64_t ClockMap::settled_position(Place place) {
  Map& map = maps_[place.epoch % maps_.size()];
  const std::int64_t now = to_samples(map.envelope_ns);
  const std::int64_t hysteresis = kHysteresisNs / ns_per_sample(rate_);
  if (!map.applied || std::abs(now - *map.applied) >= hysteresis) map.applied = now;
  return place.offset + *map.applied;
}

std::optional<std::int64_t> ClockMap::position_of(std::uint32_t ssrc, std::uint32_t timestamp) const {
  if (epoch_ == 0 || ssrc != ssrc_) return std::nullopt;
  const std::int64_t step = static_cast<std::int32_t>(timestamp - last_timestamp_);
  if (std::abs(step) > 10 * clock_rate_) return std::nullopt;
  return live_position({epoch_, in_samples(last_ticks_ + step)});
}

std::optional<double> ClockMap::skew_ppm() const {
  if (epoch_ == 0 || last_second_ < 10) return std::nullopt;
  // A remote whose clock runs fast makes its packets seem to come earlier and earlier.
  const double drift_ns = static_cast<double>(first_second_min_ - last_second_min_);
  return drift_ns / static_cast<double>(last_second_ * kNsPerSecond) * 1e6;
}

}  // namespace linecheck::media
