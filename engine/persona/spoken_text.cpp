// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/spoken_text.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "engine/persona/voice_choice.h"

namespace linecheck::engine {
namespace {

bool is_ascii_word(char32_t c) {
  return (c >= U'0' && c <= U'9') || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
}

/// A letter or digit of some script, by exclusion of the blocks that hold marks, arrows, boxes and pictures.
bool is_word(char32_t c) {
  if (c < 0x80) return is_ascii_word(c);
  if (c < 0xAA || c == 0xD7 || c == 0xF7) return false;
  if (c >= 0x2000 && c <= 0x2BFF) return false;
  if (c >= 0x3000 && c <= 0x303F) return false;
  if (c >= 0xE000 && c <= 0xF8FF) return false;
  if (c >= 0xFE00 && c <= 0xFE6F) return false;
  return c < 0x1F000 || (c >= 0x20000 && c <= 0x3FFFF);
}

bool is_space(char32_t c) {
  return c == U' ' || c == U'\t' || c == U'\n' || c == U'\r' || c == 0xA0 || c == 0x3000;
}

struct Fold {
  char32_t from;
  const char* to;
};

// Latin-1 letters are in kLatin1; this is the rest, sorted by code point.
constexpr Fold kFolds[] = {
    {0x0A3, " pounds "},
    {0x0A5, " yen "},
    {0x0A9, " copyright "},
    {0x0AE, " registered "},
    {0x0B0, " degrees "},
    {0x0B1, " plus minus "},
    {0x0BD, " one half "},
    {0x0D7, " times "},
    {0x100, "A"},
    {0x101, "a"},
    {0x102, "A"},
    {0x103, "a"},
    {0x104, "A"},
    {0x105, "a"},
    {0x106, "C"},
    {0x107, "c"},
    {0x10C, "C"},
    {0x10D, "c"},
    {0x10E, "D"},
    {0x10F, "d"},
    {0x110, "D"},
    {0x111, "d"},
    {0x112, "E"},
    {0x113, "e"},
    {0x116, "E"},
    {0x117, "e"},
    {0x118, "E"},
    {0x119, "e"},
    {0x11A, "E"},
    {0x11B, "e"},
    {0x11E, "G"},
    {0x11F, "g"},
    {0x12A, "I"},
    {0x12B, "i"},
    {0x130, "I"},
    {0x131, "i"},
    {0x139, "L"},
    {0x13A, "l"},
    {0x13D, "L"},
    {0x13E, "l"},
    {0x141, "L"},
    {0x142, "l"},
    {0x143, "N"},
    {0x144, "n"},
    {0x147, "N"},
    {0x148, "n"},
    {0x14C, "O"},
    {0x14D, "o"},
    {0x150, "O"},
    {0x151, "o"},
    {0x152, "OE"},
    {0x153, "oe"},
    {0x154, "R"},
    {0x155, "r"},
    {0x158, "R"},
    {0x159, "r"},
    {0x15A, "S"},
    {0x15B, "s"},
    {0x15E, "S"},
    {0x15F, "s"},
    {0x160, "S"},
    {0x161, "s"},
    {0x164, "T"},
    {0x165, "t"},
    {0x16A, "U"},
    {0x16B, "u"},
    {0x16E, "U"},
    {0x16F, "u"},
    {0x170, "U"},
    {0x171, "u"},
    {0x178, "Y"},
    {0x179, "Z"},
    {0x17A, "z"},
    {0x17B, "Z"},
    {0x17C, "z"},
    {0x17D, "Z"},
    {0x17E, "z"},
    {0x218, "S"},
    {0x219, "s"},
    {0x21A, "T"},
    {0x21B, "t"},
    {0x2010, "-"},
    {0x2011, "-"},
    {0x2012, "-"},
    {0x2013, ", "},
    {0x2014, ", "},
    {0x2015, ", "},
    {0x2018, "'"},
    {0x2019, "'"},
    {0x201C, "\""},
    {0x201D, "\""},
    {0x201E, "\""},
    {0x2026, "... "},
    {0x20AC, " euros "},
    {0x2122, " trademark "},
    {0x2212, " minus "},
};

// U+00C0 .. U+00FF.
constexpr std::array<const char*, 64> kLatin1 = {
    "A", "A", "A",  "A",  "A", "A", "AE", "C", "E", "E",       "E",  "E", "I", "I",
    "I", "I", "D",  "N",  "O", "O", "O",  "O", "O", " times ", "O",  "U", "U", "U",
    "U", "Y", "Th", "ss", "a", "a", "a",  "a", "a", "a",       "ae", "c", "e", "e",
    "e", "e", "i",  "i",  "i", "i", "d",  "n", "o", "o",       "o",  "o", "o", " divided by ",
    "o", "u", "u",  "u",  "u", "y", "th", "y",
};

const char* fold(char32_t c) {
  if (c >= 0xC0 && c <= 0xFF) return kLatin1[c - 0xC0];
  const auto* found = std::lower_bound(std::begin(kFolds), std::end(kFolds), c,
                                       [](const Fold& entry, char32_t value) { return entry.from < value; });
  return found != std::end(kFolds) && found->from == c ? found->to : " ";
}

}  // namespace

std::optional<char32_t> take_code_point(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const char32_t first = byte(0);
  std::size_t length = 1;
  char32_t value = first;
  char32_t least = 0;
  if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    value = first & 0x07U;
    least = 0x10000;
  } else if (first >= 0xE0 && first < 0xF0) {
    length = 3;
    value = first & 0x0FU;
    least = 0x800;
  } else if (first >= 0xC2 && first < 0xE0) {
    length = 2;
    value = first & 0x1FU;
    least = 0x80;
  } else if (first >= 0x80) {
    return std::nullopt;
  }
  if (text.size() < length) return std::nullopt;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return std::nullopt;
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return std::nullopt;
  text.remove_prefix(length);
  return value;
}

std::optional<std::string> spoken_text_problem(std::string_view text) {
  const std::size_t size = text.size();
  std::size_t characters = 0;
  bool anything = false;
  bool words = false;
  while (!text.empty()) {
    const std::optional<char32_t> c = take_code_point(text);
    if (!c) {
      return "the text to speak is not valid UTF-8 (at byte " + std::to_string(size - text.size() + 1) +
             "): save the file as UTF-8";
    }
    ++characters;
    anything = anything || !is_space(*c);
    words = words || is_word(*c);
  }
  if (characters > kMaxSpokenCharacters) {
    return "the text to speak has " + std::to_string(characters) + " characters; at most " +
           std::to_string(kMaxSpokenCharacters) + " can be spoken in one go: split it over several turns";
  }
  if (!anything) return "there is no text to speak";
  if (!words) return "the text to speak has neither a letter nor a digit in it";
  return std::nullopt;
}

std::string without_controls(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = ' ';
  }
  return out;
}

std::string as_ascii(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (const std::optional<char32_t> c = take_code_point(text)) {
    if (*c >= 0x300 && *c <= 0x36F) continue;  // a combining accent: its letter went before
    if (*c < 0x80) {
      out += static_cast<char>(*c);
    } else {
      out += fold(*c);
    }
  }
  return out;
}

bool has_ascii_words(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return is_ascii_word(static_cast<unsigned char>(c)); });
}

}  // namespace linecheck::engine
