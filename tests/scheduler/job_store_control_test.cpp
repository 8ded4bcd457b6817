// SPDX-License-Identifier: GPL-3.0-or-later
//
// What every JobStore must do, in virtual time: caps, pacing, caller numbers, pause, cancel, batches.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <thread>
#include <utility>

#include "tests/scheduler/job_store_fixtures.h"
#include "tests/scheduler/job_store_steps.h"

using namespace linecheck::scheduler;
using namespace linecheck::tests;
using namespace std::chrono_literals;

TEST_CASE_TEMPLATE("the caps of result, trunk and everything hold at once", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  CHECK(store.set_limit(at(0), LimitScope::global, "", {.max_calls = 5, .calls_per_second = {}}));
  CHECK(store.set_limit(at(0), LimitScope::trunk, "small", {.max_calls = 1, .calls_per_second = {}}));
  RunSpec capped = job(10, "large");
  capped.limits.max_calls = 2;
  store.create_run(at(0), job(10, "small"));
  store.create_run(at(0), capped);
  store.create_run(at(0), job(10, "large"));
  const Claim claim = store.claim(at(0), ask(100));
  CHECK(claim.leases.size() == 5);
  std::map<ResultId, int> per_result;
  for (const Lease& lease : claim.leases) ++per_result[lease.result_id];
  CHECK(per_result[1] == 1);
  CHECK(per_result[2] <= 2);
  CHECK_FALSE(claim.retry_at_ns.has_value());
}

TEST_CASE_TEMPLATE("limits change live and survive a restart", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  const Created created = fixture.store().create_run(at(0), job(100));
  CHECK(fixture.store().set_limit(at(0), LimitScope::trunk, "carrier",
                                  {.max_calls = 3, .calls_per_second = {}}));
  CHECK(fixture.store().claim(at(0), ask(100)).leases.size() == 3);
  CHECK(fixture.store().set_limit(at(0), LimitScope::trunk, "carrier",
                                  {.max_calls = 5, .calls_per_second = {}}));
  CHECK(fixture.store().claim(at(0), ask(100)).leases.size() == 2);
  CHECK(fixture.store().set_limit(at(0), LimitScope::result, std::to_string(created.result_id),
                                  {.max_calls = 4, .calls_per_second = 2.0}));
  CHECK_FALSE(fixture.store().set_limit(at(0), LimitScope::result, "4711", {}));
  CHECK_FALSE(fixture.store().set_limit(at(0), LimitScope::result, "x", {}));
  CHECK_THROWS_AS(
      fixture.store().set_limit(at(0), LimitScope::global, "", {.max_calls = {}, .calls_per_second = 0.0}),
      std::invalid_argument);
  fixture.reopen();
  CHECK(fixture.store().result(created.result_id)->spec.limits.max_calls == 4);
  CHECK(fixture.store().result(created.result_id)->spec.limits.calls_per_second == 2.0);
  CHECK(fixture.store().reap(at(1)).size() == 5);
  ClaimRequest request = ask(100);
  request.ahead = 10s;
  const Claim claim = fixture.store().claim(at(2), request);
  REQUIRE(claim.leases.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(claim.leases[i].due_ns == at(2).mono_ns + static_cast<std::int64_t>(i) * kSecond / 2);
  }
}

TEST_CASE_TEMPLATE("starts are paced by exact times, claimed ahead", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  RunSpec spec = job(20);
  spec.limits.calls_per_second = 3;
  store.create_run(at(0), spec);
  std::vector<std::int64_t> due;
  double now = 0;
  while (due.size() < 20) {
    const Claim claim = store.claim(at(now), ask(8));
    for (const Lease& lease : claim.leases) {
      CHECK(lease.due_ns <= at(now).mono_ns + kSecond / 2);
      due.push_back(lease.due_ns);
    }
    if (due.size() == 20) break;
    REQUIRE(claim.retry_at_ns.has_value());
    REQUIRE(*claim.retry_at_ns >= at(now).mono_ns);
    now = std::max(now + 0.001, static_cast<double>(*claim.retry_at_ns) / 1e9);
  }
  for (std::size_t n = 0; n < due.size(); ++n) {
    CHECK(std::abs(static_cast<double>(due[n]) - static_cast<double>(n) * 1e9 / 3) <= 1.0);
  }
}

