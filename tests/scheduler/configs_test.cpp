// SPDX-License-Identifier: GPL-3.0-or-later
//
// The examples that we ship load without a problem.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>

#include "scheduler/catalog.h"
#include "scheduler/job.h"
#include "scheduler/plan.h"
#include "scheduler/trunks.h"
#include "tests/scheduler/problems_text.h"

using namespace linecheck::scheduler;

namespace fs = std::filesystem;

TEST_CASE("the examples in configs/ are valid") {
  const fs::path configs = fs::path(LINECHECK_SOURCE_DIR) / "configs";
  Problems problems;
  const auto daemon = load_document(configs / "linecheck.yaml", problems);
  REQUIRE_MESSAGE(daemon, problems_text(problems));
  REQUIRE(daemon->find("trunks") != nullptr);
  const auto trunks = parse_trunks(Field(*daemon->find("trunks"), "trunks", problems));
  const Catalog catalog = load_catalog(configs, trunks, problems);
  CHECK_MESSAGE(problems.empty(), problems_text(problems));
  CHECK_FALSE(catalog.agents.empty());
  CHECK_FALSE(catalog.scenarios.empty());
  int jobs = 0;
  for (const auto& file : fs::directory_iterator(configs / "jobs")) {
    const auto job = load_job(file.path(), catalog, problems);
    CHECK_MESSAGE(job, problems_text(problems));
    if (job) CHECK(Plan(*job, catalog).size() > 0);
    ++jobs;
  }
  CHECK(jobs >= 3);
}

TEST_CASE("the schemas are JSON") {
  const fs::path schemas = fs::path(LINECHECK_SOURCE_DIR) / "configs" / "schemas";
  std::set<std::string> names;
  for (const auto& file : fs::directory_iterator(schemas)) {
    Problems problems;
    const auto schema = load_document(file.path(), problems);
    REQUIRE_MESSAGE(schema, problems_text(problems));
    CHECK(schema->find("title") != nullptr);
    names.insert(file.path().filename().string());
  }
  CHECK(names == std::set<std::string>{"agent.schema.json", "job.schema.json", "linecheck.schema.json",
                                       "personality.schema.json", "scenario.schema.json",
                                       "test-profile.schema.json"});
}
