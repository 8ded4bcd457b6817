// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp_text.h"

#include <strings.h>

#include <algorithm>
#include <charconv>

namespace linecheck::sip {
namespace {

constexpr std::size_t kMaxText = 65'535;
constexpr std::size_t kMaxMedia = 64;
constexpr std::size_t kMaxAttributes = 2'048;
constexpr std::size_t kMaxFormats = 256;

SdpError malformed(std::string why) {
  return {SdpError::Kind::malformed, "the session description cannot be read: " + std::move(why)};
}

/// For a message: what came, short.
std::string shown(std::string_view line) {
  constexpr std::size_t kMax = 60;
  return "'" + std::string(line.substr(0, kMax)) + (line.size() > kMax ? "...'" : "'");
}

bool has_control(std::string_view line) {
  return std::any_of(line.begin(), line.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
  });
}

/// "IN IP4 10.1.2.3/127/2" -> "10.1.2.3".
std::string_view address_of(std::string_view value) {
  const std::string_view network = sdp_word(value);
  const std::string_view family = sdp_word(value);
  if (!sdp_same(network, "IN") || (!sdp_same(family, "IP4") && !sdp_same(family, "IP6"))) return {};
  std::string_view address = sdp_word(value);
  return sdp_cut(address, '/');
}

class Reader {
 public:
  SdpResult<SdpText> read(std::string_view text) {
    if (text.empty()) return SdpError{SdpError::Kind::malformed, "there is no session description"};
    if (text.size() > kMaxText) return malformed("it is longer than 65,535 bytes");
    while (!text.empty()) {
      std::string_view line = sdp_cut(text, '\n');
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (sdp_trimmed(line).empty()) continue;
      if (auto problem = take(line)) return std::move(*problem);
    }
    if (!version_) return malformed("it has no v= line");
    if (!origin_) return malformed("it has no o= line");
    return std::move(out_);
  }

 private:
  std::optional<SdpError> take(std::string_view line) {
    if (has_control(line)) return malformed("it has bytes that are no text");
    if (line.size() < 2 || line[1] != '=') return malformed(shown(line) + " is no line of SDP");
    const char letter = line[0];
    const std::string_view value = sdp_trimmed(line.substr(2));
    if (!version_) {
      if (letter != 'v' || value != "0") return malformed("it does not begin with v=0");
      version_ = true;
      return std::nullopt;
    }
    switch (letter) {
      case 'o':
        return out_.media.empty() && !origin_ ? origin(value) : std::nullopt;
      case 'c':
        connection(value);
        return std::nullopt;
      case 'm':
        return media(value);
      case 'a':
        return attribute(value);
      default:
        return std::nullopt;  // of no use here
    }
  }

  std::optional<SdpError> origin(std::string_view value) {
    const std::string_view whole = value;
    std::string_view words[6];
    for (std::string_view& word : words) word = sdp_word(value);
    if (words[5].empty()) return malformed(shown(whole) + " is no origin (o=)");
    out_.session_id = sdp_number(words[1]).value_or(0);
    out_.session_version = sdp_number(words[2]).value_or(0);
    origin_ = true;
    return std::nullopt;
  }

  void connection(std::string_view value) {
    // Several c= lines of a stream are a layered multicast (RFC 8866, 5.7): the first is the base.
    auto& address = out_.media.empty() ? out_.address : out_.media.back().address;
    if (!address) address = address_of(value);
  }

  std::optional<SdpError> media(std::string_view value) {
    const std::string_view whole = value;
    if (out_.media.size() == kMaxMedia) return malformed("it has more than 64 streams");
    SdpSection section;
    section.media = sdp_word(value);
    std::string_view ports = sdp_word(value);
    const auto port = sdp_number(sdp_cut(ports, '/'));
    section.protocol = sdp_word(value);
    if (section.protocol.empty() || !port || *port > 65'535)
      return malformed(shown(whole) + " is no stream (m=)");
    section.port = static_cast<std::uint16_t>(*port);
    for (std::string_view format = sdp_word(value); !format.empty(); format = sdp_word(value)) {
      if (section.formats.size() == kMaxFormats) return malformed("a stream has more than 256 formats");
      section.formats.push_back(format);
    }
    out_.media.push_back(std::move(section));
    return std::nullopt;
  }

  std::optional<SdpError> attribute(std::string_view value) {
    if (++attributes_ > kMaxAttributes) return malformed("it has more than 2,048 attributes");
    SdpAttribute attribute;
    attribute.name = sdp_trimmed(sdp_cut(value, ':'));
    attribute.value = sdp_trimmed(value);
    (out_.media.empty() ? out_.attributes : out_.media.back().attributes).push_back(attribute);
    return std::nullopt;
  }

  SdpText out_;
  bool version_ = false;
  bool origin_ = false;
  std::size_t attributes_ = 0;
};

}  // namespace

std::optional<std::string_view> SdpSection::find(std::string_view name) const {
  for (const SdpAttribute& attribute : attributes)
    if (attribute.name == name) return attribute.value;
  return std::nullopt;
}

SdpResult<SdpText> read_sdp_text(std::string_view text) {
  return Reader().read(text);
}

std::optional<std::uint64_t> sdp_number(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

std::string_view sdp_cut(std::string_view& text, char at) {
  const auto found = text.find(at);
  const std::string_view before = text.substr(0, found);
  text.remove_prefix(found == std::string_view::npos ? text.size() : found + 1);
  return before;
}

std::string_view sdp_word(std::string_view& text) {
  text = sdp_trimmed(text);
  const auto end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  text = sdp_trimmed(text);
  return word;
}

std::string_view sdp_trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool sdp_same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace linecheck::sip
