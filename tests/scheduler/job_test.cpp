// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/job.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "scheduler/catalog.h"
#include "scheduler/numbers.h"
#include "scheduler/plan.h"
#include "tests/scheduler/problems_text.h"
#include "tests/scheduler/temporary_folder.h"

using namespace linecheck::scheduler;

namespace {

/// Agents 1 (project 1376, scenarios 11 to 14) and 2 (project 7, scenario 21), personalities 3, 4, 7 (agent
/// 1: not 4) and 8 (switched off), profiles 20 and 22.
const Catalog& catalog() {
  static const Catalog kCatalog = [] {
    Catalog made;
    const auto scenario = [&](Id id, Id agent, const char* folder, std::vector<std::string> tags) {
      Scenario& each = made.scenarios[id];
      each.id = id;
      each.name = "scenario " + std::to_string(id);
      each.agent = agent;
      each.folder_path = folder;
      each.tags = std::move(tags);
      each.personality = 3;
      Condition first;
      first.condition = "FIRST_MESSAGE";
      first.action = "Hello";
      each.conditional_actions.conditions.push_back(first);
    };
    scenario(11, 1, "Sales.Inbound", {"smoke"});
    scenario(12, 1, "Sales.Inbound.New", {"smoke", "slow"});
    scenario(13, 1, "Sales.Inbounds", {"slow"});
    scenario(14, 1, "", {});
    scenario(21, 2, "Sales.Inbound", {"smoke"});
    made.scenarios[14].conditional_actions.conditions[0].action = "I am {{test_profile.name}}";
    made.scenarios[11].test_profile = 20;
    Agent& one = made.agents[1];
    one.id = 1;
    one.name = "Booking";
    one.assistant_id = "asst_one";
    one.project = 1376;
    one.sip_endpoint = "sip:polite@127.0.0.1:5080";
    one.contact_number = "+15550200001";
    one.enabled_personalities = {3, 7};
    Agent& two = made.agents[2];
    two.id = 2;
    two.name = "Support";
    two.assistant_id = "asst_two";
    two.project = 7;
    for (const Id id : {3, 4, 7, 8}) {
      made.personalities[id].id = id;
      made.personalities[id].enabled = id != 8;
    }
    for (const Id id : {20, 22}) made.test_profiles[id].id = id;
    made.test_profiles[20].testing_agent_variables["name"] = "Jane";
    return made;
  }();
  return kCatalog;
}

Job job_of(const std::string& text, const Catalog& from = catalog()) {
  Problems problems;
  auto job = parse_job(text, "f", from, problems);
  REQUIRE_MESSAGE(problems.empty(), problems_text(problems));
  REQUIRE(job);
  return *job;
}

std::string refused(const std::string& text, const Catalog& from = catalog()) {
  Problems problems;
  CHECK_FALSE(parse_job(text, "f", from, problems));
  return problems_text(problems);
}

using Ids = std::vector<Id>;

}  // namespace

TEST_CASE("selection") {
  CHECK(job_of("agent_id: 1\nscenarios: [13, 11, 13]\n").scenarios == Ids{11, 13});
  CHECK(job_of("agent_id: 1\nscenarios: 2\n").scenarios == Ids{11, 12});
  CHECK(job_of("agent_id: 1\nscenarios: 3\n").scenarios == Ids{11, 12, 13});
  CHECK(job_of("agent_id: 1\nscenarios: all\ntest_profile_id: 20\n").scenarios == Ids{11, 12, 13, 14});
  CHECK(job_of("assistant_id: asst_one\nscenarios: 1\n").agent_id == 1);
  CHECK(job_of("agent_id: 1\nassistant_id: asst_one\nscenarios: 1\n").agent_id == 1);
  CHECK(job_of("agent_id: 1\nproject_id: 1376\nscenarios: Sales.Inbound\n").scenarios == Ids{11, 12});
  CHECK(job_of("agent_id: 1\nproject_id: 1376\nfolder_path: Sales\n").scenarios == Ids{11, 12, 13});
  CHECK(job_of("project_id: 1376\nfolder_path: Sales.Inbound\n").agent_id == 1);
  CHECK(job_of("agent_id: 1\ntags: [smoke]\n").scenarios == Ids{11, 12});
  CHECK(job_of("agent_id: 1\ntags: [slow, smoke]\n").scenarios == Ids{11, 12, 13});
  CHECK(job_of("agent_id: 1\nscenarios: [13]\ntags: [smoke]\n").scenarios == Ids{11, 12, 13});
  CHECK(job_of("agent_id: 1\nscenarios: [13]\ntags: [nothing]\n").scenarios == Ids{13});
  CHECK(job_of("scenarios: [11, 12]\n").agent_id == 1);
}

