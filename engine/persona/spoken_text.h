// SPDX-License-Identifier: GPL-3.0-or-later
//
// Text on its way to a voice: what can be spoken at all (spoken_text_problem in voice_choice.h), and the same
// text in the letters that a voice knows. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace linecheck::engine {

/// Takes the first code point off `text`; nullopt, with `text` unchanged, where it is not valid UTF-8 (RFC
/// 3629) or is empty.
std::optional<char32_t> take_code_point(std::string_view& text);

/// Control characters as spaces. They mean nothing to a listener, and something else to each library.
std::string without_controls(std::string_view text);

/// For flite, which knows ASCII only: accents fall off Latin letters, typographic marks and currency signs
/// become what a speaker of English makes of them, all else a space. `text` is valid UTF-8.
std::string as_ascii(std::string_view text);

/// Whether there is an ASCII letter or digit in it: something that flite makes a sound of.
bool has_ascii_words(std::string_view text);

}  // namespace linecheck::engine
