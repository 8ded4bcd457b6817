// SPDX-License-Identifier: GPL-3.0-or-later
//
// One POST of JSON to a URL that a user named. No redirect is followed, and what comes back is not read
// beyond its status.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>

namespace linecheck::engine {

struct HttpUrl {
  bool secure = false;
  std::string host;  ///< without brackets
  std::string port;
  std::string target = "/";  ///< path and query
};
/// `http://` or `https://`, a host, an optional port, a path; nothing else, and no user name.
[[nodiscard]] std::optional<HttpUrl> parse_http_url(const std::string& url);

struct HttpOutcome {
  std::string trouble;       ///< in words; empty: it was answered with 2xx in time
  bool unreachable = false;  ///< nobody was there to be asked
};
/// Certificates are verified against the system's authorities. Does not throw.
boost::asio::awaitable<HttpOutcome> post_json(HttpUrl url, std::string body, std::chrono::seconds timeout);

}  // namespace linecheck::engine
