// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/columns.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace linecheck::engine::report {
namespace {

struct Character {
  std::size_t bytes = 1;
  int width = 1;
};

Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t head = byte(0);
  std::size_t bytes = head < 0x80 ? 1 : head < 0xE0 ? 2 : head < 0xF0 ? 3 : 4;
  bytes = std::min(bytes, text.size());
  std::uint32_t code = bytes == 1 ? head : head & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) code = (code << 6U) | (byte(i) & 0x3FU);
  const bool combining = (code >= 0x0300 && code <= 0x036F) || (code >= 0x200B && code <= 0x200F) ||
                         (code >= 0x20D0 && code <= 0x20FF) || (code >= 0xFE00 && code <= 0xFE0F);
  const bool wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                    (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                    (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
                    (code >= 0xFFE0 && code <= 0xFFE6) || (code >= 0x1F300 && code <= 0x1FAFF) ||
                    (code >= 0x20000 && code <= 0x3FFFD);
  return {bytes, combining ? 0 : wide ? 2 : 1};
}

}  // namespace

int display_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const Character character = first_of(text);
    width += character.width;
    text.remove_prefix(character.bytes);
  }
  return width;
}

std::string fitted(std::string_view text, int width, bool unicode) {
  if (width <= 0) return {};
  if (display_width(text) <= width) return std::string(text);
  const std::string ellipsis = unicode ? "\u2026" : width > 3 ? "..." : ".";
  const int room = width - display_width(ellipsis);
  std::string out;
  int used = 0;
  while (!text.empty()) {
    const Character character = first_of(text);
    if (used + character.width > room) break;
    out += text.substr(0, character.bytes);
    used += character.width;
    text.remove_prefix(character.bytes);
  }
  return out + ellipsis;
}

std::string left_in(std::string_view text, int width, bool unicode) {
  std::string out = fitted(text, width, unicode);
  out.append(static_cast<std::size_t>(std::max(0, width - display_width(out))), ' ');
  return out;
}

std::string right_in(std::string_view text, int width, bool unicode) {
  const std::string cut = fitted(text, width, unicode);
  return std::string(static_cast<std::size_t>(std::max(0, width - display_width(cut))), ' ') + cut;
}

std::string wrapped(std::string_view text, int width, int indent) {
  std::string out;
  int used = 0;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    if (word.empty()) continue;
    const int length = display_width(word);
    if (used > 0 && used + 1 + length > width) {
      out += '\n' + std::string(static_cast<std::size_t>(std::max(0, indent)), ' ');
      used = 0;
    } else if (used > 0) {
      out += ' ';
      ++used;
    }
    out += word;
    used += length;
  }
  return out;
}

}  // namespace linecheck::engine::report
