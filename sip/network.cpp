// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace linecheck::sip {
namespace {

struct Parsed {
  std::array<std::uint8_t, 16> bytes{};
  bool v4 = false;
};

std::optional<Parsed> parse_address(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  const std::string copy(text);
  Parsed out;
  in_addr v4{};
  if (inet_pton(AF_INET, copy.c_str(), &v4) == 1) {
    out.v4 = true;
    out.bytes[10] = out.bytes[11] = 0xff;
    std::memcpy(out.bytes.data() + 12, &v4, 4);
    return out;
  }
  if (inet_pton(AF_INET6, copy.c_str(), out.bytes.data()) == 1) return out;
  return std::nullopt;
}

}  // namespace

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned most = address->v4 ? 32 : 128;
  unsigned bits = most;
  if (slash != std::string_view::npos) {
    const std::string_view number = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bits);
    if (error != std::errc{} || end != number.data() + number.size() || bits > most) return std::nullopt;
  }
  Network out;
  out.bytes_ = address->bytes;
  out.bits_ = bits + (address->v4 ? 96 : 0);
  return out;
}

bool Network::contains(std::string_view address) const {
  const auto parsed = parse_address(address);
  if (!parsed) return false;
  const unsigned whole = bits_ / 8;
  if (!std::equal(bytes_.begin(), bytes_.begin() + whole, parsed->bytes.begin())) return false;
  const unsigned rest = bits_ % 8;
  return rest == 0 || ((bytes_[whole] ^ parsed->bytes[whole]) >> (8 - rest)) == 0;
}

bool is_ip_address(std::string_view text) {
  return parse_address(text).has_value();
}

std::string host_of_address(std::string_view address_and_port) {
  if (!address_and_port.empty() && address_and_port.front() == '[')
    return std::string(address_and_port.substr(1, address_and_port.find(']') - 1));
  return std::string(address_and_port.substr(0, address_and_port.rfind(':')));
}

}  // namespace linecheck::sip
