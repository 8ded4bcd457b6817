// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace linecheck::sip {

/// A block of IPv4 or IPv6 addresses: "10.0.0.0/8", "2001:db8::/32", or a single address.
class Network {
 public:
  [[nodiscard]] static std::optional<Network> parse(std::string_view text);
  /// `address` is an IP address, IPv6 with or without brackets; whatever else is in no network. An IPv4
  /// address written as ::ffff:a.b.c.d counts as IPv4.
  [[nodiscard]] bool contains(std::string_view address) const;

 private:
  std::array<std::uint8_t, 16> bytes_{};  ///< IPv4 as ::ffff:a.b.c.d
  unsigned bits_ = 0;                     ///< of 128
};

/// Whether the text is an IP address (IPv6 with or without brackets).
[[nodiscard]] bool is_ip_address(std::string_view text);
/// "192.0.2.1:5060" or "[2001:db8::1]:5060" without the port and the brackets.
[[nodiscard]] std::string host_of_address(std::string_view address_and_port);

}  // namespace linecheck::sip
