// SPDX-License-Identifier: GPL-3.0-or-later
//
// From a voice's raw samples to a clip that can be played to a telephone. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "media/clip.h"

namespace linecheck::engine {

inline constexpr double kSpeechLevelDbov =
    -26.0;  ///< active speech level, ITU-T P.56; the level G.712 tests speak at
inline constexpr double kClipEdgeMs =
    10.0;  ///< silence left before the first and after the last audible sample

/// By SpeexDSP, its delay taken out: sample n of the result is at the same time as sample n * from / to of
/// `samples`. Values keep the scale of 16-bit samples. Throws std::runtime_error for rates that it cannot do.
std::vector<float> resample(std::span<const float> samples, int from, int to);
std::vector<float> to_float(std::span<const std::int16_t> samples);
/// Rounded, and limited to 16 bits.
std::vector<std::int16_t> to_s16(std::span<const float> samples);

/// Resampled to `clip_rate`, trimmed to its audible part and kClipEdgeMs on either side, brought to
/// kSpeechLevelDbov and annotated. Null if nothing in it is audible.
media::ClipPtr shape_clip(std::span<const std::int16_t> raw, int rate, std::string text, int clip_rate);

}  // namespace linecheck::engine
