// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

#include "sip/endpoint.h"

namespace linecheck::sip {
namespace {

class Socket {
 public:
  Socket(int family, int type) : fd_(::socket(family, type | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

std::string error_text(int error) {
  return std::generic_category().message(error);
}

}  // namespace

std::string ListenAddress::bracketed() const {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

std::string ListenAddress::text() const {
  return transport + " " + bracketed() + ":" + std::to_string(port);
}

ListenAddress parse_listen(std::string_view text) {
  const auto fail = [&]() -> EndpointError {
    return EndpointError("'" + std::string(text) + "' is not a listening address: write udp:127.0.0.1:5060");
  };
  ListenAddress out;
  const auto scheme = text.find(':');
  const auto last = text.rfind(':');
  if (scheme == std::string_view::npos || last == scheme) throw fail();
  out.transport = text.substr(0, scheme);
  if (out.transport != "udp" && out.transport != "tcp" && out.transport != "tls")
    throw EndpointError("'" + std::string(text) + "': a transport is udp, tcp or tls");
  std::string_view host = text.substr(scheme + 1, last - scheme - 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  out.host = host;
  in6_addr scratch{};
  if (inet_pton(AF_INET, out.host.c_str(), &scratch) != 1 &&
      inet_pton(AF_INET6, out.host.c_str(), &scratch) != 1)
    throw fail();
  const std::string_view port = text.substr(last + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc{} || end != port.data() + port.size()) throw fail();
  return out;
}

void probe(ListenAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  const bool stream = address.transport != "udp";
  const Socket socket(v6 ? AF_INET6 : AF_INET, stream ? SOCK_STREAM : SOCK_DGRAM);
  if (socket.fd() < 0) throw EndpointError("no socket for " + address.text() + ": " + error_text(errno));
  sockaddr_storage storage{};
  socklen_t length = 0;
  if (v6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port);
    inet_pton(AF_INET6, address.host.c_str(), &in.sin6_addr);
    std::memcpy(&storage, &in, length = sizeof in);
  } else {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    inet_pton(AF_INET, address.host.c_str(), &in.sin_addr);
    std::memcpy(&storage, &in, length = sizeof in);
  }
  // Connections of an endpoint that was here before may still linger; a listener of now is found all the
  // same.
  const int one = 1;
  if (stream) ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  auto* generic = reinterpret_cast<sockaddr*>(&storage);
  if (::bind(socket.fd(), generic, length) != 0) {
    const int error = errno;
    if (error == EADDRINUSE) throw AddressInUse(address.text() + " is in use");
    throw EndpointError("cannot listen on " + address.text() + ": " + error_text(error));
  }
  length = sizeof storage;
  ::getsockname(socket.fd(), generic, &length);
  in_port_t port = 0;
  if (v6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &storage, sizeof in);
    port = in.sin6_port;
  } else {
    sockaddr_in in{};
    std::memcpy(&in, &storage, sizeof in);
    port = in.sin_port;
  }
  address.port = ntohs(port);
}

}  // namespace linecheck::sip
