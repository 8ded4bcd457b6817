// SPDX-License-Identifier: GPL-3.0-or-later
//
// The sound of a key (ITU-T Q.23): two tones at once. Our own oscillators, not spandsp's dtmf_tx: that knows
// 8 kHz only, and a tone that is cut short must end there and then.
#pragma once

#include <cstdint>
#include <span>

namespace linecheck::media {

/// Both tones together, dBm0.
inline constexpr double kDtmfLevelDbm0 = -10;

/// Fills `audio` with the samples of a tone of `length` samples from `from` on, so that pieces join without a
/// seam. Its first and last 2 ms swell and fade, or they would click.
void dtmf_tone(char digit, int rate, std::int64_t from, std::int64_t length,
               std::span<std::int16_t> audio) noexcept;

}  // namespace linecheck::media
