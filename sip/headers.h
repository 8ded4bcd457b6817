// SPDX-License-Identifier: GPL-3.0-or-later
//
// Header fields that users hand in (test profiles): checked so that none can smuggle a second one into a
// message.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sip/types.h"

namespace linecheck::sip {

/// Why a header field cannot be sent, in plain words; nullopt: it can. The name must be a token (RFC
/// 3261, 25.1) that starts with X-; the value at most 4,096 bytes of UTF-8 without control characters (tab
/// excepted).
[[nodiscard]] std::optional<std::string> header_problem(const Header& header);

/// `+15551234`, `alice` and the like as a SIP URI's user part: what RFC 3261 does not allow there is escaped.
[[nodiscard]] std::string escape_user(std::string_view user);

}  // namespace linecheck::sip
