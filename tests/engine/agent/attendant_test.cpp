// SPDX-License-Identifier: GPL-3.0-or-later
//
// The reference agent's behaviour in virtual time.
#include "engine/agent/attendant.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>

using namespace linecheck::engine;

namespace {

Behaviour polite() {
  Behaviour behaviour;
  behaviour.greeting = "Hello.";
  behaviour.greeting_after_ms = 300;
  behaviour.reply_after_ms = 700;
  behaviour.replies = {"One.", "Two."};
  behaviour.hang_up_after_replies = true;
  behaviour.end_of_turn_ms = 400;
  behaviour.yield_after_ms = 250;
  return behaviour;
}

struct NextAction {
  double t = 0;
  std::vector<AttendantAction> actions;
};
NextAction next(Attendant& attendant, double from) {
  for (double t = from; t < 1e9; t = attendant.deadline()) {
    auto actions = attendant.poll(t);
    if (!actions.empty()) return {t, std::move(actions)};
    REQUIRE(attendant.deadline() > t);
  }
  return {};
}
const AttendantSay* said(const NextAction& next) {
  return next.actions.size() == 1 ? std::get_if<AttendantSay>(&next.actions.front()) : nullptr;
}

}  // namespace

TEST_CASE("attendant: greets, replies after its delay from the caller's end, hangs up") {
  const Behaviour behaviour = polite();
  Attendant attendant(behaviour, 1);
  attendant.answered(1000);
  const NextAction greeting = next(attendant, 1000);
  CHECK(greeting.t == 1300);
  REQUIRE(said(greeting) != nullptr);
  CHECK(said(greeting)->text == "Hello.");
  attendant.play_ended(2000);
  attendant.caller_started(2500);
  CHECK(attendant.poll(2600).empty());
  attendant.caller_ended(4000);
  const NextAction one = next(attendant, 4300);
  CHECK(one.t == 4700);
  CHECK(said(one)->text == "One.");
  attendant.play_ended(5500);
  attendant.caller_started(6000);
  attendant.caller_ended(7000);
  CHECK(said(next(attendant, 7300))->text == "Two.");
  attendant.play_ended(9000);
  const NextAction end = next(attendant, 9000);
  CHECK(end.t == 9000);
  CHECK(std::holds_alternative<AttendantHangUp>(end.actions.front()));
}

TEST_CASE("attendant: a reply can't come before it has decided that the caller is done") {
  Behaviour behaviour = polite();
  behaviour.reply_after_ms = 100;
  Attendant attendant(behaviour, 1);
  attendant.answered(0);
  next(attendant, 0);
  attendant.play_ended(1000);
  attendant.caller_started(2000);
  attendant.caller_ended(3000);
  CHECK(next(attendant, 3300).t == 3400);
}

TEST_CASE("attendant: waits on when the caller goes on") {
  const Behaviour behaviour = polite();
  Attendant attendant(behaviour, 1);
  attendant.answered(0);
  next(attendant, 0);
  attendant.play_ended(1000);
  attendant.caller_started(2000);
  attendant.caller_ended(3000);
  attendant.caller_started(3500);
  CHECK(attendant.poll(3800).empty());
  attendant.caller_ended(5000);
  CHECK(next(attendant, 5300).t == 5700);
}

TEST_CASE("attendant: yields after its time, and answers what interrupted it") {
  const Behaviour behaviour = polite();
  Attendant attendant(behaviour, 1);
  attendant.answered(0);
  next(attendant, 0);
  attendant.caller_started(800);
  const NextAction yields = next(attendant, 860);
  CHECK(yields.t == 1050);
  CHECK(std::holds_alternative<AttendantYield>(yields.actions.front()));
  attendant.play_ended(1070);
  attendant.caller_ended(2000);
  const NextAction reply = next(attendant, 2300);
  CHECK(reply.t == 2700);
  CHECK(said(reply)->text == "One.");
}

TEST_CASE("attendant: one that never yields answers an overlapping turn when it is done") {
  Behaviour behaviour = polite();
  behaviour.yield_after_ms.reset();
  Attendant attendant(behaviour, 1);
  attendant.answered(0);
  next(attendant, 0);
  attendant.caller_started(800);
  CHECK(attendant.poll(5000).empty());
  attendant.caller_ended(2000);
  attendant.play_ended(3000);
  CHECK(next(attendant, 3000).t == 3700);
}

