// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/turns.h"

#include <doctest/doctest.h>

using namespace linecheck::engine;

namespace {

SpeechSpan span(double start, double end, bool barge_in = false) {
  return {start, end, 2, 3, barge_in};
}

std::vector<Turn> turns_of(const std::vector<SpeechSpan>& caller, const std::vector<SpeechSpan>& agent) {
  return make_turns(caller, agent, EvaluateOptions{});
}

}  // namespace

TEST_CASE("turns: pauses up to 500 ms are inside, longer ones part") {
  const auto turns = turns_of({}, {span(0, 1000), span(1500, 2000), span(2501, 3000)});
  REQUIRE(turns.size() == 2);
  CHECK(turns[0].end_ms == 2000);
  CHECK(turns[1].start_ms == 2501);
  CHECK(turns[0].uncertainty_ms == 3);
}

TEST_CASE("turns: latency is from the caller's end to the agent's start") {
  const auto turns = turns_of({span(2000, 4000)}, {span(300, 1500), span(4700, 6000)});
  REQUIRE(turns.size() == 3);
  CHECK_FALSE(turns[0].latency_ms);
  CHECK(turns[2].latency_ms == 700);
  CHECK_FALSE(turns[2].interrupts);
}

TEST_CASE(
    "turns: an answer at once, a few ms before the caller's last sample, is latency 0 and no interruption") {
  const auto turns = turns_of({span(1000, 3000)}, {span(2990, 4000)});
  REQUIRE(turns.size() == 2);
  CHECK(turns[1].latency_ms == 0);
  CHECK_FALSE(turns[1].interrupts);
}

TEST_CASE("turns: the agent's second sentence does not answer again") {
  const auto turns = turns_of({span(1000, 2000)}, {span(2500, 3000), span(4000, 5000)});
  REQUIRE(turns.size() == 3);
  CHECK(turns[1].latency_ms == 500);
  CHECK_FALSE(turns[2].latency_ms);
}

TEST_CASE("turns: the agent talks over the caller") {
  const auto turns = turns_of({span(1000, 4000)}, {span(3000, 5500)});
  REQUIRE(turns.size() == 2);
  CHECK(turns[1].interrupts);
  CHECK(turns[1].overlap_ms == 1000);
  CHECK_FALSE(turns[1].latency_ms);
}

TEST_CASE("turns: a short word fully inside the other's turn is a backchannel, a barge-in never is") {
  const auto agent_hums = turns_of({span(1000, 5000)}, {span(2000, 2600)});
  REQUIRE(agent_hums.size() == 2);
  CHECK(agent_hums[1].backchannel);
  CHECK_FALSE(agent_hums[1].interrupts);

  const auto caller_cuts_in = turns_of({span(2000, 2600, true)}, {span(1000, 5000)});
  CHECK_FALSE(caller_cuts_in[1].backchannel);
  CHECK(caller_cuts_in[1].interrupts);
  CHECK(caller_cuts_in[1].yielded_after_ms == 3000);

  // It outlasts the turn that it began in: not inside.
  const auto outlasts = turns_of({span(1000, 5000)}, {span(4600, 5300)});
  CHECK_FALSE(outlasts[1].backchannel);
  CHECK(outlasts[1].interrupts);
}

TEST_CASE("turns: stop time, and the answer to the barge-in has a latency of its own") {
  const auto turns = turns_of({span(3000, 4500, true)}, {span(1000, 3250), span(5200, 6000)});
  REQUIRE(turns.size() == 3);
  CHECK(turns[1].who == Party::caller);
  CHECK(turns[1].interrupts);
  CHECK(turns[1].yielded_after_ms == 250);
  CHECK(turns[1].overlap_ms == 250);
  CHECK(turns[2].latency_ms == 700);
}

TEST_CASE("turns: the agent's own pauses while it is talked over are no yield") {
  // Falls silent for 600 ms, goes on while the caller still speaks, stops at 5000.
  const auto turns = turns_of({span(3000, 6000, true)}, {span(1000, 3200), span(3800, 5000)});
  REQUIRE(turns[1].who == Party::caller);
  CHECK(turns[1].yielded_after_ms == 2000);
}

TEST_CASE("turns: a quick answer to a short barge-in is an answer, not the agent going on") {
  const auto turns = turns_of({span(3000, 3600, true)}, {span(1000, 3250), span(3650, 5000)});
  REQUIRE(turns.size() == 3);
  CHECK(turns[1].yielded_after_ms == 250);
  CHECK(turns[2].latency_ms == 50);
}

TEST_CASE("turns: an agent that goes on and then speaks again answered nothing") {
  const auto turns = turns_of({span(3000, 4500, true)}, {span(1000, 6000), span(6600, 7000)});
  REQUIRE(turns.size() == 3);
  CHECK(turns[1].yielded_after_ms == 3000);
  CHECK_FALSE(turns[2].latency_ms);
}

TEST_CASE("turns: late ticks touch what they are near") {
  auto turns = turns_of({span(1000, 2000)}, {span(2700, 4000), span(6000, 7000)});
  mark_late_ticks(turns, {2080});
  CHECK(turns[0].touched_by_late_tick);  // its end
  CHECK(turns[1].touched_by_late_tick);  // its latency counts from there
  CHECK_FALSE(turns[2].touched_by_late_tick);
  mark_late_ticks(turns, {2300, 6099});
  CHECK_FALSE(turns[0].touched_by_late_tick);
  CHECK_FALSE(turns[1].touched_by_late_tick);
  CHECK(turns[2].touched_by_late_tick);
}

TEST_CASE("turns: the caller's speech comes from the send timeline, cut where it was cut") {
  CallRecord call;
  Utterance said;
  said.start_ms = 1000;
  said.end_ms = 2500;
  said.interrupted = true;
  said.speech = {{1000, 1800}, {2000, 3000}};
  call.utterances.push_back(said);
  Utterance bare;
  bare.start_ms = 200;
  bare.end_ms = 700;
  call.utterances.push_back(bare);
  const auto spans = caller_speech(call, 500, 10'000);
  REQUIRE(spans.size() == 3);
  CHECK(spans[0].start_ms == 500);
  CHECK(spans[0].end_ms == 700);
  CHECK(spans[2].end_ms == 2500);
}
