// SPDX-License-Identifier: GPL-3.0-or-later
//
// Nothing that a file may hold crashes the loaders or leaves a refusal unexplained: good files with random
// damage, from a fixed seed, for a few seconds at most.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <string>
#include <string_view>

#include "scheduler/catalog.h"
#include "scheduler/job.h"
#include "scheduler/trunks.h"
#include "tests/scheduler/problems_text.h"

using namespace linecheck::scheduler;

namespace {

constexpr std::array<std::string_view, 6> kSeeds = {
    "id: 1\nname: Booking\nsip_endpoint: sip:polite@127.0.0.1:5080\ncontact_number: \"+15550200001\"\n"
    "sip_auth: {username: u, password_file: /x}\ndial_window: 300s\nenabled_personalities: [3, 7]\n",
    "id: 11\nname: Book\nagent: 1\ntags: [a, 'b']\nfolder_path: Sales.Inbound\nmax_duration: 60\n"
    "conditional_actions:\n  role: You call\n  conditions:\n"
    "    - {id: 0, condition: FIRST_MESSAGE, type: standard, fixed_message: true, action: \"\"}\n"
    "    - {id: 1, condition: 0, type: action_followup, fixed_message: true, action: \"I am "
    "{{test_profile.name}} "
    "<silence time=\\\"2s\\\"/><dtmf digits=\\\"12#\\\"/>\"}\n"
    "    - {id: 2, condition: 1, type: action_followup, fixed_message: true, action: '<interruption "
    "time=\"1s\"/>Bye "
    "<endcall/>'}\nexpect:\n  - {metric: latency_ms.p50, below: 1500}\n  - said: {by: caller, matches: "
    "\"a(b|c)*\"}\n",
    "id: 3\nname: Hurried\nspeed: 1.1\nstop_speaking_plan: {voice_seconds: 0.4}\nbackground_noise: cafe\n"
    "background_sound_volume: {base: 0.1, reduced: 0}\nnetwork_simulation: {send: {packet_loss: 0}}\n",
    "id: 20\nname: Jane\ninformation:\n  main_agent_variables: {X-A: b}\n  testing_agent_variables: &v {a: "
    "\"4471\"}\n"
    "x: *v\ny: |\n  text\n   more\n",
    "{\"agent_id\": 1, \"scenarios\": [11], \"name\": \"\\ud83d\\ude00\", \"frequency\": 3, \"thresholds\": "
    "[{\"metric\": \"latency_ms.p95\", \"below\": 1500}], \"personality_ids\": [3], \"seed\": 42}",
    "- name: a\n  caller_numbers: [\"+15550100001\", {range: \"+15550100100-+15550100199\"}]\n  codecs: "
    "[pcmu]\n"
    "  allow: [\"+1555*\", \"sip:*@x\"]\n  calls_per_second: 10\n"};

constexpr std::array<std::string_view, 28> kPieces = {
    "\"",  "'",      "[",        "]",  "{",   "}",  ": ",       ":",    "- ",
    "\n",  "\t",     "  ",       "#",  "&a ", "*a", "|",        ">-",   "---\n",
    "...", "!!str ", "<silence", "/>", "{{",  "}}", "\xC3\xA9", "\xFF", "0x7fffffffffffffff",
    "null"};

std::string damage(std::string text, std::mt19937_64& random) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (std::size_t times = 1 + below(4); times > 0; --times) {
    const std::size_t at = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        text.insert(at, kPieces[below(kPieces.size())]);
        break;
      case 1:
        text.erase(at, 1 + below(8));
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), below(40)));
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

}  // namespace

TEST_CASE("damaged files are read or refused, with marks inside of the file") {
  std::mt19937_64 random(20250225);
  Catalog catalog;
  const auto good = [&](std::size_t i) {
    Problems none;
    return parse_document(kSeeds[i], "f", none).value();
  };
  Problems problems;
  catalog.agents[1] = parse_agent(good(0), problems).value();
  catalog.agents[1].enabled_personalities.clear();
  catalog.scenarios[11] = parse_scenario(good(1), problems).value();
  catalog.personalities[3] = parse_personality(good(2), problems).value();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(4);
  int files = 0;
  int refused = 0;
  while (files < 20'000 && std::chrono::steady_clock::now() < deadline) {
    const std::string text = damage(std::string(kSeeds[random() % kSeeds.size()]), random);
    const int lines = 2 + static_cast<int>(std::count(text.begin(), text.end(), '\n'));
    ++files;
    problems.clear();
    for (const Node& document : parse_documents(text, "f", problems)) {
      Catalog read = catalog;
      if (auto agent = parse_agent(document, problems)) read.agents[agent->id] = *agent;
      if (auto scenario = parse_scenario(document, problems)) read.scenarios[scenario->id] = *scenario;
      if (auto voice = parse_personality(document, problems)) read.personalities[voice->id] = *voice;
      if (auto profile = parse_test_profile(document, problems)) read.test_profiles[profile->id] = *profile;
      check_references(read, problems);
      parse_trunks(Field(document, "trunks", problems));
      parse_job(document, catalog, problems);
      CHECK_FALSE(document.describe().empty());
    }
    Problems of_the_job;
    const auto job = parse_job(text, "f", catalog, of_the_job);
    if (job.has_value() == !of_the_job.empty()) FAIL("neither a job nor a problem, or both: " << text);
    refused += job ? 0 : 1;
    for (const Problem& problem : problems) {
      const bool inside = problem.mark.line >= 1 && problem.mark.line <= lines && problem.mark.column >= 1 &&
                          problem.mark.column <= static_cast<int>(text.size()) + 2;
      if (!inside || problem.message.empty()) FAIL(problem.text() << " in " << text);
    }
  }
  CHECK(files > 100);
  CHECK(refused > files / 2);
}
