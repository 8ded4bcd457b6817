// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/excerpt.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

namespace linecheck::scheduler {
namespace {

constexpr std::size_t kIndent = 4;
constexpr std::size_t kWidth = 100;  // characters of a line that are shown
constexpr std::size_t kBefore = 60;  // of them, before the place
constexpr std::size_t kLongestLine = 1U << 20U;

/// The characters of a line (UTF-8), tabs and control characters as blanks, so that a caret can stand under
/// each.
std::vector<std::string> characters_of(const std::string& line) {
  std::vector<std::string> characters;
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) == 0x80U && !characters.empty()) {
      characters.back() += c;
    } else {
      characters.emplace_back(1, byte < 0x20 || byte == 0x7F ? ' ' : c);
    }
  }
  return characters;
}

}  // namespace

std::string excerpt(const Mark& mark) {
  std::error_code error;
  if (mark.line < 1 || mark.column < 1 || !std::filesystem::is_regular_file(mark.file, error)) return {};
  std::ifstream file(mark.file, std::ios::binary);
  std::string line;
  for (int n = 0; n < mark.line; ++n) {
    if (!std::getline(file, line) || line.size() > kLongestLine) return {};
  }
  const std::vector<std::string> characters = characters_of(line);
  const auto place = static_cast<std::size_t>(mark.column - 1);
  if (characters.empty() || place > characters.size()) return {};
  const std::size_t begin = characters.size() > kWidth && place > kBefore ? place - kBefore : 0;
  const std::size_t end = std::min(characters.size(), begin + kWidth);
  std::string out(kIndent, ' ');
  for (std::size_t i = begin; i < end; ++i) out += characters[i];
  return out + '\n' + std::string(kIndent + place - begin, ' ') + "^\n";
}

}  // namespace linecheck::scheduler