TEST_CASE("selection: what is refused") {
  CHECK(refused("agent_id: 1\n") == "f:1:1: scenarios: is missing: give scenarios, tags or folder_path\n");
  CHECK(refused("agent_id: 9\nscenarios: all\n") ==
        "f:1:11: agent_id: there is no agent 9 (there is 1, 2)\n");
  CHECK(
      refused("assistant_id: asst_tow\nscenarios: all\n") ==
      "f:1:15: assistant_id: there is no agent with the assistant_id 'asst_tow'; did you mean 'asst_two'?\n");
  CHECK(refused("agent_id: 1\nassistant_id: asst_two\nscenarios: [11]\n") ==
        "f:2:15: assistant_id: is agent 2, and agent_id says 1\n");
  CHECK(refused("scenarios: all\n") ==
        "f:1:1: agent_id: is missing: scenarios: all needs agent_id or assistant_id\n");
  CHECK(refused("scenarios: 2\n") ==
        "f:1:1: agent_id: is missing: scenarios: 2 needs agent_id or assistant_id\n");
  CHECK(refused("agent_id: 1\nscenarios: 0\n") == "f:2:12: scenarios: must be at least 1, not 0\n");
  CHECK(refused("agent_id: 1\nscenarios: []\n") == "f:2:12: scenarios: selects nothing: the list is empty\n");
  CHECK(refused("agent_id: 1\nscenarios: 1.5\n") ==
        "f:2:12: scenarios: expected a list of ids, a number, all, or a folder path, found the number 1.5\n");
  CHECK(refused("agent_id: 1\nscenarios: [11, 99, x, 21]\n") ==
        "f:2:17: scenarios[1]: there is no scenario 99 (there is 11, 12, 13, 14, 21)\n"
        "f:2:21: scenarios[2]: expected a whole number, found the text 'x'\n"
        "f:2:24: scenarios[3]: scenario 21 belongs to agent 2, not to agent 1\n");
  CHECK(refused("scenarios: [11, 21]\n") ==
        "f:1:1: agent_id: is missing, and the scenarios belong to several agents: 1 or 2\n");
  CHECK(refused("agent_id: 1\nscenarios: Sales.Inbound\n") ==
        "f:1:1: project_id: is missing: a folder path needs it\n");
  CHECK(refused("agent_id: 1\nfolder_path: Sales\n") ==
        "f:1:1: project_id: is missing: a folder path needs it\n");
  CHECK(refused("agent_id: 1\nproject_id: 1376\nfolder_path: Sales.Inbuond\n") ==
        "f:3:14: folder_path: selects nothing: there is no scenario of agent 1 in the folder 'Sales.Inbuond' "
        "of "
        "project 1376; did you mean 'Sales.Inbound'?\n");
  CHECK(refused("project_id: 1376\nfolder_path: Sales\nscenarios: [11]\n") ==
        "f:2:14: folder_path: can't be combined with scenarios: give one or the other\n");
  CHECK(refused("project_id: 1376\nfolder_path: Sales\ntags: [smoke]\n") ==
        "f:2:14: folder_path: can't be combined with tags: give one or the other\n");
  CHECK(refused("agent_id: 1\nproject_id: 5\ntags: [smoke]\n")
            .starts_with("f:2:13: project_id: there is no project 5 (there is 7 or 1376)\n"));
  CHECK(refused("agent_id: 1\nproject_id: 7\nscenarios: [11]\n") ==
        "f:2:13: project_id: agent 1 belongs to project 1376\n");
  CHECK(refused("agent_id: 1\ntags: [smok]\n") ==
        "f:2:7: tags: selects nothing: no scenario of agent 1 bears smok; did you mean 'smoke'?\n");
}

