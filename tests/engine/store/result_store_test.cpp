// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/store/result_store.h"

#include <doctest/doctest.h>

#include <thread>

#include "scheduler/sqlite_job_store.h"
#include "tests/temporary_directory.h"

using namespace linecheck;
using engine::ResultFilter;
using engine::ResultStore;
using engine::StoredResultDocument;
using scheduler::Database;
using tests::TemporaryDirectory;

namespace {

StoredResultDocument document(std::int64_t id, const std::string& name) {
  StoredResultDocument result;
  result.id = id;
  result.name = name;
  result.agent = 12;
  result.project = 1376;
  result.status = "completed";
  result.success_rate = 0.75;
  result.scenarios = {11, 12};
  result.created_at = "2025-02-25T21:00:01.990Z";
  result.updated_at = "2025-02-25T21:02:00.000Z";
  result.json = R"({"id": )" + std::to_string(id) + "}";
  return result;
}

std::vector<std::int64_t> ids(const std::vector<StoredResultDocument>& results) {
  std::vector<std::int64_t> ids;
  for (const StoredResultDocument& result : results) ids.push_back(result.id);
  return ids;
}

scheduler::Moment at(std::int64_t seconds) {
  return {seconds * 1'000'000'000, 1'700'000'000'000 + seconds * 1000};
}

std::vector<scheduler::Lease> start_calls(scheduler::JobStore& jobs, std::uint64_t count) {
  scheduler::RunSpec spec;
  spec.total_calls = count;
  jobs.create_run(at(0), spec);
  scheduler::ClaimRequest request;
  request.worker = "box";
  request.max = count;
  auto leases = jobs.claim(at(0), request).leases;
  for (const auto& lease : leases) REQUIRE(jobs.begin_call(at(0), lease) == scheduler::Begun::yes);
  return leases;
}

}  // namespace

TEST_CASE("a result is kept as it was saved, and saved again as it changes") {
  const TemporaryDirectory directory;
  {
    ResultStore store(directory.file("linecheck.db"));
    store.save_result(document(501, "nightly"));
    StoredResultDocument pending = document(502, "");
    pending.status = "pending";
    pending.success_rate.reset();
    pending.project.reset();
    pending.scenarios.clear();
    store.save_result(pending);
  }
  ResultStore store(directory.file("linecheck.db"));
  const auto first = store.result(501);
  REQUIRE(first);
  CHECK(first->name == "nightly");
  CHECK(first->agent == 12);
  CHECK(first->project == 1376);
  CHECK(first->status == "completed");
  CHECK(first->success_rate == 0.75);
  CHECK(first->scenarios == std::vector<std::int64_t>{11, 12});
  CHECK(first->created_at == "2025-02-25T21:00:01.990Z");
  CHECK(first->updated_at == "2025-02-25T21:02:00.000Z");
  CHECK(first->json == R"({"id": 501})");
  const auto second = store.result(502);
  REQUIRE(second);
  CHECK_FALSE(second->success_rate.has_value());
  CHECK_FALSE(second->project.has_value());
  CHECK(second->scenarios.empty());
  CHECK_FALSE(store.result(503).has_value());

  StoredResultDocument changed = *second;
  changed.status = "completed";
  changed.success_rate = 1.0;
  changed.json = std::string(500'000, 'x');
  store.save_result(changed);
  CHECK(store.result(502)->status == "completed");
  CHECK(store.result(502)->json.size() == 500'000);
  CHECK(store.count({}) == 2);
  CHECK(store.remove_result(502));
  CHECK_FALSE(store.remove_result(502));
  CHECK(store.count({}) == 1);
}

TEST_CASE("results are listed newest first, by page and by filter") {
  const TemporaryDirectory directory;
  ResultStore store(directory.file("linecheck.db"));
  for (std::int64_t id = 1; id <= 7; ++id) {
    StoredResultDocument result = document(id, "run " + std::to_string(id));
    result.agent = id <= 5 ? 12 : 13;
    result.project = id <= 3 ? 1 : 2;
    result.scenarios = {id, 100 + id};
    store.save_result(result);
  }
  StoredResultDocument odd = document(8, "100% Sales_Inbound \\ 'quoted'");
  odd.scenarios = {};
  store.save_result(odd);

  CHECK(ids(store.results({}, 0, 3)) == std::vector<std::int64_t>{8, 7, 6});
  CHECK(ids(store.results({}, 6, 3)) == std::vector<std::int64_t>{2, 1});
  CHECK(store.results({}, 9, 3).empty());
  CHECK(store.results({}, 0, 1)[0].json.empty());
  CHECK(store.results({}, 0, 1, true)[0].json == odd.json);

  struct Row {
    ResultFilter filter;
    std::vector<std::int64_t> expected;
  };
  const auto filter = [](std::optional<std::int64_t> agent, std::optional<std::int64_t> project,
                         const char* search, std::vector<std::int64_t> scenarios) {
    ResultFilter made;
    made.agent = agent;
    made.project = project;
    made.search = search;
    made.scenarios = std::move(scenarios);
    return made;
  };
  const Row rows[] = {
      {filter(13, {}, "", {}), {7, 6}}, {filter({}, 1, "", {}), {3, 2, 1}},
      {filter(12, 2, "", {}), {5, 4}},  {filter({}, {}, "RUN 3", {}), {3}},
      {filter({}, {}, "%", {}), {8}},   {filter({}, {}, "s_i", {}), {8}},
      {filter({}, {}, "\\", {}), {8}},  {filter({}, {}, "'quoted'", {}), {8}},
      {filter({}, {}, "", {1}), {1}},   {filter({}, {}, "", {2, 105}), {5, 2}},
      {filter({}, {}, "", {10}), {}},   {filter({}, 99, "", {}), {}},
  };
  for (const Row& row : rows) {
    CHECK(ids(store.results(row.filter, 0, 100)) == row.expected);
    CHECK(store.count(row.filter) == row.expected.size());
  }
}

TEST_CASE("a finished run is there with its document, an unfinished one is not") {
  const TemporaryDirectory directory;
  scheduler::SqliteJobStore jobs(directory.file("linecheck.db"));
  ResultStore store(directory.file("linecheck.db"));
  const auto leases = start_calls(jobs, 5);
  scheduler::Outcome outcome;
  outcome.success = true;
  outcome.document = R"({"id": 1})";
  REQUIRE(jobs.complete(at(1), leases[0], outcome).accepted);
  outcome.success = false;
  outcome.category = "agent";
  outcome.reason = "a check failed";
  outcome.document = R"({"id": 2})";
  REQUIRE(jobs.complete(at(1), leases[1], outcome).accepted);
  // The third one failed first and then passed.
  outcome.again = true;
  REQUIRE(jobs.complete(at(1), leases[2], outcome).accepted);
  scheduler::ClaimRequest request;
  request.worker = "box";
  const auto second = jobs.claim(at(2), request).leases;
  REQUIRE(second.size() == 1);
  scheduler::Outcome passed;
  passed.success = true;
  passed.document = R"({"id": 3, "flaky": true})";
  REQUIRE(jobs.complete(at(2), second[0], passed).accepted);
  // The fourth one is lost, and described afterwards.
  REQUIRE(jobs.heartbeat(at(2), std::chrono::hours(1), std::vector{leases[4]}).empty());
  REQUIRE(jobs.reap(at(60)).size() == 1);

  const std::int64_t first_run = leases[0].run_id;
  const auto ok = store.run(first_run);
  REQUIRE(ok);
  CHECK(ok->result_id == leases[0].result_id);
  CHECK(ok->status == "completed");
  CHECK(ok->success == true);
  CHECK(ok->json == R"({"id": 1})");
  const auto failed = store.run(first_run + 1);
  REQUIRE(failed);
  CHECK(failed->success == false);
  CHECK(failed->category == "agent");
  CHECK(failed->reason == "a check failed");
  CHECK(store.run(first_run + 2)->attempt == 2);
  CHECK(store.run(first_run + 2)->success == true);
  CHECK(store.run(first_run + 2, 2)->json == passed.document);
  CHECK(store.run(first_run + 2, 1)->success == false);
  CHECK_FALSE(store.run(first_run + 2, 3).has_value());
  const auto lost = store.run(first_run + 3);
  REQUIRE(lost);
  CHECK(lost->status == "failed");
  CHECK_FALSE(lost->success.has_value());
  CHECK(lost->category == "engine");
  CHECK(lost->reason == "lost");
  CHECK(lost->json.empty());
  CHECK(jobs.amend(first_run + 3, 1, "{}"));
  CHECK(store.run(first_run + 3)->json == "{}");
  CHECK_FALSE(store.run(first_run + 4).has_value());

  const auto all = store.runs(leases[0].result_id, 0, 100);
  REQUIRE(all.size() == 4);
  for (std::size_t i = 0; i < all.size(); ++i)
    CHECK(all[i].run_id == first_run + static_cast<std::int64_t>(i));
  CHECK(store.runs(leases[0].result_id, 0, 2).size() == 2);
  CHECK(store.runs(leases[0].result_id, first_run + 1, 100).size() == 2);
  CHECK(store.runs(4711, 0, 100).empty());
  const auto bad = store.unsuccessful_runs(leases[0].result_id, 0, 100);
  REQUIRE(bad.size() == 2);
  CHECK(bad[0].run_id == first_run + 1);
  CHECK(bad[1].run_id == first_run + 3);
}

TEST_CASE("a running daemon's results can be looked at from outside, and not written") {
  const TemporaryDirectory directory;
  scheduler::SqliteJobStore jobs(directory.file("linecheck.db"));
  ResultStore store(directory.file("linecheck.db"));
  store.save_result(document(1, "nightly"));
  ResultStore reader(directory.file("linecheck.db"), Database::Mode::read_only);
  CHECK(reader.result(1).has_value());
  store.save_result(document(2, "later"));
  CHECK(reader.count({}) == 2);
  CHECK_THROWS_AS(reader.save_result(document(3, "no")), scheduler::StoreError);
  CHECK(reader.count({}) == 2);
  CHECK_THROWS_AS(ResultStore(directory.file("none.db"), Database::Mode::read_only), scheduler::StoreError);
}

TEST_CASE("a reader refuses a file that is not ours or of a later version") {
  const TemporaryDirectory directory;
  { const Database foreign(directory.file("other.db"), Database::Mode::read_write); }
  CHECK_THROWS_AS(ResultStore(directory.file("other.db"), Database::Mode::read_only), scheduler::StoreError);
  { const ResultStore store(directory.file("linecheck.db")); }
  {
    Database db(directory.file("linecheck.db"), Database::Mode::read_write);
    db.execute("UPDATE schema_version SET version = 2 WHERE component = 'results'");
  }
  CHECK_THROWS_WITH(ResultStore(directory.file("linecheck.db"), Database::Mode::read_only),
                    doctest::Contains("have version 2"));
  CHECK_THROWS_AS(ResultStore(directory.file("linecheck.db")), scheduler::StoreError);
}

TEST_CASE("results are saved and read while calls are completed") {
  const TemporaryDirectory directory;
  scheduler::SqliteJobStore jobs(directory.file("linecheck.db"));
  ResultStore store(directory.file("linecheck.db"));
  const auto leases = start_calls(jobs, 100);
  std::thread completing([&] {
    scheduler::Outcome outcome;
    outcome.success = true;
    outcome.document = std::string(10'000, 'x');
    for (const auto& lease : leases) jobs.complete(at(1), lease, outcome);
  });
  for (std::int64_t id = 1; id <= 50; ++id) {
    store.save_result(document(id, "r"));
    for (const auto& run : store.runs(leases[0].result_id, 0, 1000)) CHECK(run.json.size() == 10'000);
  }
  completing.join();
  CHECK(store.runs(leases[0].result_id, 0, 1000).size() == 100);
  CHECK(store.count({}) == 50);
}
