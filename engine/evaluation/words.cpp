// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/words.h"

#include <array>
#include <cstdio>

namespace linecheck::engine {

std::string number_text(double value, int decimals) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string seconds_text(double ms) {
  return number_text(ms / 1000, 2) + " s";
}

std::string ms_text(double ms) {
  return number_text(ms) + " ms";
}

std::string count_text(std::size_t n, const std::string& singular) {
  return std::to_string(n) + " " + singular + (n == 1 ? "" : "s");
}

}  // namespace linecheck::engine
