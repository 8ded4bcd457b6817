// SPDX-License-Identifier: GPL-3.0-or-later
//
// What can be measured on the agent's channel beside its boundaries.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/evaluation/turns.h"

namespace linecheck::engine {

/// The agent's channel between the answer and the end of the call; spans are on the same clock as start_ms.
struct ChannelView {
  std::span<const std::int16_t> samples;
  int rate = 8000;
  double start_ms = 0;  ///< of the first sample, on the call's clock
};

/// Mean fundamental frequency of the voiced frames (50 to 400 Hz): normalised autocorrelation of 40 ms
/// windows, frames far from the median (octave errors) left out. nullopt with fewer than 10 voiced frames.
[[nodiscard]] std::optional<double> average_pitch_hz(const ChannelView& channel,
                                                     const std::vector<SpeechSpan>& speech);

/// Where speech is torn by more than 60 ms of pure zeros with loud speech right before and after: lost
/// packets, an agent that starves. Times in ms on the call's clock.
[[nodiscard]] std::vector<double> dropouts(const ChannelView& channel, const std::vector<SpeechSpan>& speech,
                                           double active_dbov);

}  // namespace linecheck::engine
