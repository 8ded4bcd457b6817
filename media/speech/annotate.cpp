// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/speech/annotate.h"

#include <cmath>

#include "media/speech/energy.h"
#include "media/speech/level.h"

namespace linecheck::media::speech {

std::vector<Span> audible_spans(std::span<const std::int16_t> samples, int rate) {
  std::vector<Span> spans;
  const auto level = active_level(samples, rate);
  if (!level) return spans;
  const double threshold = dbov_to_power(level->active_dbov - kAudibleBelowActiveDb);
  const double amplitude = std::sqrt(threshold);
  const Energy energy(samples, rate);
  constexpr int kWindow = static_cast<int>(kAudibleWindowMs);
  constexpr double kClickMs = 4;
  for (const MsRun& run :
       runs_above(energy, 0, energy.size(), kWindow, threshold, kClickMs, kAudibleBridgeMs)) {
    // Inside the first and the last window, the first and last sample that are themselves above the level: an
    // abrupt edge would else be found half a window too early or late.
    const double start =
        energy.first_sample_above(run.first - kWindow / 2, run.last + kWindow / 2, amplitude);
    const double end =
        energy.last_sample_above(run.first - kWindow / 2, run.last + kWindow / 2 + 1, amplitude);
    if (start >= 0 && end > start) spans.push_back({start, end});
  }
  return spans;
}

}  // namespace linecheck::media::speech
