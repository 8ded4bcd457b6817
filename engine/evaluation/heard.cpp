// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/heard.h"

#include <algorithm>
#include <utility>

#include "engine/call/keys.h"
#include "media/inband_keys.h"
#include "media/tones/music.h"
#include "media/tones/plan.h"

namespace linecheck::engine {

namespace {

std::vector<media::ToneEvent> tones_of(const StereoRecording& recording) {
  std::vector<media::ToneEvent> all = media::tones::find_music(recording.agent, recording.rate);
  const std::size_t music = all.size();
  for (media::ToneEvent& tone : media::tones::find_tones(recording.agent, recording.rate)) {
    // A long note of music is no beep.
    const bool note =
        std::any_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(music),
                    [&](const auto& m) { return tone.start_ms < m.end_ms && tone.end_ms > m.start_ms; });
    if (!note) all.push_back(std::move(tone));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.start_ms < b.start_ms; });
  return all;
}

}  // namespace

void hear_signals(CallRecord& call, const StereoRecording& recording) {
  std::vector<media::DigitEvent> keys = std::move(call.media.digits);
  if (!recording.empty()) {
    const auto inband = media::find_keys(recording.agent, recording.rate);
    keys.insert(keys.end(), inband.begin(), inband.end());
    call.tones = tones_of(recording);
  }
  call.media.digits = fold_keys(std::move(keys));
}

}  // namespace linecheck::engine
