// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/preflight.h"

#include <doctest/doctest.h>

#include "sip/allow_list.h"

using namespace linecheck::engine;
namespace scheduler = linecheck::scheduler;

namespace {

scheduler::Trunk trunk(std::string proxy, std::vector<std::string> allow) {
  scheduler::Trunk made;
  made.name = "t";
  made.endpoint = "main";
  made.proxy = std::move(proxy);
  made.allow = std::move(allow);
  made.caller_numbers = {"+15550100001", "+15550100002"};
  return made;
}

struct Case {
  Config config;
  scheduler::Catalog catalog;
  scheduler::Job job;

  explicit Case(scheduler::Trunk over) {
    config.endpoints.emplace_back();
    config.trunks = {over};
    config.voices = default_voice_providers();
    catalog.trunks.emplace(over.name, over);
    scheduler::Agent agent;
    agent.id = 1;
    catalog.agents.emplace(1, agent);
    for (scheduler::Id id = 1; id <= 3; ++id) {
      scheduler::Scenario scenario;
      scenario.id = id;
      scenario.agent = 1;
      catalog.scenarios.emplace(id, scenario);
      job.scenarios.push_back(id);
    }
    job.agent_id = 1;
    job.trunk = over.name;
    job.dial_target = "sip:agent@127.0.0.1:5080";
  }

  scheduler::Problems check() {
    scheduler::Problems problems;
    check_job(job, catalog, config, problems);
    return problems;
  }
};

}  // namespace

TEST_CASE("preflight: a destination that no trunk allows is refused, and what to do is said") {
  Case denied(trunk("", {"sip:*@127.0.0.2"}));
  const auto problems = denied.check();
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].message.find("does not allow dialling 'sip:agent@127.0.0.1:5080'") != std::string::npos);
  CHECK(Case(trunk("", {"sip:*@127.0.0.1:5080"})).check().empty());
  CHECK(Case(trunk("", {})).check().size() == 1);
}

TEST_CASE("preflight: a number needs a proxy") {
  Case number(trunk("", {"+1555*"}));
  number.job.dial_target = "+15550200001";
  REQUIRE(number.check().size() == 1);
  Case with_proxy(trunk("sip:127.0.0.1:5070", {"+1555*"}));
  with_proxy.job.dial_target = "+15550200001";
  CHECK(with_proxy.check().empty());
  const auto destination = destination_of("+15550200001", with_proxy.config.trunks[0]);
  REQUIRE(destination);
  CHECK(destination->request_uri == "sip:+15550200001@127.0.0.1:5070");
  CHECK(destination->proxy == "sip:127.0.0.1:5070");
}

TEST_CASE("preflight: the endpoint's own gate agrees with the trunk's list") {
  Case numbers(trunk("sip:127.0.0.1:5070", {"+1555*", "sip:*@127.0.0.9"}));
  const linecheck::sip::AllowList gate(endpoint_allow_list(numbers.config, "main"));
  CHECK(gate.permits("sip:+15550200001@127.0.0.1:5070"));
  CHECK(gate.permits("sip:x@127.0.0.9"));
  CHECK_FALSE(gate.permits("sip:+16660200001@127.0.0.1:5070"));
  CHECK_FALSE(gate.permits("sip:+15550200001@127.0.0.2:5070"));
}

TEST_CASE("preflight: too few caller numbers are counted before anything is dialled") {
  Case few(trunk("", {"sip:*@127.0.0.1:5080"}));
  few.job.mode = scheduler::NumberMode::different_numbers;
  const auto problems = few.check();
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].message.find("needs 3 caller numbers") != std::string::npos);
  CHECK(problems[0].message.find("1 is missing") != std::string::npos);
  few.job.reuse_numbers = true;
  CHECK(few.check().empty());
}

TEST_CASE("preflight: an agent that calls us needs a door, and is asked only where the trunk allows") {
  Case called(trunk("", {}));
  called.job.dial_target.clear();
  called.job.called = true;
  scheduler::Agent& agent = called.catalog.agents.at(1);
  agent.inbound = false;
  auto problems = called.check();
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].message.find("lets nobody in: name the networks under its incoming.from") !=
        std::string::npos);
  called.config.endpoints[0].callers.push_back(*linecheck::sip::Network::parse("127.0.0.0/8"));
  CHECK(called.check().empty());

  agent.trigger = scheduler::Trigger::message;
  agent.trigger_url = "sip:agent@127.0.0.1:5080";
  problems = called.check();
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].field == "trigger_url");
  called.config.trunks[0].allow = {"sip:agent@127.0.0.1:5080"};
  CHECK(called.check().empty());
  // A webhook is no telephone call.
  agent.trigger = scheduler::Trigger::webhook;
  agent.trigger_url = "http://127.0.0.1:8090/";
  called.config.trunks[0].allow.clear();
  CHECK(called.check().empty());

  called.job.mode = scheduler::NumberMode::different_numbers;
  problems = called.check();
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].message.find("needs 3 caller numbers") != std::string::npos);
}

TEST_CASE("preflight: a metric that does not exist is refused with the nearest one") {
  Case wrong(trunk("", {"sip:*@127.0.0.1:5080"}));
  scheduler::MetricBound bound;
  bound.metric = "latncy_ms.p95";
  wrong.job.thresholds.push_back(bound);
  bound.metric = "latency_ms.p42";
  wrong.job.thresholds.push_back(bound);
  const auto problems = wrong.check();
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].message.find("did you mean 'latency_ms'") != std::string::npos);
  CHECK(problems[1].message.find("no statistic") != std::string::npos);
}

TEST_CASE("preflight: a header that could smuggle another one is refused") {
  Case clean(trunk("", {"sip:*@127.0.0.1:5080"}));
  scheduler::TestProfile profile;
  profile.id = 1;
  profile.main_agent_variables["X-Tier"] = "gold\r\nRoute: <sip:evil@127.0.0.1>";
  clean.catalog.test_profiles.emplace(1, profile);
  scheduler::Problems problems;
  check_catalog(clean.catalog, clean.config, problems);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].field.find("X-Tier") != std::string::npos);
}

TEST_CASE("preflight: the host of a SIP URI") {
  CHECK(host_of_uri("sip:a@example.net:5060;transport=udp") == "example.net");
  CHECK(host_of_uri("sip:example.net") == "example.net");
  CHECK(host_of_uri("sip:a@[::1]:5060") == "::1");
  CHECK(host_of_uri("nonsense").empty());
}
