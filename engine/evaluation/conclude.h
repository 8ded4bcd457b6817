// SPDX-License-Identifier: GPL-3.0-or-later
//
// Verdicts by contract 2a: of one run, of thresholds, of a whole result.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/result.h"
#include "scheduler/model.h"

namespace linecheck::engine {

/// When the engine spoilt a call so much that its numbers are not the agent's any more. Such a run is
/// excused: failed, category engine, success null.
struct FairnessLimits {
  double late_tick_percent = 5;      ///< of the packets due that left more than 5 ms late...
  std::uint64_t late_ticks = 10;     ///< ...and more than this many of them
  double skipped_frame_percent = 1;  ///< of the packets due that were left out...
  std::uint64_t skipped_frames = 5;  ///< ...and more than this many of them
  std::uint64_t dropped_commands = 0;
  double receive_loss_percent = 20;  ///< more lost on the way to us: category network
};

/// Sets status, success, error_message and call.failure of a run that is over (call and evaluation filled
/// in). Precedence: cancelled; what the call itself reports in call.failure; engine faults; network; the
/// agent's silence; checks. With the scenario given, a rejection that it asks for (`sip_status: 486`) is no
/// failure: the run is completed and its checks decide.
void conclude(Run& run, const scheduler::Scenario* scenario = nullptr, const FairnessLimits& limits = {});

/// Every run was concluded and result.thresholds judged. Sets status, verdict_note:
/// cancelled when it was (status set before, or a run cancelled); failed when more than 5 % of the runs are
/// excused
/// ("not enough fair calls"), when there is no run, or when a threshold fails; completed otherwise:
/// success_rate and the exit code then say how many runs passed.
void conclude(Result& result);

/// One answer for each bound, in order. A bound without a value fails.
[[nodiscard]] std::vector<ThresholdResult> judge_thresholds(
    const Result& result, const std::vector<scheduler::MetricBound>& bounds);

/// Whether the run counts neither as a success nor as a failure of the agent (network, engine, provider).
[[nodiscard]] bool excused(const Run& run);

}  // namespace linecheck::engine
