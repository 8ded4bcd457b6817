// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the job store costs, on a real disk with its syncs: whole calls (claim, begin, complete) a second,
// many in one commit as the dispatcher does it, beside bare SQLite transactions that sync as often and as
// much; a job of a million calls accepted, a small one beside it, and cancelled. Run by scripts/bench
// scheduler.
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/database.h"
#include "scheduler/plan.h"
#include "scheduler/sqlite_job_store.h"

using namespace linecheck::scheduler;

namespace {

constexpr std::uint64_t kMillion = 1'000'000;
constexpr std::size_t kTogether = 64;      // calls in one commit
constexpr std::size_t kDocument = 30'000;  // bytes of a run's document

double seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double resident_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmRSS:") continue;
    double kb = 0;
    status >> kb;
    return kb / 1024;
  }
  return 0;
}

RunSpec job(std::uint64_t calls) {
  RunSpec spec;
  spec.name = "bench";
  spec.job_text = "{}";
  spec.settings_json = "{}";
  spec.total_calls = calls;
  spec.trunk = "carrier";
  return spec;
}

ClaimRequest ask() {
  ClaimRequest request;
  request.worker = "bench";
  request.max = kTogether;
  return request;
}

/// Calls a second, through three writes each.
double whole_calls(JobStore& store, std::size_t calls, const std::string& document) {
  Outcome outcome;
  outcome.success = true;
  outcome.document = document;
  std::size_t done = 0;
  const double took = seconds([&] {
    while (done < calls) {
      const Claim claim = store.claim(moment_now(), ask());
      if (claim.leases.empty()) return;
      store.batch([&] {
        for (const Lease& lease : claim.leases) store.begin_call(moment_now(), lease);
      });
      store.batch([&] {
        for (const Lease& lease : claim.leases) store.complete(moment_now(), lease, outcome);
      });
      done += claim.leases.size();
    }
  });
  return static_cast<double>(done) / took;
}

/// The least that such a call can cost: two rows with the same bytes, in as many commits.
double bare_calls(const std::string& file, std::size_t calls, const std::string& document) {
  Database db(file, Database::Mode::read_write);
  db.execute(
      "CREATE TABLE begun (id INTEGER PRIMARY KEY); CREATE TABLE done (id INTEGER PRIMARY KEY, document "
      "TEXT)");
  const auto rows = [&](const char* sql, std::size_t from, bool with_document) {
    db.begin(Database::Durability::durable);
    for (std::size_t i = from; i < from + kTogether; ++i) {
      Query insert = db.query(sql);
      insert.bind(static_cast<std::int64_t>(i));
      if (with_document) insert.bind(document);
      insert.run();
    }
    db.commit();
  };
  std::size_t done = 0;
  const double took = seconds([&] {
    for (; done < calls; done += kTogether) {
      rows("INSERT INTO begun VALUES (?)", done, false);
      rows("INSERT INTO done VALUES (?, ?)", done, true);
    }
  });
  return static_cast<double>(done) / took;
}

/// Microseconds a call, for all of a million.
double expansion() {
  Catalog catalog;
  Job job;
  for (Id id = 1; id <= 10; ++id) {
    catalog.scenarios[id].id = id;
    job.scenarios.push_back(id);
  }
  job.frequency = static_cast<int>(kMillion / 10);
  std::uint64_t sum = 0;
  const double took = seconds([&] {
    const Plan plan(job, catalog);
    for (std::uint64_t i = 0; i < plan.size(); ++i) sum += plan.at(i).seed;
  });
  return sum == 0 ? 0 : took;  // seconds for a million are microseconds for one
}

}  // namespace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  std::size_t calls = 6'400;
  std::string json_file;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--calls") calls = std::stoul(argv[i + 1]);
    if (option == "--json") json_file = argv[i + 1];
  }
  std::string folder = (fs::current_path() / "bench-scheduler-XXXXXX").string();
  if (!mkdtemp(folder.data())) {
    std::cerr << "no folder can be made here for the databases\n";
    return 1;
  }
  const std::string document(kDocument, 'x');
  {
    const double bare = bare_calls(folder + "/bare.db", calls, document);
    SqliteJobStore small(folder + "/small.db");
    small.create_run(moment_now(), job(calls));
    const double with_1k = whole_calls(small, calls, document);

    SqliteJobStore store(folder + "/large.db");
    const double expanded = expansion();
    const double before = resident_mb();
    Created created;
    const double accepted = seconds([&] { created = store.create_run(moment_now(), job(kMillion)); });
    const double with_1m = whole_calls(store, calls, document);
    const double grown = resident_mb() - before;
    store.set_limit(moment_now(), LimitScope::global, "", {.max_calls = 100, .calls_per_second = {}});
    store.claim(moment_now(), ask());
    store.claim(moment_now(), ask());
    const Created beside = store.create_run(moment_now(), job(1));
    Claim claim;
    store.set_limit(moment_now(), LimitScope::global, "", {.max_calls = 101, .calls_per_second = {}});
    const double small_one = seconds([&] { claim = store.claim(moment_now(), ask()); });
    const bool it_was = !claim.leases.empty() && claim.leases[0].result_id == beside.result_id;
    const double cancelled =
        seconds([&] { store.control(moment_now(), created.result_id, Control::cancel); });

    std::printf(
        "calls a second, %zu together, %zu kB each: bare SQLite %.0f, job store %.0f (%.2f of it), "
        "with a million waiting %.0f (%.2f)\n",
        kTogether, kDocument / 1000, bare, with_1k, with_1k / bare, with_1m, with_1m / bare);
    std::printf(
        "a job of a million calls: %.3f us a call to expand, accepted in %.1f ms; %.1f MB more in memory "
        "after %zu calls of it; cancelled in %.1f ms\n",
        expanded, accepted * 1e3, grown, calls, cancelled * 1e3);
    std::printf("a job of one call beside it has the next free line: %s, claimed in %.2f ms\n",
                it_was ? "yes" : "no", small_one * 1e3);
    if (!json_file.empty()) {
      std::ofstream(json_file) << "{\"expand_us_per_call\": " << expanded
                               << ", \"growth_bytes\": " << static_cast<std::int64_t>(grown * 1024 * 1024)
                               << ", \"claims_per_second\": {\"backlog_1k\": " << with_1k
                               << ", \"backlog_1m\": " << with_1m << "}, \"bare_per_second\": " << bare
                               << ", \"small_job_start_delay_ms\": " << small_one * 1e3
                               << ", \"accept_ms\": " << accepted * 1e3
                               << ", \"cancel_ms\": " << cancelled * 1e3 << "}\n";
    }
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return 0;
}
