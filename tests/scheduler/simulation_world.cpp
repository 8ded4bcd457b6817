// SPDX-License-Identifier: GPL-3.0-or-later
//
// People who want something of the store, and what goes wrong meanwhile.
#include <algorithm>
#include <iterator>

#include "scheduler/database.h"
#include "tests/scheduler/simulation.h"
#include "tests/scheduler/simulation_expect.h"

namespace linecheck::tests {

using namespace linecheck::scheduler;

namespace {

constexpr std::size_t kMostJobs = 7;
constexpr std::int64_t kHourMs = 3'600'000;

}  // namespace

// ---- jobs ----

Limits Simulation::some_limits(int most_calls) {
  Limits limits;
  if (chance(80)) limits.max_calls = static_cast<int>(roll(1, most_calls));
  if (chance(40)) limits.calls_per_second = static_cast<double>(roll(1, 40)) / 2;
  return limits;
}

RunSpec Simulation::some_job() {
  RunSpec spec;
  spec.idempotency_key = "job-" + std::to_string(jobs_.size());
  spec.name = spec.idempotency_key;
  spec.total_calls = static_cast<std::uint64_t>(roll(1, 20));
  spec.trunk = chance(50) ? "a" : "b";
  spec.limits = some_limits(4);
  spec.priority = static_cast<int>(roll(0, 2));
  spec.retry_after_dial = chance(30);
  if (chance(20)) spec.start_unix_ms = now().unix_ms + roll(-10'000, 60'000);
  if (chance(25)) {
    LoadShape shape;
    shape.kind = static_cast<LoadShape::Kind>(roll(0, 3));
    const double level = static_cast<double>(roll(1, 4));
    shape.start = chance(50) ? 0 : level;
    shape.stages.push_back({std::chrono::seconds(roll(2, 10)), level});
    spec.total_calls = LoadCurve(shape).most_starts();
    spec.load = shape;
  }
  if (chance(50)) {
    spec.numbers.mode = chance(30) ? NumberMode::same_number : NumberMode::different_numbers;
    spec.numbers.reuse = chance(50);
    const auto count = spec.numbers.reuse ? static_cast<std::uint64_t>(roll(1, 5)) : spec.total_calls + 1;
    for (std::uint64_t i = 0; i < count; ++i) spec.numbers.pool.push_back("+" + std::to_string(i));
  }
  return spec;
}

void Simulation::submit(const RunSpec& spec) {
  const Moment when = now();
  Created created;
  if (!attempt("create_run", [&] { created = store_->create_run(when, spec); }))
    return books_.maybe_created(spec);
  say("accepted ", spec.idempotency_key, " as ", created.result_id, created.existed ? " again" : "");
  accepted_.insert(spec.idempotency_key);
  books_.created(spec, created);
}

// ---- limits ----

void Simulation::set_limits() {
  if (limits_.empty()) {
    for (const char* name : {"", "a", "b"}) limits_[name] = some_limits(*name ? 5 : 8);
  }
  limits_set_ = true;
  for (const auto& [name, limits] : limits_) {
    const LimitScope scope = name.empty() ? LimitScope::global : LimitScope::trunk;
    const Moment when = now();
    if (attempt("set_limit",
                [&, &name = name, &limits = limits] { store_->set_limit(when, scope, name, limits); })) {
      books_.limited(scope, name, limits);
    } else {
      limits_set_ = false;
    }
  }
}

void Simulation::change_limits() {
  if (books_.results().empty() || chance(40)) {
    auto it = limits_.begin();
    std::advance(it, roll(0, 2));
    it->second = some_limits(6);
    return set_limits();
  }
  auto it = books_.results().begin();
  std::advance(it, roll(0, static_cast<std::int64_t>(books_.results().size()) - 1));
  const Limits limits = some_limits(4);
  const std::string name = std::to_string(it->first);
  const Moment when = now();
  bool known = false;
  if (!attempt("set_limit", [&] { known = store_->set_limit(when, LimitScope::result, name, limits); }))
    return books_.maybe_limited(name, limits);
  expect(known == !it->second.over, "an open result's limits can be changed");
  if (known) books_.limited(LimitScope::result, name, limits);
}

// ---- people ----

void Simulation::steer() {
  if (books_.results().empty()) return;
  auto it = books_.results().begin();
  std::advance(it, roll(0, static_cast<std::int64_t>(books_.results().size()) - 1));
  const ResultId id = it->first;
  const std::int64_t dice = roll(0, 99);
  const Control what = dice < 45 ? Control::pause : dice < 90 ? Control::resume : Control::cancel;
  const Moment when = now();
  Controlled done;
  if (!attempt("control", [&] { done = store_->control(when, id, what); }))
    return books_.maybe_controlled(id, what);
  say("control ", static_cast<int>(what), " of ", id, done.changed ? "" : ": no change");
  books_.controlled(id, what, done);
}

// Looks at what is over: writes a report anew, clears away.
void Simulation::look_after_results() {
  if (books_.results().empty()) return;
  auto it = books_.results().begin();
  std::advance(it, roll(0, static_cast<std::int64_t>(books_.results().size()) - 1));
  const auto& [id, result] = *it;
  const Moment when = now();
  bool answer = false;
  if (!result.runs.empty() && chance(70)) {
    auto run = result.runs.begin();
    std::advance(run, roll(0, static_cast<std::int64_t>(result.runs.size()) - 1));
    const RunId run_id = run->first;
    const int attempt_number = run->second.at.attempt;
    const std::string document = "again at " + std::to_string(now_ns_);
    if (attempt("amend", [&] { answer = store_->amend(run_id, attempt_number, document); })) {
      books_.amended(run_id, attempt_number, document, answer);
    } else {
      books_.maybe_amended(run_id, document);
    }
    return;
  }
  const ResultId forgotten = id;
  if (attempt("forget", [&] { answer = store_->forget(when, forgotten); })) {
    books_.forgotten(forgotten, answer);
  } else {
    books_.maybe_forgotten(forgotten);
  }
}

// As SQLite does by itself, with a log that these few calls never fill.
void Simulation::checkpoint() {
  attempt("a checkpoint", [this] {
    Database db(directory_.file("jobs.db"), Database::Mode::read_write);
    db.execute(chance(50) ? "PRAGMA wal_checkpoint(PASSIVE)" : "PRAGMA wal_checkpoint(RESTART)");
  });
}

void Simulation::people() {
  after(calm_ ? 5 * kSecond : roll(0, 4 * kSecond), [this] { people(); });
  if (!store_) return;
  for (const RunSpec& spec : jobs_) {
    if (accepted_.count(spec.idempotency_key) == 0 && (calm_ || chance(50))) submit(spec);
  }
  if (!limits_set_) set_limits();
  if (chance(20)) checkpoint();
  if (calm_) {
    for (const auto& [id, result] : books_.results()) {
      if (result.state != ResultState::paused) continue;
      Controlled done;
      const Moment when = now();
      attempt("resume", [&, id = id] { done = store_->control(when, id, Control::resume); });
      return books_.controlled(id, Control::resume, done);  // one at a time: the books have moved
    }
    return;
  }
  const std::int64_t dice = roll(0, 99);
  if (jobs_.empty() || (dice < 40 && jobs_.size() < kMostJobs)) {
    jobs_.push_back(some_job());
    submit(jobs_.back());
  } else if (dice < 45) {
    const RunSpec& spec =
        jobs_.at(static_cast<std::size_t>(roll(0, static_cast<std::int64_t>(jobs_.size()) - 1)));
    const auto& results = books_.results();
    if (std::any_of(results.begin(), results.end(), [&](const auto& entry) {
          return entry.second.spec.idempotency_key == spec.idempotency_key;
        }))
      submit(spec);
  } else if (dice < 65) {
    steer();
  } else if (dice < 75) {
    change_limits();
  } else if (dice < 87) {
    look_after_results();
  } else {
    std::vector<Event> events;
    const auto most = static_cast<std::size_t>(roll(1, 100));
    if (!attempt("events", [&] { events = store_->events(heard_, most); }) || events.empty()) return;
    heard_ = events.back().sequence;
    books_.heard(events);
  }
}

// ---- trouble ----

void Simulation::trouble() {
  if (calm_) return;
  after(roll(0, 8 * kSecond), [this] { trouble(); });
  if (!store_) return;
  const std::int64_t dice = roll(0, 99);
  if (dice < 12) {
    say("dies");
    disk_.stop();
  } else if (dice < 36) {
    disk_.stop_after(static_cast<int>(roll(1, 60)));
  } else if (dice < 50) {
    static constexpr std::int64_t kTimes[] = {20 * kMs, 500 * kMs, 5 * kSecond, 20 * kSecond};
    sync_most_ns_ = kTimes[roll(0, 3)];
    say("slow disk: up to ", sync_most_ns_ / kMs, " ms");
    after(roll(0, 10 * kSecond), [this] { sync_most_ns_ = roll(10 * kUs, 5 * kMs); });
  } else if (dice < 62) {
    say("full disk");
    disk_.set_full(true);
    after(roll(0, 6 * kSecond), [this] { disk_.set_full(false); });
  } else if (dice < 75) {
    if (workers_.empty()) return;
    Worker& worker =
        *workers_[static_cast<std::size_t>(roll(0, static_cast<std::int64_t>(workers_.size()) - 1))];
    worker.frozen_until = now_ns_ + roll(0, 60 * kSecond);
    say(worker.name, " stands still");
  } else if (dice < 85) {
    wall_step_ms_ += roll(-kHourMs, kHourMs);
    say("clock step");
  } else {
    disturb();
  }
}

// Somebody comes back with a lease that is long gone.
void Simulation::disturb() {
  std::erase_if(stale_, [this](const Lease& lease) { return books_.current(lease); });
  if (stale_.empty()) return;
  const auto at_index = static_cast<std::ptrdiff_t>(roll(0, static_cast<std::int64_t>(stale_.size()) - 1));
  const Lease lease = stale_[static_cast<std::size_t>(at_index)];
  stale_.erase(stale_.begin() + at_index);
  const Moment when = now();
  Begun begun = Begun::yes;
  Completion completion;
  Outcome outcome;
  outcome.again = chance(50);
  bool ended = true;
  bool released = true;
  std::vector<RunId> lost;
  const bool done = attempt("a zombie", [&] {
    begun = store_->begin_call(when, lease);
    ended = store_->end_call(when, lease);
    released = store_->release(when, lease);
    lost = store_->heartbeat(when, std::chrono::seconds(30), std::vector<Lease>{lease});
    completion = store_->complete(when, lease, outcome);
  });
  if (!done) return;
  ++counts_.refused;
  books_.begun(when.mono_ns, lease, begun);
  books_.ended(lease, ended);
  books_.released(lease, released);
  books_.beaten(when.mono_ns, 30 * kSecond, {lease}, lost);
  books_.completed(lease, outcome, completion);
}

}  // namespace linecheck::tests
