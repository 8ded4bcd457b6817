// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/heard.h"

#include <utility>

#include "engine/call/keys.h"
#include "media/inband_keys.h"

namespace linecheck::engine {

void hear_signals(CallRecord& call, const StereoRecording& recording) {
  std::vector<media::DigitEvent> keys = std::move(call.media.digits);
  if (!recording.empty()) {
    const auto inband = media::find_keys(recording.agent, recording.rate);
    keys.insert(keys.end(), inband.begin(), inband.end());
  }
  call.media.digits = fold_keys(std::move(keys));
}

}  // namespace linecheck::engine
