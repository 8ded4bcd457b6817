// SPDX-License-Identifier: GPL-3.0-or-later
//
// HTTP/1.1 on a thread of its own (RFC 9112): reads requests within limits of size and time, hands them to
// one handler, writes its answers. A client that is slow, too many or wrong costs a bounded amount of memory
// and none of the daemon's time. The only place that knows Boost.Beast is server.cpp.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "engine/daemon/log.h"
#include "engine/http/message.h"

namespace linecheck::engine::http {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any free one
  std::size_t max_connections = 256;
  std::size_t max_header = 16U << 10U;
  std::size_t max_body = 1U << 20U;
  std::chrono::milliseconds idle{60'000};     ///< between requests of a connection
  std::chrono::milliseconds header{10'000};   ///< from a request's first byte to the end of its header
  std::chrono::milliseconds body{30'000};     ///< for all of a body
  std::chrono::milliseconds write{30'000};    ///< for an answer, or for each 256 KiB of a file
  std::chrono::milliseconds farewell{1'000};  ///< so long a refused client may go on sending
};

struct ServerCounts {
  std::size_t connections = 0;
  std::map<int, std::uint64_t> answers;  ///< by status code
};

class Server {
 public:
  /// Binds and listens; throws std::runtime_error. `context` is run by this object's thread and must be
  /// destroyed after everything that handlers wait for: what is cut off in the middle ends up there.
  Server(boost::asio::io_context& context, ServerOptions options, Handler handler, Log& log);
  /// Cuts off what is still going on, and joins the thread.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Begins to serve.
  void start();
  /// Takes no more connections or requests; those being answered are answered. Any thread.
  void close();
  /// No request is being answered. Any thread.
  [[nodiscard]] bool quiet() const;
  /// "127.0.0.1:8642".
  [[nodiscard]] std::string address() const;
  /// Any thread.
  [[nodiscard]] ServerCounts counts() const;

 private:
  struct Inside;
  std::shared_ptr<Inside> inside_;
};

}  // namespace linecheck::engine::http
