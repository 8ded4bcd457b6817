// SPDX-License-Identifier: GPL-3.0-or-later
//
// From spans of speech to turns, and what passes between them: latencies, interruptions, yields (metrics.md).
#pragma once

#include <vector>

#include "engine/call/call_record.h"
#include "engine/evaluation/evaluate.h"
#include "engine/result.h"

namespace linecheck::engine {

/// A stretch of one side's speech with what is known of its edges.
struct SpeechSpan {
  double start_ms = 0;
  double end_ms = 0;
  double start_uncertainty_ms = 0;
  double end_uncertainty_ms = 0;
  bool barge_in = false;  ///< of an utterance that began on purpose over the agent
};

/// The caller's speech from the send timeline, in time order, within [from, to].
[[nodiscard]] std::vector<SpeechSpan> caller_speech(const CallRecord& call, double from_ms, double to_ms);

/// Turns of both sides in order of their start, backchannels among them marked as such, latencies, overlaps
/// and yields filled in. Spans in time order.
[[nodiscard]] std::vector<Turn> make_turns(const std::vector<SpeechSpan>& caller,
                                           const std::vector<SpeechSpan>& agent,
                                           const EvaluateOptions& options);

/// Marks the turns whose boundaries (or whose latency's other boundary) lie within 100 ms of a late tick.
void mark_late_ticks(std::vector<Turn>& turns, const std::vector<double>& late_tick_ms);

}  // namespace linecheck::engine
