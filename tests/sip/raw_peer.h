// SPDX-License-Identifier: GPL-3.0-or-later
//
// A peer made of a bare socket, for what neither SIPp nor an endpoint of ours would do.
#pragma once

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>

namespace linecheck::sip::test {

class RawPeer {
 public:
  RawPeer() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    socklen_t length = sizeof address;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { ::close(fd_); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

  std::optional<std::string> receive() {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, 5000) <= 0) return std::nullopt;
    char buffer[65536];
    socklen_t length = sizeof from_;
    const ssize_t n = ::recvfrom(fd_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from_), &length);
    if (n < 0) return std::nullopt;
    return std::string(buffer, static_cast<std::size_t>(n));
  }
  /// The next message that starts so; others are passed over.
  std::string expect(const std::string& start) {
    for (auto message = receive(); message; message = receive())
      if (message->rfind(start, 0) == 0) return *message;
    FAIL("no " << start << " came");
    return {};
  }
  /// To whoever sent the last message; or to a port of this machine.
  void send_to(std::uint16_t port, const std::string& text) {
    from_.sin_family = AF_INET;
    from_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from_.sin_port = htons(port);
    send(text);
  }
  void send(const std::string& text) {
    ::sendto(fd_, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&from_), sizeof from_);
  }
  static std::string line(const std::string& message, const std::string& name) {
    const auto at = message.find("\r\n" + name + ":");
    return at == std::string::npos ? "" : message.substr(at + 2, message.find("\r\n", at + 2) - at);
  }
  /// A response to `request`.
  [[nodiscard]] std::string response(const std::string& request, const std::string& status,
                                     const std::string& body = {}) const {
    std::string to = line(request, "To");
    if (to.find(";tag=") == std::string::npos) to.insert(to.size() - 2, ";tag=raw");
    return "SIP/2.0 " + status + "\r\n" + line(request, "Via") + line(request, "From") + to +
           line(request, "Call-ID") + line(request, "CSeq") +
           "Contact: <sip:raw@127.0.0.1:" + std::to_string(port_) + ">\r\n" +
           (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

 private:
  int fd_;
  std::uint16_t port_ = 0;
  sockaddr_in from_{};
};

}  // namespace linecheck::sip::test
