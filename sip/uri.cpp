// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/uri.h"

#include <algorithm>
#include <charconv>

#include "sip/ascii.h"

namespace linecheck::sip {
namespace {

bool is_user_char(char c) {
  constexpr std::string_view kMarks = "+-_.!~*";
  return is_alnum(c) || kMarks.find(c) != std::string_view::npos;
}

bool starts_with_nocase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) { return a == lower(b); });
}

bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  char before = '.';
  for (const char c : host) {
    if (!is_alnum(c) && c != '-' && c != '.') return false;
    // No empty label, and none that begins or ends with a hyphen.
    if (before == '.' && (c == '.' || c == '-')) return false;
    if (before == '-' && c == '.') return false;
    before = c;
  }
  return before != '.' && before != '-';
}

bool is_ipv6_reference(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  const std::string_view inner = host.substr(1, host.size() - 2);
  return std::all_of(inner.begin(), inner.end(), [](char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f') || c == ':' || c == '.';
  });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || text.front() == '0') return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

}  // namespace

std::optional<PlainUri> parse_plain_uri(std::string_view text) {
  PlainUri uri;
  if (starts_with_nocase(text, "sip:")) {
    text.remove_prefix(4);
  } else if (starts_with_nocase(text, "sips:")) {
    uri.secure = true;
    text.remove_prefix(5);
  } else {
    return std::nullopt;
  }
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    const std::string_view user = text.substr(0, at);
    if (user.empty() || user.size() > 128 || !std::all_of(user.begin(), user.end(), is_user_char))
      return std::nullopt;
    uri.user = user;
    text.remove_prefix(at + 1);
  }
  std::string_view host = text;
  const std::size_t bracket = text.empty() || text.front() != '[' ? 0 : text.find(']');
  if (bracket == std::string_view::npos) return std::nullopt;
  if (const auto colon = text.find(':', bracket); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    uri.port = parse_port(text.substr(colon + 1));
    if (!uri.port) return std::nullopt;
  }
  if (!is_host_name(host) && !is_ipv6_reference(host)) return std::nullopt;
  uri.host = host;
  std::transform(uri.host.begin(), uri.host.end(), uri.host.begin(), lower);
  return uri;
}

bool is_number(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), is_digit);
}

std::optional<std::string> uri_problem(std::string_view text) {
  if (text.size() > 1024) return "a URI of more than 1024 characters";
  if (!starts_with_nocase(text, "sip:") && !starts_with_nocase(text, "sips:"))
    return "'" + std::string(text.substr(0, 64)) + "' is not a sip: URI";
  for (const char c : text) {
    if (c <= ' ' || c >= 127 || c == '<' || c == '>' || c == '"' || c == '\\' || c == '^' || c == '`' ||
        c == '{' || c == '}' || c == '|')
      return "a URI with a character that is not allowed in one";
  }
  std::string_view rest = text.substr(text.find(':') + 1);
  if (const auto at = rest.find('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  rest = rest.substr(0, rest.find_first_of(";?"));
  const std::string bare = "sip:" + std::string(rest);
  if (!parse_plain_uri(bare)) return "'" + std::string(text) + "' has no host, or one that cannot be read";
  return std::nullopt;
}

std::string with_numeric_localhost(std::string uri, bool v6) {
  constexpr std::string_view kName = "localhost";
  std::size_t begin = uri.find(':') + 1;
  if (const auto at = uri.find('@', begin); at != std::string::npos) begin = at + 1;
  const std::size_t length = std::min(uri.find_first_of(":;?", begin), uri.size()) - begin;
  if (length == kName.size() && starts_with_nocase(std::string_view(uri).substr(begin), kName))
    uri.replace(begin, length, v6 ? "[::1]" : "127.0.0.1");
  return uri;
}

}  // namespace linecheck::sip
