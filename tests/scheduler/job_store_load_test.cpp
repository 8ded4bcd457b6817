// SPDX-License-Identifier: GPL-3.0-or-later
//
// Load shapes, start times and attempts, as every job store must keep them. Virtual time.
#include <doctest/doctest.h>

#include <map>
#include <vector>

#include "tests/scheduler/job_store_fixtures.h"
#include "tests/scheduler/job_store_steps.h"

using namespace linecheck::tests;

namespace {

RunSpec loaded(double rate, int seconds) {
  LoadShape shape;
  shape.kind = LoadShape::Kind::constant_arrival_rate;
  shape.start = rate;
  shape.stages.push_back({std::chrono::seconds(seconds), rate});
  RunSpec spec = job(LoadCurve(shape).most_starts());
  spec.load = shape;
  return spec;
}

/// Claims and finishes all that is due, every 100 ms; adds up what came.
struct Worker {
  std::uint64_t calls = 0;
  std::map<RunId, int> seen;
  std::optional<LoadProgress> last;
  bool over = false;

  void work(JobStore& store, double from, double until) {
    for (int tick = 0; from + tick * 0.1 < until; ++tick) {
      const Moment now = at(from + tick * 0.1);
      const Claim claim = store.claim(now, ask(100));
      for (const LoadProgress& load : claim.loads) {
        last = load;
        over = over || load.result_over;
      }
      for (const Lease& lease : claim.leases) {
        ++calls;
        ++seen[lease.run_id];
        REQUIRE(store.begin_call(now, lease) == Begun::yes);
        over = store.complete(now, lease, good()).result_over || over;
      }
    }
  }
};

}  // namespace

TEST_CASE_TEMPLATE("a load shape goes on after a crash, and its result is over when the shape is", Fixture,
                   STORE_FIXTURES) {
  Fixture fixture;
  const auto created = fixture.store().create_run(at(0), loaded(10, 10));
  Worker worker;
  worker.work(fixture.store(), 0, 4);
  fixture.crash();
  worker.work(fixture.store(), 1000, 1003);
  const auto middle = fixture.store().result(created.result_id);
  REQUIRE(middle);
  REQUIRE(middle->spec.load);
  CHECK(middle->spec.load->stages.at(0).target == 10);
  CHECK(middle->progress.total == 100);
  // Nobody asks for two seconds: 20 slots or so are gone for good.
  worker.work(fixture.store(), 1005, 1020);
  CHECK(worker.over);
  REQUIRE(worker.last);
  CHECK(worker.last->dropped.total() >= 10);
  CHECK(worker.last->total == worker.calls);
  CHECK(worker.calls + worker.last->dropped.total() == 100);
  for (const auto& [run, times] : worker.seen) CHECK(times == 1);
  fixture.reopen();
  const auto end = fixture.store().result(created.result_id);
  REQUIRE(end);
  CHECK(end->progress.state == ResultState::over);
  CHECK(end->progress.total == worker.calls);
  CHECK(end->progress.succeeded == worker.calls);
  CHECK(end->progress.dropped_starts == worker.last->dropped);
  CHECK(fixture.store().forget(at(2000), created.result_id));
}

TEST_CASE_TEMPLATE("a result whose shape ends while nothing could be called is over", Fixture,
                   STORE_FIXTURES) {
  Fixture fixture;
  RunSpec spec = loaded(10, 2);
  spec.limits.max_calls = 0;
  const auto created = fixture.store().create_run(at(0), spec);
  Worker worker;
  worker.work(fixture.store(), 0, 5);
  CHECK(worker.over);
  CHECK(worker.calls == 0);
  CHECK(worker.last->dropped.named() == std::map<std::string, std::uint64_t>{{"concurrency_limit", 20}});
  CHECK(fixture.store().result(created.result_id)->progress.state == ResultState::over);
}

TEST_CASE_TEMPLATE("a start time is kept over a restart, and follows the wall clock", Fixture,
                   STORE_FIXTURES) {
  Fixture fixture;
  RunSpec spec = job(2);
  spec.start_unix_ms = at(60).unix_ms;
  fixture.store().create_run(at(0), spec);
  CHECK(fixture.store().claim(at(10), ask(5)).leases.empty());
  fixture.reopen();
  CHECK(fixture.store().claim(at(20), ask(5)).leases.empty());
  Moment early = at(30);
  early.unix_ms += 29'700;  // the clock is put forward
  const Claim claim = fixture.store().claim(early, ask(5));
  REQUIRE(claim.leases.size() == 2);
  CHECK(claim.leases[0].due_ns == early.mono_ns + 300'000'000);
}

