// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include "scheduler/database.h"
#include "tests/scheduler/simulation.h"

using namespace linecheck::tests;
using linecheck::scheduler::Database;
using linecheck::scheduler::StoreError;

namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LINECHECK_SLOW_BUILD
#endif
#endif
#ifdef LINECHECK_SLOW_BUILD
constexpr std::uint64_t kDefaultSeeds = 50;
#else
constexpr std::uint64_t kDefaultSeeds = 500;
#endif

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text && *text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Its last lines: what led to where it went wrong.
std::string tail_of(const std::string& text, std::size_t lines) {
  std::size_t begin = text.size();
  for (std::size_t n = 0; n <= lines && begin != std::string::npos && begin > 0; ++n)
    begin = text.rfind('\n', begin - 1);
  return begin == std::string::npos ? text : text.substr(begin);
}

/// Empty: all is well.
std::string run_seed(std::uint64_t seed, SimulationCounts& counts) {
  try {
    Simulation simulation(seed);
    simulation.run();
    counts += simulation.counts();
    return {};
  } catch (const std::exception& error) {
    std::ostringstream trace;
    try {
      Simulation(seed, &trace).run();
    } catch (const std::exception&) {  // the same again
    }
    return "seed " + std::to_string(seed) + ": not so: " + error.what() +
           "\nreplay it with LINECHECK_SIMULATION_SEED=" + std::to_string(seed) +
           " scheduler_tests --test-case='*simulated boxes*'\n" + tail_of(trace.str(), 40);
  }
}

}  // namespace

TEST_CASE(
    "simulated boxes: caps hold, every call ends once, none is dialled twice, nothing acknowledged is lost") {
  SimulationCounts counts;
  if (const std::uint64_t seed = number_in("LINECHECK_SIMULATION_SEED", 0)) {
    Simulation(seed, &std::cout).run();
    return;
  }
  const std::uint64_t seeds = number_in("LINECHECK_SIMULATION_SEEDS", kDefaultSeeds);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const std::string trouble = run_seed(seed, counts);
    if (!trouble.empty()) FAIL_CHECK(trouble);
  }
  MESSAGE(seeds << " seeds: " << counts.calls << " calls, " << counts.kills << " kills, " << counts.power_cuts
                << " power cuts, " << counts.failed_writes << " failed writes, " << counts.lost
                << " lost calls, " << counts.zombies << " leases lost in a live worker, " << counts.refused
                << " zombies refused, " << counts.dropped << " starts dropped");
  // A simulation in which nothing goes wrong shows nothing.
  CHECK(counts.calls > seeds * 10);
  CHECK(counts.kills > seeds / 2);
  CHECK(counts.power_cuts > seeds / 2);
  CHECK(counts.failed_writes > seeds / 2);
  CHECK(counts.zombies > 0);
  CHECK(counts.refused > 0);
  CHECK(counts.lost > 0);
  CHECK(counts.dropped > 0);
}

TEST_CASE("the simulated disk loses in a power cut what was not synced, and nothing else") {
  int lost = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    SimulatedDisk disk(seed);
    {
      Database db("box.db", Database::Mode::read_write);
      db.execute("CREATE TABLE t (x)");
      db.begin(Database::Durability::durable);
      db.execute("INSERT INTO t VALUES (1)");
      db.commit();
      db.begin(Database::Durability::ordered);
      db.execute("INSERT INTO t VALUES (2)");
      db.commit();
      disk.stop();
    }
    disk.start_again();
    {
      Database db("box.db", Database::Mode::read_write);  // kill -9 loses nothing
      auto row = db.query("SELECT count(*) FROM t");
      CHECK(row.step());
      CHECK(row.integer(0) == 2);
      disk.stop();
    }
    disk.cut_power();
    disk.start_again();
    Database db("box.db", Database::Mode::read_write);
    auto row = db.query("SELECT count(*) FROM t");
    CHECK(row.step());
    CHECK(row.integer(0) >= 1);
    if (row.integer(0) == 1) ++lost;
  }
  CHECK(lost > 0);
  CHECK(lost < 20);
}

TEST_CASE("the simulated disk is full when it is told to be, and fails after so many operations") {
  SimulatedDisk disk(1);
  Database db("box.db", Database::Mode::read_write);
  db.execute("CREATE TABLE t (x)");
  disk.set_full(true);
  try {
    db.execute("INSERT INTO t VALUES (1)");
    FAIL("a full disk takes nothing");
  } catch (const StoreError& error) {
    CHECK(error.kind() == StoreError::Kind::disk_full);
  }
  disk.set_full(false);
  db.execute("INSERT INTO t VALUES (1)");
  disk.stop_after(1);
  CHECK_THROWS_AS(db.execute("INSERT INTO t VALUES (2)"), StoreError);
  CHECK(disk.stopped());
}
