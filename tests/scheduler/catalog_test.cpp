// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/catalog.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>

#include "scheduler/trunks.h"
#include "tests/scheduler/problems_text.h"
#include "tests/scheduler/temporary_folder.h"

using namespace linecheck::scheduler;

namespace {

constexpr const char* kAgent =
    "id: 1\nname: Booking\nproject: 1376\nsip_endpoint: sip:polite@127.0.0.1:5080\nenabled_personalities: "
    "[3]\n";
constexpr const char* kPersonality = "id: 3\nname: Hurried\n";
constexpr const char* kProfile =
    "id: 20\nname: Jane\ninformation:\n  main_agent_variables: {X-Customer-Tier: premium}\n"
    "  testing_agent_variables: {name: Jane Smith, account: 0044}\n";
constexpr const char* kScenario =
    "id: 11\n"
    "name: Book\n"
    "agent: 1\n"
    "folder_path: Sales.Inbound\n"
    "tags: [smoke]\n"
    "personality: 3\n"
    "test_profile: 20\n"
    "scenario_type: conditional_actions\n"
    "max_duration: 60\n"
    "conditional_actions:\n"
    "  role: You call to book\n"
    "  conditions:\n"
    "    - {id: 0, condition: FIRST_MESSAGE, type: standard, fixed_message: true, action: \"\"}\n"
    "    - {id: 1, condition: 0, type: action_followup, fixed_message: true, action: \"I am "
    "{{test_profile.name}}.\"}\n"
    "    - {id: 2, condition: 1, type: action_followup, fixed_message: true, action: \"Bye. <endcall/>\"}\n"
    "expect:\n"
    "  - {agent_speaks_within: 3s}\n"
    "  - {metric: latency_ms.p50, below: 1500}\n";

/// A catalogue that is right, for a test to spoil.
struct Files {
  TemporaryFolder folder;
  Files() {
    folder.write("agents/a.yaml", kAgent);
    folder.write("scenarios/s.yaml", kScenario);
    folder.write("personalities/p.yaml", kPersonality);
    folder.write("test-profiles/t.yaml", kProfile);
  }
  Catalog load(Problems& problems, const std::vector<Trunk>& trunks = {}) const {
    return load_catalog(folder.path(), trunks, problems);
  }
  std::string problems(const std::vector<Trunk>& trunks = {}) const {
    Problems found;
    load(found, trunks);
    return folder.without_path(problems_text(found));
  }
};

template <class Parse>
std::string problems_of(Parse parse, const std::string& text) {
  Problems problems;
  for (const Node& document : parse_documents(text, "f", problems)) parse(document, problems);
  sort_problems(problems);
  return problems_text(problems);
}

std::string scenario_problems(const std::string& text) {
  return problems_of(parse_scenario, text);
}

/// A scenario around its list of conditions, which begins on line 6, column 5.
std::string conditions_problems(const std::string& conditions) {
  return scenario_problems("id: 1\nname: x\nagent: 1\nconditional_actions:\n  conditions:\n" + conditions);
}

/// A scenario around its list of checks, which begins on line 5, column 3.
std::string expect_problems(const std::string& checks) {
  return scenario_problems(
      "id: 1\nname: x\nagent: 1\nconditional_actions: {conditions: [{id: 0, condition: "
      "FIRST_MESSAGE}]}\nexpect:\n" +
      checks);
}

}  // namespace

