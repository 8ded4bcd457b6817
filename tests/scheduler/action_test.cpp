// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/action.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/scheduler/problems_text.h"

using namespace linecheck::scheduler;

namespace {

std::string shown(const std::vector<ActionStep>& steps) {
  std::string out;
  for (const ActionStep& step : steps) {
    if (const auto* say = std::get_if<Say>(&step)) out += "say(" + say->text + ")";
    if (const auto* silence = std::get_if<Silence>(&step))
      out += "silence(" + std::to_string(silence->time.count()) + ")";
    if (const auto* dtmf = std::get_if<Dtmf>(&step)) out += "dtmf(" + dtmf->digits + ")";
    if (const auto* barge = std::get_if<Interruption>(&step))
      out += "interrupt(" + std::to_string(barge->time.count()) + ")";
    if (std::holds_alternative<EndCall>(step)) out += "end()";
  }
  return out;
}

std::string steps_of(std::string_view text) {
  Problems problems;
  const auto steps = parse_action(text, {"f", 1, 1}, problems);
  REQUIRE_MESSAGE(problems.empty(), problems_text(problems));
  return shown(steps);
}

std::string problems_of(std::string_view text) {
  Problems problems;
  parse_action(text, {"f", 3, 9}, problems, "action");
  return problems_text(problems);
}

}  // namespace

TEST_CASE("actions become steps, left to right") {
  CHECK(steps_of("") == "");
  CHECK(steps_of("  \n ") == "");
  CHECK(steps_of("Hello.") == "say(Hello.)");
  CHECK(steps_of("<interruption time=\"1s\"/>Sorry, Tuesday.") == "interrupt(1000)say(Sorry, Tuesday.)");
  CHECK(steps_of("One <silence time='300ms'/> two <dtmf digits=\"12#\"/><endcall/>") ==
        "say(One)silence(300)say(two)dtmf(12#)end()");
  CHECK(steps_of("<silence time=\"2\"/>") == "silence(2000)");
  CHECK(steps_of("<silence  time = \"2s\" />x") == "silence(2000)say(x)");
  CHECK(steps_of("3 < 4 and 5 > 2 <3") == "say(3 < 4 and 5 > 2 <3)");
  CHECK(steps_of("Goodbye. <endcall/> \n") == "say(Goodbye.)end()");
  CHECK(steps_of("{{test_profile.name}} <dtmf digits=\"{{ test_profile.pin }}#\"/>") ==
        "say({{test_profile.name}})dtmf({{ test_profile.pin }}#)");
}

TEST_CASE("bad actions are refused") {
  const auto one = [](const std::string& message) { return "f:3:9: action: " + message + "\n"; };
  CHECK(problems_of("<silense time=\"1s\"/>") == one("unknown tag <silense>; did you mean 'silence'?"));
  CHECK(problems_of("<hold time=\"5s\"/>x") == one("the tag <hold> is not available in this version"));
  CHECK(problems_of("<spell>AB</spell>") == one("the tag <spell> is not available in this version"));
  CHECK(problems_of("<silence/>") == one("<silence> needs time=\"...\""));
  CHECK(problems_of("<silence time=\"soon\"/>") ==
        one("<silence time=\"soon\">: expected a duration such as 300ms or 2s"));
  CHECK(problems_of("<silence tiem=\"1s\"/>") ==
        one("<silence> has no attribute 'tiem'; did you mean 'time'?") + one("<silence> needs time=\"...\""));
  CHECK(problems_of("<silence time=\"1s\">") ==
        one("'<silence time=\"1s\">' encloses nothing: end it with '/>'"));
  CHECK(problems_of("<silence time=1s/>") ==
        one("the tag '<silence time=1s/>' can't be read: write <name attribute=\"value\"/>"));
  CHECK(problems_of("Hi <silence time=\"1s\"") ==
        one("the tag '<silence time=\"1s\"' is never closed with '>'"));
  CHECK(problems_of("<dtmf digits=\"12x\"/>") == one("'x' is not a telephone's key (0-9, *, #, A-D)"));
  CHECK(problems_of("<dtmf digits=\"\"/>") == one("<dtmf> has no digits"));
  CHECK(problems_of("Hi <interruption time=\"1s\"/>") ==
        one("<interruption> must be the first thing in its action"));
  CHECK(problems_of("<endcall/> Bye.") == one("words after <endcall/>: the call is over by then"));
  CHECK(problems_of("{{name}}") == one("'{{name}}' is not known here: write {{test_profile.key}}"));
  CHECK(problems_of("{{test_profile.}}") ==
        one("'{{test_profile.}}' is not known here: write {{test_profile.key}}"));
  CHECK(problems_of("Hi {{test_profile.name") == one("'{{' is never closed with '}}'"));
}

