// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/local_address.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

namespace linecheck::engine {

std::string local_address_towards(const std::string& host) {
  using boost::asio::ip::udp;
  boost::asio::io_context io;
  boost::system::error_code error;
  udp::resolver resolver(io);
  for (const auto& entry : resolver.resolve(host, "5060", error)) {
    udp::socket socket(io);
    socket.connect(entry.endpoint(), error);  // UDP: picks a route, sends nothing
    if (error) continue;
    const auto local = socket.local_endpoint(error);
    if (!error) return local.address().to_string();
  }
  return "127.0.0.1";
}

}  // namespace linecheck::engine