TEST_CASE_TEMPLATE("pause holds back what is not dialled, resume lets it go on", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  const Created created = store.create_run(at(0), job(4));
  const Claim claim = store.claim(at(0), ask(2));
  REQUIRE(store.begin_call(at(0), claim.leases[0]) == Begun::yes);
  const Controlled paused = store.control(at(1), created.result_id, Control::pause);
  CHECK(paused.changed);
  CHECK(paused.in_progress == std::vector<RunId>{claim.leases[0].run_id});
  CHECK_FALSE(store.control(at(1), created.result_id, Control::pause).changed);
  CHECK(store.begin_call(at(1), claim.leases[1]) == Begun::paused);
  CHECK(store.claim(at(1), ask(10)).leases.empty());
  CHECK(store.complete(at(2), claim.leases[0], good()).accepted);
  fixture.reopen();
  CHECK(fixture.store().result(created.result_id)->progress.state == ResultState::paused);
  CHECK(fixture.store().claim(at(3), ask(10)).leases.empty());
  CHECK(fixture.store().control(at(4), created.result_id, Control::resume).changed);
  const Claim rest = fixture.store().claim(at(4), ask(10));
  REQUIRE(rest.leases.size() == 3);
  CHECK(rest.leases[0].plan_index == 1);
  for (const Lease& lease : rest.leases) finish(fixture.store(), at(5), lease);
  CHECK(fixture.store().result(created.result_id)->progress.state == ResultState::over);
}

TEST_CASE_TEMPLATE("cancel: nothing new begins, what is in progress is listed and counted when it ends",
                   Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  const Created created = store.create_run(at(0), job(10));
  const Claim claim = store.claim(at(0), ask(3));
  REQUIRE(store.begin_call(at(0), claim.leases[0]) == Begun::yes);
  REQUIRE(store.begin_call(at(0), claim.leases[1]) == Begun::yes);
  REQUIRE(store.complete(at(1), claim.leases[1], good()).accepted);
  const Controlled cancelled = store.control(at(2), created.result_id, Control::cancel);
  CHECK(cancelled.known);
  CHECK(cancelled.changed);
  CHECK_FALSE(cancelled.result_over);
  CHECK(cancelled.in_progress == std::vector<RunId>{claim.leases[0].run_id});
  CHECK(store.begin_call(at(2), claim.leases[2]) == Begun::cancelled);
  CHECK_FALSE(store.control(at(2), created.result_id, Control::resume).changed);
  CHECK(store.claim(at(2), ask(10)).leases.empty());
  CHECK(store.result(created.result_id)->progress.state == ResultState::cancelling);
  Outcome again = good();
  again.again = true;  // comes too late
  CHECK(store.complete(at(3), claim.leases[0], again).result_over);
  const Progress progress = store.result(created.result_id)->progress;
  CHECK(progress.state == ResultState::cancelled);
  CHECK(progress.succeeded == 2);
  CHECK(progress.cancelled == 8);
  CHECK(store.begin_call(at(4), claim.leases[2]) == Begun::cancelled);
  CHECK(store.control(at(4), created.result_id, Control::cancel).known);
  CHECK_FALSE(store.control(at(4), 4711, Control::cancel).known);
}

TEST_CASE_TEMPLATE("cancel of a result without calls in progress ends it", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  const Created created = store.create_run(at(0), job(10));
  const Lease put_back = claim_one(store, at(0));
  REQUIRE(store.release(at(0), put_back));
  CHECK(store.control(at(1), created.result_id, Control::cancel).result_over);
  CHECK(store.result(created.result_id)->progress.cancelled == 10);
  CHECK(store.unfinished().empty());
}

