// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/overview.h"

#include <doctest/doctest.h>

#include "engine/evaluation/conclude.h"
#include "tests/engine/report/sample.h"

using namespace linecheck::engine;
using namespace linecheck::engine::report;
using Ids = std::vector<std::int64_t>;

TEST_CASE("every run is counted once") {
  const Overview overview = overview_of(sample::result());
  CHECK(overview.total == 8);
  CHECK(overview.over == 8);
  CHECK(overview.passed == 2);
  CHECK(overview.failed == 2);
  CHECK(overview.excused == 3);
  CHECK(overview.cancelled == 1);
  CHECK(overview.completed == 3);
  CHECK(overview.with_checks == 3);
  CHECK(overview.met_checks == 2);
  CHECK(overview.connected == Ids{271, 272, 273});
  CHECK(overview.not_connected == Ids{274, 275, 276, 277, 278});
}

TEST_CASE("a failed run is either the workflow's or the infrastructure's") {
  Result result = sample::result();
  Overview overview = overview_of(result);
  CHECK(overview.failed_workflow == Ids{273});
  CHECK(overview.failed_infrastructure == Ids{274, 275, 276, 277});

  // The same call, but the agent left a turn without an answer: not a matter of what it said.
  Metric silence;
  silence.key = "infrastructure_issues";
  silence.value = 1;
  silence.passed = false;
  silence.explanation = {"The agent did not answer for 10 s after 4.20 s."};
  result.runs[2].evaluation.metrics.push_back(silence);
  overview = overview_of(result);
  CHECK(overview.failed_workflow.empty());
  CHECK(overview.failed_infrastructure == Ids{273, 274, 275, 276, 277});
  CHECK(overview.failures[0].reason == "The agent left the caller without an answer");
  CHECK(overview.failures[0].example == "The agent did not answer for 10 s after 4.20 s.");
}

TEST_CASE("verdicts that name a check are the check's, others are their own") {
  Result result = sample::result();
  Run& run = result.runs[2];
  conclude(run);
  REQUIRE(run.call.failure);
  CHECK(failed_by_checks(run));
  CHECK(overview_of(result).failed_workflow == Ids{273});

  run.call.failure = Failure{FailureCategory::agent, "The agent takes no telephone-event", {}, {}, {}};
  CHECK_FALSE(failed_by_checks(run));
  const Overview overview = overview_of(result);
  CHECK(overview.failed_workflow.empty());
  CHECK(overview.failures[0].reason == "The agent takes no telephone-event");
}

TEST_CASE("failures are grouped by cause whatever their numbers, the most frequent first") {
  Result result = sample::result();
  for (int i = 0; i < 3; ++i) {
    Run run = result.runs[4];
    run.id = 300 + i;
    run.call.failure->reason = "No RTP for " + std::to_string(10.5 + i) + " s";
    run.call.failure->sip_status.reset();
    result.runs.push_back(run);
  }
  const Overview overview = overview_of(result);
  REQUIRE(overview.failures.size() == 7);
  CHECK(overview.failures[0].run_ids == Ids{300, 301, 302});
  CHECK(overview.failures[0].reason == "No RTP for 10.500000 s");
  CHECK(overview.failures[0].category == FailureCategory::network);
  CHECK(overview.failures[1].reason == "Check failed: latency_ms.p50 below 1500");
  CHECK(overview.failures[1].example == "it is 2,212 (1 turn)");
  CHECK(overview.failures[2].run_ids == Ids{273});  // one call, two checks, two groups
  for (const FailureGroup& group : overview.failures) CHECK_FALSE(group.advice.empty());
}

TEST_CASE("a failure without a word still has one") {
  Result result = sample::result();
  result.runs.resize(4);
  result.runs[3].call.failure.reset();
  result.runs[3].error_message.clear();
  const Overview overview = overview_of(result);
  CHECK(overview.failures.back().reason == "No reason was recorded");
}

TEST_CASE("values of runs are merged, their percentiles are not") {
  Result result = sample::result();
  result.runs.resize(2);
  const auto latency = [](std::vector<double> values) {
    Metric metric;
    metric.key = "latency_ms";
    metric.unit = "ms";
    metric.distribution = Distribution::of(std::move(values));
    return metric;
  };
  result.runs[0].evaluation.metrics = {latency({100, 100, 100})};
  result.runs[1].evaluation.metrics = {latency({900})};
  Overview overview = overview_of(result);
  REQUIRE(overview.metrics.size() == 1);
  CHECK(overview.metrics[0].all.n == 4);
  CHECK(overview.metrics[0].all.mean == 300);
  CHECK(overview.metrics[0].all.p50 == 100);
  CHECK(overview.metrics[0].all.max == 900);
  CHECK_FALSE(overview.metrics[0].all.p95);

  // Where a run kept no values, only what is true without them is said.
  result.runs[1].evaluation.metrics[0].distribution->values.clear();
  overview = overview_of(result);
  CHECK(overview.metrics[0].all.n == 4);
  CHECK(overview.metrics[0].all.mean == 300);
  CHECK(overview.metrics[0].all.max == 900);
  CHECK_FALSE(overview.metrics[0].all.p50);
  CHECK(overview.metrics[0].values.empty());

  // An excused run's numbers say nothing of the agent.
  result.runs[1].success.reset();
  CHECK(overview_of(result).metrics[0].all.n == 3);
}

TEST_CASE("the headline and the verdict say what happened") {
  Result result = sample::result();
  CHECK(headline(result, overview_of(result)) ==
        "2 of 8 calls passed, 2 failed, 3 could not be judged (not the agent's fault), 1 cancelled; a "
        "threshold is "
        "missed. Not enough fair calls.");
  sample::Folder folder;
  result = sample::all_passed(folder.path());
  CHECK(headline(result, overview_of(result)) == "12 of 12 calls passed.");
  CHECK(verdict_word(result) == "PASSED");
  result.runs[0].success = false;
  CHECK(verdict_word(result) == "FAILED");
  result.status = ResultStatus::cancelled;
  CHECK(verdict_word(result) == "CANCELLED");
  result.status = ResultStatus::running;
  CHECK(verdict_word(result) == "RUNNING");
}
