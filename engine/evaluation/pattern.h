// SPDX-License-Identifier: GPL-3.0-or-later
//
// Regular expressions of `said` and `not_said`.
#pragma once

#include <string>

namespace linecheck::engine {

struct PatternMatch {
  bool found = false;
  std::string error;  ///< why the expression could not be used; empty: it could
};

/// Whether `pattern` (ECMAScript, case ignored) occurs in `text`. Never throws, whatever the pattern: one
/// that would take too long to match gives an error.
[[nodiscard]] PatternMatch find_pattern(const std::string& text, const std::string& pattern);

}  // namespace linecheck::engine
