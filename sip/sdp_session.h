// SPDX-License-Identifier: GPL-3.0-or-later
//
// Our side of the offers and answers of one call (RFC 3264, 8): what we said last, so that the version of o=
// goes up with each change and only then, m= lines keep their places, payload types their meaning, and our
// keys stay what they were as long as their suite does.
//
// An endpoint is handed SDP as text; when the peer renegotiates, it answers from this.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sip/sdp.h"

namespace linecheck::sip {

class SdpSession {
 public:
  /// A session that began with `own`, an offer or answer of ours. An answer names no more than what was
  /// chosen: `capabilities` says what else we could do (its address, port and session are not looked at).
  /// Nullopt where `own` has no usable audio stream.
  [[nodiscard]] static std::optional<SdpSession> begun_with(
      std::string own, const std::optional<OfferOptions>& capabilities = {});

  /// Everything that we can do, in the place that audio has now.
  [[nodiscard]] std::string offer();
  /// What an answer to the last offer() means.
  [[nodiscard]] SdpResult<Negotiated> take_answer(std::string_view answer) const;
  /// Answers an offer of the peer's; one that cannot be answered changes nothing.
  [[nodiscard]] SdpResult<Answer> answer(std::string_view offer);

 private:
  SdpSession(std::string own, OfferOptions capabilities)
      : last_(std::move(own)), ours_(std::move(capabilities)) {}

  std::string last_;
  OfferOptions ours_;  // the direction is always sendrecv: a hold in an answer was the peer's wish, not ours
};

/// The way back from a description of our own to what it was made of. Nullopt where it has no usable audio
/// stream.
[[nodiscard]] std::optional<OfferOptions> options_of(std::string_view own);

}  // namespace linecheck::sip