TEST_CASE("a profile's values go in after the tags are read") {
  Problems problems;
  const auto steps =
      parse_action("I am {{test_profile.name}}.<dtmf digits=\"{{test_profile.pin}}#\"/>", {}, problems);
  const Variables variables = {{"name", "<endcall/> {{test_profile.pin}}"}, {"pin", "42"}};
  CHECK(shown(resolve(steps, variables)) == "say(I am <endcall/> {{test_profile.pin}}.)dtmf(42#)");
  CHECK(substitute("{{test_profile.x}} {{test_profile.pin}} {{", variables) == "{{test_profile.x}} 42 {{");
  CHECK(placeholders("{{test_profile.b}}{{ test_profile.a }}{{test_profile.b}}{{x}}") ==
        std::vector<std::string>{"b", "a"});
}

TEST_CASE("values are checked for each profile") {
  Problems problems;
  const auto steps =
      parse_action("{{test_profile.nmae}} <dtmf digits=\"{{test_profile.pin}}\"/>", {}, problems);
  TestProfile profile;
  profile.id = 20;
  profile.testing_agent_variables = {{"name", "Jane"}, {"pin", "12 34"}};
  CHECK(check_variables(steps, &profile) ==
        std::vector<std::string>{"test profile 20 has no testing_agent_variables.nmae; did you mean 'name'?",
                                 "' ' is not a telephone's key (0-9, *, #, A-D), in test profile 20"});
  CHECK(check_variables(steps, nullptr) ==
        std::vector<std::string>{"{{test_profile.nmae}} needs a test profile, and there is none",
                                 "{{test_profile.pin}} needs a test profile, and there is none"});
}

TEST_CASE("a bad line from here on: what is named counts, empty is as good as absent") {
  Problems problems;
  const auto steps = parse_action(
      "Hello. <network_simulation packet_loss=\"5%\" jitter=\"\" latency=\"120ms\"/>Bye."
      "<network_simulation direction='receive' burst='3' packet_loss='2.5'/><network_simulation/>",
      {}, problems);
  REQUIRE(problems.empty());
  REQUIRE(steps.size() == 5);
  const auto& bad = std::get<NetworkSimulation>(steps[1]);
  CHECK(bad.send);
  CHECK(bad.receive);
  CHECK(bad.line.packet_loss_percent == 5);
  CHECK(bad.line.jitter_ms == 0);
  CHECK(bad.line.latency_ms == 120);
  const auto& one_way = std::get<NetworkSimulation>(steps[3]);
  CHECK_FALSE(one_way.send);
  CHECK(one_way.receive);
  CHECK(one_way.line.burst == 3);
  CHECK_FALSE(std::get<NetworkSimulation>(steps[4]).line.any());

  for (const char* wrong : {"packet_loss='101'", "packet_loss='-1'", "jitter='soon'", "latency='5s'",
                            "direction='up'", "loss='5'", "jitter='301'", "packet_loss='nan'"}) {
    CAPTURE(wrong);
    Problems found;
    (void)parse_action("<network_simulation " + std::string(wrong) + "/>", {}, found);
    CHECK(found.size() == 1);
  }
}
