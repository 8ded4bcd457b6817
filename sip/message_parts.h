// SPDX-License-Identifier: GPL-3.0-or-later
//
// Pieces of Sofia's parsed messages as plain values. Internal.
#pragma once

#include <sofia-sip/sip.h>
#include <sofia-sip/url.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sip/events.h"
#include "sip/types.h"

namespace linecheck::sip {

struct ReasonParts {
  std::optional<int> q850;
  std::string text;
};

/// Reason headers (RFC 3326): the cause of the Q.850 one, the first text.
[[nodiscard]] ReasonParts reason_of(const sip_t* sip);
[[nodiscard]] std::optional<int> retry_after_of(const sip_t* sip);
[[nodiscard]] std::string body_of(const sip_t* sip);
[[nodiscard]] std::string uri_text(const url_t* url);
/// Unescaped user part.
[[nodiscard]] std::string user_of(const url_t* url);
/// Headers whose name starts with X-, in their order.
[[nodiscard]] std::vector<Header> x_headers_of(const sip_t* sip);

/// What a final response of 300 or more means.
[[nodiscard]] FailureKind kind_of(int status);

/// `Name: value` lines for SIPTAG_HEADER_STR.
[[nodiscard]] std::string header_lines(const std::vector<Header>& headers);
/// Value of a Reason header that says why a call is ended.
[[nodiscard]] std::string reason_value(int cause, std::string_view text);
/// As a quoted-string: what would end it is escaped, control characters become blanks.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace linecheck::sip
