// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp_read.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <map>

namespace linecheck::sip {
namespace {

/// RFC 3551 table 4, for formats without a=rtpmap: G.711 and G.722, and others for messages.
std::string_view static_encoding(int payload_type) {
  switch (payload_type) {
    case 0:
      return "PCMU/8000";
    case 3:
      return "GSM/8000";
    case 4:
      return "G723/8000";
    case 8:
      return "PCMA/8000";
    case 9:
      return "G722/8000";
    case 13:
      return "CN/8000";
    case 15:
      return "G728/8000";
    case 18:
      return "G729/8000";
    default:
      return {};
  }
}

/// "opus/48000/2" in its parts; no clock: 0, no channels: 1.
struct Encoding {
  explicit Encoding(std::string_view text) {
    name = sdp_trimmed(sdp_cut(text, '/'));
    clock = sdp_number(sdp_trimmed(sdp_cut(text, '/'))).value_or(0);
    channels = text.empty() ? 1 : sdp_number(sdp_trimmed(text)).value_or(0);
  }
  std::string_view name;
  std::uint64_t clock = 0;
  std::uint64_t channels = 1;
};

std::optional<Codec> codec_of(const Encoding& encoding) {
  const bool one = encoding.channels == 1;
  if (sdp_same(encoding.name, "PCMU") && encoding.clock == 8000 && one) return Codec::pcmu;
  if (sdp_same(encoding.name, "PCMA") && encoding.clock == 8000 && one) return Codec::pcma;
  // Peers write 16000, which it samples at, but RFC 3551, 4.5.2 has it at 8000: both mean the same stream.
  if (sdp_same(encoding.name, "G722") && (encoding.clock == 8000 || encoding.clock == 16000) && one)
    return Codec::g722;
  // RFC 7587, 7: always two channels; peers that write none or one mean the same stream.
  if (sdp_same(encoding.name, "opus") && encoding.clock == 48000 && encoding.channels >= 1 &&
      encoding.channels <= 2)
    return Codec::opus;
  return std::nullopt;
}

/// The values of all attributes `name` that start with a payload type: the first one for each type.
std::map<int, std::string_view> by_payload_type(const SdpSection& section, std::string_view name) {
  std::map<int, std::string_view> out;
  for (const SdpAttribute& attribute : section.attributes) {
    if (attribute.name != name) continue;
    std::string_view value = attribute.value;
    const auto payload_type = sdp_number(sdp_word(value));
    if (payload_type && *payload_type <= 127) out.emplace(static_cast<int>(*payload_type), value);
  }
  return out;
}

void read_formats(const SdpSection& section, SdpMedia& out) {
  const auto maps = by_payload_type(section, "rtpmap");
  const auto parameters = by_payload_type(section, "fmtp");
  std::array<bool, 128> seen{};
  for (const std::string_view format : section.formats) {
    const auto number = sdp_number(format);
    if (!number || *number > 127 || std::exchange(seen[*number], true)) continue;
    const int payload_type = static_cast<int>(*number);
    const auto map = maps.find(payload_type);
    const Encoding encoding(map != maps.end() ? map->second : static_encoding(payload_type));
    out.formats.emplace_back(encoding.name.empty() ? format : encoding.name);
    if (sdp_same(encoding.name, "telephone-event")) {
      if (encoding.clock >= 8000 && encoding.clock <= 48000)
        out.telephone_events.push_back({payload_type, static_cast<int>(encoding.clock)});
    } else if (const auto codec = codec_of(encoding)) {
      CodecEntry entry{*codec, payload_type};
      if (const auto found = parameters.find(payload_type);
          *codec == Codec::opus && found != parameters.end())
        entry.opus = read_opus_parameters(found->second);
      out.codecs.push_back(entry);
    }
  }
}

bool is_ip(const std::string& address) {
  in6_addr scratch{};
  return inet_pton(AF_INET, address.c_str(), &scratch) == 1 ||
         inet_pton(AF_INET6, address.c_str(), &scratch) == 1;
}

bool is_multicast(const std::string& address) {
  in6_addr v6{};
  if (inet_pton(AF_INET6, address.c_str(), &v6) == 1) return v6.s6_addr[0] == 0xff;
  in_addr v4{};
  return inet_pton(AF_INET, address.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 28U) == 0xeU;
}

Direction direction_of(const SdpText& text, const SdpSection& section) {
  for (const auto* attributes : {&section.attributes, &text.attributes}) {
    for (const SdpAttribute& attribute : *attributes) {
      for (const Direction direction :
           {Direction::sendrecv, Direction::sendonly, Direction::recvonly, Direction::inactive}) {
        if (attribute.name == attribute_name(direction)) return direction;
      }
    }
  }
  return Direction::sendrecv;
}

/// a=ptime or a=maxptime; `otherwise` where there is none, or one that makes no sense.
int milliseconds_of(const SdpSection& section, std::string_view name, int otherwise) {
  const auto value = section.find(name);
  if (!value) return otherwise;
  std::string_view whole = *value;
  const auto number = sdp_number(sdp_cut(whole, '.'));  // "20.0" is seen
  return number && *number >= 5 && *number <= 200 ? static_cast<int>(*number) : otherwise;
}

/// RFC 3605: "53020" or "53020 IN IP4 126.16.64.4".
void read_rtcp(const SdpSection& section, SdpMedia& out) {
  out.rtcp_mux = section.find("rtcp-mux").has_value();
  out.rtcp_address = out.address;
  out.rtcp_port = out.port < 65'535 ? static_cast<std::uint16_t>(out.port + 1) : std::uint16_t{0};
  if (auto value = section.find("rtcp")) {
    const auto port = sdp_number(sdp_word(*value));
    sdp_word(*value);
    sdp_word(*value);
    const std::string address(sdp_word(*value));
    if (port && *port > 0 && *port <= 65'535) {
      out.rtcp_port = static_cast<std::uint16_t>(*port);
      if (is_ip(address)) out.rtcp_address = address;
    }
  }
}

/// The transport of an m= line, and its keys.
std::optional<SdpError> read_profile(const SdpSection& section, Srtp srtp, SdpMedia& out) {
  out.secure = sdp_same(section.protocol, "RTP/SAVP") || sdp_same(section.protocol, "RTP/SAVPF");
  const bool plain = sdp_same(section.protocol, "RTP/AVP") || sdp_same(section.protocol, "RTP/AVPF");
  if (!plain && (!out.secure || srtp == Srtp::off)) {
    return SdpError{SdpError::Kind::not_rtp_avp,
                    "the audio stream uses " + std::string(section.protocol) +
                        (out.secure          ? ", and encryption is off here"
                         : srtp == Srtp::off ? ", and only RTP/AVP is spoken here"
                                             : ", and only RTP/AVP and RTP/SAVP are spoken here")};
  }
  if (srtp == Srtp::off) return std::nullopt;
  for (const SdpAttribute& attribute : section.attributes) {
    if (attribute.name != "crypto") continue;
    if (auto line = read_crypto(attribute.value, out.crypto_problem)) out.crypto.push_back(std::move(*line));
  }
  return std::nullopt;
}

}  // namespace

SdpResult<SdpMedia> read_audio(const SdpText& text, const SdpSection& section, Srtp srtp) {
  if (section.port == 0) return SdpError{SdpError::Kind::rejected, "the audio stream was refused (port 0)"};
  SdpMedia out;
  if (auto problem = read_profile(section, srtp, out)) return std::move(*problem);
  out.address = section.address ? *section.address : text.address.value_or("");
  if (!is_ip(out.address) || is_multicast(out.address))
    return SdpError{SdpError::Kind::bad_address, "the audio stream has no IP address to send to"};
  out.port = section.port;
  out.old_style_hold = out.address == "0.0.0.0" || out.address == "::";
  out.direction = direction_of(text, section);
  out.max_ptime_ms = milliseconds_of(section, "maxptime", 0);
  out.ptime_ms = milliseconds_of(section, "ptime", 20);
  if (out.max_ptime_ms > 0) out.ptime_ms = std::min(out.ptime_ms, out.max_ptime_ms);
  read_formats(section, out);
  read_rtcp(section, out);
  return out;
}

bool is_audio(const SdpSection& section) {
  return sdp_same(section.media, "audio");
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

std::string formats_text(const std::vector<std::string>& formats) {
  std::string out;
  for (const std::string& format : formats) out += (out.empty() ? "" : ", ") + format;
  return out.empty() ? "nothing" : out;
}

}  // namespace linecheck::sip
