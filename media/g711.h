// SPDX-License-Identifier: GPL-3.0-or-later
//
// G.711 (ITU-T G.711, mu-law and A-law), whole frames at a time. The arithmetic is spandsp's.
#pragma once

#include <cstdint>
#include <span>

#include "media/codec.h"

namespace linecheck::media {

/// Writes one byte for each sample. Both spans have the same length.
void g711_encode(Codec codec, std::span<const std::int16_t> samples, std::span<std::uint8_t> bytes);
/// Writes one sample for each byte. Both spans have the same length.
void g711_decode(Codec codec, std::span<const std::uint8_t> bytes, std::span<std::int16_t> samples);
/// The code of a zero sample.
constexpr std::uint8_t g711_silence(Codec codec) {
  return codec == Codec::pcmu ? 0xFF : 0xD5;
}

}  // namespace linecheck::media
