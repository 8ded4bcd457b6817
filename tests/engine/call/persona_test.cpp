// SPDX-License-Identifier: GPL-3.0-or-later
//
// The persona's turn-taking in virtual time: no clock, no audio, only events with times.
#include "engine/persona/persona.h"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace linecheck::engine;

namespace {

Habits habits() {
  Habits h;
  h.wait_ms = 500;
  h.response_delay_ms = 250;
  h.stop_voice_ms = 400;
  h.backoff_ms = 1000;
  h.idle_timeout_ms = 10'000;
  h.idle_messages = 2;
  h.max_duration_ms = 60'000;
  return h;
}

/// FIRST_MESSAGE empty, then the given lines. Text n is clip n; the idle prompt is the clip after the last.
Script script_of(std::initializer_list<std::vector<Step>> lines) {
  Script script;
  script.lines.push_back({0, {}});
  std::size_t clips = 0;
  for (const auto& steps : lines) {
    for (const Step& step : steps) {
      if (const auto* say = std::get_if<SayStep>(&step)) clips = std::max(clips, say->clip + 1);
    }
    script.lines.push_back({static_cast<int>(script.lines.size()), steps});
  }
  script.idle_clip = clips;
  script.texts.resize(clips + 1);
  return script;
}

template <class T>
const T* only(const std::vector<PersonaAction>& actions) {
  return actions.size() == 1 ? std::get_if<T>(&actions.front()) : nullptr;
}

/// The next action by going from deadline to deadline, and when it came.
struct Next {
  double t = 0;
  std::vector<PersonaAction> actions;
};
Next next(Persona& persona, double from) {
  for (double t = from; t < 200'000; t = persona.deadline()) {
    auto actions = persona.poll(t);
    if (!actions.empty()) return {t, std::move(actions)};
    REQUIRE(persona.deadline() > t);
  }
  return {};
}

}  // namespace

TEST_CASE("persona: answers the greeting after its wait and its response delay") {
  const Script script = script_of({{SayStep{0}}, {SayStep{1}}});
  Persona persona(script, habits());
  persona.answered(1000);
  CHECK(persona.poll(1000).empty());
  persona.agent_started(1300);
  persona.agent_ended(3000);
  const Next first = next(persona, 3300);
  CHECK(first.t == 3750);  // 3000 + 500 + 250
  const auto* say = only<SayAction>(first.actions);
  REQUIRE(say != nullptr);
  CHECK(say->clip == 0);
  CHECK(say->intended_ms == 3750);
  CHECK_FALSE(say->barge_in);

  persona.play_ended(say->tag, 5000);
  CHECK(persona.poll(5000).empty());
  persona.agent_started(5700);
  persona.agent_ended(7000);
  const Next second = next(persona, 7300);
  CHECK(second.t == 7750);
  REQUIRE(only<SayAction>(second.actions) != nullptr);
  CHECK(only<SayAction>(second.actions)->clip == 1);
}

TEST_CASE("persona: a pause of the agent shorter than its wait is not the end of the turn") {
  const Script script = script_of({{SayStep{0}}});
  Persona persona(script, habits());
  persona.answered(0);
  persona.agent_started(300);
  persona.agent_ended(1000);
  CHECK(persona.poll(1300).empty());
  persona.agent_started(1400);  // went on after 400 ms
  CHECK(persona.poll(1500).empty());
  CHECK(persona.poll(2000).empty());
  persona.agent_ended(2500);
  CHECK(next(persona, 2800).t == 3250);
}

TEST_CASE("persona: an agent that goes on during the response delay keeps the floor") {
  const Script script = script_of({{SayStep{0}}});
  Persona persona(script, habits());
  persona.answered(0);
  persona.agent_started(300);
  persona.agent_ended(1000);
  CHECK(persona.poll(1500).empty());  // the turn is over, the delay runs
  persona.agent_started(1600);
  CHECK(persona.poll(1750).empty());
  persona.agent_ended(3000);
  CHECK(next(persona, 3300).t == 3750);
}

TEST_CASE("persona: barges in the given time after the agent begins") {
  const Script script = script_of({{SayStep{0}}, {InterruptionStep{1000}, SayStep{1}}});
  Persona persona(script, habits());
  persona.answered(0);
  persona.agent_started(200);
  persona.agent_ended(1000);
  const auto first = next(persona, 1300);
  persona.play_ended(only<SayAction>(first.actions)->tag, 3000);
  CHECK(persona.poll(3000).empty());
  persona.agent_started(3600);
  const Next barge = next(persona, 3700);
  CHECK(barge.t == 4600);
  const auto* say = only<SayAction>(barge.actions);
  REQUIRE(say != nullptr);
  CHECK(say->barge_in);
  // It does not give way to the agent that it interrupts.
  CHECK(persona.poll(6000).empty());
}

TEST_CASE("persona: an interruption whose agent stops first becomes an ordinary turn") {
  const Script script = script_of({{InterruptionStep{3000}, SayStep{0}}});
  Persona persona(script, habits());
  persona.answered(0);
  persona.agent_started(200);
  persona.agent_ended(1200);
  const Next turn = next(persona, 1500);
  CHECK(turn.t == 1950);
  REQUIRE(only<SayAction>(turn.actions) != nullptr);
  CHECK_FALSE(only<SayAction>(turn.actions)->barge_in);
}

