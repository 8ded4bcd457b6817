// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/headers.h"

#include <algorithm>

#include "sip/ascii.h"

namespace linecheck::sip {
namespace {

constexpr std::size_t kMaxName = 128;
constexpr std::size_t kMaxValue = 4096;

/// RFC 3261, 25.1.
bool is_token_char(char c) {
  constexpr std::string_view kMarks = "-.!%*_+`'~";
  return is_alnum(c) || kMarks.find(c) != std::string_view::npos;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

/// Whether the bytes are UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xc2 && lead < 0xe0 ? 2
                               : (lead & 0xf0) == 0xe0       ? 3
                                                             : 4;
    if ((length == 4 && (lead < 0xf0 || lead > 0xf4)) || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    if (length >= 3) {
      const auto second = static_cast<unsigned char>(text[i + 1]);
      if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
          (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
        return false;
    }
    i += length;
  }
  return true;
}

}  // namespace

std::optional<std::string> header_problem(const Header& header) {
  if (header.name.size() > kMaxName || !std::all_of(header.name.begin(), header.name.end(), is_token_char))
    return "a header name may hold only letters, digits and -.!%*_+`'~";
  if (header.name.size() < 3 || (header.name[0] != 'X' && header.name[0] != 'x') || header.name[1] != '-')
    return "'" + header.name + "' is not a header that can be set: its name must start with X-";
  if (header.value.size() > kMaxValue) return header.name + ": a value of more than 4096 bytes";
  if (std::any_of(header.value.begin(), header.value.end(), is_control))
    return header.name + ": a value with a line break or another control character";
  if (!is_utf8(header.value)) return header.name + ": a value that is not UTF-8";
  return std::nullopt;
}

std::string escape_user(std::string_view user) {
  // RFC 3261, 25.1: unreserved and user-unreserved, without those that carry parameters.
  constexpr std::string_view kPlain = "-_.!~*'()&=+$,";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : user) {
    if (is_alnum(c) || kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xfU];
    }
  }
  return out;
}

}  // namespace linecheck::sip
