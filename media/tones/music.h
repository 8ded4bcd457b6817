// SPDX-License-Identifier: GPL-3.0-or-later
//
// Music on hold: sound that goes on for long without a pause, keeps its level as speech does not, and holds
// one pitch after the other, as neither speech nor noise does. A heuristic, and no more: singing is music, a
// rattle is none.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "media/tones/tone.h"

namespace linecheck::media::tones {

/// Stretches of 10 s or more, in time order. `rate`: 8000 or 16000.
[[nodiscard]] std::vector<ToneEvent> find_music(std::span<const std::int16_t> samples, int rate);

}  // namespace linecheck::media::tones
