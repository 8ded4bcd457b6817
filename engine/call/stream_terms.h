// SPDX-License-Identifier: GPL-3.0-or-later
//
// The same thing in the words of the three parts: what a user asks for (scheduler), what a session
// description says (sip), what is streamed (media).
#pragma once

#include <vector>

#include "media/engine.h"
#include "scheduler/model.h"
#include "sip/sdp.h"

namespace linecheck::engine {

[[nodiscard]] std::vector<sip::Codec> sip_codecs(const std::vector<scheduler::Codec>& codecs);
[[nodiscard]] media::Codec media_codec(sip::Codec codec);
[[nodiscard]] media::DigitTransport digit_transport(scheduler::KeysBy by);

/// Of a leg that may come to any of these codecs, Hz: 16,000 where one of them is wide-band.
[[nodiscard]] int leg_rate(const std::vector<sip::Codec>& codecs);
/// By which numbers a leg that made this offer may be sent to before it is answered.
void expect_offered(const sip::OfferOptions& offer, media::LegOptions& options);
/// `before`: what was in force; its address stays where the peer, on hold, names none (c=0.0.0.0).
[[nodiscard]] media::StreamOptions stream_of(const sip::Negotiated& agreed,
                                             const media::StreamOptions& before = {});

}  // namespace linecheck::engine
