// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/http/router.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace linecheck::engine::http {
namespace {

constexpr std::size_t kMostDigits = 18;  ///< of an id: fits into 64 bits

std::string_view next_segment(std::string_view& path) {
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(std::min(end + 1, path.size()));
  return segment;
}

std::optional<std::int64_t> id_of(std::string_view text) {
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  std::int64_t id = 0;
  std::from_chars(text.data(), text.data() + text.size(), id);
  return id;
}

bool fits(std::string_view pattern, std::string_view path, std::vector<std::int64_t>& ids) {
  ids.clear();
  while (!pattern.empty() && !path.empty()) {
    const std::string_view wanted = next_segment(pattern);
    const std::string_view given = next_segment(path);
    if (wanted == "{id}") {
      const auto id = id_of(given);
      if (!id) return false;
      ids.push_back(*id);
    } else if (wanted != given) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

std::string_view without_last_slash(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

void Router::add(Route route) {
  routes_.push_back(std::move(route));
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
  Match match;
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  const std::string_view place = without_last_slash(path);
  if (place.size() > 1 && place.ends_with('/')) return match;
  std::vector<std::int64_t> ids;
  for (const Route& route : routes_) {
    if (!fits(route.pattern, place, ids)) continue;
    if (route.method == wanted) {
      match.route = &route;
      match.ids = std::move(ids);
      match.allowed.clear();
      return match;
    }
    match.allowed += (match.allowed.empty() ? "" : ", ") + route.method;
    if (route.method == "GET") match.allowed += ", HEAD";
  }
  return match;
}

}  // namespace linecheck::engine::http
