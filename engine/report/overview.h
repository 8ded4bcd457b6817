// SPDX-License-Identifier: GPL-3.0-or-later
//
// What can be said of a result as a whole. Computed once from the runs, then written by each reporter in its
// own form, so that the console, the JSON and the page can never disagree.
//
// A run that is over is in exactly one of these: passed, failed (counted against the agent), excused (a fault
// of ours, the network's or a provider's: contract 2a), cancelled.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/result.h"

namespace linecheck::engine::report {

/// Runs that went wrong for the same cause. A run whose call was held but which fails two checks is in two
/// groups.
struct FailureGroup {
  std::string reason;  ///< plain words; numbers are those of the first run
  FailureCategory category = FailureCategory::agent;
  std::vector<std::int64_t> run_ids;
  std::string example;  ///< what happened in the first of them, with times; may be empty
  std::string advice;   ///< what to do
};

/// One check as written in scenarios, over all runs that made it.
struct CheckGroup {
  std::string check;
  int passed = 0;
  std::vector<std::int64_t> failed_run_ids;
};

/// One metric over all runs: the values of the runs are merged, percentiles are never averaged.
struct MetricSummary {
  std::string key;
  std::string name;
  std::string unit;
  Distribution all;            ///< percentiles are null where only each run's own distribution is known
  std::vector<double> values;  ///< what `all` was made of; empty where it is not known
};

struct Overview {
  int total = 0;
  int over = 0;
  int completed = 0;  ///< status completed: the call was held and judged
  int passed = 0;
  int failed = 0;
  int excused = 0;
  int cancelled = 0;
  int with_checks = 0;  ///< runs that made at least one check
  int met_checks = 0;   ///< of those, runs in which all held

  /// The call was answered / was over without an answer.
  std::vector<std::int64_t> connected;
  std::vector<std::int64_t> not_connected;
  /// Every run that is over without success and was not cancelled is in exactly one of these two. Workflow:
  /// the call was held and what the agent did in it failed a check. Infrastructure: all else (no answer, an
  /// agent that does not speak, set-up refused, RTP stopped, network, engine, provider); `failure.category`
  /// says whose.
  std::vector<std::int64_t> failed_infrastructure;
  std::vector<std::int64_t> failed_workflow;

  std::vector<FailureGroup> failures;  ///< most frequent first
  std::vector<CheckGroup> checks;      ///< failing ones first, then in order of appearance
  std::vector<MetricSummary> metrics;  ///< in the order in which runs carry them
};

/// The call was as it should be, and what the agent did in it failed a check: no other cause is recorded than
/// one that names the check, and no turn of the caller was left without an answer.
[[nodiscard]] bool failed_by_checks(const Run& run);

[[nodiscard]] Overview overview_of(const Result& result);

/// One sentence for the top of a report: "11 of 12 calls passed; 1 failed."
[[nodiscard]] std::string headline(const Result& result, const Overview& overview);

/// "PASSED", "FAILED", "CANCELLED", "REFUSED", or "INCONCLUSIVE" where faults that are not the agent's leave
/// nothing to judge by; "RUNNING" or "PAUSED" before the end.
[[nodiscard]] std::string verdict_word(const Result& result);

}  // namespace linecheck::engine::report
