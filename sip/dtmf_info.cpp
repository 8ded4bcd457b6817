// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/dtmf_info.h"

#include <charconv>
#include <cstddef>

#include "sip/ascii.h"

namespace linecheck::sip {
namespace {

bool is(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t n = 0; n < text.size(); ++n) {
    const char c = text[n] >= 'A' && text[n] <= 'Z' ? static_cast<char>(text[n] - 'A' + 'a') : text[n];
    if (c != lower[n]) return false;
  }
  return true;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

/// A key itself, or its telephone-event code (RFC 4733 section 3.2): some senders write 10 for *, 11 for #.
std::optional<char> key_of(std::string_view text) {
  constexpr std::string_view kKeys = "0123456789*#ABCD";
  if (text.size() == 1) {
    const char c = text[0] >= 'a' && text[0] <= 'd' ? static_cast<char>(text[0] - 'a' + 'A') : text[0];
    if (kKeys.find(c) != std::string_view::npos) return c;
    return std::nullopt;
  }
  const auto code = number(text);
  if (code && *code < static_cast<int>(kKeys.size())) return kKeys[static_cast<std::size_t>(*code)];
  return std::nullopt;
}

}  // namespace

std::optional<InfoKey> parse_dtmf_info(std::string_view content_type, std::string_view body) {
  if (content_type == kDtmf) {
    // The key alone, or as application/dtmf-relay has it: both are sent under this type.
    if (const auto key = key_of(trimmed(body))) return InfoKey{*key, std::nullopt};
  } else if (content_type != kDtmfRelay) {
    return std::nullopt;
  }
  std::optional<char> key;
  std::optional<int> duration;
  while (!body.empty()) {
    const auto end = body.find('\n');
    const std::string_view line = body.substr(0, end);
    body = end == std::string_view::npos ? std::string_view{} : body.substr(end + 1);
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = trimmed(line.substr(0, equals));
    const std::string_view value = trimmed(line.substr(equals + 1));
    if (is(name, "signal")) key = key_of(value);
    if (is(name, "duration")) duration = number(value);
  }
  if (!key) return std::nullopt;
  constexpr int kLongestMs = 60'000;
  if (duration && *duration > kLongestMs) duration.reset();
  return InfoKey{*key, duration};
}

std::string dtmf_relay_body(char key, int duration_ms) {
  return std::string("Signal=") + key + "\r\nDuration=" + std::to_string(duration_ms) + "\r\n";
}

}  // namespace linecheck::sip
