// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the lines of a description mean for audio. Internal to the SDP of this folder.
#pragma once

#include "sip/sdp.h"
#include "sip/sdp_text.h"

namespace linecheck::sip {

/// An m=audio line that can be used; otherwise why it cannot.
[[nodiscard]] SdpResult<SdpMedia> read_audio(const SdpText& text, const SdpSection& section);

[[nodiscard]] bool is_audio(const SdpSection& section);
[[nodiscard]] bool sends(Direction direction);
[[nodiscard]] bool receives(Direction direction);
[[nodiscard]] Direction make_direction(bool send, bool receive);
/// "PCMU, PCMA", or "nothing".
[[nodiscard]] std::string formats_text(const std::vector<std::string>& formats);

}  // namespace linecheck::sip
