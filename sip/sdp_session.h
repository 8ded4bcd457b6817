// SPDX-License-Identifier: GPL-3.0-or-later
//
// The way back from a description of our own to what it was made of. An endpoint is handed SDP as text; when
// the peer renegotiates, it answers from this.
#pragma once

#include <optional>
#include <string_view>

#include "sip/sdp.h"

namespace linecheck::sip {

/// nullopt where `own` has no usable audio stream. The direction is always sendrecv: a hold in an earlier
/// answer was the peer's wish, not ours.
[[nodiscard]] std::optional<OfferOptions> options_of(std::string_view own);

}  // namespace linecheck::sip
