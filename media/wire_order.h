// SPDX-License-Identifier: GPL-3.0-or-later
//
// Numbers in network order (RFC 3550 section 4). The caller knows the bytes to be there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace linecheck::media {

/// `size` bytes, at most 8, from `at`.
[[nodiscard]] inline std::uint64_t read_number(std::span<const std::uint8_t> bytes, std::size_t at,
                                               std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes[at + i];
  return value;
}

[[nodiscard]] inline std::uint16_t read16(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

[[nodiscard]] inline std::uint32_t read32(std::span<const std::uint8_t> bytes, std::size_t at) {
  return std::uint32_t{read16(bytes, at)} << 16 | read16(bytes, at + 2);
}

}  // namespace linecheck::media