TEST_CASE_TEMPLATE("attempts: what was dialled is kept, what was not is taken back", Fixture,
                   STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  RunSpec spec = job(1);
  spec.retry_after_dial = true;
  store.create_run(at(0), spec);
  Lease lease = claim_one(store, at(0));
  REQUIRE(store.begin_call(at(0), lease) == Begun::yes);
  Outcome outcome;
  outcome.status = RunOutcome::cancelled;
  outcome.again = true;
  outcome.dialled = false;
  REQUIRE(store.complete(at(1), lease, outcome).accepted);
  lease = claim_one(store, at(1));
  CHECK(lease.dials == 0);
  CHECK(lease.attempt == 2);
  REQUIRE(store.begin_call(at(1), lease) == Begun::yes);
  outcome.status = RunOutcome::failed;
  outcome.dialled = true;
  REQUIRE(store.complete(at(2), lease, outcome).accepted);
  lease = claim_one(store, at(2));
  CHECK(lease.dials == 1);
  REQUIRE(store.begin_call(at(2), lease) == Begun::yes);
  const auto reaped = store.reap(at(100));  // nobody has renewed it
  REQUIRE(reaped.size() == 1);
  CHECK(reaped[0].requeued);
  lease = claim_one(store, at(100));
  CHECK(lease.dials == 2);
  REQUIRE(store.begin_call(at(100), lease) == Begun::yes);
  CHECK(store.complete(at(101), lease, good()).result_over);
}

TEST_CASE_TEMPLATE("a call that was lost three times is not made again", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  RunSpec spec = job(1);
  spec.retry_after_dial = true;
  const auto created = fixture.store().create_run(at(0), spec);
  for (int lost = 1; lost <= kMostLost; ++lost) {
    CAPTURE(lost);
    const Lease lease = claim_one(fixture.store(), at(lost));
    CHECK(lease.dials == lost - 1);
    REQUIRE(fixture.store().begin_call(at(lost), lease) == Begun::yes);
    fixture.crash();
    const auto reaped = fixture.store().reap(at(lost + 0.5));
    REQUIRE(reaped.size() == 1);
    CHECK(reaped[0].requeued == (lost < kMostLost));
    CHECK(reaped[0].lost == (lost == kMostLost));
    CHECK(reaped[0].result_over == (lost == kMostLost));
  }
  CHECK(fixture.store().result(created.result_id)->progress.excused == 1);
}

TEST_CASE_TEMPLATE("late starts are counted over all processes", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  const auto created = fixture.store().create_run(at(0), job(3));
  for (const HeldBy cause : {HeldBy::trunk_cap, HeldBy::engine, HeldBy::trunk_cap}) {
    const Lease lease = claim_one(fixture.store(), at(1));
    REQUIRE(fixture.store().begin_call(at(1), lease) == Begun::yes);
    Outcome outcome = good();
    outcome.late = cause;
    REQUIRE(fixture.store().complete(at(2), lease, outcome).accepted);
    CHECK_FALSE(fixture.store().complete(at(2), lease, outcome).accepted);  // a zombie's counts for nothing
    fixture.crash();
  }
  const auto stored = fixture.store().result(created.result_id);
  CHECK_FALSE(stored->spec.load);
  const std::map<std::string, std::uint64_t> late{{"engine", 1}, {"trunk_channels", 2}};
  CHECK(stored->progress.late_starts_stored.named() == late);
}

TEST_CASE_TEMPLATE("complete says whether another attempt really follows", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  const auto created = store.create_run(at(0), job(1));
  Outcome outcome = good();
  outcome.again = true;
  Lease lease = claim_one(store, at(0));
  REQUIRE(store.begin_call(at(0), lease) == Begun::yes);
  CHECK(store.complete(at(1), lease, outcome).again);
  lease = claim_one(store, at(1));
  REQUIRE(store.begin_call(at(1), lease) == Begun::yes);
  REQUIRE(store.control(at(1), created.result_id, Control::cancel).changed);
  const Completion last = store.complete(at(2), lease, outcome);  // the result was cancelled meanwhile
  CHECK(last.accepted);
  CHECK_FALSE(last.again);
  CHECK(last.result_over);
}
