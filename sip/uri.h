// SPDX-License-Identifier: GPL-3.0-or-later
//
// A deliberately narrow reading of SIP URIs and telephone numbers, for gates. RFC 3261 allows much more; what
// is not read here is refused, so that a gate and the SIP stack can never understand the same text
// differently.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace linecheck::sip {

struct PlainUri {
  bool secure = false;  ///< sips:
  std::string user;     ///< as written; empty: none
  std::string host;     ///< lower case; IPv6 keeps its brackets
  std::optional<std::uint16_t> port;
};

/// `sip:[user@]host[:port]` of plain characters, without escapes, passwords, parameters or headers.
[[nodiscard]] std::optional<PlainUri> parse_plain_uri(std::string_view text);

/// Optional + and 1..32 digits.
[[nodiscard]] bool is_number(std::string_view text);

/// Why a URI cannot go into a request, in plain words; nullopt: it can. Wider than parse_plain_uri: escapes
/// and parameters pass, line breaks, blanks, quotes and angle brackets do not.
[[nodiscard]] std::optional<std::string> uri_problem(std::string_view text);

/// `localhost` as an address (RFC 6761, 6.3): Sofia's resolver asks name servers only, which do not know it.
[[nodiscard]] std::string with_numeric_localhost(std::string uri, bool v6);

}  // namespace linecheck::sip
