// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/plan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>
#include <vector>

using namespace linecheck::scheduler;

namespace {

Catalog catalog_of(int scenarios) {
  Catalog catalog;
  for (Id id = 1; id <= scenarios; ++id) {
    catalog.scenarios[id].id = id;
    catalog.scenarios[id].personality = 100 + id;
  }
  catalog.scenarios[1].test_profile = 20;
  catalog.personalities[101].id = 101;
  catalog.test_profiles[20].id = 20;
  return catalog;
}

Job job_of(int scenarios, int frequency) {
  Job job;
  for (Id id = 1; id <= scenarios; ++id) job.scenarios.push_back(id);
  job.frequency = frequency;
  job.seed = 42;
  return job;
}

}  // namespace

TEST_CASE("calls of a small job, in order") {
  const Catalog catalog = catalog_of(2);
  Job job = job_of(2, 2);
  job.personality_overrides = {3, 7};
  job.test_profile_overrides = {20, 21, 22};
  const Plan plan(job, catalog);
  REQUIRE(plan.size() == 24);
  using Row = std::tuple<int, Id, Id, Id>;
  std::vector<Row> rows;
  for (std::uint64_t i = 0; i < plan.size(); ++i) {
    const PlannedCall call = plan.at(i);
    CHECK(call.index == i);
    rows.emplace_back(call.repetition, call.scenario, *call.personality, *call.test_profile);
  }
  CHECK(std::is_sorted(rows.begin(), rows.end()));
  CHECK(std::set<Row>(rows.begin(), rows.end()).size() == 24);
  CHECK(rows.front() == Row{0, 1, 3, 20});
  CHECK(rows[1] == Row{0, 1, 3, 21});
  CHECK(rows[3] == Row{0, 1, 7, 20});
  CHECK(rows[6] == Row{0, 2, 3, 20});
  CHECK(rows[12] == Row{1, 1, 3, 20});
}

TEST_CASE("without overrides each scenario has its own") {
  const Catalog catalog = catalog_of(2);
  const Plan plan(job_of(2, 1), catalog);
  REQUIRE(plan.size() == 2);
  CHECK(plan.at(0).personality == 101);
  CHECK(plan.at(0).test_profile == 20);
  CHECK(plan.at(1).personality == 102);
  CHECK_FALSE(plan.at(1).test_profile);
  CHECK(personality_of(plan.at(0), catalog).id == 101);
  CHECK(test_profile_of(plan.at(0), catalog)->id == 20);
  CHECK(test_profile_of(plan.at(1), catalog) == nullptr);
  PlannedCall none;
  CHECK(personality_of(none, catalog).id == 0);
  CHECK(personality_of(none, catalog).response_delay == Millis(250));
}

TEST_CASE("a million calls") {
  const Catalog catalog = catalog_of(50);
  Job job = job_of(50, 2'500);
  job.personality_overrides = {3, 7};
  job.test_profile_overrides = {20, 21, 22, 23};
  const Plan plan(job, catalog);
  REQUIRE(plan.size() == 1'000'000);
  const PlannedCall last = plan.at(999'999);
  CHECK(last.repetition == 2'499);
  CHECK(last.scenario == 50);
  CHECK(last.personality == 7);
  CHECK(last.test_profile == 23);
  const PlannedCall middle = plan.at(123'456);  // 308 * 400 + 32 * 8 + 0
  CHECK(middle.repetition == 308);
  CHECK(middle.scenario == 33);
  CHECK(middle.personality == 3);
  CHECK(middle.test_profile == 20);
}

TEST_CASE("a plan's size that does not fit") {
  Job job = job_of(1, std::numeric_limits<int>::max());
  CHECK(count_calls(job) == 2'147'483'647U);
  job.scenarios.assign(100'000, 1);
  job.personality_overrides.assign(100'000, 1);
  CHECK_FALSE(count_calls(job));
  CHECK(count_calls(Job{}) == 0U);
}

TEST_CASE("seeds differ from call to call and repeat from run to run") {
  const Catalog catalog = catalog_of(1);
  const Plan plan(job_of(1, 10'000), catalog);
  std::set<std::uint64_t> seeds;
  for (std::uint64_t i = 0; i < plan.size(); ++i) seeds.insert(plan.at(i).seed);
  CHECK(seeds.size() == 10'000);
  CHECK(plan.at(17).seed == call_seed(42, 17));
  CHECK(call_seed(42, 17) != call_seed(43, 17));
  // The first outputs of SplitMix64 from 0, as published with it.
  CHECK(call_seed(0, 0) == 0xE220A8397B1DCDAFU);
  CHECK(call_seed(0, 1) == 0x6E789E6AA1B965F4U);
}