TEST_CASE("the dial target") {
  const std::string start = "agent_id: 1\nscenarios: [11]\n";
  CHECK(job_of(start).dial_target == "sip:polite@127.0.0.1:5080");
  CHECK(job_of(start + "agent_number: \"+15550200009\"\n").dial_target == "+15550200009");
  CHECK(job_of(start + "outbound_phone_number: \"+15550200009\"\n").dial_target == "+15550200009");
  CHECK(job_of(start +
               "outbound_phone_number: \"+15550200009\"\nagent_number: \"+15550200009\"\nsip_endpoint: "
               "sip:x@y\n")
            .dial_target == "+15550200009");
  CHECK(job_of(start + "sip_endpoint: sip:x@y\n").dial_target == "sip:x@y");
  CHECK(refused(start + "outbound_phone_number: \"+15550200009\"\nagent_number: \"+15550200008\"\n") ==
        "f:3:24: outbound_phone_number: differs from agent_number (+15550200008): agent 1 is inbound, and "
        "both are the "
        "number that is dialled\n");
  CHECK(refused(start + "agent_number: +15550200009\nsip_endpoint: x\n") ==
        "f:3:15: agent_number: expected text, found the number +15550200009: put it in quotes\n"
        "f:4:15: sip_endpoint: 'x' is not a SIP URI: it must begin with sip:\n");
  CHECK(
      refused("agent_id: 2\nscenarios: [21]\n") ==
      "f:1:11: agent_id: agent 2 can't be reached: give it a contact_number or a sip_endpoint, or the job an "
      "agent_number or a sip_endpoint\n");
  Catalog changed = catalog();
  changed.agents[1].sip_endpoint.clear();
  CHECK(job_of(start, changed).dial_target == "+15550200001");
  changed.trunks["carrier"].name = "carrier";
  CHECK(refused(start, changed) ==
        "f:1:11: agent_id: the number +15550200001 can't be dialled: the trunk 'carrier' has no proxy to "
        "send it to\n");
  changed.trunks["carrier"].proxy = "sip:127.0.0.1";
  CHECK(job_of(start, changed).trunk == "carrier");
}

TEST_CASE("an agent that dials out is waited for") {
  const std::string start = "agent_id: 1\nscenarios: [11]\n";
  Catalog dials = catalog();
  dials.agents[1].inbound = false;
  dials.agents[1].contact_number = "+16665550100";
  dials.trunks["carrier"].name = "carrier";
  dials.trunks["carrier"].caller_numbers = {"+15550100001", "+15550100002"};
  const Job plain = job_of(start + "concurrency_limit: 9\n", dials);
  CHECK(plain.called);
  CHECK(plain.dial_target.empty());
  CHECK(plain.accepted_caller == "+16665550100");
  CHECK(plain.own_number.empty());
  CHECK(plain.trunk == "carrier");
  CHECK(plain.concurrency_limit == 1);  // one number, one call at a time
  CHECK(job_of(start + "mode: different_numbers\n", dials).concurrency_limit == std::nullopt);
  CHECK(caller_numbers(plain, dials.trunks["carrier"]).pool == std::vector<std::string>{"+15550100001"});

  const Job named =
      job_of(start + "outbound_phone_number: \"+15550100002\"\nagent_number: \"+16665550109\"\n", dials);
  CHECK(named.own_number == "+15550100002");
  CHECK(named.accepted_caller == "+16665550109");
  CHECK(caller_numbers(named, dials.trunks["carrier"]).pool == std::vector<std::string>{"+15550100002"});

  dials.agents[1].sends_run_id = true;
  CHECK(job_of(start + "concurrency_limit: 9\n", dials).concurrency_limit == 9);
  CHECK(refused(start + "outbound_phone_number: \"+15550100009\"\nsip_endpoint: sip:x@y\n", dials) ==
        "f:3:24: outbound_phone_number: +15550100009 is not among the caller_numbers of the trunk 'carrier', "
        "and "
        "the agent is to call one of ours\n"
        "f:4:15: sip_endpoint: agent 1 dials out itself: there is nothing to dial\n");
}

