// SPDX-License-Identifier: GPL-3.0-or-later
//
// Keys in the body of an INFO. No RFC defines them; these are the two shapes that are in use:
//
//   Content-Type: application/dtmf-relay      Signal=5\r\nDuration=160\r\n      duration in ms
//   Content-Type: application/dtmf            5
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace linecheck::sip {

inline constexpr std::string_view kDtmfRelay = "application/dtmf-relay";
inline constexpr std::string_view kDtmf = "application/dtmf";

struct InfoKey {
  char key = '0';  ///< 0-9, *, #, A-D
  std::optional<int> duration_ms;
};

/// nullopt: not about keys, or nothing that can be understood. `content_type` as InfoReceived has it.
[[nodiscard]] std::optional<InfoKey> parse_dtmf_info(std::string_view content_type, std::string_view body);

/// Body of an application/dtmf-relay.
[[nodiscard]] std::string dtmf_relay_body(char key, int duration_ms);

}  // namespace linecheck::sip
