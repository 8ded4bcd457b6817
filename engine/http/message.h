// SPDX-License-Identifier: GPL-3.0-or-later
//
// A request and its answer as plain values: what handlers work with, without the library that reads sockets.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/persona/unique_fd.h"

namespace linecheck::engine::http {

using Json = nlohmann::ordered_json;

struct Request {
  std::string method;
  std::string path;                                          ///< as sent, without the query
  std::string query;                                         ///< without the question mark
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;
  std::string peer;  ///< IP address

  /// The first header of that name (lower case); empty: there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// Bytes of an open file.
struct FilePart {
  std::shared_ptr<UniqueFd> file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct Response {
  int status = 200;
  std::string body = {};
  std::string type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::optional<FilePart> file = std::nullopt;  ///< in place of the body
};

/// Runs on the server's thread. What it throws is answered with 500 and logged.
using Handler = std::function<boost::asio::awaitable<Response>(Request)>;

[[nodiscard]] Response json_response(int status, const Json& json);
/// `{"detail": "..."}`.
[[nodiscard]] Response detail(int status, const std::string& message);
/// 429 and 503: with Retry-After.
[[nodiscard]] Response try_again(int status, const std::string& message, int seconds);

/// Names and values of a query or of an urlencoded form, decoded, in their order; nullopt where a percent
/// sign is followed by no two hexadecimal digits.
[[nodiscard]] std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(
    std::string_view text);

/// What a `Range` header (RFC 9110 section 14) asks of `size` bytes.
struct Range {
  enum class Kind { whole, part, unsatisfiable };
  Kind kind = Kind::whole;  ///< also for several ranges and for what is no byte range: both may be ignored
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};
[[nodiscard]] Range parse_range(std::string_view header, std::uint64_t size);

}  // namespace linecheck::engine::http
