// SPDX-License-Identifier: GPL-3.0-or-later
//
// The `trunks:` list of the daemon's configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scheduler/model.h"
#include "scheduler/reader.h"

namespace linecheck::scheduler {

/// A pool may not hold more numbers than this; a range that would is a Problem.
inline constexpr std::size_t kMaxCallerNumbers = 100'000;

/// Reads the list; names are unique, ranges of caller numbers are expanded.
std::vector<Trunk> parse_trunks(const Field& list);

/// A telephone number as we take it: an optional + and 2 to 15 digits (ITU-T E.164 section 6.1 for the
/// length).
bool is_phone_number(std::string_view text);

/// Why a text is not a SIP URI that can be dialled, or empty: `sip:`, an optional user, a host, an optional
/// port and parameters.
std::string sip_uri_problem(std::string_view text);

class Reader;
/// A telephone number, where the key is there. Where it is not one: a problem, and `out` stays empty.
void read_phone_number(Reader& map, std::string_view key, std::string& out);

/// Appends `pcmu` or `pcma`; a repeated one is a Problem, opus and g722 are not available in this version.
bool read_codec(const Field& field, std::vector<Codec>& codecs);
/// `dtmf`, where it is given.
void read_dtmf(Reader& map, std::optional<KeysBy>& dtmf);

}  // namespace linecheck::scheduler
