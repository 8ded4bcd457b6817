// SPDX-License-Identifier: GPL-3.0-or-later
//
// A simulated bad line: from the catalogue's words to those of media, and to words for people.
#pragma once

#include <string>

#include "media/impairment.h"
#include "scheduler/model.h"

namespace linecheck::engine {

[[nodiscard]] media::Impairment impairment_of(const scheduler::LineImpairment& line);

/// "5 % loss in bursts of 3, 20 ms jitter, 50 ms delay", or "clean".
[[nodiscard]] std::string line_text(const media::Impairment& line);

/// What it came to: "4.98 % lost, 19.7 ms jitter, 50.2 ms delay, of 1500 packets".
[[nodiscard]] std::string line_text(const media::LineAchieved& achieved);

/// The mean time by which what we said at `t_ms` was held up beyond the shortest way that the line has: the
/// part of a simulated line that is in a latency measured on the recording.
[[nodiscard]] double held_up_ms(const std::vector<media::LinePeriod>& line, double t_ms);

}  // namespace linecheck::engine
