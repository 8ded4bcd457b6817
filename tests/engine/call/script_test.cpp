// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/script.h"

#include <doctest/doctest.h>

using namespace linecheck::engine;
namespace scheduler = linecheck::scheduler;

namespace {

scheduler::Condition condition(int id, std::optional<int> parent, std::string action) {
  scheduler::Condition made;
  made.id = id;
  made.parent_id = parent;
  made.type = parent ? scheduler::Condition::Type::action_followup : scheduler::Condition::Type::standard;
  made.action = std::move(action);
  return made;
}

}  // namespace

TEST_CASE("script: follow-ups are put in their chain's order, placeholders are filled in") {
  scheduler::Scenario scenario;
  scenario.conditional_actions.conditions = {
      condition(0, std::nullopt, ""),
      condition(9, 4, "Bye. <endcall/>"),
      condition(4, 0, "I am {{test_profile.name}}.<silence time=\"2s\"/>Hello?"),
  };
  scheduler::TestProfile profile;
  profile.testing_agent_variables["name"] = "Jane <endcall/>";
  const Script script = compile_script(scenario, &profile, "en-US");
  REQUIRE(script.lines.size() == 3);
  CHECK(script.lines[0].steps.empty());
  REQUIRE(script.lines[1].steps.size() == 3);
  const auto* say = std::get_if<SayStep>(&script.lines[1].steps[0]);
  REQUIRE(say != nullptr);
  CHECK(script.texts[say->clip].find("Jane <endcall/>") != std::string::npos);  // a value never becomes a tag
  REQUIRE(std::get_if<SilenceStep>(&script.lines[1].steps[1]) != nullptr);
  CHECK(std::get_if<SilenceStep>(&script.lines[1].steps[1])->ms == 2000);
  CHECK(script.lines[2].condition_id == 9);
  CHECK(std::holds_alternative<EndCallStep>(script.lines[2].steps.back()));
  CHECK_FALSE(script.barges_in());
}

TEST_CASE("script: a text that is said twice is synthesised once; the idle prompt speaks the language") {
  scheduler::Scenario scenario;
  scenario.conditional_actions.conditions = {condition(0, std::nullopt, "Ja."), condition(1, 0, "Ja."),
                                             condition(2, 1, "<interruption time=\"1s\"/>Nein.")};
  const Script script = compile_script(scenario, nullptr, "de-DE");
  CHECK(script.texts.size() == 3);
  CHECK(script.texts[script.idle_clip].find("Hallo") == 0);
  CHECK(script.barges_in());
}
