// SPDX-License-Identifier: GPL-3.0-or-later
//
// A scenario's `expect`, entry by entry. An explanation says in one sentence what was seen, with its time.
#pragma once

#include <vector>

#include "engine/call/call_record.h"
#include "engine/result.h"
#include "scheduler/model.h"

namespace linecheck::engine {

/// Needs the turns and metrics of `evaluation`; answers in the order of scenario.expect.
///
/// A metric bound whose metric is null fails and says the metric's reason, with one exception: where nothing
/// happened that could be measured (stop_time_ms without an interruption, latency_ms without a caller turn,
/// snr_db without noise) it passes with "nothing to measure". Where the scenario itself asks for a barge-in
/// (<interruption .../>) and the bound is on stop_time_ms or yield_rate, the call did not test what it was to
/// test: the check fails with "no interruption happened". A percentile that too few values hide fails with
/// "p95 needs 20 answers, had 7".
[[nodiscard]] std::vector<CheckResult> run_checks(const CallRecord& call, const scheduler::Scenario& scenario,
                                                  const Evaluation& evaluation);

}  // namespace linecheck::engine