TEST_CASE_TEMPLATE("numbers that are reused are never shared by calls in progress", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  RunSpec spec = job(6);
  spec.numbers = {NumberMode::different_numbers, true, {"+1", "+2"}};
  fixture.store().create_run(at(0), spec);
  const Claim claim = fixture.store().claim(at(0), ask(10));
  REQUIRE(claim.leases.size() == 2);
  CHECK(claim.leases[0].caller_number != claim.leases[1].caller_number);
  REQUIRE(fixture.store().begin_call(at(0), claim.leases[0]) == Begun::yes);
  REQUIRE(fixture.store().begin_call(at(0), claim.leases[1]) == Begun::yes);
  fixture.crash();
  CHECK(fixture.store().claim(at(1), ask(10)).leases.empty());  // both may still be in a call
  CHECK(fixture.store().reap(at(1)).size() == 2);
  CHECK(fixture.store().claim(at(1), ask(10)).leases.size() == 2);
}

TEST_CASE_TEMPLATE("a batch happens whole or not at all", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  RunSpec spec = job(10);
  spec.limits.max_calls = 4;
  const Created created = store.create_run(at(0), spec);
  std::vector<Lease> leases;
  store.batch([&] {
    leases = store.claim(at(0), ask(10)).leases;
    for (const Lease& lease : leases) CHECK(store.begin_call(at(0), lease) == Begun::yes);
  });
  REQUIRE(leases.size() == 4);
  CHECK_THROWS_AS(store.batch([&] {
    CHECK(store.complete(at(1), leases[0], good()).accepted);
    CHECK(store.claim(at(1), ask(10)).leases.size() == 1);
    CHECK(store.control(at(1), created.result_id, Control::cancel).changed);
    throw std::runtime_error("the caller changed its mind");
  }),
                  std::runtime_error);
  CHECK(store.result(created.result_id)->progress.state == ResultState::active);
  CHECK(store.result(created.result_id)->progress.in_call == 4);
  CHECK(store.claim(at(1), ask(10)).leases.empty());
  for (const Lease& lease : leases) CHECK(store.complete(at(2), lease, good()).accepted);
  const Claim next = store.claim(at(2), ask(10));
  REQUIRE(next.leases.size() == 4);
  CHECK(next.leases[0].plan_index == 4);
  CHECK(next.leases[0].attempt == 1);
}

TEST_CASE_TEMPLATE("on_change fires when a claim may yield more", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  int woken = 0;
  store.on_change([&] {
    ++woken;
    // No lock is held: another thread may use the store meanwhile.
    std::thread([&store] { store.heartbeat(at(0), 30s, {}); }).join();
  });
  RunSpec spec = job(2);
  spec.limits.max_calls = 1;
  const Created created = store.create_run(at(0), spec);
  CHECK(std::exchange(woken, 0) == 1);
  const Lease lease = claim_one(store, at(0));
  REQUIRE(store.begin_call(at(0), lease) == Begun::yes);
  CHECK(woken == 0);
  REQUIRE(store.end_call(at(1), lease));
  CHECK(std::exchange(woken, 0) == 1);
  REQUIRE(store.complete(at(1), lease, good()).accepted);
  store.control(at(1), created.result_id, Control::pause);
  CHECK(woken == 0);
  store.control(at(1), created.result_id, Control::resume);
  CHECK(std::exchange(woken, 0) == 1);
  store.set_limit(at(1), LimitScope::global, "", {.max_calls = 9, .calls_per_second = {}});
  CHECK(std::exchange(woken, 0) == 1);
  claim_one(store, at(2));
  CHECK(woken == 0);
  CHECK(store.reap(at(3)).empty());
  CHECK(woken == 0);
  CHECK(store.reap(at(60)).size() == 1);
  CHECK(std::exchange(woken, 0) == 1);
}

TEST_CASE_TEMPLATE("limits and numbers that make no sense are refused", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  RunSpec spec = job(3);
  spec.limits.calls_per_second = -1;
  CHECK_THROWS_AS(fixture.store().create_run(at(0), spec), std::invalid_argument);
  spec = job(3);
  spec.limits.max_calls = -1;
  CHECK_THROWS_AS(fixture.store().create_run(at(0), spec), std::invalid_argument);
  spec = job(3);
  spec.numbers = {NumberMode::different_numbers, false, {"+1", "+2"}};
  CHECK_THROWS_AS(fixture.store().create_run(at(0), spec), std::invalid_argument);
  CHECK(fixture.store().unfinished().empty());
}
