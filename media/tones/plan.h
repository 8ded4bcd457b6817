// SPDX-License-Identifier: GPL-3.0-or-later
//
// From stretches of tone to what they mean, by frequency and cadence.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "media/tones/tone.h"
#include "media/tones/tracker.h"

namespace linecheck::media::tones {

/// A tone of a country's plan.
struct PlannedTone {
  std::string_view country;  ///< ISO 3166, lower case; empty: everywhere
  ToneEvent::Kind kind;
  double low_hz;
  double high_hz;                 ///< 0: one frequency
  std::array<int, 6> cadence_ms;  ///< on, off, on, off ...; zeros behind the last; {0}: without a break
};

/// The table, in plan_table.cpp.
[[nodiscard]] std::span<const PlannedTone> tone_plan();

/// Runs in time order; `end_ms`: where the recording ends. In time order.
[[nodiscard]] std::vector<ToneEvent> name_tones(std::span<const ToneRun> runs, double end_ms);

/// All of it over one channel.
[[nodiscard]] std::vector<ToneEvent> find_tones(std::span<const std::int16_t> samples, int rate);

}  // namespace linecheck::media::tones
