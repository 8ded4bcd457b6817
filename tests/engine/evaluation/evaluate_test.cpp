// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/evaluate.h"

#include <doctest/doctest.h>

#include <ctime>
#include <set>

#include "engine/evaluation/metric_value.h"
#include "tests/engine/evaluation/staged_call.h"

using namespace linecheck;
using namespace linecheck::engine;
using linecheck::tests::StagedCall;

namespace {

Evaluation judge(StagedCall& call, const scheduler::Scenario& scenario = {}) {
  return evaluate(call.record, scenario, call.recording());
}

double value(const Evaluation& evaluation, const std::string& name) {
  const auto v = metric_value(evaluation, name);
  INFO(name, ": ", resolve_metric(evaluation, name).reason);
  REQUIRE(v);
  return *v;
}

std::string reason(const Evaluation& evaluation, const std::string& key) {
  const Metric* metric = evaluation.find(key);
  REQUIRE(metric);
  CHECK_FALSE(metric->value);
  return metric->reason;
}

constexpr double kTight = 6;  // ms

bool near(double a, double b, double by = kTight) {
  return std::abs(a - b) <= by;
}

}  // namespace

TEST_CASE("evaluate: greeting, latency, dead air, shares of an orderly call") {
  StagedCall call;
  const auto greeting = call.agent_says(1200.4, 1500);
  const auto first = call.caller_says(3700, 1400);
  const auto answer1 = call.agent_says(5843.6, 1800);
  const auto second = call.caller_says(8600, 1000);
  const auto answer2 = call.agent_says(10'911.3, 1200);
  const Evaluation e = judge(call);

  REQUIRE(e.turns.size() == 5);
  CHECK(near(e.turns[0].start_ms, greeting.start_ms));
  CHECK(near(e.turns[4].end_ms, answer2.end_ms, 12));
  const Metric* latency = e.find("latency_ms");
  REQUIRE(latency);
  REQUIRE(latency->distribution);
  REQUIRE(latency->distribution->n == 2);
  CHECK(near(latency->distribution->values[0], answer1.start_ms - first.end_ms));
  CHECK(near(latency->distribution->values[1], answer2.start_ms - second.end_ms));
  CHECK(latency->name == "Latency");
  CHECK_FALSE(latency->explanation.empty());
  CHECK(value(e, "latency_net_ms.max") == value(e, "latency_ms.max"));
  CHECK(near(value(e, "greeting_delay_ms"), greeting.start_ms - 500));
  CHECK(value(e, "post_dial_delay_ms") == 100);
  CHECK(value(e, "answer_delay_ms") == 480);
  CHECK(value(e, "ai_interruptions") == 0);
  CHECK(value(e, "user_interruptions") == 0);
  CHECK(value(e, "interruption_score") == 5);
  CHECK(value(e, "infrastructure_issues") == 0);
  CHECK(near(value(e, "dead_air_ms.max"), 19'800 - answer2.end_ms, 12));
  CHECK(value(e, "talk_ratio.agent_alone") + value(e, "talk_ratio.caller_alone") +
            value(e, "talk_ratio.overlap") + value(e, "talk_ratio.silence") ==
        doctest::Approx(1));
  CHECK(value(e, "talk_ratio") == doctest::Approx(4500.0 / 19'300).epsilon(0.03));
  CHECK(value(e, "speech_level_dbov") == doctest::Approx(-26).epsilon(0.03));
  CHECK(value(e, "average_pitch_hz") == doctest::Approx(110).epsilon(0.05));
  CHECK(value(e, "mos_cqe.receive") == doctest::Approx(4.41).epsilon(0.01));
  CHECK(value(e, "packet_loss_percent.receive") == 0);
  CHECK(value(e, "jitter_ms.receive.max") == 2.5);
  CHECK(reason(e, "stop_time_ms") == kNoInterruption);
  CHECK(reason(e, "yield_rate") == kNoInterruption);
  CHECK(reason(e, "snr_db") == kNoNoise);
  CHECK(reason(e, "words_per_minute").find("transcript") != std::string::npos);
  CHECK(reason(e, "packet_loss_percent.send").find("RTCP") != std::string::npos);
  CHECK(reason(e, "mos_cqe.send").find("RTCP") != std::string::npos);
  REQUIRE(e.transcript.size() == 2);
  CHECK(e.transcript[0].start_ms == first.start_ms);
}

TEST_CASE("evaluate: barge-in, stop time, and an agent that talks over the caller") {
  StagedCall call;
  const auto long_turn = call.agent_says(1000, 3000);
  const auto barge = call.caller_says(3300, 1800, "Sorry, Tuesday.", true);
  const auto answer = call.agent_says(6000, 1500);
  const auto question = call.caller_says(9000, 3000);
  const auto cut_in = call.agent_says(11'000, 2500);
  const Evaluation e = judge(call);
  CHECK(value(e, "user_interruptions") == 1);
  CHECK(near(value(e, "stop_time_ms.max"), long_turn.end_ms - barge.start_ms, 12));
  CHECK(value(e, "yield_rate") == 1);
  CHECK(e.find("stop_time_ms")->passed == true);
  CHECK(value(e, "ai_interruptions") == 1);
  CHECK(value(e, "interruption_score") == doctest::Approx(5 * (1 - 1.0 / 3)));
  REQUIRE(e.turns.size() == 5);
  CHECK(e.turns[4].interrupts);
  CHECK(near(*e.turns[4].overlap_ms, question.end_ms - cut_in.start_ms, 80));
  CHECK(near(value(e, "latency_ms.max"), answer.start_ms - barge.end_ms));
  CHECK(value(e, "talk_ratio.overlap") > 0.05);
  // Nobody yielded within 2 s: the same call, with an agent that does not stop.
  StagedCall stubborn;
  stubborn.agent_says(1000, 7000);
  stubborn.caller_says(3300, 1800, "Sorry.", true);
  const Evaluation s = judge(stubborn);
  CHECK(value(s, "stop_time_ms.max") > 4000);
  CHECK(value(s, "yield_rate") == 0);
  CHECK(s.find("stop_time_ms")->passed == false);
}

TEST_CASE("evaluate: an agent that is slow, that is silent, that goes away") {
  StagedCall slow(30'000);
  slow.agent_says(1000, 1000);
  const auto said = slow.caller_says(3000, 1000);
  const auto answer = slow.agent_says(15'000, 1000);
  const Evaluation e = judge(slow);
  CHECK(value(e, "infrastructure_issues") == 1);
  CHECK(e.find("infrastructure_issues")->passed == false);
  CHECK(near(value(e, "dead_air_ms"), 29'800 - answer.end_ms, 12));
  CHECK(e.find("dead_air_ms")->passed == false);
  CHECK(near(value(e, "latency_ms.max"), answer.start_ms - said.end_ms));

  StagedCall silent;
  silent.caller_says(5000, 1000);
  const Evaluation s = judge(silent);
  CHECK(value(s, "talk_ratio") == 0);
  CHECK(value(s, "infrastructure_issues") == 2);  // after the answer, after the caller's turn
  CHECK(reason(s, "greeting_delay_ms") == "the agent never spoke");
  CHECK(reason(s, "latency_ms") == "no agent turn followed a caller turn");
  CHECK(reason(s, "speech_level_dbov") == "the agent never spoke");

  StagedCall gone(30'000);
  gone.agent_says(1000, 1000);
  gone.record.media.last_packet_ms = 12'000;
  CHECK(value(judge(gone), "infrastructure_issues") == 1);
}

TEST_CASE("evaluate: every key is there with a value or a reason, whatever the call") {
  StagedCall answered;
  StagedCall unanswered;
  unanswered.record.answered_ms.reset();
  StagedCall at_once;
  at_once.record.ended_ms = 505;
  StagedCall beyond;  // times that the recording does not reach
  beyond.record.answered_ms = 90'000;
  beyond.record.ended_ms = 95'000;
  StagedCall backwards;
  backwards.record.ended_ms = 100;
  for (StagedCall* call : {&answered, &unanswered, &at_once, &beyond, &backwards}) {
    for (const StereoRecording& recording : {call->recording(), StereoRecording{}}) {
      const Evaluation e = evaluate(call->record, {}, recording);
      std::set<std::string> keys;
      for (const Metric& metric : e.metrics) {
        INFO(metric.key);
        CHECK(keys.insert(metric.key).second);
        CHECK((metric.value.has_value() + metric.distribution.has_value() + !metric.reason.empty()) == 1);
        CHECK_FALSE(metric.name.empty());
        CHECK(metric.id > 0);
      }
      CHECK(keys.size() == known_metric_keys().size() - 2);
    }
  }
  const Evaluation e = judge(unanswered);
  CHECK(reason(e, "latency_ms") == "the call was not answered");
  CHECK(reason(e, "answer_delay_ms") == "the call was not answered");
  StereoRecording broken;
  broken.error = "the disk was full";
  CHECK(reason(evaluate(answered.record, {}, broken), "talk_ratio") == "the disk was full");
}

TEST_CASE(
    "evaluate: a call that was not set up by the agent's fault is an infrastructure issue, another's is "
    "not") {
  StagedCall call;
  call.record.answered_ms.reset();
  call.record.failure =
      Failure{FailureCategory::agent, "The agent rejected the call with 486 Busy Here.", 486, {}, {}};
  CHECK(value(judge(call), "infrastructure_issues") == 1);
  call.record.failure->category = FailureCategory::network;
  CHECK(reason(judge(call), "infrastructure_issues") == "the call was not answered");
}

TEST_CASE("evaluate: noise is measured, digits that were heard are no speech") {
  StagedCall call;
  call.agent_says(1000, 2000);
  call.agent_line().white_noise(-56);
  const Evaluation e = judge(call);
  CHECK(value(e, "noise_level_dbov") == doctest::Approx(-56).epsilon(0.02));
  CHECK(value(e, "snr_db") == doctest::Approx(30).epsilon(0.05));

  StagedCall keys;
  keys.agent_line().put(4000, tests::tone(120, 941, 6000)).put(4300, tests::tone(120, 770, 6000));
  keys.record.media.digits = {{'1', false, 4000, 120, {}, -7.0}, {'2', false, 4300, 120, 180.0, -7.0}};
  CHECK(judge(keys).turns.empty());
}

TEST_CASE("evaluate: lost packets inside speech are dropouts") {
  StagedCall call;
  call.agent_says(1000, 3000);
  auto recording = call.recording();
  std::fill_n(recording.agent.begin() + 8 * 2000, 8 * 80, std::int16_t{0});
  const Evaluation e = evaluate(call.record, {}, recording);
  CHECK(value(e, "dropouts") == 1);
  CHECK(value(judge(call), "dropouts") == 0);
}

TEST_CASE("evaluate: loss and a round trip lower the MOS; sent loss counts where RTCP told it") {
  StagedCall call;
  call.agent_says(1000, 1000);
  call.record.media.receive.lost = 50;
  call.record.media.receive.mean_burst_length = 1;
  call.record.media.send.loss_known = true;
  call.record.media.send.lost = 10;
  call.record.media.send.round_trip_ms = 400;
  call.record.media.send.codec = "pcmu";
  const Evaluation e = judge(call);
  CHECK(value(e, "packet_loss_percent.receive") == doctest::Approx(100.0 * 50 / 1050));
  CHECK(value(e, "mos_cqe.receive") < 4.2);
  CHECK(value(e, "packet_loss_percent.send") == doctest::Approx(100.0 * 10 / 1010));
  CHECK(value(e, "mos_cqe.send") < 4.2);
}

TEST_CASE("evaluate: packets too late for a jitter buffer lower the MOS as lost ones do") {
  StagedCall call;
  call.agent_says(1000, 1000);
  const double clean = value(judge(call), "mos_cqe.receive");
  call.record.media.receive.discarded = call.record.media.receive.packets / 20;
  const Evaluation e = judge(call);
  CHECK(value(e, "packet_loss_percent.receive") == 0);
  CHECK(value(e, "mos_cqe.receive") < clean - 0.2);
}

TEST_CASE("evaluate: loss of what we sent is a share of what the agent should have had") {
  StagedCall call;
  call.agent_says(1000, 1000);
  call.record.media.send.loss_known = true;
  call.record.media.send.lost = 10;
  call.record.media.send.expected = 200;
  CHECK(value(judge(call), "packet_loss_percent.send") == doctest::Approx(5));
}

TEST_CASE("evaluate: no MOS is made up for a codec that the E-model of narrow band does not know") {
  StagedCall call;
  call.agent_says(1000, 1000);
  call.record.media.receive.codec = "g722";
  CHECK(reason(judge(call), "mos_cqe.receive").find("G.107.1") != std::string::npos);
}

TEST_CASE("evaluate: a minute of call costs less than 50 ms of CPU") {
  StagedCall call(60'000);
  for (int n = 0; n < 10; ++n) {
    call.agent_says(1000 + 5800 * n, 2500);
    call.caller_says(4300 + 5800 * n, 1500);
  }
  const auto recording = call.recording();
  const std::clock_t before = std::clock();
  const Evaluation e = evaluate(call.record, {}, recording);
  const double ms = 1000.0 * static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  CHECK(e.turns.size() == 20);
  MESSAGE("evaluate: ", ms, " ms of CPU for a minute");
#ifdef NDEBUG  // sanitizers need more
  CHECK(ms < 50);
#endif
}
