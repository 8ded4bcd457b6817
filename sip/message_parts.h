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

struct RedirectTarget {
  std::string uri;    ///< sip: or sips:, of the parameters only the transport
  std::string plain;  ///< the same without any parameter: what an allow-list judges
};
/// Contacts of a 3xx that can be called, by falling q (RFC 3261, 8.1.3.4); equals in their order.
[[nodiscard]] std::vector<RedirectTarget> redirect_targets_of(const sip_t* sip);
/// A URI of somebody else's as one that an allow-list can judge and a request can carry.
[[nodiscard]] std::optional<RedirectTarget> redirect_target(const url_t* url);
/// A header in a URI's `?name=value&...`, unescaped; empty: there is none, or it holds what no header may.
[[nodiscard]] std::string uri_header(std::string_view headers, std::string_view name);
/// Status of the response in a NOTIFY's message/sipfrag (RFC 3420); 0: there is none.
[[nodiscard]] int sipfrag_status_of(const sip_t* sip);

/// What a final response of 300 or more means.
[[nodiscard]] FailureKind kind_of(int status);

/// `Name: value` lines for SIPTAG_HEADER_STR.
[[nodiscard]] std::string header_lines(const std::vector<Header>& headers);
/// Value of a Reason header that says why a call is ended.
[[nodiscard]] std::string reason_value(int cause, std::string_view text);
/// As a quoted-string: what would end it is escaped, control characters become blanks.
[[nodiscard]] std::string quoted_string(std::string_view text);

}  // namespace linecheck::sip
