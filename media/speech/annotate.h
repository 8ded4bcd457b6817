// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where a prompt is audible: the truth that clips carry with them, so that no detector is needed to know when
// the caller spoke. An audible span runs from the first to the last 5 ms whose RMS is above the clip's active
// level (ITU-T P.56) - 30 dB; pauses of up to 80 ms inside are part of it. This definition is published with
// the numbers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "media/leg_report.h"

namespace linecheck::media::speech {

inline constexpr double kAudibleBelowActiveDb = 30.0;
inline constexpr double kAudibleWindowMs = 5.0;
inline constexpr double kAudibleBridgeMs = 80.0;

/// Audible spans, ms from the first sample, in time order; none for silence. For clean prompts without noise.
[[nodiscard]] std::vector<Span> audible_spans(std::span<const std::int16_t> samples, int rate);

}  // namespace linecheck::media::speech
