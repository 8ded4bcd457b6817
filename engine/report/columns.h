// SPDX-License-Identifier: GPL-3.0-or-later
//
// Text laid out in columns of a terminal. Widths are in cells: most characters take one, combining ones none,
// East Asian wide ones and emoji two. Input is valid UTF-8 without control characters (see printable()).
#pragma once

#include <string>
#include <string_view>

namespace linecheck::engine::report {

[[nodiscard]] int display_width(std::string_view text);

/// Cut to at most `width` cells, with an ellipsis where something was cut.
[[nodiscard]] std::string fitted(std::string_view text, int width, bool unicode);

/// Cut or filled with spaces to exactly `width` cells.
[[nodiscard]] std::string left_in(std::string_view text, int width, bool unicode);
[[nodiscard]] std::string right_in(std::string_view text, int width, bool unicode);

/// Broken at spaces into lines of at most `width` cells, each after the first starting with `indent` spaces.
[[nodiscard]] std::string wrapped(std::string_view text, int width, int indent);

}  // namespace linecheck::engine::report
