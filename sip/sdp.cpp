// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp.h"

#include <algorithm>
#include <functional>

#include "sip/sdp_read.h"

namespace linecheck::sip {
namespace {

/// What we may do on a stream of which we want `ours` and the peer described `theirs`.
Direction agree(Direction ours, const SdpMedia& theirs) {
  return make_direction(sends(ours) && receives(theirs.direction) && !theirs.old_style_hold,
                        receives(ours) && sends(theirs.direction));
}

std::string session_lines(const OfferOptions& options) {
  const bool v6 = options.address.find(':') != std::string::npos;
  const std::string where = std::string(" IN ") + (v6 ? "IP6 " : "IP4 ") + options.address;
  std::uint64_t id = options.session_id;
  if (id == 0) id = (std::hash<std::string>{}(options.address) & 0xffffffU) << 16U | options.port;
  return "v=0\r\no=- " + std::to_string(id) + " " + std::to_string(options.session_version) + where +
         "\r\ns=-\r\nc=" + where.substr(1) + "\r\nt=0 0\r\n";
}

/// What an m=audio line of ours says.
struct AudioLine {
  std::string protocol = "RTP/AVP";
  std::vector<CodecEntry> codecs;
  std::vector<TelephoneEventEntry> telephone_events;
  Direction direction = Direction::sendrecv;
  bool rtcp_mux = false;
  std::vector<CryptoLine> crypto;
};

std::string audio_lines(const OfferOptions& options, const AudioLine& audio) {
  std::string line = "m=audio " + std::to_string(options.port) + " " + audio.protocol;
  std::string attributes;
  const auto attribute = [&attributes](const std::string& text) { attributes += "a=" + text + "\r\n"; };
  for (const CodecEntry& entry : audio.codecs) {
    const std::string number = std::to_string(entry.payload_type);
    line += " " + number;
    attribute("rtpmap:" + number + " " + std::string(encoding_name(entry.codec)) + "/" +
              std::to_string(rtp_clock(entry.codec)) + (entry.codec == Codec::opus ? "/2" : ""));
    if (entry.codec == Codec::opus) attribute("fmtp:" + number + " " + opus_parameters_text(options.opus));
  }
  for (const TelephoneEventEntry& entry : audio.telephone_events) {
    const std::string number = std::to_string(entry.payload_type);
    line += " " + number;
    attribute("rtpmap:" + number + " telephone-event/" + std::to_string(entry.clock));
    attribute("fmtp:" + number + " 0-15");
  }
  attribute("ptime:" + std::to_string(options.ptime_ms));
  if (options.max_ptime_ms > 0) attribute("maxptime:" + std::to_string(options.max_ptime_ms));
  if (options.rtcp_port != 0 && options.rtcp_port != options.port + 1)
    attribute("rtcp:" + std::to_string(options.rtcp_port));
  if (audio.rtcp_mux) attribute("rtcp-mux");
  for (const CryptoLine& crypto : audio.crypto) attribute("crypto:" + crypto_text(crypto));
  attribute(std::string(attribute_name(audio.direction)));
  return line + "\r\n" + attributes;
}

int payload_type_of(const OfferOptions& options, Codec codec) {
  return codec == Codec::opus ? options.opus_payload_type : static_payload_type(codec);
}

int telephone_event_of(const OfferOptions& options, int clock) {
  if (options.telephone_event_payload_type < 0) return -1;
  return clock == 8000 ? options.telephone_event_payload_type : options.wide_telephone_event_payload_type;
}

bool has(const OfferOptions& options, Codec codec) {
  return std::find(options.codecs.begin(), options.codecs.end(), codec) != options.codecs.end();
}

/// The first codec of the peer that is one of ours.
const CodecEntry* first_common(const SdpMedia& media, const OfferOptions& ours) {
  const auto found = std::find_if(media.codecs.begin(), media.codecs.end(),
                                  [&](const CodecEntry& entry) { return has(ours, entry.codec); });
  return found == media.codecs.end() ? nullptr : &*found;
}

/// What does not depend on who offered.
Negotiated agreed(const OfferOptions& ours, const SdpMedia& theirs, const CodecEntry& chosen) {
  Negotiated out;
  out.remote_address = theirs.address;
  out.remote_port = theirs.port;
  out.codec = chosen.codec;
  out.payload_type = chosen.payload_type;
  out.opus = chosen.opus;
  out.direction = agree(ours.direction, theirs);
  out.ptime_ms = theirs.ptime_ms;
  out.max_ptime_ms = theirs.max_ptime_ms;
  out.remote_rtcp_address = theirs.rtcp_address;
  out.remote_rtcp_port = theirs.rtcp_port;
  return out;
}

/// Why a stream without usable keys cannot be had; nullopt where it goes without encryption.
std::optional<SdpError> without_keys(const OfferOptions& ours, const SdpMedia& theirs, const char* what) {
  if (theirs.secure || !theirs.crypto.empty() || !theirs.crypto_problem.empty()) {
    const bool nothing = theirs.crypto.empty() && theirs.crypto_problem.empty();
    std::string why = "it has no key in an a=crypto line";
    if (!nothing) why = theirs.crypto_problem;
    if (why.empty()) why = "no suite of it is in use here";
    // Under RTP/AVP an offer may be answered without; an answer with keys that are wrong is never taken for
    // one without.
    if (theirs.secure || ours.srtp == Srtp::require)
      return SdpError{SdpError::Kind::no_common_crypto,
                      std::string("the encryption of the ") + what + " cannot be used: " + why};
    return std::nullopt;
  }
  if (ours.srtp != Srtp::require) return std::nullopt;
  return SdpError{SdpError::Kind::not_encrypted,
                  std::string("the ") + what + " is not encrypted, and encryption is required here"};
}

const CryptoLine* line_of(const std::vector<CryptoLine>& lines, SrtpSuite suite) {
  for (const CryptoLine& line : lines)
    if (line.suite == suite) return &line;
  return nullptr;
}

void share_port(Negotiated& media) {
  media.rtcp_mux = true;
  media.remote_rtcp_address = media.remote_address;
  media.remote_rtcp_port = media.remote_port;
}

}  // namespace

std::string_view attribute_name(Direction direction) {
  switch (direction) {
    case Direction::sendonly:
      return "sendonly";
    case Direction::recvonly:
      return "recvonly";
    case Direction::inactive:
      return "inactive";
    case Direction::sendrecv:
      break;
  }
  return "sendrecv";
}

Direction mirrored(Direction direction) {
  return make_direction(receives(direction), sends(direction));
}

int SdpMedia::telephone_event(int clock) const {
  for (const TelephoneEventEntry& entry : telephone_events)
    if (entry.clock == clock) return entry.payload_type;
  return -1;
}

bool Negotiated::may_send() const {
  return sends(direction);
}
bool Negotiated::may_receive() const {
  return receives(direction);
}

SdpResult<SdpMedia> pick_audio(const SdpText& text, Srtp srtp) {
  SdpError error{SdpError::Kind::no_audio, "the session description has no audio stream"};
  for (const SdpSection& section : text.media) {
    if (!is_audio(section)) continue;
    auto media = read_audio(text, section, srtp);
    if (media) return media;
    error = media.error();
  }
  return error;
}

std::string refused_line(const SdpSection& section) {
  std::string line = "m=" + std::string(section.media) + " 0 " + std::string(section.protocol);
  for (const std::string_view format : section.formats) line += " " + std::string(format);
  return line + (section.formats.empty() ? " 0\r\n" : "\r\n");
}

SdpResult<SdpMedia> parse_sdp(std::string_view text, Srtp srtp) {
  const auto parsed = read_sdp_text(text);
  if (!parsed) return parsed.error();
  return pick_audio(*parsed, srtp);
}

std::string offer_text(const OfferOptions& options, const std::vector<std::string>& lines) {
  AudioLine audio;
  std::vector<int> clocks;
  for (const Codec codec : options.codecs) {
    audio.codecs.push_back({codec, payload_type_of(options, codec)});
    const int clock = rtp_clock(codec);
    if (std::find(clocks.begin(), clocks.end(), clock) == clocks.end()) clocks.push_back(clock);
  }
  for (const int clock : clocks)
    if (const int number = telephone_event_of(options, clock); number >= 0)
      audio.telephone_events.push_back({number, clock});
  audio.direction = options.direction;
  audio.rtcp_mux = options.rtcp_mux;
  if (options.srtp == Srtp::require) audio.protocol = "RTP/SAVP";
  if (options.srtp != Srtp::off) audio.crypto = options.crypto;
  std::string text = session_lines(options);
  for (const std::string& line : lines) text += line.empty() ? audio_lines(options, audio) : line;
  return text;
}

std::string make_offer(const OfferOptions& options) {
  return offer_text(options, {""});
}

SdpResult<Negotiated> negotiate_answer(const OfferOptions& offer, std::string_view answer) {
  const auto parsed = parse_sdp(answer, offer.srtp);
  if (!parsed) return parsed.error();
  const SdpMedia& media = *parsed;
  const CodecEntry* chosen = first_common(media, offer);
  if (chosen == nullptr) {
    std::vector<std::string> offered;
    for (const Codec codec : offer.codecs) offered.emplace_back(encoding_name(codec));
    return SdpError{SdpError::Kind::codec_not_offered, "the answer has " + formats_text(media.formats) +
                                                           ", but what was offered is " +
                                                           formats_text(offered)};
  }
  Negotiated out = agreed(offer, media, *chosen);
  out.receive_payload_type = payload_type_of(offer, chosen->codec);
  for (const CodecEntry& entry : media.codecs)
    if (has(offer, entry.codec)) out.receivable.push_back({entry.codec, payload_type_of(offer, entry.codec)});
  const int clock = rtp_clock(chosen->codec);
  const int ours = telephone_event_of(offer, clock);
  const int theirs = media.telephone_event(clock);
  if (ours >= 0 && theirs >= 0) {
    out.telephone_event_pt = theirs;
    out.receive_telephone_event_pt = ours;
  }
  if (offer.rtcp_mux && media.rtcp_mux) share_port(out);
  if (offer.srtp == Srtp::off) return out;
  for (const CryptoLine& line : media.crypto) {
    const CryptoLine* mine = line_of(offer.crypto, line.suite);
    if (mine == nullptr || mine->tag != line.tag) continue;
    out.srtp = NegotiatedSrtp{line.suite, mine->key, line.key, line.mki};
    return out;
  }
  if (!media.crypto.empty() || !media.crypto_problem.empty()) {
    // The peer believes in encryption: to go on without would be noise both ways.
    return SdpError{
        SdpError::Kind::no_common_crypto,
        "the encryption of the answer cannot be used: " +
            (media.crypto_problem.empty() ? "its suite and tag were not offered" : media.crypto_problem)};
  }
  if (auto problem = without_keys(offer, media, "answer")) return std::move(*problem);
  return out;
}

SdpResult<Answer> make_answer(std::string_view offer, const OfferOptions& local) {
  const auto parsed = read_sdp_text(offer);
  if (!parsed) return parsed.error();

  // The first audio line that has a codec of ours is taken; the others are refused in their places.
  const SdpSection* taken = nullptr;
  SdpMedia media;
  const CodecEntry* chosen = nullptr;
  auto theirs = media.crypto.end();
  SdpError error{SdpError::Kind::no_audio, "the offer has no audio stream"};
  for (const SdpSection& section : parsed->media) {
    if (!is_audio(section)) continue;
    const auto usable = read_audio(*parsed, section, local.srtp);
    if (!usable) {
      error = usable.error();
      continue;
    }
    media = *usable;
    chosen = first_common(media, local);
    if (chosen == nullptr) {
      error = {SdpError::Kind::no_common_codec,
               "the offer has " + formats_text(media.formats) + ", none of which is spoken here"};
      continue;
    }
    theirs = std::find_if(media.crypto.begin(), media.crypto.end(), [&](const CryptoLine& line) {
      return line_of(local.crypto, line.suite) != nullptr;
    });
    if (theirs == media.crypto.end()) {
      if (auto problem = without_keys(local, media, "offer")) {
        error = std::move(*problem);
        continue;
      }
    }
    taken = &section;
    break;
  }
  if (taken == nullptr) return error;

  Negotiated out = agreed(local, media, *chosen);
  out.receive_payload_type = chosen->payload_type;
  out.receivable = {{chosen->codec, chosen->payload_type}};
  const int clock = rtp_clock(chosen->codec);
  if (telephone_event_of(local, clock) >= 0)
    out.telephone_event_pt = out.receive_telephone_event_pt = media.telephone_event(clock);
  if (media.rtcp_mux) share_port(out);

  AudioLine audio;
  audio.protocol = taken->protocol;
  audio.codecs = {*chosen};
  if (out.telephone_event_pt >= 0) audio.telephone_events = {{out.telephone_event_pt, clock}};
  audio.direction = out.direction;
  audio.rtcp_mux = out.rtcp_mux;
  if (theirs != media.crypto.end()) {
    const SrtpKey& ours = line_of(local.crypto, theirs->suite)->key;
    out.srtp = NegotiatedSrtp{theirs->suite, ours, theirs->key, theirs->mki};
    audio.crypto = {{theirs->tag, theirs->suite, ours, {}}};
  }
  std::string text = session_lines(local);
  for (const SdpSection& section : parsed->media)
    text += &section == taken ? audio_lines(local, audio) : refused_line(section);
  return Answer{std::move(text), std::move(out)};
}

}  // namespace linecheck::sip