TEST_CASE("attendant: cuts in with its next reply") {
  Behaviour behaviour = polite();
  behaviour.cut_in_probability = 1;
  behaviour.cut_in_after_ms = 600;
  Attendant attendant(behaviour, 1);
  attendant.answered(0);
  next(attendant, 0);
  attendant.play_ended(1000);
  attendant.caller_started(2000);
  const NextAction cut = next(attendant, 2060);
  CHECK(cut.t == 2600);
  REQUIRE(said(cut) != nullptr);
  CHECK(said(cut)->cut_in);
  CHECK(said(cut)->text == "One.");
  attendant.caller_ended(3000);  // the caller gave way: nothing more to answer
  attendant.play_ended(4000);
  CHECK(attendant.poll(6000).empty());
}

TEST_CASE("attendant: a menu is repeated until a key is pressed") {
  Behaviour behaviour = polite();
  behaviour.greeting.clear();
  behaviour.menu = "Press one.";
  behaviour.menu_answers = {{'1', "Sales."}};
  behaviour.menu_timeout_ms = 5000;
  Attendant attendant(behaviour, 1);
  attendant.answered(0);
  CHECK(said(next(attendant, 0))->text == "Press one.");
  attendant.play_ended(2000);
  const NextAction again = next(attendant, 2000);
  CHECK(again.t == 7000);
  CHECK(said(again)->text == "Press one.");
  attendant.digit('7', 8000);  // not in the menu
  attendant.digit('1', 8000);  // stops the menu
  CHECK(std::holds_alternative<AttendantYield>(next(attendant, 8000).actions.front()));
  attendant.play_ended(8020);
  const NextAction sales = next(attendant, 8020);
  CHECK(sales.t == 8700);
  CHECK(said(sales)->text == "Sales.");
}

TEST_CASE("attendant: hangs up after a set time whatever goes on") {
  Behaviour behaviour = polite();
  behaviour.hang_up_after_ms = 1500;
  Attendant attendant(behaviour, 1);
  attendant.answered(0);
  next(attendant, 0);
  CHECK(next(attendant, 400).t == 1500);
}

TEST_CASE("agent.yaml: the first behaviour that matches takes the call") {
  ReferenceAgentConfig config;
  Behaviour by_user = polite();
  by_user.match_user = "polite";
  Behaviour by_scenario = polite();
  by_scenario.match_scenario = 12;
  config.behaviours = {by_user, by_scenario};
  CHECK(config.find("polite", std::nullopt) == &config.behaviours[0]);
  CHECK(config.find("other", 12) == &config.behaviours[1]);
  CHECK(config.find("other", 13) == nullptr);
  CHECK(config.find("other", std::nullopt) == nullptr);
}

TEST_CASE("agent.yaml: every problem is said with its place") {
  const std::string path = "agent_test.yaml";
  std::ofstream(path) << "listen: udp:127.0.0.1:0\n"
                         "behaviours:\n"
                         "  - match: {user: a}\n"
                         "    greting: {say: Hello}\n"
                         "    reply: {then: explode}\n"
                         "    menu: {say: Press, digits: {x: no}}\n";
  linecheck::scheduler::Problems problems;
  CHECK_FALSE(load_reference_agent(path, problems));
  CHECK(problems.size() == 3);
  bool suggested = false;
  for (const auto& problem : problems) {
    CHECK(problem.mark.line > 0);
    if (problem.message.find("did you mean 'greeting'") != std::string::npos) suggested = true;
  }
  CHECK(suggested);
  std::remove(path.c_str());
}

TEST_CASE("attendant: a noise before the greeting does not swallow the greeting") {
  const Behaviour behaviour = polite();
  Attendant attendant(behaviour, 1);
  attendant.answered(0);
  attendant.caller_started(50);
  const NextAction greeting = next(attendant, 60);
  CHECK(greeting.t == 300);
  CHECK(said(greeting)->text == "Hello.");
  attendant.caller_ended(3000);  // during its own words or after: an ordinary turn again
  attendant.play_ended(3100);
}
