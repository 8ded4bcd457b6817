// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/g711.h"

#include <spandsp.h>

#include <array>

namespace linecheck::media {
namespace {

// Decoding is a look-up: 256 values a law, filled once at start.
struct DecodeTables {
  std::array<std::int16_t, 256> ulaw{};
  std::array<std::int16_t, 256> alaw{};

  DecodeTables() {
    for (int code = 0; code < 256; ++code) {
      ulaw[static_cast<std::size_t>(code)] = ulaw_to_linear(static_cast<std::uint8_t>(code));
      alaw[static_cast<std::size_t>(code)] = alaw_to_linear(static_cast<std::uint8_t>(code));
    }
  }
};

const DecodeTables kTables;

}  // namespace

void g711_encode(Codec codec, std::span<const std::int16_t> samples, std::span<std::uint8_t> bytes) {
  if (codec == Codec::pcmu) {
    for (std::size_t i = 0; i < samples.size(); ++i) bytes[i] = linear_to_ulaw(samples[i]);
  } else {
    for (std::size_t i = 0; i < samples.size(); ++i) bytes[i] = linear_to_alaw(samples[i]);
  }
}

void g711_decode(Codec codec, std::span<const std::uint8_t> bytes, std::span<std::int16_t> samples) {
  const auto& table = codec == Codec::pcmu ? kTables.ulaw : kTables.alaw;
  for (std::size_t i = 0; i < bytes.size(); ++i) samples[i] = table[bytes[i]];
}

}  // namespace linecheck::media
