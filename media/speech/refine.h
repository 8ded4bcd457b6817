// SPDX-License-Identifier: GPL-3.0-or-later
//
// The offline boundary refiner: where speech begins and ends in a finished recording, to a few milliseconds.
// It looks at the whole channel, so it knows the speaker's level and the noise on both sides of every
// boundary.
//
// Definition of a boundary (published with the numbers, same as annotate.h): the first / last 5 ms whose RMS
// is above the active level - 30 dB. Where noise hides that level, the boundary is the first / last moment
// that stands out of the noise and the uncertainty says how much of the definition's rise or fall may be
// hidden.
//
// Pure function, under 10 ms of CPU for each minute of 8 kHz audio, 20 ms where it is noisy; allocates; any
// thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace linecheck::media::speech {

struct RefinedSpan {
  double start_ms = 0;
  double end_ms = 0;
  double start_uncertainty_ms = 0;
  double end_uncertainty_ms = 0;
  double uncertainty_ms = 0;  ///< the larger of the two
};

struct RefineOptions {
  double bridge_ms = 80;  ///< gaps up to this long are part of the speech
  double walk_ms = 300;   ///< how far a boundary may move out from where the live detector put it
  double min_run_ms = 4;  ///< shorter excursions above the threshold are clicks
};

/// Spans of speech in time order, ms from the first sample. Digital silence gives none.
[[nodiscard]] std::vector<RefinedSpan> refine(std::span<const std::int16_t> samples, int rate,
                                              RefineOptions options = {});

/// What refine() measured on its way, for the level metrics.
struct ChannelLevels {
  double speech_dbov = 0;  ///< P.56 active level of the spans, noise power taken off
  double noise_dbov =
      0;  ///< mean power outside the spans (50 ms away from them), kSilenceDbov for digital silence
  bool has_speech = false;
  bool has_noise = false;  ///< false: nothing outside the spans to measure
};
[[nodiscard]] ChannelLevels channel_levels(std::span<const std::int16_t> samples, int rate,
                                           std::span<const RefinedSpan> spans);

}  // namespace linecheck::media::speech
