// SPDX-License-Identifier: GPL-3.0-or-later
//
// An IPv4 or IPv6 socket address as a value.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

namespace linecheck::media {

class Address {
 public:
  Address() = default;

  /// A literal (no names: resolving would block); nullopt where it is none.
  static std::optional<Address> parse(const std::string& literal, std::uint16_t port);
  static Address from(const sockaddr_storage& storage);

  [[nodiscard]] bool valid() const { return family() != AF_UNSPEC; }
  [[nodiscard]] int family() const { return raw_.base.sa_family; }
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] Address with_port(std::uint16_t port) const;
  [[nodiscard]] const sockaddr* data() const { return &raw_.base; }
  [[nodiscard]] socklen_t size() const;
  [[nodiscard]] std::string to_string() const;  ///< address:port

  friend bool operator==(const Address& a, const Address& b);

 private:
  union Raw {
    sockaddr base;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  Raw raw_{.v6 = {}};
};

}  // namespace linecheck::media
