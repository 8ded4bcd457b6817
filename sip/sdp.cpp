// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp.h"

#include <arpa/inet.h>
#include <sofia-sip/sdp.h>
#include <sofia-sip/su_alloc.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <memory>

#include "sip/sdp_session.h"

namespace linecheck::sip {
namespace {

struct ParserFree {
  void operator()(sdp_parser_t* parser) const { sdp_parser_free(parser); }
};
using Parser = std::unique_ptr<sdp_parser_t, ParserFree>;

struct Parsed {
  Parser parser;
  sdp_session_t* session = nullptr;
};

SdpResult<std::shared_ptr<Parsed>> parse_session(std::string_view text) {
  if (text.empty()) return SdpError{SdpError::Kind::malformed, "there is no session description"};
  auto parsed = std::make_shared<Parsed>();
  parsed->parser.reset(sdp_parse(nullptr, text.data(), static_cast<issize_t>(text.size()), 0));
  parsed->session = parsed->parser ? sdp_session(parsed->parser.get()) : nullptr;
  if (parsed->session == nullptr) {
    const char* why = parsed->parser ? sdp_parsing_error(parsed->parser.get()) : nullptr;
    return SdpError{SdpError::Kind::malformed, std::string("the session description cannot be read: ") +
                                                   (why != nullptr ? why : "no memory")};
  }
  return parsed;
}

bool is_ip(const std::string& address) {
  in6_addr scratch{};
  return inet_pton(AF_INET, address.c_str(), &scratch) == 1 ||
         inet_pton(AF_INET6, address.c_str(), &scratch) == 1;
}

Direction direction_of(unsigned mode) {
  switch (mode) {
    case sdp_sendonly:
      return Direction::sendonly;
    case sdp_recvonly:
      return Direction::recvonly;
    case sdp_inactive:
      return Direction::inactive;
    default:
      return Direction::sendrecv;
  }
}

bool sends(Direction direction) {
  return direction == Direction::sendrecv || direction == Direction::sendonly;
}
bool receives(Direction direction) {
  return direction == Direction::sendrecv || direction == Direction::recvonly;
}

Direction make_direction(bool send, bool receive) {
  if (send) return receive ? Direction::sendrecv : Direction::sendonly;
  return receive ? Direction::recvonly : Direction::inactive;
}

/// What we may do on a stream of which we want `ours` and the peer described `theirs`.
Direction agree(Direction ours, const SdpMedia& theirs) {
  return make_direction(sends(ours) && receives(theirs.direction) && !theirs.old_style_hold,
                        receives(ours) && sends(theirs.direction));
}

int ptime_of(const sdp_media_t* media) {
  const sdp_attribute_t* attribute = sdp_attribute_find(media->m_attributes, "ptime");
  if (attribute == nullptr || attribute->a_value == nullptr) return 20;
  int value = 0;
  const char* begin = attribute->a_value;
  const auto [end, error] = std::from_chars(begin, begin + std::strlen(begin), value);
  return error == std::errc{} && value >= 5 && value <= 200 ? value : 20;
}

std::string formats_text(const std::vector<std::string>& formats) {
  std::string out;
  for (const std::string& format : formats) out += (out.empty() ? "" : ", ") + format;
  return out.empty() ? "nothing" : out;
}

SdpMedia describe(const sdp_media_t* media) {
  SdpMedia out;
  out.port = media->m_port <= 65535 ? static_cast<std::uint16_t>(media->m_port) : std::uint16_t{0};
  out.direction = direction_of(media->m_mode);
  out.ptime_ms = ptime_of(media);
  if (const sdp_connection_t* connection = sdp_media_connections(media); connection != nullptr) {
    out.address = connection->c_address != nullptr ? connection->c_address : "";
    out.old_style_hold = out.address == "0.0.0.0";
  }
  for (const sdp_rtpmap_t* map = media->m_rtpmaps; map != nullptr; map = map->rm_next) {
    const char* encoding = map->rm_encoding != nullptr ? map->rm_encoding : "";
    const int payload_type = static_cast<int>(map->rm_pt);
    out.formats.emplace_back(*encoding != '\0' ? encoding : std::to_string(payload_type));
    if (map->rm_rate != 8000) continue;
    if (strcasecmp(encoding, "PCMU") == 0) {
      out.codecs.push_back({Codec::pcmu, payload_type});
    } else if (strcasecmp(encoding, "PCMA") == 0) {
      out.codecs.push_back({Codec::pcma, payload_type});
    } else if (strcasecmp(encoding, "telephone-event") == 0 && out.telephone_event_pt < 0) {
      out.telephone_event_pt = payload_type;
    }
  }
  return out;
}

bool is_audio(const sdp_media_t* media) {
  return media->m_type == sdp_media_audio;
}
bool is_plain_rtp(const sdp_media_t* media) {
  return media->m_proto == sdp_proto_rtp;
}

/// The first m=audio line that can be used; of those that cannot, the reason of the best one.
SdpResult<const sdp_media_t*> pick_audio(const sdp_session_t* session) {
  SdpError error{SdpError::Kind::no_audio, "the session description has no audio stream"};
  for (const sdp_media_t* media = session->sdp_media; media != nullptr; media = media->m_next) {
    if (!is_audio(media)) continue;
    if (media->m_rejected != 0 || media->m_port == 0) {
      error = {SdpError::Kind::rejected, "the audio stream was refused (port 0)"};
      continue;
    }
    if (!is_plain_rtp(media)) {
      error = {SdpError::Kind::not_rtp_avp, std::string("the audio stream uses ") +
                                                (media->m_proto_name != nullptr ? media->m_proto_name : "?") +
                                                ", and only RTP/AVP is spoken here"};
      continue;
    }
    const sdp_connection_t* connection = sdp_media_connections(media);
    if (connection == nullptr || connection->c_address == nullptr || !is_ip(connection->c_address)) {
      error = {SdpError::Kind::bad_address, "the audio stream has no IP address to send to"};
      continue;
    }
    return media;
  }
  return error;
}

std::string address_lines(const OfferOptions& options) {
  const bool v6 = options.address.find(':') != std::string::npos;
  const std::string where = std::string(" IN ") + (v6 ? "IP6 " : "IP4 ") + options.address;
  std::uint64_t id = options.session_id;
  if (id == 0) id = (std::hash<std::string>{}(options.address) & 0xffffffU) << 16U | options.port;
  return "v=0\r\no=- " + std::to_string(id) + " " + std::to_string(options.session_version) + where +
         "\r\ns=-\r\nc=" + where.substr(1) + "\r\nt=0 0\r\n";
}

std::string audio_lines(const OfferOptions& options, const std::vector<CodecEntry>& codecs,
                        int telephone_event_pt, Direction direction) {
  std::string line = "m=audio " + std::to_string(options.port) + " RTP/AVP";
  std::string attributes;
  for (const CodecEntry& entry : codecs) {
    const std::string number = std::to_string(entry.payload_type);
    line += " " + number;
    attributes += "a=rtpmap:" + number + " " + std::string(encoding_name(entry.codec)) + "/8000\r\n";
  }
  if (telephone_event_pt >= 0) {
    const std::string number = std::to_string(telephone_event_pt);
    line += " " + number;
    attributes += "a=rtpmap:" + number + " telephone-event/8000\r\na=fmtp:" + number + " 0-15\r\n";
  }
  return line + "\r\n" + attributes + "a=ptime:" + std::to_string(options.ptime_ms) +
         "\r\na=" + std::string(attribute_name(direction)) + "\r\n";
}

/// An m= line refused: port 0, with its formats as they were (RFC 3264, 6).
std::string refused_lines(const sdp_media_t* media) {
  std::string line = std::string("m=") + (media->m_type_name != nullptr ? media->m_type_name : "audio") +
                     " 0 " + (media->m_proto_name != nullptr ? media->m_proto_name : "RTP/AVP");
  bool any = false;
  for (const sdp_rtpmap_t* map = media->m_rtpmaps; map != nullptr; map = map->rm_next, any = true)
    line += " " + std::to_string(static_cast<int>(map->rm_pt));
  if (!any)
    for (const sdp_list_t* format = media->m_format; format != nullptr; format = format->l_next, any = true)
      line += std::string(" ") + format->l_text;
  return line + (any ? "\r\n" : " 0\r\n");
}

}  // namespace

std::string_view encoding_name(Codec codec) {
  return codec == Codec::pcmu ? "PCMU" : "PCMA";
}
int static_payload_type(Codec codec) {
  return codec == Codec::pcmu ? 0 : 8;
}

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

bool Negotiated::may_send() const {
  return sends(direction);
}

SdpResult<SdpMedia> parse_sdp(std::string_view text) {
  const auto parsed = parse_session(text);
  if (!parsed) return parsed.error();
  const auto media = pick_audio((*parsed)->session);
  if (!media) return media.error();
  return describe(*media);
}

std::string make_offer(const OfferOptions& options) {
  std::vector<CodecEntry> codecs;
  for (const Codec codec : options.codecs) codecs.push_back({codec, static_payload_type(codec)});
  return address_lines(options) +
         audio_lines(options, codecs, options.telephone_event_payload_type, options.direction);
}

SdpResult<Negotiated> negotiate_answer(const OfferOptions& offer, std::string_view answer) {
  const auto parsed = parse_sdp(answer);
  if (!parsed) return parsed.error();
  const SdpMedia& media = *parsed;
  const auto chosen = std::find_if(media.codecs.begin(), media.codecs.end(), [&](const CodecEntry& entry) {
    return std::find(offer.codecs.begin(), offer.codecs.end(), entry.codec) != offer.codecs.end();
  });
  if (chosen == media.codecs.end()) {
    std::vector<std::string> offered;
    for (const Codec codec : offer.codecs) offered.emplace_back(encoding_name(codec));
    return SdpError{SdpError::Kind::codec_not_offered, "the answer has " + formats_text(media.formats) +
                                                           ", but what was offered is " +
                                                           formats_text(offered)};
  }
  Negotiated out;
  out.remote_address = media.address;
  out.remote_port = media.port;
  out.codec = chosen->codec;
  out.payload_type = chosen->payload_type;
  out.receive_payload_type = static_payload_type(chosen->codec);
  if (offer.telephone_event_payload_type >= 0 && media.telephone_event_pt >= 0) {
    out.telephone_event_pt = media.telephone_event_pt;
    out.receive_telephone_event_pt = offer.telephone_event_payload_type;
  }
  out.direction = agree(offer.direction, media);
  out.ptime_ms = media.ptime_ms;
  return out;
}

SdpResult<Answer> make_answer(std::string_view offer, const OfferOptions& local) {
  const auto parsed = parse_session(offer);
  if (!parsed) return parsed.error();
  const sdp_session_t* session = (*parsed)->session;

  // The first audio line that has a codec of ours is taken; the others are refused in their places.
  const sdp_media_t* taken = nullptr;
  SdpMedia media;
  const CodecEntry* chosen = nullptr;
  SdpError error{SdpError::Kind::no_audio, "the offer has no audio stream"};
  for (const sdp_media_t* line = session->sdp_media; line != nullptr && taken == nullptr;
       line = line->m_next) {
    if (!is_audio(line)) continue;
    sdp_session_t only = *session;
    sdp_media_t alone = *line;
    alone.m_next = nullptr;
    only.sdp_media = &alone;
    if (const auto usable = pick_audio(&only); !usable) {
      error = usable.error();
      continue;
    }
    media = describe(line);
    const auto found = std::find_if(media.codecs.begin(), media.codecs.end(), [&](const CodecEntry& entry) {
      return std::find(local.codecs.begin(), local.codecs.end(), entry.codec) != local.codecs.end();
    });
    if (found == media.codecs.end()) {
      error = {SdpError::Kind::no_common_codec,
               "the offer has " + formats_text(media.formats) + ", none of which is spoken here"};
      continue;
    }
    chosen = &*found;
    taken = line;
  }
  if (taken == nullptr) return error;

  Negotiated out;
  out.remote_address = media.address;
  out.remote_port = media.port;
  out.codec = chosen->codec;
  out.payload_type = out.receive_payload_type = chosen->payload_type;
  if (local.telephone_event_payload_type >= 0)
    out.telephone_event_pt = out.receive_telephone_event_pt = media.telephone_event_pt;
  out.direction = agree(local.direction, media);
  out.ptime_ms = media.ptime_ms;

  std::string text = address_lines(local);
  for (const sdp_media_t* line = session->sdp_media; line != nullptr; line = line->m_next)
    text += line == taken ? audio_lines(local, {*chosen}, out.telephone_event_pt, out.direction)
                          : refused_lines(line);
  return Answer{std::move(text), std::move(out)};
}

std::optional<OfferOptions> options_of(std::string_view own) {
  const auto parsed = parse_session(own);
  if (!parsed) return std::nullopt;
  const auto picked = pick_audio((*parsed)->session);
  if (!picked) return std::nullopt;
  const SdpMedia media = describe(*picked);
  OfferOptions out;
  out.address = media.address;
  out.port = media.port;
  out.codecs.clear();
  for (const CodecEntry& entry : media.codecs) out.codecs.push_back(entry.codec);
  out.telephone_event_payload_type = media.telephone_event_pt;
  out.ptime_ms = media.ptime_ms;
  if (const sdp_origin_t* origin = (*parsed)->session->sdp_origin; origin != nullptr) {
    out.session_id = origin->o_id;
    out.session_version = origin->o_version;
  }
  return out;
}

}  // namespace linecheck::sip
