// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/allow_list.h"

#include <algorithm>
#include <stdexcept>

#include "sip/uri.h"

namespace linecheck::sip {
namespace {

bool user_matches(const std::string& wanted, bool prefix, std::string_view user) {
  return prefix ? user.substr(0, wanted.size()) == wanted : user == wanted;
}

}  // namespace

std::optional<AllowList::Pattern> AllowList::parse(std::string_view text) {
  Pattern pattern;
  if (text.find(':') == std::string_view::npos) {
    pattern.number = true;
    if (!text.empty() && text.back() == '*') {
      pattern.user_prefix = true;
      text.remove_suffix(1);
      if (text.empty() || (text != "+" && !is_number(text))) return std::nullopt;
    } else if (!is_number(text)) {
      return std::nullopt;
    }
    pattern.user = text;
    return pattern;
  }
  const auto uri = parse_plain_uri(text);
  if (!uri) return std::nullopt;
  pattern.secure = uri->secure;
  pattern.host = uri->host;
  pattern.port = uri->port;
  pattern.user = uri->user;
  pattern.has_user = !uri->user.empty();
  if (pattern.has_user && pattern.user.back() == '*') {
    pattern.user_prefix = true;
    pattern.user.pop_back();
  }
  // A star is a wildcard at the end only; elsewhere it would surprise whoever wrote it.
  if (pattern.user.find('*') != std::string::npos) return std::nullopt;
  return pattern;
}

AllowList::AllowList(const std::vector<std::string>& patterns) {
  patterns_.reserve(patterns.size());
  for (const std::string& text : patterns) {
    auto pattern = parse(text);
    if (!pattern) throw std::invalid_argument(*pattern_problem(text));
    patterns_.push_back(std::move(*pattern));
  }
}

std::optional<std::string> AllowList::pattern_problem(std::string_view pattern) {
  if (parse(pattern)) return std::nullopt;
  return "'" + std::string(pattern) +
         "' is not a destination pattern: write \"+1555*\", \"sip:*@host\" or \"sip:user@host:5060\"";
}

bool AllowList::permits(std::string_view uri_or_number) const {
  if (is_number(uri_or_number)) {
    return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
      return pattern.number && user_matches(pattern.user, pattern.user_prefix, uri_or_number);
    });
  }
  const auto uri = parse_plain_uri(uri_or_number);
  if (!uri) return false;
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
    return !pattern.number && pattern.secure == uri->secure && pattern.host == uri->host &&
           (!pattern.port || pattern.port == uri->port) && pattern.has_user == !uri->user.empty() &&
           user_matches(pattern.user, pattern.user_prefix, uri->user);
  });
}

bool AllowList::permits_at(std::string_view uri, std::string_view proxy) const {
  if (permits(uri)) return true;
  const auto target = parse_plain_uri(uri);
  // The proxy comes from the trunk's configuration and may carry parameters such as ;lr.
  const auto at = parse_plain_uri(proxy.substr(0, proxy.find(';')));
  return target && at && target->host == at->host && (!target->port || target->port == at->port) &&
         is_number(target->user) && permits(target->user);
}

}  // namespace linecheck::sip
