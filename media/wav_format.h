// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace linecheck::media {

enum class WavFormat : std::uint8_t {
  pcm16,  ///< 16-bit linear
  ulaw,   ///< G.711 mu-law: half the size, 38 dB of signal to quantisation noise
};

}  // namespace linecheck::media
