// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace linecheck::sip {

/// Where an endpoint listens. Internal.
struct ListenAddress {
  std::string transport = "udp";
  std::string host;        ///< without brackets
  std::uint16_t port = 0;  ///< 0: any

  [[nodiscard]] std::string bracketed() const;
  /// "udp 127.0.0.1:5060"
  [[nodiscard]] std::string text() const;
};

/// "udp:127.0.0.1:5060", "tcp:[::1]:0", "tls:0.0.0.0:5061". Throws EndpointError.
[[nodiscard]] ListenAddress parse_listen(std::string_view text);

/// Chooses a port where it is 0, and makes sure that nobody has it: Sofia would not say why it could not
/// bind, and sockets with SO_REUSEADDR could share it silently. Throws AddressInUse or EndpointError.
void probe(ListenAddress& address);

}  // namespace linecheck::sip
