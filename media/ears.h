// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the persona hears of the agent, while it is being said: decoded as it comes, lost audio made up as a
// telephone would, in order and without holes, for the live turn detector. The recording has its own way
// (agent_track.h): there a loss stays silence.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "media/clock_map.h"
#include "media/codecs/coder.h"
#include "media/datagram_port.h"
#include "media/detector_feed.h"
#include "media/line_filter.h"

namespace linecheck::media {

class Ears {
 public:
  /// `rate`: of the leg. `hear_keys`: by their sound.
  explicit Ears(int rate, bool hear_keys = false)
      : rate_(rate),
        decoders_(rate, true),
        keys_(hear_keys ? std::make_unique<InbandKeys>(rate) : nullptr),
        feed_(rate) {
    feed_.listen_for(keys_.get());
  }

  /// Calls on_decision(const DetectorFeed::Decision&) for whatever the packet makes known. `line`: what a bad
  /// line does to the sound, or null.
  template <typename OnDecision>
  void packet(const ClockMap& map, ClockMap::Place place, Codec codec, std::span<const std::uint8_t> payload,
              LineFilter* line, OnDecision&& on_decision) {
    Decoder& decoder = decoders_.of(codec);
    place.offset -= decoder.delay();
    const std::int64_t missing = feed_.missing(map, place);
    const auto length = static_cast<std::int64_t>(payload_samples(codec, payload, rate_));
    if (missing <= -length) return;  // so late that something else has its place
    std::array<std::int16_t, kMaxPayloadSamples> room;
    // Longer holes are no loss that a telephone would hide: the remote was silent.
    if (missing > 0 && missing <= rate_ / 10 && &decoder == last_) {
      const auto lost = std::span(room).first(static_cast<std::size_t>(missing));
      decoder.conceal(lost, payload);
      if (line != nullptr) line->process(lost);
      feed_.feed(lost, on_decision);
    } else if (missing > 0) {
      feed_.silence(missing, on_decision);
    }
    last_ = &decoder;
    const auto decoded = std::span(room).first(decoder.decode(payload, room));
    if (line != nullptr) line->process(decoded);
    std::span<const std::int16_t> audio = decoded;
    if (missing < 0) audio = audio.subspan(std::min(audio.size(), static_cast<std::size_t>(-missing)));
    feed_.feed(audio, on_decision);
  }

  /// Time passes without packets: `now` is the leg's position. A remote that sends nothing is silent.
  template <typename OnDecision>
  void pass(std::int64_t now, OnDecision&& on_decision) {
    feed_.pass(now, on_decision);
  }

  /// A key that was heard in-band.
  std::optional<DigitEvent> take_key() { return keys_ ? keys_->take() : std::nullopt; }

 private:
  int rate_;
  DecoderBank decoders_;
  Decoder* last_ = nullptr;
  std::unique_ptr<InbandKeys> keys_;  // null: they are not listened for
  DetectorFeed feed_;
};

}  // namespace linecheck::media