TEST_CASE("overrides") {
  const std::string start = "agent_id: 1\nscenarios: [11]\n";
  const Job job = job_of(start + "personality_ids: [7, 3, 7]\npersonality_id: 3\ntest_profile_id: 20\n");
  CHECK(job.personality_overrides == Ids{3, 7});
  CHECK(job.test_profile_overrides == Ids{20});
  CHECK(job_of(start + "personality_ids: []\n").personality_overrides.empty());
  CHECK(refused(start + "personality_ids: [4, 9]\npersonality_id: 8\ntest_profile_ids: [5]\n") ==
        "f:3:19: personality_ids[0]: Invalid personalities provided. The personality 4 is not enabled for "
        "agent 1.\n"
        "f:3:22: personality_ids[1]: there is no personality 9 (there is 3, 4, 7, 8)\n"
        "f:4:17: personality_id: Invalid personalities provided. The personality 8 is not enabled for agent "
        "1.\n"
        "f:5:20: test_profile_ids[0]: there is no test profile 5 (there is 20, 22)\n");
}

TEST_CASE("placeholders are checked against every profile of the job") {
  CHECK(refused("agent_id: 1\nscenarios: [14]\n") ==
        "f:2:12: scenarios: scenario 14, action 0: {{test_profile.name}} needs a test profile, and there is "
        "none\n");
  CHECK(refused("agent_id: 1\nscenarios: [14]\ntest_profile_ids: [20, 22]\n") ==
        "f:3:19: test_profile_ids: scenario 14, action 0: test profile 22 has no "
        "testing_agent_variables.name\n");
  CHECK(job_of("agent_id: 1\nscenarios: [14]\ntest_profile_id: 20\n").scenarios == Ids{14});
}

