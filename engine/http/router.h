// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which handler answers a path, and who may ask. A trailing slash makes no difference; `{id}` stands for a
// number and nothing else, so that no path of a client's ever reaches a file name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/http/keys.h"
#include "engine/http/message.h"

namespace linecheck::engine::http {

/// A request with its place in the router and the key that it came with.
struct Call {
  Request request;
  std::vector<std::int64_t> ids;  ///< of the path, from the left
  ApiKey key;                     ///< of nobody, where the route is open
};

struct Route {
  std::string method;
  std::string pattern;  ///< "/test_framework/v1/runs/{id}/recording"
  bool open = false;    ///< needs no key
  KeyScope scope = KeyScope::read;
  std::function<boost::asio::awaitable<Response>(Call)> action = {};
};

class Router {
 public:
  void add(Route route);

  struct Match {
    const Route* route = nullptr;
    std::vector<std::int64_t> ids;
    std::string allowed;  ///< no route, but the path is known: its methods, "GET, HEAD"
  };
  /// HEAD is answered by what answers GET.
  [[nodiscard]] Match match(std::string_view method, std::string_view path) const;
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace linecheck::engine::http
