// SPDX-License-Identifier: GPL-3.0-or-later
//
// As much of a SIP user agent server as a benchmark's peer needs (RFC 3261 section 8.2): answers INVITE at
// once with one fixed media address, and every other request with 200. No transactions: a request that comes
// again gets the same answer again.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace linecheck::bench {

struct Answerer {
  std::string host;  ///< of SIP and media
  int sip_port = 0;
  int media_port = 0;
  std::string codec = "PCMU";   ///< the encoding's name in SDP
  int static_payload_type = 0;  ///< used where the offer has no rtpmap for it; -1: none

  /// What to send back; nothing for an ACK, and for what is no request.
  [[nodiscard]] std::optional<std::string> answer(std::string_view message) const {
    const std::string_view method = message.substr(0, message.find(' '));
    if (message.starts_with("SIP/2.0") || method == "ACK" || message.empty()) return std::nullopt;
    std::string reply = "SIP/2.0 200 OK\r\n";
    std::string_view rest = message;
    while (!rest.empty()) {
      const std::size_t end = rest.find("\r\n");
      const std::string_view line = rest.substr(0, end);
      if (line.empty() || end == std::string_view::npos) break;
      rest.remove_prefix(end + 2);
      if (is(line, "Via") || is(line, "v") || is(line, "From") || is(line, "f") || is(line, "Call-ID") ||
          is(line, "i") || is(line, "CSeq")) {
        reply.append(line).append("\r\n");
      } else if (is(line, "To") || is(line, "t")) {
        reply.append(line);
        if (line.find(";tag=") == std::string_view::npos) reply += ";tag=reflector";
        reply += "\r\n";
      }
    }
    reply += "Contact: <sip:reflector@" + host + ":" + std::to_string(sip_port) + ">\r\n";
    if (method != "INVITE") return reply + "Content-Length: 0\r\n\r\n";
    const std::string sdp = description(message);
    return reply + "Content-Type: application/sdp\r\nContent-Length: " + std::to_string(sdp.size()) +
           "\r\n\r\n" + sdp;
  }

 private:
  static char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
  static bool same(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
  }
  static bool is(std::string_view line, std::string_view header) {
    if (line.size() <= header.size() || !same(line.substr(0, header.size()), header)) return false;
    line.remove_prefix(header.size());
    return line.front() == ':' || line.front() == ' ';
  }

  /// The payload type that the offer gives to an encoding, by its rtpmap.
  static std::optional<int> mapped(std::string_view offer, std::string_view encoding) {
    constexpr std::string_view kMap = "a=rtpmap:";
    for (std::size_t at = offer.find(kMap); at != std::string_view::npos; at = offer.find(kMap, at + 1)) {
      std::string_view line = offer.substr(at + kMap.size());
      line = line.substr(0, line.find('\r'));
      const std::size_t space = line.find(' ');
      if (space == std::string_view::npos) continue;
      const std::string_view name = line.substr(space + 1);
      if (!same(name.substr(0, name.find('/')), encoding)) continue;
      int number = 0;
      if (std::from_chars(line.data(), line.data() + space, number).ec == std::errc()) return number;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string description(std::string_view offer) const {
    const int audio = mapped(offer, codec).value_or(static_payload_type);
    const auto events = mapped(offer, "telephone-event");
    std::string sdp = "v=0\r\no=reflector 1 1 IN IP4 " + host + "\r\ns=-\r\nc=IN IP4 " + host +
                      "\r\nt=0 0\r\nm=audio " + std::to_string(media_port) + " RTP/AVP " +
                      std::to_string(audio);
    if (events) sdp += " " + std::to_string(*events);
    sdp += "\r\na=rtpmap:" + std::to_string(audio) + " " + codec + (codec == "opus" ? "/48000/2" : "/8000");
    if (events) sdp += "\r\na=rtpmap:" + std::to_string(*events) + " telephone-event/8000";
    return sdp + "\r\na=ptime:20\r\n";
  }
};

}  // namespace linecheck::bench
