// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/agent_track.h"

#include <algorithm>

#include "media/g711.h"

namespace linecheck::media {

bool AgentTrack::hold(ClockMap& map, ClockMap::Place place, Codec codec,
                      std::span<const std::uint8_t> payload, const RecordingRing& ring) {
  const std::int64_t position = map.live_position(place);
  if (position + static_cast<std::int64_t>(payload.size()) <= ring.committed()) return false;
  // Nothing lies further ahead than its own arrival but what is broken.
  if (position >= ring.committed() + 4 * ring.capacity()) return false;
  while (!payload.empty()) {
    Held held;
    held.place = place;
    held.codec = codec;
    held.size = static_cast<std::uint8_t>(std::min(payload.size(), kChunk));
    std::copy_n(payload.begin(), held.size, held.bytes.begin());
    insert(held);
    place.offset += held.size;
    payload = payload.subspan(held.size);
  }
  return true;
}

void AgentTrack::insert(const Held& held) {
  if (!ready_) {
    for (std::size_t i = 0; i < kMaxHeld; ++i) free_[i] = static_cast<std::uint8_t>(i);
    ready_ = true;
  }
  if (count_ == kMaxHeld) return;  // a flood: more than 128 packets in a second
  const std::uint8_t slot = free_[count_];
  held_[slot] = held;
  std::size_t at = count_;
  while (at > 0) {
    const ClockMap::Place& before = held_[order_[at - 1]].place;
    if (before.epoch < held.place.epoch ||
        (before.epoch == held.place.epoch && before.offset <= held.place.offset)) {
      break;
    }
    order_[at] = order_[at - 1];
    --at;
  }
  order_[at] = slot;
  ++count_;
}

void AgentTrack::settle(ClockMap& map, std::int64_t position, RecordingRing& ring) {
  std::size_t done = 0;
  while (done < count_ && map.live_position(held_[order_[done]].place) < position) {
    lay_down(map, held_[order_[done]], ring);
    ++done;
  }
  if (done > 0) {
    // The slots of those that are done become free again: free_[count_ - 1] is the next to be given back.
    for (std::size_t i = 0; i < done; ++i) free_[count_ - 1 - i] = order_[i];
    std::copy(order_.begin() + static_cast<std::ptrdiff_t>(done),
              order_.begin() + static_cast<std::ptrdiff_t>(count_), order_.begin());
    count_ -= done;
  }
  ring.commit(position);
}

void AgentTrack::lay_down(ClockMap& map, const Held& held, RecordingRing& ring) {
  const std::int64_t position = map.settled_position(held.place);
  // Where the map moved by its hysteresis, a hole of a few samples would be heard as a click.
  constexpr std::int64_t kBridge = 8;
  if (position > last_end_ && position - last_end_ <= kBridge) {
    std::array<std::int16_t, kBridge> fill{};
    fill.fill(last_sample_);
    ring.write_agent(last_end_, std::span(fill).first(static_cast<std::size_t>(position - last_end_)));
  }
  std::array<std::int16_t, kChunk> samples{};
  const std::span<std::int16_t> used = std::span(samples).first(held.size);
  g711_decode(held.codec, std::span(held.bytes).first(held.size), used);
  ring.write_agent(position, used);
  last_end_ = position + held.size;
  last_sample_ = used.back();
}

}  // namespace linecheck::media
