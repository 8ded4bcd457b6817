// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/pattern.h"

// Not <regex>: its matcher recurses for every character, so that a long text overflows the stack.
#include <boost/regex.hpp>
#include <stdexcept>

namespace linecheck::engine {

PatternMatch find_pattern(const std::string& text, const std::string& pattern) {
  PatternMatch match;
  try {
    const boost::regex expression(pattern, boost::regex::ECMAScript | boost::regex::icase);
    match.found = boost::regex_search(text, expression);
  } catch (const std::runtime_error& error) {
    match.error = error.what();
  }
  return match;
}

}  // namespace linecheck::engine
