// SPDX-License-Identifier: GPL-3.0-or-later
//
// Keys: from what SDP agreed on (RFC 4568) to what the media engine encrypts with.
#pragma once

#include <string>
#include <vector>

#include "media/engine.h"
#include "sip/sdp.h"

namespace linecheck::engine {

[[nodiscard]] media::SrtpKeys media_keys(const sip::NegotiatedSrtp& agreed);

/// The name of the suite that encrypts the media; empty: it goes in the clear.
[[nodiscard]] std::string encryption_of(const sip::Negotiated& agreed);

/// Fresh keys for `options`, where it wants any; no suites: the usual ones.
void add_keys(sip::OfferOptions& options, const std::vector<sip::SrtpSuite>& suites = {});

}  // namespace linecheck::engine
