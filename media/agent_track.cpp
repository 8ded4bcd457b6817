// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/agent_track.h"

#include <algorithm>
#include <array>

namespace linecheck::media {
namespace {

// A resampling decoder writes a little before the place of its packet.
constexpr std::int64_t kMargin = 32;

bool before(const ClockMap::Place& a, const ClockMap::Place& b) {
  return a.epoch < b.epoch || (a.epoch == b.epoch && a.offset < b.offset);
}

}  // namespace

bool AgentTrack::hold(ClockMap& map, ClockMap::Place place, Codec codec, std::uint16_t sequence,
                      std::span<const std::uint8_t> payload, const RecordingRing& ring) {
  const std::int64_t position = map.live_position(place);
  const auto samples = static_cast<std::int64_t>(payload_samples(codec, payload, rate_));
  if (position + samples <= ring.committed()) return false;
  // Nothing lies further ahead than its own arrival but what is broken; nobody sends 128 packets in a second.
  if (position >= ring.committed() + 4 * ring.capacity() || held_.size() == kMaxHeld) return true;
  if (!make_room(payload.size())) return true;
  Held held;
  held.place = place;
  held.codec = codec;
  held.sequence = sequence;
  held.at = static_cast<std::uint32_t>(used_bytes_);
  held.size = static_cast<std::uint16_t>(payload.size());
  std::copy(payload.begin(), payload.end(), bytes_.begin() + held.at);
  used_bytes_ += payload.size();
  const auto at =
      std::upper_bound(held_.begin(), held_.end(), place,
                       [](const ClockMap::Place& a, const Held& b) { return before(a, b.place); });
  held_.insert(at, held);
  return true;
}

bool AgentTrack::make_room(std::size_t size) {
  if (bytes_.size() - used_bytes_ >= size) return true;
  // Those that are done leave holes: what is left moves down, a few times a second.
  std::array<Held*, kMaxHeld> order;
  for (std::size_t i = 0; i < held_.size(); ++i) order[i] = &held_[i];
  std::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(held_.size()),
            [](const Held* a, const Held* b) { return a->at < b->at; });
  used_bytes_ = 0;
  for (std::size_t i = 0; i < held_.size(); ++i) {
    std::copy_n(bytes_.begin() + order[i]->at, order[i]->size,
                bytes_.begin() + static_cast<std::ptrdiff_t>(used_bytes_));
    order[i]->at = static_cast<std::uint32_t>(used_bytes_);
    used_bytes_ += order[i]->size;
  }
  while (bytes_.size() - used_bytes_ < size && bytes_.size() < kMostBytes) {
    bytes_.resize(std::max(kFirstBytes, 2 * bytes_.size()));
  }
  return bytes_.size() - used_bytes_ >= size;
}

void AgentTrack::settle(ClockMap& map, std::int64_t position, RecordingRing& ring) {
  std::size_t done = 0;
  while (done < held_.size() && map.live_position(held_[done].place) < position) {
    lay_down(map, held_[done], ring);
    ++done;
  }
  if (done > 0) held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(done));
  ring.commit(rate_ == kNarrowRate ? position : position - kMargin);
}

void AgentTrack::finish(ClockMap& map, std::int64_t position, RecordingRing& ring) {
  settle(map, position, ring);
  drain(ring);
  ring.commit(position);
}

void AgentTrack::lay_down(ClockMap& map, const Held& held, RecordingRing& ring) {
  Decoder& decoder = decoders_.of(held.codec);
  const std::int64_t position = map.settled_position(held.place) - decoder.delay();
  if (decoder_ != &decoder || !(held.place == next_place_)) {
    drain(ring);
    if (decoder_ == &decoder && held.place.epoch == next_place_.epoch) {
      keep_going(held.place.offset - next_place_.offset, held, ring);
    }
  }
  decoder_ = &decoder;
  last_sequence_ = held.sequence;
  bridge(position, ring);
  std::array<std::int16_t, kMaxPayloadSamples> samples;
  const std::size_t count = decoder.decode(std::span(bytes_).subspan(held.at, held.size), samples);
  next_place_ = held.place;
  next_place_.offset += static_cast<std::int64_t>(count);
  write(position, std::span(samples).first(count), ring);
}

// A hole before this packet. What was lost stays silence in the recording, because that is what came; but a
// decoder with a memory must live through it as any receiver's does. Where nothing was lost, the sender was
// silent and sent nothing (RFC 7587 section 3.1.3), and what its decoder makes of that is what is heard.
void AgentTrack::keep_going(std::int64_t hole, const Held& held, RecordingRing& ring) {
  if (held.codec != Codec::opus || hole <= 0 || hole > rate_) return;
  const auto payload = std::span<const std::uint8_t>(bytes_).subspan(held.at, held.size);
  const bool lost = held.sequence != static_cast<std::uint16_t>(last_sequence_ + 1);
  std::array<std::int16_t, kMaxPayloadSamples> made;
  while (hole > 0) {
    const auto some = std::span(made).first(std::min(static_cast<std::size_t>(hole), made.size()));
    hole -= static_cast<std::int64_t>(some.size());
    decoder_->conceal(some, lost && hole == 0 ? payload : std::span<const std::uint8_t>{});
    if (!lost) write(last_end_, some, ring);
  }
}

void AgentTrack::bridge(std::int64_t position, RecordingRing& ring) {
  // Where the map moved by its hysteresis, a hole of a few samples would be heard as a click.
  constexpr std::int64_t kMost = kWideRate / 1000;
  if (position <= last_end_ || position - last_end_ > rate_ / 1000) return;
  std::array<std::int16_t, kMost> fill;
  fill.fill(last_sample_);
  ring.write_agent(last_end_, std::span(fill).first(static_cast<std::size_t>(position - last_end_)));
}

void AgentTrack::drain(RecordingRing& ring) {
  if (decoder_ == nullptr) return;
  std::array<std::int16_t, kMargin> rest;
  write(last_end_, std::span(rest).first(decoder_->drain(rest)), ring);
}

void AgentTrack::write(std::int64_t position, std::span<const std::int16_t> samples, RecordingRing& ring) {
  if (samples.empty()) return;
  ring.write_agent(position, samples);
  last_end_ = position + static_cast<std::int64_t>(samples.size());
  last_sample_ = samples.back();
}

}  // namespace linecheck::media
