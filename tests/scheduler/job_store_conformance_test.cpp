// SPDX-License-Identifier: GPL-3.0-or-later
//
// What every JobStore must do, in virtual time: the life of results and calls, leases, crashes, events. Caps
// and control are in job_store_control_test.cpp, random traffic in job_store_traffic_test.cpp.
#include <doctest/doctest.h>

#include <set>

#include "tests/scheduler/job_store_fixtures.h"
#include "tests/scheduler/job_store_steps.h"

using namespace linecheck::scheduler;
using namespace linecheck::tests;
using namespace std::chrono_literals;

namespace {

std::vector<Event::Kind> kinds(JobStore& store) {
  std::vector<Event::Kind> all;
  for (const Event& event : store.events(0, 10'000)) all.push_back(event.kind);
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("a result lives from its creation to its last call", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  RunSpec spec = job(3);
  spec.numbers = {NumberMode::different_numbers, false, {"+1", "+2", "+3"}};
  spec.limits.max_calls = 2;
  const Created created = store.create_run(at(0), spec);
  CHECK(created.result_id > 0);
  CHECK(created.first_run_id > 0);
  CHECK_FALSE(created.existed);
  CHECK(store.unfinished() == std::vector<ResultId>{created.result_id});

  const Claim claim = store.claim(at(1), ask(10));
  REQUIRE(claim.leases.size() == 2);
  CHECK_FALSE(claim.retry_at_ns.has_value());
  for (std::size_t i = 0; i < 2; ++i) {
    const Lease& lease = claim.leases[i];
    CHECK(lease.result_id == created.result_id);
    CHECK(lease.plan_index == i);
    CHECK(lease.run_id == created.first_run_id + static_cast<RunId>(i));
    CHECK(lease.attempt == 1);
    CHECK(lease.dials == 0);
    CHECK(lease.due_ns == at(1).mono_ns);
    CHECK(lease.expires_ns == at(31).mono_ns);
    CHECK(lease.caller_number == "+" + std::to_string(i + 1));
  }
  CHECK(store.begin_call(at(1), claim.leases[0]) == Begun::yes);
  CHECK(store.end_call(at(2), claim.leases[0]));

  auto stored = store.result(created.result_id);
  REQUIRE(stored);
  CHECK(stored->spec.name == "nightly");
  CHECK(stored->spec.job_text == spec.job_text);
  CHECK(stored->spec.settings_json == spec.settings_json);
  CHECK(stored->spec.numbers.pool == spec.numbers.pool);
  CHECK(stored->spec.limits.max_calls == 2);
  CHECK(stored->created_unix_ms == at(0).unix_ms);
  CHECK(stored->progress.state == ResultState::active);
  CHECK(stored->progress.total == 3);
  CHECK(stored->progress.waiting == 1);
  CHECK(stored->progress.leased == 1);
  CHECK(stored->progress.in_call == 0);
  CHECK(stored->progress.evaluating == 1);

  // The line of the call that is being evaluated serves the next one.
  const Claim third = store.claim(at(2), ask(10));
  REQUIRE(third.leases.size() == 1);
  CHECK(third.leases[0].caller_number == "+3");

  CHECK_FALSE(store.complete(at(3), claim.leases[0], good()).result_over);
  Outcome bad;
  bad.success = false;
  bad.category = "agent";
  CHECK(store.begin_call(at(3), claim.leases[1]) == Begun::yes);
  CHECK_FALSE(store.complete(at(3), claim.leases[1], bad).result_over);
  Outcome excused;
  excused.status = RunOutcome::failed;
  excused.category = "network";
  CHECK(store.begin_call(at(3), third.leases[0]) == Begun::yes);
  const Completion last = store.complete(at(4), third.leases[0], excused);
  CHECK(last.accepted);
  CHECK(last.result_over);

  stored = store.result(created.result_id);
  REQUIRE(stored);
  CHECK(stored->progress.state == ResultState::over);
  CHECK(stored->progress.done == 3);
  CHECK(stored->progress.succeeded == 1);
  CHECK(stored->progress.failed == 1);
  CHECK(stored->progress.excused == 1);
  CHECK(stored->progress.waiting == 0);
  CHECK(store.unfinished().empty());
  using K = Event::Kind;
  CHECK(kinds(store) == std::vector<K>{K::result_created, K::call_started, K::call_evaluating,
                                       K::call_finished, K::call_started, K::call_finished, K::call_started,
                                       K::call_finished, K::result_over});
}

TEST_CASE_TEMPLATE("run and result ids are unique over the store, also over restarts", Fixture,
                   STORE_FIXTURES) {
  Fixture fixture;
  std::set<RunId> runs;
  std::set<ResultId> results;
  for (int round = 0; round < 3; ++round) {
    for (const std::uint64_t calls : {1U, 1000U, 7U}) {
      const Created created = fixture.store().create_run(at(round), job(calls));
      CHECK(results.insert(created.result_id).second);
      for (std::uint64_t i = 0; i < calls; ++i) {
        CHECK(runs.insert(created.first_run_id + static_cast<RunId>(i)).second);
      }
    }
    fixture.reopen();
  }
}

TEST_CASE_TEMPLATE("the same job handed in twice is one result", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  RunSpec spec = job(2);
  spec.idempotency_key = "sha256:abc nightly.yaml";
  const Created first = fixture.store().create_run(at(0), spec);
  fixture.reopen();
  const Created second = fixture.store().create_run(at(1), spec);
  CHECK(second.existed);
  CHECK(second.result_id == first.result_id);
  CHECK(second.first_run_id == first.first_run_id);
  CHECK(fixture.store().unfinished().size() == 1);
}

TEST_CASE_TEMPLATE("a job without calls is over at once", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  const Created created = fixture.store().create_run(at(0), job(0));
  CHECK(fixture.store().result(created.result_id)->progress.state == ResultState::over);
  CHECK(fixture.store().claim(at(1), ask(5)).leases.empty());
}

TEST_CASE_TEMPLATE("a million calls have no rows until they are claimed", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  const Created created = store.create_run(at(0), job(1'000'000));
  const Claim claim = store.claim(at(0), ask(3));
  REQUIRE(claim.leases.size() == 3);
  CHECK(store.result(created.result_id)->progress.waiting == 999'997);
  REQUIRE(store.begin_call(at(1), claim.leases[0]) == Begun::yes);
  const Controlled cancelled = store.control(at(2), created.result_id, Control::cancel);
  CHECK(cancelled.in_progress == std::vector<RunId>{claim.leases[0].run_id});
  CHECK(store.result(created.result_id)->progress.cancelled == 999'999);
  Outcome hung_up;
  hung_up.status = RunOutcome::cancelled;
  CHECK(store.complete(at(3), claim.leases[0], hung_up).result_over);
  CHECK(store.result(created.result_id)->progress.cancelled == 1'000'000);
}

TEST_CASE_TEMPLATE("only the holder of the newest attempt is heard", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  store.create_run(at(0), job(1));
  const Lease old = claim_one(store, at(0));
  // The worker is stopped for a minute; its lease expires and goes to another one.
  const auto reaped = store.reap(at(40));
  REQUIRE(reaped.size() == 1);
  CHECK(reaped[0].requeued);
  CHECK_FALSE(reaped[0].lost);
  const Claim second = store.claim(at(41), ask(1, "box-2"));
  REQUIRE(second.leases.size() == 1);
  const Lease& current = second.leases[0];
  CHECK(current.run_id == old.run_id);
  CHECK(current.attempt == 2);
  CHECK(current.dials == 0);

  CHECK(store.begin_call(at(42), old) == Begun::lost);
  CHECK(store.heartbeat(at(42), 30s, std::vector<Lease>{old, current}) == std::vector<RunId>{old.run_id});
  CHECK_FALSE(store.release(at(42), old));
  CHECK_FALSE(store.end_call(at(42), old));
  CHECK_FALSE(store.complete(at(42), old, good()).accepted);

  CHECK(store.begin_call(at(42), current) == Begun::yes);
  CHECK(store.begin_call(at(42), current) == Begun::lost);  // once only
  CHECK_FALSE(store.complete(at(43), old, good()).accepted);
  CHECK(store.complete(at(43), current, good()).accepted);
  CHECK_FALSE(store.complete(at(43), current, good()).accepted);
  CHECK(store.result(current.result_id)->progress.succeeded == 1);
}

TEST_CASE_TEMPLATE("a lease that ran out is not begun, one that is kept alive is", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  store.create_run(at(0), job(2));
  const Claim claim = store.claim(at(0), ask(2));
  REQUIRE(claim.leases.size() == 2);
  CHECK(store.heartbeat(at(20), 30s, std::vector<Lease>{claim.leases[1]}).empty());
  CHECK(store.begin_call(at(30), claim.leases[0]) == Begun::lost);
  CHECK(store.begin_call(at(30), claim.leases[1]) == Begun::yes);
  CHECK(store.reap(at(49)).size() == 1);
  CHECK(store.reap(at(50)).size() == 1);
}

TEST_CASE_TEMPLATE("a call that may have been dialled is lost, never dialled again", Fixture,
                   STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  const Created created = store.create_run(at(0), job(2));
  const Claim claim = store.claim(at(0), ask(2));
  REQUIRE(store.begin_call(at(0), claim.leases[0]) == Begun::yes);
  REQUIRE(store.begin_call(at(0), claim.leases[1]) == Begun::yes);
  REQUIRE(store.end_call(at(5), claim.leases[1]));
  const auto reaped = store.reap(at(31));
  REQUIRE(reaped.size() == 2);
  for (const Reaped& call : reaped) {
    CHECK(call.lost);
    CHECK_FALSE(call.requeued);
  }
  CHECK(reaped[1].result_over);
  CHECK(store.claim(at(32), ask(2)).leases.empty());
  CHECK_FALSE(store.complete(at(33), claim.leases[0], good()).accepted);
  const Progress progress = store.result(created.result_id)->progress;
  CHECK(progress.state == ResultState::over);
  CHECK(progress.excused == 2);
  CHECK(store.amend(claim.leases[0].run_id, 1, R"({"status":"failed"})"));
  CHECK_FALSE(store.amend(claim.leases[0].run_id, 2, "{}"));
  CHECK_FALSE(store.amend(4711, 1, "{}"));
}

TEST_CASE_TEMPLATE("retry_after_dial dials a lost call again", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  RunSpec spec = job(1);
  spec.retry_after_dial = true;
  store.create_run(at(0), spec);
  const Lease first = claim_one(store, at(0));
  REQUIRE(store.begin_call(at(0), first) == Begun::yes);
  const auto reaped = store.reap(at(31));
  REQUIRE(reaped.size() == 1);
  CHECK(reaped[0].requeued);
  const Lease second = claim_one(store, at(32));
  CHECK(second.attempt == 2);
  CHECK(second.dials == 1);
  finish(store, at(33), second);
  CHECK(store.unfinished().empty());
}

TEST_CASE_TEMPLATE("an outcome that asks for another attempt is kept, and the run goes on", Fixture,
                   STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  const Created created = store.create_run(at(0), job(1));
  const Lease first = claim_one(store, at(0));
  REQUIRE(store.begin_call(at(0), first) == Begun::yes);
  Outcome failed;
  failed.success = false;
  failed.again = true;
  const Completion completion = store.complete(at(1), first, failed);
  CHECK(completion.accepted);
  CHECK_FALSE(completion.result_over);
  CHECK(store.result(created.result_id)->progress.failed == 0);
  const Lease second = claim_one(store, at(2));
  CHECK(second.dials == 1);
  finish(store, at(3), second);
  const Progress progress = store.result(created.result_id)->progress;
  CHECK(progress.succeeded == 1);
  CHECK(progress.done == 1);
}

TEST_CASE_TEMPLATE("a lease given back goes to the next who asks, before the rest", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  RunSpec spec = job(3);
  spec.limits.max_calls = 1;
  store.create_run(at(0), spec);
  const Lease lease = claim_one(store, at(0));
  CHECK(store.claim(at(0), ask(1)).leases.empty());
  CHECK(store.release(at(0), lease));
  CHECK_FALSE(store.release(at(0), lease));
  const Lease again = claim_one(store, at(0));
  CHECK(again.plan_index == 0);
  CHECK(again.attempt == 2);
  REQUIRE(store.begin_call(at(0), again) == Begun::yes);
  CHECK_FALSE(store.release(at(0), again));
}

TEST_CASE_TEMPLATE("a call that could not be dialled is completed without begin_call", Fixture,
                   STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  store.create_run(at(0), job(1));
  Outcome no_port;
  no_port.status = RunOutcome::failed;
  no_port.category = "engine";
  CHECK(store.complete(at(1), claim_one(store, at(0)), no_port).result_over);
}

TEST_CASE_TEMPLATE("after a crash nothing is doubled and nothing forgotten", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  const Created created = fixture.store().create_run(at(0), job(5));
  const Claim claim = fixture.store().claim(at(0), ask(4));
  REQUIRE(claim.leases.size() == 4);
  finish(fixture.store(), at(1), claim.leases[0]);
  REQUIRE(fixture.store().begin_call(at(1), claim.leases[1]) == Begun::yes);
  REQUIRE(fixture.store().begin_call(at(1), claim.leases[2]) == Begun::yes);
  REQUIRE(fixture.store().end_call(at(2), claim.leases[2]));
  const auto before = fixture.store().events(0, 1000);
  fixture.crash();  // claim 3 was leased only

  CHECK(fixture.store().unfinished() == std::vector<ResultId>{created.result_id});
  const auto reaped = fixture.store().reap(at(0));  // another boot: a clock that starts over
  REQUIRE(reaped.size() == 3);
  std::set<RunId> lost, requeued;
  for (const Reaped& call : reaped) (call.lost ? lost : requeued).insert(call.run_id);
  CHECK(lost == std::set<RunId>{claim.leases[1].run_id, claim.leases[2].run_id});
  CHECK(requeued == std::set<RunId>{claim.leases[3].run_id});

  const Claim rest = fixture.store().claim(at(1), ask(10));
  REQUIRE(rest.leases.size() == 2);
  CHECK(rest.leases[0].run_id == claim.leases[3].run_id);
  CHECK(rest.leases[0].attempt == 2);
  CHECK(rest.leases[1].plan_index == 4);
  for (const Lease& lease : rest.leases) finish(fixture.store(), at(2), lease);
  const Progress progress = fixture.store().result(created.result_id)->progress;
  CHECK(progress.state == ResultState::over);
  CHECK(progress.succeeded == 3);
  CHECK(progress.excused == 2);

  // The log goes on where it was.
  const auto after = fixture.store().events(0, 1000);
  REQUIRE(after.size() > before.size());
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(after[i].sequence == before[i].sequence);
}

TEST_CASE_TEMPLATE("events are read in order from any point", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  store.create_run(at(0), job(20));
  for (int i = 0; i < 20; ++i) finish(store, at(i), claim_one(store, at(i)));
  const auto all = store.events(0, 1000);
  REQUIRE(all.size() == 42);
  std::vector<Event> paged;
  std::int64_t after = 0;
  for (;;) {
    const auto page = store.events(after, 5);
    if (page.empty()) break;
    CHECK(page.size() <= 5);
    paged.insert(paged.end(), page.begin(), page.end());
    after = page.back().sequence;
  }
  REQUIRE(paged.size() == all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(paged[i].sequence == all[i].sequence);
    if (i > 0) CHECK(all[i].sequence > all[i - 1].sequence);
  }
  CHECK(all[2].kind == Event::Kind::call_finished);
  CHECK(all[2].detail == "completed");
  CHECK(all[2].unix_ms == at(0).unix_ms);
}

TEST_CASE_TEMPLATE("a finished result can be removed, an open one cannot", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  const Created created = store.create_run(at(0), job(1));
  CHECK_FALSE(store.forget(at(0), created.result_id));
  const Lease lease = claim_one(store, at(0));
  finish(store, at(0), lease);
  CHECK(store.forget(at(1), created.result_id));
  CHECK_FALSE(store.result(created.result_id).has_value());
  CHECK_FALSE(store.forget(at(1), created.result_id));
  CHECK_FALSE(store.amend(lease.run_id, 1, "{}"));
  const Created next = store.create_run(at(2), job(1));
  CHECK(next.result_id > created.result_id);
  CHECK(next.first_run_id > lease.run_id);
}
