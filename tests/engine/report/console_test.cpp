// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/console.h"

#include <doctest/doctest.h>

#include "tests/engine/report/sample.h"

using namespace linecheck::engine;
using namespace linecheck::engine::report;

using linecheck::engine::report::sample::has;

namespace {

SummaryOptions wide(bool unicode = true, bool color = false) {
  SummaryOptions options;
  options.terminal = {false, color, unicode, 100};
  return options;
}

}  // namespace

TEST_CASE("the summary names the calls that were refused") {
  Result result = sample::result();
  CHECK_FALSE(has(summary(result, wide()), "CALLS REFUSED"));
  RefusedCall call;
  call.source = "127.0.0.1:5090";
  call.status = 403;
  call.reason = "called +15550100001, expected from +16665550100, came from \x1b[1m+1777";
  result.refused_calls = std::vector<RefusedCall>(7, call);
  result.refused_calls_count = 7;
  const std::string text = summary(result, wide());
  CHECK(has(text,
            "CALLS REFUSED\n    403 to 127.0.0.1:5090: called +15550100001, expected from +16665550100, came "
            "from"));
  CHECK(has(text, "and 2 more, in result.json"));
  CHECK_FALSE(has(text, "\x1b"));
}

TEST_CASE("the summary: verdict, thresholds, checks, metrics, failures, files, the next step") {
  Result result = sample::result();
  result.runs.erase(result.runs.begin() + 3, result.runs.end());
  result.verdict_note.clear();
  for (Run& run : result.runs) {
    std::erase_if(run.evaluation.metrics, [](const Metric& metric) { return metric.id > 4; });
  }
  SummaryOptions options = wide();
  options.files = {{"report", "out/demo/report.html"}, {"recordings", "out/demo/recordings"}};
  options.next_title = "A first job of your own";
  options.next_commands = {"linecheck run my-job.yaml"};
  CHECK(summary(result, options) == R"(
  FAILED  nightly Sales.Inbound
  2 of 3 calls passed, 1 failed; a threshold is missed. It took 00:41.

  THRESHOLDS
    ✓ latency_ms.p95 below 1500                    1,207
    ✗ success_rate at_least 0.95                   0.5

  CHECKS
    ✗ latency_ms.p50 below 1500                    1 of 2
    ✗ stop_time_ms.max below 800                   1 of 2
    ✓ agent_speaks_within: 3s                      3 of 3

  METRICS                                mean        p50        p95        max     n
    Latency                          1,080 ms     742 ms          -   2,212 ms     4
    Greeting delay                     323 ms     327 ms          -     330 ms     3

  WHY CALLS FAILED
    1. Check failed: latency_ms.p50 below 1500
       1 call, agent: #273
       #273: it is 2,212 (1 turn)
       What to do: Look at the arrows between the turns in the report: long ones are the agent's
       thinking time.
    2. Check failed: stop_time_ms.max below 800
       1 call, agent: #273
       #273: at 13.31 s the agent went on for more than 2,000 ms after it was interrupted
       What to do: The agent goes on when it is talked over: check its barge-in (interruption)
       settings, then listen at the marked place.

  Of ourselves: 2 packets left more than 5 ms late. Turns that this touched are marked in the
  report.

  FILES
    report       out/demo/report.html
    recordings   out/demo/recordings

  A FIRST JOB OF YOUR OWN
    linecheck run my-job.yaml

)");
}

TEST_CASE("failures come by cause with what to do, whoever is to blame") {
  const std::string text = summary(sample::result(), wide());
  CHECK(has(text, "INCONCLUSIVE  nightly Sales.Inbound"));
  CHECK(has(text, "The agent is busy (486 Busy Here)\n       1 call, agent: #274\n"));
  CHECK(has(text, "The trunk answered 503 Service Unavailable\n       1 call, network: #275\n"));
  CHECK(has(text, "1 call, engine: #276"));
  CHECK(has(text, "1 call, provider: #277"));
  CHECK_FALSE(has(text, "#278"));  // cancelled is not failed
}

TEST_CASE("many runs of one cause are named up to a limit") {
  Result result = sample::result();
  const Run busy = result.runs[3];
  for (int i = 0; i < 40; ++i) {
    result.runs.push_back(busy);
    result.runs.back().id = 400 + i;
  }
  SummaryOptions options = wide();
  options.max_run_ids = 3;
  const std::string text = summary(result, options);
  CHECK(has(
      text,
      "    1. The agent is busy (486 Busy Here)\n       41 calls, agent: #274, #400, #401 and 38 more\n"));
}

TEST_CASE("colour and signs follow the terminal") {
  CHECK_FALSE(has(summary(sample::result(), wide()), "\x1b["));
  CHECK(has(summary(sample::result(), wide(true, true)), "\x1b[31m\u2717\x1b[0m"));
  const std::string ascii = summary(sample::result(), wide(false));
  CHECK(has(ascii, "FAIL success_rate at_least 0.95"));
  CHECK(has(ascii, "ok   latency_ms.p95 below 1500"));
}

TEST_CASE("what an agent says can't drive the terminal") {
  Result result = sample::result();
  result.name = sample::hostile();
  result.runs[3].call.failure->reason = sample::hostile();
  result.runs[2].evaluation.checks[1].check = sample::hostile();
  result.runs[2].evaluation.checks[1].explanation = sample::hostile();
  CHECK_FALSE(has(summary(result, wide()), "\x1b"));
}

TEST_CASE("no line ends in blanks and an empty result is no trouble") {
  CHECK_FALSE(has(summary(sample::result(), wide()), " \n"));
  CHECK(has(summary(Result{}, wide()), "RUNNING"));
}
