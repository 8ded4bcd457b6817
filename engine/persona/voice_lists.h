// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the installed voice libraries offer. espeak-ng's list is read from its data once, under a lock, and
// nothing else of the library is ever called in this process.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace linecheck::engine {

/// The name under which espeak-ng loads a voice: for any of its language codes ("zh", "en-us"), its name
/// ("English (America)") or its file ("gmw/en-US"), each with an optional "+variant"; case does not matter
/// but in the variant. nullopt: no such voice or variant.
std::optional<std::string> canonical_espeak_voice(std::string_view wanted);

}  // namespace linecheck::engine
