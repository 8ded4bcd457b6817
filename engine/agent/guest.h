// SPDX-License-Identifier: GPL-3.0-or-later
//
// A call of the reference agent, in progress. Internal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "engine/agent/attendant.h"
#include "engine/agent/reference_agent.h"
#include "engine/call/keys.h"
#include "engine/call/switchboard.h"
#include "engine/call/time.h"
#include "sip/sdp.h"

namespace linecheck::engine {

struct ReferenceAgent::Guest {
  Guest(sip::LegId leg_id, CallInbox& box) : leg(leg_id), inbox(box) {}

  [[nodiscard]] double now_ms() const { return static_cast<double>(mono_ns() - origin_ns) / 1e6; }
  [[nodiscard]] double on_its_clock(std::int64_t ns) const {
    return static_cast<double>(ns - origin_ns) / 1e6;
  }
  [[nodiscard]] std::int64_t mono_at(double t_ms) const {
    return origin_ns + static_cast<std::int64_t>(t_ms * 1e6);
  }

  sip::LegId leg;
  CallInbox& inbox;
  std::string call_id;
  std::string offer;  ///< of a caller; empty: we offer
  const Behaviour* behaviour = nullptr;
  std::optional<Attendant> attendant;
  std::optional<double> answered_ms;  ///< of a call that we made
  media::LegId media = 0;
  int rate = media::kNarrowRate;
  int clock_rate = 8000;  ///< of RTP timestamps
  sip::OfferOptions local;
  media::StreamOptions stream;  ///< in force
  std::int64_t origin_ns = 0;
  HeardKeys keys;
  bool up = true;  ///< the SIP leg is neither ended nor failed
  bool sip_finished = false;
  bool media_closed = true;
  std::uint64_t next_tag = 1;
  media::ClipPtr playing;
  std::uint32_t playing_rtp = 0;  ///< timestamp of its first sample
  std::uint32_t ssrc = 0;
};

}  // namespace linecheck::engine
