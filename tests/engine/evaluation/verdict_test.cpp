// SPDX-License-Identifier: GPL-3.0-or-later
//
// Checks of a scenario and the outcomes of contract 2a.
#include <doctest/doctest.h>

#include "engine/evaluation/checks.h"
#include "engine/evaluation/conclude.h"
#include "engine/evaluation/evaluate.h"
#include "engine/evaluation/pattern.h"
#include "tests/engine/evaluation/staged_call.h"

using namespace linecheck;
using namespace linecheck::engine;
using linecheck::tests::StagedCall;
using scheduler::Check;
using scheduler::Comparison;
using By = scheduler::Said::By;

namespace {

template <typename T>
Check check(T what, const char* text = "as written") {
  Check c;
  c.what = std::move(what);
  c.text = text;
  return c;
}

scheduler::MetricBound bound(const char* metric, Comparison comparison, double value) {
  scheduler::MetricBound b;
  b.metric = metric;
  b.comparison = comparison;
  b.value = value;
  return b;
}

/// A good call: greeting, question, answer.
StagedCall good_call() {
  StagedCall call(12'000);
  call.agent_says(1200, 1500);
  call.caller_says(3700, 1400, "I need an appointment.");
  call.agent_says(5900, 1800);
  return call;
}

CheckResult ask(StagedCall& call, Check what, bool barge_in = false) {
  scheduler::Scenario scenario;
  if (barge_in) {
    scheduler::Condition condition;
    condition.action = "<interruption time=\"1s\"/>Sorry.";
    scenario.conditional_actions.conditions.push_back(condition);
  }
  scenario.expect.push_back(std::move(what));
  const Evaluation e = evaluate(call.record, scenario, call.recording());
  REQUIRE(e.checks.size() == 1);
  CHECK(e.checks[0].check == scenario.expect[0].text);
  CHECK_FALSE(e.checks[0].explanation.empty());
  return e.checks[0];
}

Run run_of(StagedCall& call, const scheduler::Scenario& scenario = {}) {
  Run run;
  run.call = call.record;
  run.evaluation = evaluate(call.record, scenario, call.recording());
  conclude(run, &scenario);
  return run;
}

Run quick(RunStatus status, std::optional<bool> success,
          std::optional<FailureCategory> category = std::nullopt) {
  Run run;
  run.status = status;
  run.success = success;
  if (category) run.call.failure = Failure{*category, "why", {}, {}, {}};
  return run;
}

Result result_of(std::vector<Run> runs) {
  Result result;
  result.runs = std::move(runs);
  conclude(result);
  return result;
}

std::vector<Run> many(std::size_t good, std::size_t excused_runs) {
  std::vector<Run> runs(good, quick(RunStatus::completed, true));
  runs.insert(runs.end(), excused_runs, quick(RunStatus::failed, std::nullopt, FailureCategory::network));
  return runs;
}

}  // namespace

TEST_CASE("checks: metric bounds") {
  StagedCall call = good_call();
  CHECK(ask(call, check(bound("latency_ms.p50", Comparison::below, 1500))).passed);
  const CheckResult tight = ask(call, check(bound("latency_ms.p50", Comparison::below, 300)));
  CHECK_FALSE(tight.passed);
  CHECK(tight.explanation.find("wanted below 300") != std::string::npos);
  const CheckResult p95 = ask(call, check(bound("latency_ms.p95", Comparison::below, 1500)));
  CHECK_FALSE(p95.passed);
  CHECK(p95.explanation.find("needs 20 answers, had 1") != std::string::npos);
  CHECK_FALSE(ask(call, check(bound("words_per_minute", Comparison::below, 200))).passed);
  CHECK(ask(call, check(bound("snr_db", Comparison::at_least, 20))).passed);
}

TEST_CASE("checks: nothing happened that could be measured") {
  StagedCall call = good_call();
  const Check stop = check(bound("stop_time_ms.max", Comparison::below, 800));
  const CheckResult vacuous = ask(call, stop);
  CHECK(vacuous.passed);
  CHECK(vacuous.explanation.find("Nothing to measure") != std::string::npos);
  const CheckResult asked_for = ask(call, stop, true);
  CHECK_FALSE(asked_for.passed);
  CHECK(asked_for.explanation.find("no interruption happened") != std::string::npos);
  StagedCall mute(8000);
  mute.caller_says(2000, 1000);
  CHECK_FALSE(ask(mute, check(bound("latency_ms.p50", Comparison::below, 1500))).passed);
}

TEST_CASE("checks: speaking, saying, digits, hanging up, status, duration") {
  StagedCall call = good_call();
  call.record.digits_sent = "1#";
  call.record.media.digits = {{'4', false, 100, 100, {}, -7.0}, {'2', false, 300, 100, 100.0, -7.0}};
  using scheduler::Millis;
  CHECK(ask(call, check(scheduler::AgentSpeaksWithin{Millis{1000}})).passed);
  CHECK_FALSE(ask(call, check(scheduler::AgentSpeaksWithin{Millis{500}})).passed);

  const auto said = [](const char* words, bool negated = false, std::optional<Millis> within = {}) {
    return check(scheduler::Said{By::caller, words, within, negated});
  };
  CHECK(ask(call, said("APPOINT(MENT)?")).passed);
  CHECK_FALSE(ask(call, said("cancel")).passed);
  CHECK(ask(call, said("cancel", true)).passed);
  CHECK_FALSE(ask(call, said("appointment", true)).passed);
  CHECK_FALSE(ask(call, said("appointment", false, Millis{1000})).passed);
  CHECK(ask(call, said("appointment", false, Millis{4000})).passed);
  CHECK_FALSE(ask(call, said("(")).passed);
  CHECK_FALSE(ask(call, check(scheduler::Said{By::agent, "hello", {}, false})).passed);

  CHECK(ask(call, check(scheduler::DigitsEqual{By::agent, "42"})).passed);
  CHECK(ask(call, check(scheduler::DigitsEqual{By::caller, "1#"})).passed);
  CHECK_FALSE(ask(call, check(scheduler::DigitsEqual{By::agent, "4"})).passed);
  CHECK(ask(call, check(scheduler::HungUpBy{By::caller})).passed);
  CHECK_FALSE(ask(call, check(scheduler::HungUpBy{By::agent})).passed);
  CHECK(ask(call, check(scheduler::SipStatusIs{200})).passed);
  CHECK_FALSE(ask(call, check(scheduler::SipStatusIs{486})).passed);
  CHECK(ask(call, check(scheduler::DurationBetween{Millis{5000}, Millis{12'000}})).passed);
  CHECK_FALSE(ask(call, check(scheduler::DurationBetween{{}, Millis{5000}})).passed);
}

TEST_CASE("checks: no pattern and no text bring the search down") {
  const std::string text(200'000, 'a');
  CHECK(find_pattern(text, "a*a$").found);
  CHECK(find_pattern("I'd like TUESDAY", "\\btuesday\\b").found);
  CHECK_FALSE(find_pattern(text, "b").found);
  CHECK_FALSE(find_pattern(text, "(").error.empty());
  CHECK_FALSE(find_pattern(text, "(a+)+b").found);
  CHECK(find_pattern("", "^$").found);
}

TEST_CASE("outcome: conversed, checks decide") {
  StagedCall call = good_call();
  scheduler::Scenario scenario;
  scenario.expect = {
      check(bound("latency_ms.p50", Comparison::below, 1500), "metric: latency_ms.p50, below: 1500")};
  Run run = run_of(call, scenario);
  CHECK(run.status == RunStatus::completed);
  CHECK(run.success == true);
  CHECK_FALSE(run.call.failure);
  CHECK(run.error_message.empty());
  CHECK(run.evaluation.find("expected_outcome")->value == 100);

  scenario.expect.push_back(check(scheduler::HungUpBy{By::agent}, "hung_up_by: agent"));
  run = run_of(call, scenario);
  CHECK(run.status == RunStatus::completed);
  CHECK(run.success == false);
  REQUIRE(run.call.failure);
  CHECK(run.call.failure->category == FailureCategory::agent);
  CHECK(run.error_message.find("1 of 2 checks failed: hung_up_by: agent") == 0);
  CHECK(run.evaluation.find("expected_outcome")->value == 50);
}

TEST_CASE("outcome: the agent is silent, sends no RTP, hangs up before a word") {
  StagedCall silent(10'000);
  silent.caller_says(2000, 1000);
  Run run = run_of(silent);
  CHECK(run.status == RunStatus::completed);
  CHECK(run.success == false);
  CHECK(run.call.failure->category == FailureCategory::agent);
  CHECK(run.error_message == "The agent answered but never spoke.");

  silent.record.media.receive.packets = 0;
  run = run_of(silent);
  CHECK(run.status == RunStatus::completed);
  CHECK(run.success == false);
  CHECK(run.error_message == "The agent answered but sent no RTP.");

  // One-way audio: what both sides said of themselves, and what a NAT may have to do with it.
  silent.record.own_media = "203.0.113.7:11000";
  silent.record.agent_media = "10.0.0.5:6000";
  CHECK(run_of(silent).error_message ==
        "The agent answered but sent no RTP: its SDP said 10.0.0.5:6000, ours said 203.0.113.7:11000; no RTP "
        "came. "
        "Its address is a private one: a NAT at its side rewrote nothing.");
  std::swap(silent.record.own_media, silent.record.agent_media);
  CHECK(
      run_of(silent).error_message.ends_with("no RTP came. Ours is a private address, which it may not "
                                             "reach: see the endpoint's external_address."));
  silent.record.agent_media = "198.51.100.1:6000";
  silent.record.own_media = "[2001:db8::1]:11000";
  CHECK(run_of(silent).error_message.ends_with("; no RTP came."));

  silent.record.hung_up_by = Party::agent;
  run = run_of(silent);
  CHECK(run.status == RunStatus::failed);
  CHECK(run.success == false);
  CHECK(run.error_message == "The agent hung up before it said a word.");

  StagedCall at_once(5000);
  at_once.record.hung_up_by = Party::agent;
  at_once.record.ended_ms = 502;
  run = run_of(at_once);
  CHECK(run.status == RunStatus::failed);
  CHECK(run.success == false);
}

TEST_CASE("outcome: rejected, redirected, no answer, server error, cancelled") {
  StagedCall call;
  call.record.answered_ms.reset();
  call.record.hung_up_by.reset();
  call.record.sip_status = 486;
  Run run = run_of(call);
  CHECK(run.status == RunStatus::failed);
  CHECK(run.success == false);
  CHECK(run.call.failure->sip_status == 486);

  scheduler::Scenario busy;
  busy.expect = {check(scheduler::SipStatusIs{486})};
  run = run_of(call, busy);
  CHECK(run.status == RunStatus::completed);
  CHECK(run.success == true);
  CHECK_FALSE(run.call.failure);

  call.record.sip_status = 503;
  run = run_of(call);
  CHECK(run.status == RunStatus::failed);
  CHECK_FALSE(run.success);
  CHECK(run.call.failure->category == FailureCategory::network);
  CHECK(excused(run));

  call.record.sip_status.reset();
  run = run_of(call);  // it rang
  CHECK(run.success == false);
  CHECK(run.call.failure->category == FailureCategory::agent);

  call.record.ended_reason = "dial-window-passed";
  call.record.failure = Failure{FailureCategory::agent, "The agent did not call.", {}, {}, {}};
  CHECK(run_of(call).status == RunStatus::timeout);

  call.record.cancelled = true;
  run = run_of(call);
  CHECK(run.status == RunStatus::cancelled);
  CHECK_FALSE(run.success);
  CHECK_FALSE(excused(run));
}

TEST_CASE("outcome: what the engine or the network spoilt is excused, also where it went well") {
  StagedCall call = good_call();
  const auto category = [&] {
    const Run run = run_of(call);
    CHECK(run.status == RunStatus::failed);
    CHECK_FALSE(run.success);
    REQUIRE(run.call.failure);
    CHECK_FALSE(run.error_message.empty());
    return run.call.failure->category;
  };
  call.record.media.engine.late_ticks = 20;  // 3 % of 600 packets: not so bad
  CHECK(run_of(call).success == true);
  call.record.media.engine.late_ticks = 60;
  CHECK(category() == FailureCategory::engine);
  call.record.media.engine.late_ticks = 0;
  call.record.media.engine.skipped_frames = 30;
  CHECK(category() == FailureCategory::engine);
  call.record.media.engine.skipped_frames = 0;
  call.record.media.recording_error = "no space left on the device";
  CHECK(category() == FailureCategory::engine);
  call.record.media.recording_error.clear();
  call.record.media.receive.lost = 400;
  CHECK(category() == FailureCategory::network);
  call.record.media.receive.lost = 0;
  call.record.failure = Failure{FailureCategory::provider, "no voice", {}, {}, {}};
  CHECK(category() == FailureCategory::provider);
  call.record.failure.reset();
  CHECK(run_of(call).success == true);

  // A recording that cannot be read judges nobody.
  Run unheard;
  unheard.call = call.record;
  unheard.evaluation = evaluate(call.record, {}, StereoRecording{});
  conclude(unheard);
  CHECK(unheard.call.failure->category == FailureCategory::engine);
}

TEST_CASE("result: success rate, status and exit code") {
  CHECK(result_of(many(12, 0)).exit_code() == 0);
  CHECK(result_of(many(12, 0)).status == ResultStatus::completed);
  CHECK(result_of(many(12, 0)).success_rate() == 1);

  Result mixed =
      result_of({quick(RunStatus::completed, true), quick(RunStatus::failed, false, FailureCategory::agent)});
  CHECK(mixed.success_rate() == 0.5);
  CHECK(mixed.status == ResultStatus::completed);
  CHECK(mixed.exit_code() == 1);

  CHECK_FALSE(result_of(many(0, 1)).success_rate());
  CHECK(result_of(many(0, 1)).exit_code() == 3);
  CHECK(result_of(many(0, 1)).status == ResultStatus::failed);

  const Result twenty = result_of(many(19, 1));  // 5 %: not more than that
  CHECK(twenty.status == ResultStatus::completed);
  CHECK(twenty.verdict_note.empty());
  CHECK(twenty.exit_code() == 3);
  const Result nineteen = result_of(many(18, 1));
  CHECK(nineteen.status == ResultStatus::failed);
  CHECK(nineteen.verdict_note.find("not enough fair calls") == 0);
  CHECK(nineteen.success_rate() == 1);
}

TEST_CASE("result: precedence of exit codes") {
  std::vector<Run> runs{quick(RunStatus::completed, true),
                        quick(RunStatus::completed, false, FailureCategory::agent)};
  CHECK(result_of(runs).exit_code() == 1);
  runs.push_back(quick(RunStatus::failed, std::nullopt, FailureCategory::engine));
  CHECK(result_of(runs).exit_code() == 3);
  runs.push_back(quick(RunStatus::failed, std::nullopt, FailureCategory::configuration));
  CHECK(result_of(runs).exit_code() == 2);
  runs.push_back(quick(RunStatus::cancelled, std::nullopt));
  CHECK(result_of(runs).exit_code() == 130);
  CHECK(result_of(runs).status == ResultStatus::cancelled);
}

TEST_CASE("result: thresholds") {
  Result result;
  for (int n = 0; n < 4; ++n) {
    Run run = quick(RunStatus::completed, n > 0);
    Metric metric;
    metric.key = "latency_ms";
    metric.distribution = Distribution::of(std::vector<double>(6, 100.0 * (n + 1)));
    run.evaluation.metrics.push_back(metric);
    result.runs.push_back(run);
  }
  result.thresholds = judge_thresholds(result, {bound("latency_ms.p95", Comparison::below, 1500),
                                                bound("success_rate", Comparison::at_least, 0.95),
                                                bound("latency_ms.p99", Comparison::below, 1500)});
  REQUIRE(result.thresholds.size() == 3);
  CHECK(result.thresholds[0].passed);
  CHECK(result.thresholds[0].value == 400);
  CHECK(result.thresholds[0].condition == "below 1500");
  CHECK(result.thresholds[1].value == 0.75);
  CHECK_FALSE(result.thresholds[1].passed);
  CHECK_FALSE(result.thresholds[2].passed);  // 24 values have no p99
  CHECK_FALSE(result.thresholds[2].value);
  conclude(result);
  CHECK(result.status == ResultStatus::failed);
  CHECK(result.exit_code() == 1);
  CHECK(result_of({}).status == ResultStatus::failed);
}
