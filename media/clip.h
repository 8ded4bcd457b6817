// SPDX-License-Identifier: GPL-3.0-or-later
//
// Audio that is played: immutable and shared by reference, so that a thousand legs can play one prompt
// without a copy and a media thread never waits for who made it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "media/codec.h"
#include "media/leg_report.h"

namespace linecheck::media {

struct Clip {
  int rate = kNarrowRate;             ///< Hz; a leg plays clips of its own rate
  std::vector<std::int16_t> samples;  ///< mono
  std::vector<Span> speech;           ///< audible spans, ms from the clip's first sample
  std::string text;                   ///< what it says, where it says something

  [[nodiscard]] double duration_ms() const {
    return rate > 0 ? static_cast<double>(samples.size()) * 1000.0 / rate : 0.0;
  }
};

using ClipPtr = std::shared_ptr<const Clip>;

}  // namespace linecheck::media
