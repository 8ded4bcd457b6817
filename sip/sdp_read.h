// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the lines of a description mean for audio, and lines of ours. Internal to the SDP of this folder.
#pragma once

#include "sip/sdp.h"
#include "sip/sdp_text.h"

namespace linecheck::sip {

/// An m=audio line that can be used; otherwise why it cannot.
[[nodiscard]] SdpResult<SdpMedia> read_audio(const SdpText& text, const SdpSection& section, Srtp srtp);

/// The first m=audio line that can be used; of those that cannot, the reason of the last one.
[[nodiscard]] SdpResult<SdpMedia> pick_audio(const SdpText& text, Srtp srtp);

/// An offer with these m= lines, refused ones as they are; an empty one is where our audio stands.
[[nodiscard]] std::string offer_text(const OfferOptions& options, const std::vector<std::string>& lines);
/// An m= line refused: port 0, with its formats as they were (RFC 3264, 6).
[[nodiscard]] std::string refused_line(const SdpSection& section);

[[nodiscard]] bool is_audio(const SdpSection& section);
[[nodiscard]] bool sends(Direction direction);
[[nodiscard]] bool receives(Direction direction);
[[nodiscard]] Direction make_direction(bool send, bool receive);
/// "PCMU, PCMA", or "nothing".
[[nodiscard]] std::string formats_text(const std::vector<std::string>& formats);

}  // namespace linecheck::sip