TEST_CASE("the rest of the fields") {
  const Job job = job_of(
      "name: nightly\nagent_id: 1\nscenarios: [11]\nfrequency: 3\nmode: different_numbers\nreuse_numbers: "
      "true\n"
      "concurrency_limit: 5\ncalls_per_second: 0.5\nseed: 42\ngraceful_stop: 10s\npriority: 2\ncodecs: "
      "[pcma]\n"
      "mock_tool_names: [lookup]\nretries: 2\nretry_after_dial: true\nload: null\n"
      "thresholds:\n  - {metric: latency_ms.p95, below: 1500}\n"
      "  - {metric: success_rate, at_least: 0.95, abort_on_fail: true}\n");
  CHECK(job.name == "nightly");
  CHECK(job.frequency == 3);
  CHECK(job.mode == NumberMode::different_numbers);
  CHECK(job.reuse_numbers);
  CHECK(job.concurrency_limit == 5);
  CHECK(job.calls_per_second == 0.5);
  CHECK(job.seed == 42);
  CHECK(job.graceful_stop == Millis(10'000));
  CHECK(job.retries == 2);
  CHECK(job.retry_after_dial);
  CHECK_FALSE(job.load);
  CHECK_FALSE(job.most_calls);
  CHECK(job.codecs == std::vector<Codec>{Codec::pcma});
  REQUIRE(job.thresholds.size() == 2);
  CHECK(job.thresholds[0].mark.line == 18);
  CHECK(job.thresholds[1].abort_on_fail);
  CHECK(job.requested_json.starts_with(
      "{\"name\":\"nightly\",\"agent_id\":1,\"scenarios\":[11],\"frequency\":3,"));
}

TEST_CASE("dtmf: the job's, else the agent's, else the trunk's") {
  Catalog with = catalog();
  with.trunks["carrier"].name = "carrier";
  with.trunks["carrier"].allow = {"sip:*@127.0.0.1"};
  with.trunks["carrier"].caller_numbers = {"+15550100001"};
  const std::string job = "agent_id: 1\nscenarios: [11]\n";
  CHECK(job_of(job, with).dtmf == KeysBy::rfc4733);
  with.trunks["carrier"].dtmf = KeysBy::inband;
  CHECK(job_of(job, with).dtmf == KeysBy::inband);
  with.agents[1].dtmf = KeysBy::info;
  CHECK(job_of(job, with).dtmf == KeysBy::info);
  CHECK(job_of(job + "dtmf: rfc4733\n", with).dtmf == KeysBy::rfc4733);
}

TEST_CASE("load shapes: how many calls they make") {
  const std::string base = "agent_id: 1\nscenarios: [11, 12]\npersonality_ids: [3, 7]\n";
  const auto calls = [&](const std::string& rest) { return count_calls(job_of(base + rest)); };
  CHECK(calls("load: {shape: constant-arrival-rate, rate: 5, duration: 1m}\n") == 300);
  CHECK(
      calls(
          "load: {shape: ramping-arrival-rate, stages: [{duration: 60s, target: 10}, {duration: 5m, target: "
          "10}]}\n") == 3300);
  CHECK(calls("load: {shape: constant-calls, calls: 20, duration: 10m}\n") == 12'000);
  CHECK(calls("load: {shape: ramping-calls, start: 2, stages: [{duration: 10, target: 2}]}\n") == 20);
  // With a frequency it is over when either is.
  CHECK(calls("frequency: 3\nload: {shape: constant-arrival-rate, rate: 5, duration: 1m}\n") == 12);
  const Job job = job_of(base +
                         "start_at: 2026-03-01T09:00:00+01:00\nload: {shape: ramping-arrival-rate, "
                         "stages: [{duration: 60s, target: 10}]}\n");
  REQUIRE(job.load);
  CHECK(job.load->kind == LoadShape::Kind::ramping_arrival_rate);
  CHECK(job.load->stages.at(0).target == 10);
  CHECK(job.start_unix_ms == 1'772'352'000'000);
}

TEST_CASE("load shapes: what is refused") {
  const std::string base = "agent_id: 1\nscenarios: [11]\n";
  CHECK(refused(base + "load: {shape: constant-call, calls: 3}\n") ==
        "f:3:15: load.shape: expected constant-calls, ramping-calls, constant-arrival-rate or "
        "ramping-arrival-rate, found the text 'constant-call'; did you mean 'constant-calls'?\n");
  CHECK(refused(base + "load: {shape: constant-calls, rate: 3, duration: 0, calls: 1.5}\n") ==
        "f:3:31: load.rate: unknown key\n"
        "f:3:50: load.duration: must be more than 0 s, not 0 s\n"
        "f:3:60: load.calls: expected a whole number, found the number 1.5\n");
  CHECK(refused(base + "load: {shape: ramping-calls, stages: []}\n") == "f:3:7: load: starts no call\n");
  CHECK(refused(base + "load: {shape: ramping-calls, stages: [{duration: 5, target: -1}, {target: 2}]}\n") ==
        "f:3:61: load.stages[0].target: must be between 0 and 100000, not -1\n"
        "f:3:66: load.stages[1].duration: is missing\n");
  CHECK(refused(base + "load: {shape: constant-arrival-rate, rate: 10000, duration: 24h}\n") ==
        "f:3:7: load: starts 864000000 calls: at most 100000000 can be counted\n");
}

TEST_CASE("codecs: the job's, else the agent's, else the trunk's") {
  Catalog with = catalog();
  with.trunks["carrier"].name = "carrier";
  with.trunks["carrier"].allow = {"sip:*@127.0.0.1"};
  with.trunks["carrier"].caller_numbers = {"+15550100001"};
  const std::string job = "agent_id: 1\nscenarios: [11]\n";
  CHECK(job_of(job, with).codecs == std::vector<Codec>{Codec::pcmu, Codec::pcma});
  with.agents[1].codecs = {Codec::opus, Codec::pcmu};
  CHECK(job_of(job, with).codecs == std::vector<Codec>{Codec::opus, Codec::pcmu});
  CHECK(job_of(job + "codecs: [g722]\n", with).codecs == std::vector<Codec>{Codec::g722});
}

TEST_CASE("what is absent is made up") {
  std::set<std::uint64_t> seeds;
  for (int i = 0; i < 5; ++i) {
    const Job job = job_of("agent_id: 1\nscenarios: [11]\n");
    CHECK(job.name == "Booking, 1 scenario");
    CHECK(job.seed < (std::uint64_t{1} << 53U));
    seeds.insert(job.seed);
  }
  CHECK(seeds.size() == 5);
}

TEST_CASE("a bad request says everything at once") {
  CHECK(
      refused("agent_id: \"1\"\nscenarios: [99]\nfrequency: 0\nmode: diffrent_numbers\nconcurrency_limit: 0\n"
              "calls_per_second: -1\nseed: -5\nfrequncy: 2\nretries: -2\nretry_after_dial: soon\n"
              "load: {shape: constant-calls}\nstart_at: 2025-01-01T00:00:00\nrecording: {format: wav17}\n"
              "codecs: [g729]\nthresholds:\n  - {metric: x}\n") ==
      "f:1:11: agent_id: expected a whole number, found the text '1': take the quotes away\n"
      "f:2:13: scenarios[0]: there is no scenario 99 (there is 11, 12, 13, 14, 21)\n"
      "f:3:12: frequency: must be at least 1, not 0\n"
      "f:4:7: mode: expected same_number or different_numbers, found the text 'diffrent_numbers'; did you "
      "mean "
      "'different_numbers'?\n"
      "f:5:20: concurrency_limit: must be at least 1, not 0\n"
      "f:6:19: calls_per_second: must be more than 0, not -1\n"
      "f:7:7: seed: must be at least 0, not -5\n"
      "f:8:1: frequncy: unknown key; did you mean 'frequency'?\n"
      "f:9:10: retries: must be between 0 and 100, not -2\n"
      "f:10:19: retry_after_dial: expected true or false, found the text 'soon'\n"
      "f:11:7: load.duration: is missing\n"
      "f:11:7: load.calls: is missing\n"
      "f:12:11: start_at: '2025-01-01T00:00:00' is no time with its zone, such as 2026-03-01T08:00:00Z or "
      "2026-03-01T08:00:00+01:00\n"
      "f:13:21: recording.format: expected wav16 or ulaw, found the text 'wav17'; did you mean 'wav16'?\n"
      "f:14:10: codecs[0]: expected opus, g722, pcmu or pcma, found the text 'g729'; did you mean 'g722'?\n"
      "f:16:5: thresholds[0]: needs a comparison: below, at_most, above, at_least or equals, with a "
      "number\n");
}

TEST_CASE("JSON is a job too") {
  const Job job =
      job_of(R"({"agent_id": 1, "scenarios": [11], "name": "\ud83d\ude00", "personality_ids": [7]})");
  CHECK(job.name == "\xF0\x9F\x98\x80");
  CHECK(job.personality_overrides == Ids{7});
  CHECK(refused("{\n\t\"agent_id\": 1,\n\t\"scenarios\": \"everything\"\n}") ==
        "f:1:1: project_id: is missing: a folder path needs it\n");
}

TEST_CASE("files that are no job") {
  const TemporaryFolder folder;
  const auto problems_of = [&](const std::filesystem::path& file) {
    Problems problems;
    CHECK_FALSE(load_job(file, catalog(), problems));
    return folder.without_path(problems_text(problems));
  };
  CHECK(problems_of(folder.path() / "none.yaml") == "none.yaml:1:1: no such file\n");
  CHECK(problems_of(folder.write("e.yaml", "")) == "e.yaml:1:1: is empty\n");
  CHECK(problems_of(folder.write("n.yaml", "---\n")) ==
        "n.yaml:1:4: expected a map of keys and values, found nothing\n");
  CHECK(problems_of(folder.write("two.yaml", "agent_id: 1\n---\nagent_id: 1\n")) ==
        "two.yaml:3:1: one document is expected here, and this is a second one\n");
  CHECK(problems_of(folder.write("d.yaml", "agent_id: 1\nscenarios: [11]\nagent_id: 1\n")) ==
        "d.yaml:3:1: duplicate key 'agent_id' (first on line 1)\n");
  std::filesystem::create_directory(folder.path() / "dir.yaml");
  CHECK(problems_of(folder.path() / "dir.yaml") == "dir.yaml:1:1: is a directory, not a file\n");
}