TEST_CASE("persona: gives way when the agent talks over it, then goes on with the next line") {
  const Script script = script_of({{SayStep{0}}, {SayStep{1}}});
  Persona persona(script, habits());
  persona.answered(0);
  persona.agent_started(200);
  persona.agent_ended(1000);
  const auto first = next(persona, 1300);
  const auto tag = only<SayAction>(first.actions)->tag;
  persona.agent_started(2500);  // cuts in
  const Next yields = next(persona, 2600);
  CHECK(yields.t == 2900);  // 400 ms of its voice
  CHECK(only<StopTalkingAction>(yields.actions) != nullptr);
  CHECK(persona.was_interrupted(tag));
  persona.play_ended(tag, 2920);
  persona.agent_ended(5000);
  const Next second = next(persona, 5300);
  CHECK(second.t == 5750);
  REQUIRE(only<SayAction>(second.actions) != nullptr);
  CHECK(only<SayAction>(second.actions)->clip == 1);
}

TEST_CASE("persona: a short sound of the agent does not stop it") {
  const Script script = script_of({{SayStep{0}}});
  Persona persona(script, habits());
  persona.answered(0);
  persona.agent_started(200);
  persona.agent_ended(1000);
  next(persona, 1300);
  persona.agent_started(2500);
  CHECK(persona.poll(2600).empty());
  persona.agent_ended(2800);
  CHECK(persona.poll(3200).empty());
}

TEST_CASE("persona: an interrupted line still hangs up where it says so") {
  const Script script = script_of({{SayStep{0}, EndCallStep{}}});
  Persona persona(script, habits());
  persona.answered(0);
  persona.agent_started(200);
  persona.agent_ended(1000);
  const auto tag = only<SayAction>(next(persona, 1300).actions)->tag;
  persona.agent_started(2000);
  next(persona, 2400);
  persona.play_ended(tag, 2420);
  persona.agent_ended(4000);
  const Next end = next(persona, 4300);
  REQUIRE(only<HangUpAction>(end.actions) != nullptr);
  CHECK(only<HangUpAction>(end.actions)->reason == "caller-ended-call");
  CHECK(end.t == 4750);
}

TEST_CASE("persona: keys, pauses and the end of the call follow each other in a line") {
  const Script script = script_of({{SayStep{0}, SilenceStep{700}, DigitsStep{"12#"}, EndCallStep{}}});
  Persona persona(script, habits());
  persona.answered(0);
  persona.agent_started(200);
  persona.agent_ended(1000);
  const auto tag = only<SayAction>(next(persona, 1300).actions)->tag;
  persona.play_ended(tag, 3000);
  const Next keys = next(persona, 3000);
  CHECK(keys.t == 3700);
  const auto* digits = only<DigitsAction>(keys.actions);
  REQUIRE(digits != nullptr);
  CHECK(digits->digits == "12#");
  persona.digits_sent(digits->tag, 4400);
  CHECK(only<HangUpAction>(next(persona, 4400).actions)->reason == "caller-ended-call");
}

TEST_CASE("persona: prompts a silent agent, then gives up") {
  const Script script = script_of({{SayStep{0}}});
  Persona persona(script, habits());
  persona.answered(0);
  const Next first = next(persona, 0);
  CHECK(first.t == 10'000);
  REQUIRE(only<SayAction>(first.actions) != nullptr);
  CHECK(only<SayAction>(first.actions)->idle_prompt);
  CHECK(only<SayAction>(first.actions)->clip == script.idle_clip);
  persona.play_ended(only<SayAction>(first.actions)->tag, 11'000);
  const Next second = next(persona, 11'000);
  CHECK(second.t == 21'000);
  persona.play_ended(only<SayAction>(second.actions)->tag, 22'000);
  const Next end = next(persona, 22'000);
  CHECK(end.t == 32'000);
  CHECK(only<HangUpAction>(end.actions)->reason == "agent-silent");
}

TEST_CASE("persona: hangs up when the script is done and the agent has had its last word") {
  const Script script = script_of({{SayStep{0}}});
  Persona persona(script, habits());
  persona.answered(0);
  persona.agent_started(200);
  persona.agent_ended(1000);
  const auto tag = only<SayAction>(next(persona, 1300).actions)->tag;
  persona.play_ended(tag, 2000);
  CHECK(persona.poll(2000).empty());
  persona.agent_started(2700);
  persona.agent_ended(4000);
  const Next end = next(persona, 4300);
  CHECK(end.t == 4500);
  CHECK(only<HangUpAction>(end.actions)->reason == "script-finished");
}

TEST_CASE("persona: an agent that never stops is left at max_duration") {
  const Script script = script_of({{SayStep{0}}});
  Persona persona(script, habits());
  persona.answered(500);
  persona.agent_started(700);
  const Next end = next(persona, 700);
  CHECK(end.t == 60'500);
  CHECK(only<HangUpAction>(end.actions)->reason == "max-duration");
}

TEST_CASE("persona: a first message of its own comes without waiting for a greeting") {
  Script script = script_of({{SayStep{1}}});
  script.lines[0].steps.emplace_back(SayStep{0});
  Persona persona(script, habits());
  persona.answered(1000);
  const Next first = next(persona, 1000);
  CHECK(first.t == 1250);
  REQUIRE(only<SayAction>(first.actions) != nullptr);
  CHECK(only<SayAction>(first.actions)->clip == 0);
}

TEST_CASE("persona: habits are the personality's plans in ms") {
  linecheck::scheduler::Personality personality;
  linecheck::scheduler::Scenario scenario;
  personality.start_speaking_plan.wait = std::chrono::milliseconds(700);
  personality.stop_speaking_plan.backoff = std::chrono::milliseconds(1500);
  scenario.max_duration = std::chrono::seconds(30);
  const Habits habits = Habits::of(personality, scenario);
  CHECK(habits.wait_ms == 700);
  CHECK(habits.backoff_ms == 1500);
  CHECK(habits.max_duration_ms == 30'000);
}
