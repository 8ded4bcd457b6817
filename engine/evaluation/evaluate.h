// SPDX-License-Identifier: GPL-3.0-or-later
//
// From what a call left behind to its numbers: turns, metrics, checks. A pure function of its arguments (no
// clock, no files), so a stored call can be judged again. Under 50 ms of CPU for a minute of call; any
// thread.
//
// The caller's speech is what the send timeline says it was (CallRecord::utterances), never a detector's
// opinion. The agent's speech comes from one offline pass over the right channel between the answer and the
// end of the call.
#pragma once

#include "engine/call/call_record.h"
#include "engine/evaluation/recording.h"
#include "engine/result.h"
#include "scheduler/model.h"

namespace linecheck::engine {

struct EvaluateOptions {
  double turn_gap_ms = 500;             ///< pauses up to this long are inside a turn
  double backchannel_ms = 1000;         ///< shorter, and fully inside the other's turn: not a turn
  double silence_duration_ms = 10'000;  ///< dead air above it fails
  double infra_issues_timeout_ms =
      10'000;               ///< no agent speech for this long after a caller's turn or the answer
  double yield_ms = 2'000;  ///< a barge-in that takes longer to be heeded was not yielded to
};

/// Every key of known_metric_keys() that belongs to a run is in the answer, with a value or with the reason
/// why not.
[[nodiscard]] Evaluation evaluate(const CallRecord& call, const scheduler::Scenario& scenario,
                                  const StereoRecording& recording, const EvaluateOptions& options = {});

}  // namespace linecheck::engine