TEST_CASE("a good catalogue") {
  const Files files;
  Problems problems;
  const Catalog catalog = files.load(problems);
  REQUIRE_MESSAGE(problems.empty(), problems_text(problems));
  const Scenario& scenario = catalog.scenarios.at(11);
  CHECK(scenario.folder_path == "Sales.Inbound");
  CHECK(scenario.max_duration == Millis(60'000));
  CHECK(scenario.conditional_actions.conditions.size() == 3);
  CHECK(scenario.conditional_actions.conditions[2].parent_id == 1);
  CHECK(scenario.conditional_actions.conditions[1].action_mark.line == 14);
  REQUIRE(scenario.expect.size() == 2);
  CHECK(scenario.expect[1].text == "metric: latency_ms.p50, below: 1500");
  CHECK(scenario.expect[1].mark.line == 18);
  CHECK(std::get<AgentSpeaksWithin>(scenario.expect[0].what).within == Millis(3000));
  CHECK(catalog.test_profiles.at(20).testing_agent_variables.at("account") == "0044");
  CHECK(catalog.test_profiles.at(20).main_agent_variables.at("X-Customer-Tier") == "premium");
  CHECK(catalog.agents.at(1).enabled_personalities == std::vector<Id>{3});
}

TEST_CASE("which files are read") {
  const Files files;
  files.folder.write("agents/notes.txt", "{{{{");
  files.folder.write("agents/.hidden.yaml", "{{{{");
  files.folder.write("agents/.git/x.yaml", "{{{{");
  files.folder.write("agents/b.yaml~", "{{{{");
  files.folder.write("agents/more/b.yml", "id: 2\nname: B\n---\nid: 3\nname: C\n---\n");
  files.folder.write("agents/c.json", R"({"id": 4, "name": "D"})");
  Problems problems;
  CHECK(files.load(problems).agents.size() == 4);
  CHECK(problems_text(problems).empty());
}

TEST_CASE("files and folders that can't be read") {
  const Files files;
  files.folder.write("agents/empty.yaml", "");
  files.folder.write("agents/two-empty.yaml", "---\n---\n");
  files.folder.write("agents/list.yaml", "- id: 7\n");
  files.folder.write("agents/binary.yaml", std::string_view("\x7F"
                                                            "ELF\0",
                                                            5));
  files.folder.write("agents/huge.yaml", std::string((1U << 20U) + 1, '#'));
  CHECK(::mkfifo((files.folder.path() / "agents/pipe.yaml").c_str(), 0600) == 0);
  std::filesystem::create_symlink("nowhere", files.folder.path() / "agents/dangling.yaml");
  CHECK(files.problems() ==
        "agents/binary.yaml:1:1: control character U+007F is not allowed\n"
        "agents/dangling.yaml:1:1: no such file\n"
        "agents/empty.yaml:1:1: is empty\n"
        "agents/huge.yaml:1:1: is larger than 1 MiB: split it into several files\n"
        "agents/list.yaml:1:1: expected a map of keys and values, found a list\n"
        "agents/pipe.yaml:1:1: is not a regular file\n"
        "agents/two-empty.yaml:1:1: is empty\n");
  TemporaryFolder none;
  Problems problems;
  load_catalog(none.path() / "nowhere", {}, problems);
  load_catalog(none.path(), {}, problems);
  CHECK(none.without_path(problems_text(problems)) ==
        "nowhere:1:1: there is no catalogue here: no such folder\n"
        "agents:1:1: no such folder\n"
        "scenarios:1:1: no such folder\n");
}

TEST_CASE("ids are unique across files, and both places are named") {
  const Files files;
  files.folder.write("scenarios/t.yaml", std::string("# a copy\n") + kScenario);
  const std::string first = (files.folder.path() / "scenarios/s.yaml").string();
  CHECK(files.problems() == "scenarios/t.yaml:2:5: id: the scenario 11 is already at scenarios/s.yaml:1:5\n");
}

TEST_CASE("references are checked") {
  const Files files;
  files.folder.write("agents/b.yaml",
                     "id: 2\nname: B\nproject: 7\nassistant_id: x\nenabled_personalities: [4]\n---\n"
                     "id: 3\nname: C\nassistant_id: x\n");
  files.folder.write("personalities/q.yaml", "id: 5\nname: Off\nenabled: false\n");
  const std::string rest = "conditional_actions: {conditions: [{id: 0, condition: FIRST_MESSAGE}]}\n";
  files.folder.write("scenarios/t.yaml",
                     "id: 12\nname: t\nagent: 9\npersonality: 8\ntest_profile: 21\n" + rest +
                         "---\nid: 13\nname: u\nagent: 2\nproject: 8\npersonality: 3\n" + rest +
                         "---\nid: 14\nname: v\nagent: 3\npersonality: 5\n" + rest);
  CHECK(files.problems() ==
        "agents/b.yaml:5:24: enabled_personalities: there is no personality 4 (there is 3, 5)\n"
        "agents/b.yaml:9:15: assistant_id: agent 2 has the same assistant_id\n"
        "scenarios/t.yaml:3:8: agent: there is no agent 9 (there is 1, 2, 3)\n"
        "scenarios/t.yaml:4:14: personality: there is no personality 8 (there is 3, 5)\n"
        "scenarios/t.yaml:5:15: test_profile: there is no test profile 21 (there is 20)\n"
        "scenarios/t.yaml:11:10: project: agent 2 belongs to project 7\n"
        "scenarios/t.yaml:12:14: personality: the personality 3 is not enabled for agent 2\n"
        "scenarios/t.yaml:18:14: personality: the personality 5 is not enabled for agent 3\n");
}

TEST_CASE("placeholders are checked against the scenario's own profile") {
  const Files files;
  std::string text = kScenario;
  text.replace(text.find("test_profile.name"), 17, "test_profile.nmae");
  files.folder.write("scenarios/s.yaml", text);
  CHECK(files.problems() ==
        "scenarios/s.yaml:14:81: conditional_actions.conditions[1].action: test profile 20 has no "
        "testing_agent_variables.nmae; did you mean 'name'?\n");
  text.erase(text.find("test_profile: 20\n"), 17);
  files.folder.write("scenarios/s.yaml", text);
  CHECK(files.problems().empty());  // the job brings one, and is checked for it
}

TEST_CASE("an agent's trunk") {
  const Files files;
  Trunk carrier;
  carrier.name = "carrier";
  Trunk other;
  other.name = "other";
  CHECK(files.problems({carrier}).empty());
  CHECK(files.problems({carrier, other}) ==
        "agents/a.yaml:1:1: trunk: is missing, and there are several: carrier or other\n");
  files.folder.write("agents/a.yaml", std::string(kAgent) + "trunk: carier\n");
  CHECK(files.problems({carrier, other}) ==
        "agents/a.yaml:6:8: trunk: there is no trunk 'carier' (there is carrier or other); did you mean "
        "'carrier'?\n");
}

TEST_CASE("agents") {
  CHECK(problems_of(parse_agent,
                    "name: 5\ncontact_number: +15550200001\nsip_endpoint: http://x\ninbound: no way\n"
                    "sip_auth: {username: u, password: p}\ndial_window: 0\ninbond: true\n") ==
        "f:1:1: id: is missing\n"
        "f:1:7: name: expected text, found the number 5: put it in quotes\n"
        "f:2:17: contact_number: expected text, found the number +15550200001: put it in quotes\n"
        "f:3:15: sip_endpoint: 'http://x' is not a SIP URI: it must begin with sip:\n"
        "f:4:10: inbound: expected true or false, found the text 'no way'\n"
        "f:5:11: sip_auth.password_file: is missing\n"
        "f:5:25: sip_auth.password: unknown key; did you mean 'password_file'?\n"
        "f:6:14: dial_window: must be between 1 s and 86400 s, not 0 s\n"
        "f:7:1: inbond: unknown key; did you mean 'inbound'?\n");
}

TEST_CASE("how an agent that dials out is asked to call") {
  Problems problems;
  const auto parse = [&](const std::string& text) {
    auto agent =
        parse_agent(*parse_document("id: 3\nname: x\ninbound: false\n" + text, "f", problems), problems);
    REQUIRE_MESSAGE(problems.empty(), problems_text(problems));
    return *agent;
  };
  CHECK_FALSE(parse("").inbound);
  CHECK(parse("").trigger == Trigger::none);
  CHECK(parse("").dial_window == Millis(300'000));
  CHECK(parse("trigger_url: https://agents.example.net/call\n").trigger == Trigger::webhook);
  CHECK(parse("trigger_url: sip:dialler@127.0.0.1\n").trigger == Trigger::message);
  const Agent refer =
      parse("trigger: refer\ntrigger_url: sip:dialler@127.0.0.1\nsends_run_id: true\ndial_window: 20\n");
  CHECK(refer.trigger == Trigger::refer);
  CHECK(refer.sends_run_id);
  CHECK(refer.dial_window == Millis(20'000));
  CHECK(parse("trigger: none\ntrigger_url: http://127.0.0.1:8090\n").trigger == Trigger::none);
  const auto refused = [](const std::string& text) {
    return problems_of(parse_agent, "id: 3\nname: x\ninbound: false\n" + text);
  };
  CHECK(refused("trigger: webhook\ntrigger_url: sip:x@y\n") ==
        "f:5:14: trigger_url: a webhook needs a URL that begins with http:// or https://\n");
  CHECK(refused("trigger: webhook\n") ==
        "f:1:1: trigger_url: a webhook needs a URL that begins with http:// or https://\n");
  CHECK(refused("trigger: message\ntrigger_url: http://x\n") ==
        "f:5:14: trigger_url: 'http://x' is not a SIP URI: it must begin with sip:\n");
  CHECK(refused("trigger: pigeon\n").find("expected none, webhook, message or refer") != std::string::npos);
}

TEST_CASE("an agent's codecs") {
  Problems problems;
  const auto agent =
      parse_agent(*parse_document("id: 3\nname: x\ncodecs: [opus, g722, pcma]\n", "f", problems), problems);
  REQUIRE_MESSAGE(problems.empty(), problems_text(problems));
  CHECK(agent->codecs == std::vector<Codec>{Codec::opus, Codec::g722, Codec::pcma});
  CHECK(
      problems_of(parse_agent, "id: 3\nname: x\ncodecs: [opus, opus, g729]\n") ==
      "f:3:16: codecs[1]: the codec opus is here twice\n"
      "f:3:22: codecs[2]: expected opus, g722, pcmu or pcma, found the text 'g729'; did you mean 'g722'?\n");
}

TEST_CASE("personalities: the wire's shapes") {
  Problems problems;
  const auto parse = [&](const std::string& text) {
    auto personality = parse_personality(*parse_document("id: 3\nname: x\n" + text, "f", problems), problems);
    REQUIRE_MESSAGE(problems.empty(), problems_text(problems));
    return *personality;
  };
  const Personality full = parse(
      "language: en-GB\nspeed: 1.1\nstart_speaking_plan: {wait_seconds: 0.7}\n"
      "stop_speaking_plan: {num_words: 0, voice_seconds: 0.3, backoff_seconds: 2}\nresponse_delay: 300ms\n"
      "message_plan: {idle_timeout_seconds: 8, idle_message_max_spoken_count: 2}\nbackground_noise: cafe\n"
      "background_sound_volume: {snr_db: 12}\nbackchannel: {probability: 0}\n"
      "network_simulation: {send: {packet_loss: 0, jitter: 0}, receive: {latency: 0}}\n");
  CHECK(full.start_speaking_plan.wait == Millis(700));
  CHECK(full.stop_speaking_plan.voice == Millis(300));
  CHECK(full.stop_speaking_plan.backoff == Millis(2000));
  CHECK(full.message_plan.idle_timeout == Millis(8000));
  CHECK(full.background_snr_db == 12);
  CHECK(parse("background_sound_volume: {base: 0.1, reduced: 0.05}\n").background_snr_db ==
        doctest::Approx(20));
  CHECK(parse("background_noise: cafe\nbackground_sound_volume: {base: 0}\n").background_noise == "off");
  CHECK(parse("background_noise: off\n").background_noise == "off");
  CHECK(parse("network_simulation: {packet_loss: 0, jitter: 0, latency: 0}\n").send.latency_ms == 0);
  const Personality line = parse(
      "network_simulation: {send: {packet_loss: 1.5, burst: 3, jitter: 20, reorder: true, latency: 50, "
      "duplicate: 2, gain_db: -6, low_cut_hz: 300, high_cut_hz: 3400}, receive: {packet_loss: 0}}\n");
  CHECK(line.send.packet_loss_percent == 1.5);
  CHECK(line.send.burst == 3);
  CHECK(line.send.jitter_ms == 20);
  CHECK(line.send.reorder == true);
  CHECK(line.send.latency_ms == 50);
  CHECK(line.send.duplicate_percent == 2);
  CHECK(line.send.gain_db == -6);
  CHECK(line.send.high_cut_hz == 3400);
  CHECK_FALSE(line.receive.any());
  // The hosted shape holds for both directions.
  const Personality hosted = parse("network_simulation: {packet_loss: 5, jitter: 20, latency: 100}\n");
  CHECK(hosted.send.packet_loss_percent == 5);
  CHECK(hosted.receive.latency_ms == 100);
  CHECK(hosted.receive.jitter_ms == 20);
  const Personality high = parse("interruption_level: high\nstop_speaking_plan: {voice_seconds: 0.1}\n");
  CHECK(high.stop_speaking_plan.voice == Millis(800));
  CHECK(parse("interruption_level: none\n").stop_speaking_plan.voice < Millis(400));
}

TEST_CASE("personalities: what is refused") {
  CHECK(
      problems_of(parse_personality,
                  "id: 3\nname: x\nspeed: 1.5\ninterruption_level: hihg\nstop_speaking_plan: {num_words: 2}\n"
                  "background_noise: caffe\nbackground_sound_volume: {snr_db: 3, base: 1}\n"
                  "network_simulation: {packet_loss: 101, jitter: 40, reorder: false}\nbackchannel: "
                  "{probability: 0.2}\ngender: robot\n"
                  "message_plan: {idle_timeout: 3}\n") ==
      "f:3:8: speed: must be between 0.8 and 1.2, not 1.5\n"
      "f:4:21: interruption_level: expected none, low, medium or high, found the text 'hihg'; did you mean "
      "'high'?\n"
      "f:5:33: stop_speaking_plan.num_words: counting the agent's words is not available in this version: "
      "use "
      "voice_seconds\n"
      "f:6:19: background_noise: there is no noise 'caffe': expected off, white, pink, brown, car, hum, "
      "keyboard, "
      "babble, street or cafe, or a sound file; did you mean 'cafe'?\n"
      "f:7:44: background_sound_volume.base: stands beside snr_db: give one of the two\n"
      "f:8:35: network_simulation.packet_loss: must be between 0 and 100, not 101\n"
      "f:8:48: network_simulation.jitter: more than 25 ms of jitter can't keep the order of 20 ms packets\n"
      "f:9:28: backchannel.probability: backchannel is not available in this version\n"
      "f:10:9: gender: expected female, male or neutral, found the text 'robot'\n"
      "f:11:16: message_plan.idle_timeout: unknown key; did you mean 'idle_timeout_seconds'?\n");
  CHECK(problems_of(parse_personality, "id: 3\nname: x\nbackground_noise: sounds/rain.wav\n") ==
        "f:3:19: background_noise: there is no sound file sounds/rain.wav\n");
}

TEST_CASE("a sound file is looked for beside the personality") {
  const Files files;
  files.folder.write("personalities/rain.wav", "RIFF");
  files.folder.write("personalities/p.yaml", "id: 3\nname: x\nbackground_noise: rain.wav\n");
  Problems problems;
  CHECK(files.load(problems).personalities.at(3).background_noise ==
        (files.folder.path() / "personalities/rain.wav").string());
  CHECK(problems_text(problems).empty());
}

TEST_CASE("test profiles") {
  CHECK(problems_of(parse_test_profile,
                    "id: 0\nname: x\ninformation:\n  main_agent_variables: {\"X-A B\": 1, X-C: \"a\\nb\"}\n"
                    "  testing_agent_variables: {a: [1], b: {c: d}}\n  others: {}\n") ==
        "f:1:5: id: must be at least 1, not 0\n"
        "f:4:35: information.main_agent_variables.X-A B: 'X-A B' can't be the name of a SIP header\n"
        "f:4:43: information.main_agent_variables.X-C: the value of a SIP header is one line\n"
        "f:5:32: information.testing_agent_variables.a: expected text, found a list\n"
        "f:5:40: information.testing_agent_variables.b: expected text, found a map\n"
        "f:6:3: information.others: unknown key\n");
}

TEST_CASE("scenarios: what is refused") {
  CHECK(scenario_problems("id: 1\nname: x\nagent: one\nfolder_path: Sales/Inbound\ntags: [\"\", 5]\n"
                          "scenario_type: instruction\ninstructions: Book a table\nmax_duration: 5\n"
                          "expected_outcome_prompt: It is booked\nfirst_message: Hello\n"
                          "tool_ids: [TOOL_DTMF, TOOL_DTFM, TOOL_END_CALL_ON_TRANSFER]\nmetrics: [1]\n"
                          "phone_number: abc\n") ==
        "f:3:8: agent: expected a whole number, found the text 'one'\n"
        "f:4:14: folder_path: 'Sales/Inbound' is not a folder path: names are joined by dots, as in "
        "'Sales.Inbound'\n"
        "f:5:8: tags[0]: a tag can't be empty\n"
        "f:5:12: tags[1]: expected text, found the number 5: put it in quotes\n"
        "f:6:16: scenario_type: a scenario of the type instruction is not available in this version: use "
        "conditional_actions with fixed messages\n"
        "f:7:15: instructions: a scenario with instructions is not available in this version\n"
        "f:8:15: max_duration: must be between 10 s and 3600 s, not 5 s\n"
        "f:9:26: expected_outcome_prompt: judging an expected outcome is not available in this version\n"
        "f:10:16: first_message: belongs to scenarios with instructions: write it as the action of id 0\n"
        "f:11:23: tool_ids[1]: unknown tool 'TOOL_DTFM': expected TOOL_DTMF, TOOL_END_CALL or "
        "TOOL_END_CALL_ON_TRANSFER; did you mean 'TOOL_DTMF'?\n"
        "f:12:11: metrics[0]: choosing metrics in a scenario is not available in this version\n"
        "f:13:15: phone_number: 'abc' is not a telephone number\n");
  CHECK(scenario_problems("id: 1\nname: x\nagent: 1\n") ==
        "f:1:1: scenario_type: a scenario of the type instruction is not available in this version: use "
        "conditional_actions with fixed messages\n");
}

TEST_CASE("conditional actions: every rule") {
  const std::string first = "    - {id: 0, condition: FIRST_MESSAGE, action: Hello}\n";
  const std::string path = "conditional_actions.conditions";
  CHECK(conditions_problems(first).empty());
  CHECK(conditions_problems(
            "    - {id: 1, condition: 0, type: action_followup, fixed_message: true, action: x}\n") ==
        "f:6:5: " + path +
            ": has no id 0: {id: 0, condition: FIRST_MESSAGE, fixed_message: true, action: ...}\n"
            "f:6:26: " +
            path + "[0].condition: there is no action with the id 0\n");
  CHECK(
      conditions_problems("    - {id: 0, condition: HELLO, type: action_followup, fixed_message: false}\n") ==
      "f:6:26: " + path +
          "[0].condition: the condition of id 0 is FIRST_MESSAGE\n"
          "f:6:39: " +
          path +
          "[0].type: the type of id 0 is standard\n"
          "f:6:71: " +
          path + "[0].fixed_message: the first message is always fixed: true\n");
  CHECK(conditions_problems(first + "    - {id: 1, condition: 0, type: action_followup, action: x}\n") ==
        "f:7:7: " + path +
            "[1].fixed_message: a message that is not said word for word is not available in this "
            "version: write fixed_message: true\n");
  CHECK(conditions_problems(
            first +
            "    - {id: 1, condition: asks for a date, type: standard, fixed_message: true, action: x}\n") ==
        "f:7:49: " + path +
            "[1].type: a condition on the agent's words is not available in this version: use type: "
            "action_followup with the id of the action before\n");
  const auto followup = [](int id, const std::string& parent, const std::string& action) {
    return "    - {id: " + std::to_string(id) + ", condition: " + parent +
           ", type: action_followup, fixed_message: true, action: '" + action + "'}\n";
  };
  CHECK(conditions_problems(first + followup(1, "\"0\"", "x")).empty());
  CHECK(conditions_problems(first + followup(1, "0", " ")) ==
        "f:7:81: " + path + "[1].action: is empty: only the first message may be\n");
  CHECK(conditions_problems(first + followup(1, "0", "x") + followup(1, "1", "y")) ==
        "f:8:7: " + path + "[2].id: the id 1 is already on line 7\n");
  CHECK(conditions_problems(first + followup(1, "5", "x")) ==
        "f:7:26: " + path + "[1].condition: there is no action with the id 5\n");
  CHECK(conditions_problems(first + followup(1, "soon", "x")) ==
        "f:7:26: " + path +
            "[1].condition: expected the id of the action that this one follows, found the text "
            "'soon'\n");
  CHECK(conditions_problems(first + followup(1, "2", "x") + followup(2, "3", "y") + followup(3, "1", "z") +
                            followup(4, "0", "w")) ==
        "f:7:26: " + path + "[1].condition: follows itself in a circle, so that it is never said\n");
  CHECK(conditions_problems(first + followup(1, "1", "x")) ==
        "f:7:26: " + path + "[1].condition: follows itself in a circle, so that it is never said\n");
  CHECK(conditions_problems(first + followup(1, "0", "x") + followup(2, "0", "y")) ==
        "f:8:26: " + path + "[2].condition: the action 1 already follows 0, and only one can\n");
  CHECK(conditions_problems(
            "    - {id: 0, condition: FIRST_MESSAGE, action: '<interruption time=\"1s\"/>x'}\n") ==
        "f:6:49: " + path +
            "[0].action: <interruption> has nothing to interrupt here: it belongs in an "
            "action_followup\n");
  CHECK(conditions_problems(first + followup(1, "0", "<interruption time=\"1s\"/>")) ==
        "f:7:81: " + path + "[1].action: <interruption> must be followed by what is said\n");
  CHECK(conditions_problems(first + followup(1, "0", "<hold time=\"1s\"/>")) ==
        "f:7:81: " + path + "[1].action: the tag <hold> is not available in this version\n");
  CHECK(conditions_problems("    - {id: 0, condition: FIRST_MESSAGE, actoin: x}\n") ==
        "f:6:41: " + path + "[0].actoin: unknown key; did you mean 'action'?\n");
  CHECK(conditions_problems("    - hello\n") ==
        "f:6:7: " + path + "[0]: expected a map of keys and values, found the text 'hello'\n");
}

TEST_CASE("expect: good checks") {
  Problems problems;
  const auto document = parse_document(
      "id: 1\nname: x\nagent: 1\nconditional_actions: {conditions: [{id: 0, condition: "
      "FIRST_MESSAGE}]}\nexpect:\n"
      "  - {metric: talk_ratio, above: 0.3, below: 0.7}\n"
      "  - said: {by: caller, matches: \"tues(day)?\", within: 60s}\n"
      "  - not_said: {by: caller, matches: monday}\n"
      "  - digits: {by: agent, equals: \"12#\"}\n"
      "  - hung_up_by: agent\n"
      "  - sip_status: 486\n"
      "  - duration: {at_least: 5s, at_most: 1m}\n",
      "f", problems);
  const auto scenario = parse_scenario(*document, problems);
  REQUIRE_MESSAGE(problems.empty(), problems_text(problems));
  REQUIRE(scenario->expect.size() == 8);
  CHECK(std::get<MetricBound>(scenario->expect[0].what).comparison == Comparison::below);
  CHECK(scenario->expect[0].text == "metric: talk_ratio, below: 0.7");
  CHECK(scenario->expect[1].text == "metric: talk_ratio, above: 0.3");
  CHECK(std::get<Said>(scenario->expect[2].what).within == Millis(60'000));
  CHECK(std::get<Said>(scenario->expect[3].what).negated);
  CHECK(std::get<DigitsEqual>(scenario->expect[4].what).digits == "12#");
  CHECK(std::get<HungUpBy>(scenario->expect[5].what).by == Said::By::agent);
  CHECK(std::get<SipStatusIs>(scenario->expect[6].what).status == 486);
  CHECK(std::get<DurationBetween>(scenario->expect[7].what).at_most == Millis(60'000));
  CHECK(scenario->expect[7].text == "duration: {at_least: 5s, at_most: 1m}");
}

TEST_CASE("expect: what is refused") {
  CHECK(expect_problems("  - {metric: Latency, below: 1}\n") ==
        "f:6:14: expect[0].metric: 'Latency' is not the name of a metric, such as latency_ms.p95 or "
        "success_rate\n");
  CHECK(expect_problems("  - {metric: mos_cqe.receive, bellow: 1}\n") ==
        "f:6:5: expect[0]: needs a comparison: below, at_most, above, at_least or equals, with a number\n"
        "f:6:31: expect[0].bellow: unknown key; did you mean 'below'?\n");
  CHECK(expect_problems("  - {metric: snr_db, below: x}\n") ==
        "f:6:29: expect[0].below: expected a number, found the text 'x'\n");
  CHECK(expect_problems("  - {said: {by: agent, matches: x}}\n") ==
        "f:6:17: expect[0].said.by: hearing the agent's words is not available in this version\n");
  CHECK(expect_problems("  - {said: {by: caller, matches: \"(\"}}\n")
            .starts_with("f:6:34: expect[0].said.matches: is not a regular expression: "));
  CHECK(expect_problems("  - {said: {by: caller, matches: \"(x{99}){99}{99}{99}\"}}\n")
            .starts_with("f:6:34: expect[0].said.matches: is not a regular expression: "));
  CHECK(
      expect_problems("  - {transferred_to: \"sip:\"}\n  - {tone: beep}\n  - {tone: beeep}\n") ==
      "f:6:22: expect[0].transferred_to: 'sip:' has no valid host\n"
      "f:8:12: expect[2].tone: expected ringback, busy, congestion, sit, dial, fax, beep or music, found the "
      "text 'beeep'; did you mean 'beep'?\n");
  CHECK(expect_problems("  - {sip_status: 99, tone: x}\n") ==
        "f:6:5: expect[0]: holds two checks, 'sip_status' and 'tone': make them two entries\n");
  CHECK(expect_problems("  - {hung_up: agent}\n") ==
        "f:6:5: expect[0]: is no check: expected one of metric, agent_speaks_within, said, not_said, digits, "
        "hung_up_by, transferred_to, sip_status, duration or tone\n"
        "f:6:6: expect[0].hung_up: unknown key; did you mean 'hung_up_by'?\n");
  CHECK(expect_problems("  - {duration: {at_least: 5m, at_most: 5s}}\n") ==
        "f:6:27: expect[0].duration.at_least: is more than at_most: no call could pass\n");
  CHECK(expect_problems("  - {digits: {by: agent, equals: 12}}\n") ==
        "f:6:34: expect[0].digits.equals: expected text, found the number 12: put it in quotes\n");
}
