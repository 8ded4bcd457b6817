// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/address.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

namespace linecheck::media {

std::optional<Address> Address::parse(const std::string& literal, std::uint16_t port) {
  Address address;
  if (inet_pton(AF_INET, literal.c_str(), &address.raw_.v4.sin_addr) == 1) {
    address.raw_.v4.sin_family = AF_INET;
    address.raw_.v4.sin_port = htons(port);
    return address;
  }
  address.raw_.v6 = {};
  if (inet_pton(AF_INET6, literal.c_str(), &address.raw_.v6.sin6_addr) == 1) {
    address.raw_.v6.sin6_family = AF_INET6;
    address.raw_.v6.sin6_port = htons(port);
    return address;
  }
  return std::nullopt;
}

Address Address::from(const sockaddr_storage& storage) {
  Address address;
  if (storage.ss_family == AF_INET) std::memcpy(&address.raw_.v4, &storage, sizeof(sockaddr_in));
  if (storage.ss_family == AF_INET6) std::memcpy(&address.raw_.v6, &storage, sizeof(sockaddr_in6));
  return address;
}

std::uint16_t Address::port() const {
  return ntohs(family() == AF_INET6 ? raw_.v6.sin6_port : raw_.v4.sin_port);
}

Address Address::with_port(std::uint16_t port) const {
  Address other = *this;
  (family() == AF_INET6 ? other.raw_.v6.sin6_port : other.raw_.v4.sin_port) = htons(port);
  return other;
}

socklen_t Address::size() const {
  return family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

std::string Address::to_string() const {
  if (!valid()) return "none";
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v6 = family() == AF_INET6;
  const void* bytes = v6 ? static_cast<const void*>(&raw_.v6.sin6_addr) : &raw_.v4.sin_addr;
  inet_ntop(family(), bytes, text.data(), text.size());
  const std::string host = v6 ? "[" + std::string(text.data()) + "]" : std::string(text.data());
  return host + ":" + std::to_string(port());
}

bool operator==(const Address& a, const Address& b) {
  if (a.family() != b.family()) return false;
  if (a.family() == AF_INET) {
    return a.raw_.v4.sin_port == b.raw_.v4.sin_port && a.raw_.v4.sin_addr.s_addr == b.raw_.v4.sin_addr.s_addr;
  }
  if (a.family() == AF_INET6) {
    return a.raw_.v6.sin6_port == b.raw_.v6.sin6_port &&
           std::memcmp(&a.raw_.v6.sin6_addr, &b.raw_.v6.sin6_addr, sizeof(in6_addr)) == 0;
  }
  return true;
}

}  // namespace linecheck::media
