// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp_session.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sip/sdp_read.h"

namespace linecheck::sip {
namespace {

/// From now on our payload types are those that the peer gave to what was agreed on (RFC 3264, 8.3.2). Others
/// of ours that would mean two things then move out of the way.
void adopt_numbers(OfferOptions& ours, const Negotiated& agreed) {
  std::vector<int*> fixed;
  std::vector<int*> free;
  const auto sort = [&](int& mine, bool is_theirs, int number) {
    if (is_theirs) mine = number;
    (is_theirs ? fixed : free).push_back(&mine);
  };
  const bool events = agreed.receive_telephone_event_pt >= 0;
  const bool wide = rtp_clock(agreed.codec) == 48000;
  sort(ours.opus_payload_type, agreed.codec == Codec::opus, agreed.receive_payload_type);
  sort(ours.telephone_event_payload_type, events && !wide, agreed.receive_telephone_event_pt);
  sort(ours.wide_telephone_event_payload_type, events && wide, agreed.receive_telephone_event_pt);
  for (int* mine : free) {
    const auto taken = [&](int number) {
      return number == agreed.receive_payload_type ||
             std::any_of(fixed.begin(), fixed.end(), [&](const int* other) { return *other == number; });
    };
    if (*mine >= 0 && taken(*mine)) {
      *mine = 96;
      while (*mine < 127 && taken(*mine)) ++*mine;
    }
    fixed.push_back(mine);
  }
}

/// The m= lines of our last description, for offer_text().
std::vector<std::string> lines_of(const std::string& last) {
  std::vector<std::string> lines;
  const auto text = read_sdp_text(last);
  if (!text) return {""};
  bool ours = false;
  for (const SdpSection& section : text->media) {
    const bool here = !ours && is_audio(section) && section.port != 0;
    ours = ours || here;
    lines.push_back(here ? "" : refused_line(section));
  }
  if (!ours) lines.emplace_back();
  return lines;
}

}  // namespace

std::optional<SdpSession> SdpSession::begun_with(std::string own,
                                                 const std::optional<OfferOptions>& capabilities) {
  const auto said = options_of(own);
  if (!said) return std::nullopt;
  OfferOptions ours = capabilities ? *capabilities : *said;
  ours.address = said->address;
  ours.port = said->port;
  ours.rtcp_port = said->rtcp_port;
  ours.session_id = said->session_id;
  ours.session_version = said->session_version;
  ours.direction = Direction::sendrecv;
  return SdpSession(std::move(own), std::move(ours));
}

std::string SdpSession::offer() {
  const std::vector<std::string> lines = lines_of(last_);
  std::string text = offer_text(ours_, lines);
  if (text != last_) {
    ++ours_.session_version;
    text = offer_text(ours_, lines);
  }
  last_ = text;
  return text;
}

SdpResult<Negotiated> SdpSession::take_answer(std::string_view answer) const {
  return negotiate_answer(ours_, answer);
}

SdpResult<Answer> SdpSession::answer(std::string_view offer) {
  auto answer = make_answer(offer, ours_);
  if (!answer) return answer;
  if (answer->sdp != last_) {
    ++ours_.session_version;
    answer = make_answer(offer, ours_);
  }
  last_ = answer->sdp;
  adopt_numbers(ours_, answer->media);
  return answer;
}

std::optional<OfferOptions> options_of(std::string_view own) {
  const auto parsed = read_sdp_text(own);
  if (!parsed) return std::nullopt;
  const auto picked = pick_audio(*parsed, Srtp::offer);
  if (!picked) return std::nullopt;
  const SdpMedia& media = *picked;
  OfferOptions out;
  out.address = media.address;
  out.port = media.port;
  if (media.rtcp_port != media.port + 1) out.rtcp_port = media.rtcp_port;
  out.rtcp_mux = media.rtcp_mux;
  out.codecs.clear();
  for (const CodecEntry& entry : media.codecs) {
    out.codecs.push_back(entry.codec);
    if (entry.codec != Codec::opus) continue;
    out.opus_payload_type = entry.payload_type;
    out.opus = entry.opus;
  }
  out.telephone_event_payload_type = media.telephone_event(8000);
  out.wide_telephone_event_payload_type = media.telephone_event(48000);
  if (out.telephone_event_payload_type < 0 && out.wide_telephone_event_payload_type >= 0)
    out.telephone_event_payload_type = out.wide_telephone_event_payload_type == 101 ? 102 : 101;
  out.ptime_ms = media.ptime_ms;
  out.max_ptime_ms = media.max_ptime_ms;
  out.crypto = media.crypto;
  if (!media.crypto.empty()) out.srtp = media.secure ? Srtp::require : Srtp::offer;
  out.session_id = parsed->session_id;
  out.session_version = parsed->session_version;
  return out;
}

}  // namespace linecheck::sip
