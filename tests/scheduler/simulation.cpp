// SPDX-License-Identifier: GPL-3.0-or-later
//
// The clock, the process, its writes and its end.
#include "tests/scheduler/simulation.h"

#include <algorithm>
#include <utility>

#include "scheduler/database.h"
#include "tests/scheduler/simulation_expect.h"

namespace linecheck::tests {

using namespace linecheck::scheduler;

SimulationCounts& SimulationCounts::operator+=(const SimulationCounts& other) {
  calls += other.calls;
  kills += other.kills;
  power_cuts += other.power_cuts;
  failed_writes += other.failed_writes;
  zombies += other.zombies;
  refused += other.refused;
  lost += other.lost;
  dropped += other.dropped;
  return *this;
}

Simulation::Simulation(std::uint64_t seed, std::ostream* trace)
    : random_(seed), trace_(trace), disk_(seed ^ 0x9e3779b97f4a7c15U) {
  disk_.on_sync([this] { now_ns_ += roll(kUs, std::max<std::int64_t>(sync_most_ns_, kUs)); });
  looks_often_ = chance(50);
}

Simulation::~Simulation() {
  disk_.stop();
  store_.reset();
}

// ---- time and chance ----

std::int64_t Simulation::roll(std::int64_t first, std::int64_t last) {
  return first + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(last - first + 1));
}

Moment Simulation::now() const {
  return {now_ns_ - boot_ns_, 1'700'000'000'000 + now_ns_ / kMs + wall_step_ms_};
}

void Simulation::at(std::int64_t when, std::function<void()> what) {
  events_.emplace(std::max(when, now_ns_), std::move(what));
}

void Simulation::in_process(std::int64_t when, std::function<void()> what) {
  at(when, [this, mine = process_, what = std::move(what)] {
    if (mine == process_ && store_) what();
  });
}

void Simulation::by(Worker& worker, std::int64_t when, std::function<void()> what) {
  in_process(when, [this, &worker, what = std::move(what)]() mutable {
    if (worker.frozen_until <= now_ns_) return what();
    by(worker, worker.frozen_until, std::move(what));
  });
}

void Simulation::next_event() {
  expect(!events_.empty(), "something is planned as long as calls are left");
  auto next = events_.extract(events_.begin());
  now_ns_ = std::max(now_ns_, next.key());
  next.mapped()();
  if (disk_.stopped() && store_) end_process();
}

// ---- the process ----

void Simulation::start_process() {
  ++process_;
  say("process ", process_, " starts");
  if (!calm_ && chance(10)) disk_.stop_after(static_cast<int>(roll(1, 12)));
  attempt("opening", [this] { store_ = std::make_unique<SqliteJobStore>(directory_.file("jobs.db")); });
  if (!store_ || disk_.stopped()) return end_process();
  books_.restarted(std::exchange(power_was_cut_, false), survey());
  // As the daemon does before it claims anything: what the last process left, then the configuration's
  // limits.
  reap();
  set_limits();
  store_->on_change([this] {
    for (const auto& worker : workers_) plan_look(*worker, now_ns_);
  });
  start_workers();
}

void Simulation::end_process() {
  const bool power = chance(50);
  ++(power ? counts_.power_cuts : counts_.kills);
  say(power ? "power cut" : "kill -9");
  disk_.stop();
  for (const auto& worker : workers_) {
    for (const auto& [id, call] : worker->calls) stale_.push_back(call->lease);
  }
  gathering_.clear();
  store_.reset();
  workers_.clear();
  if (power) disk_.cut_power();
  disk_.start_again();
  now_ns_ += roll(kMs, 20 * kSecond);
  if (power) boot_ns_ = now_ns_ - roll(0, kSecond);
  power_was_cut_ = power_was_cut_ || power;
  at(now_ns_, [this] { start_process(); });
}

// What the tables say. Only looks, with the store open beside it: so nothing reaches the disk by it.
Survey Simulation::survey() const {
  Survey survey;
  Database db(directory_.file("jobs.db"), Database::Mode::read_only);
  {
    Query row = db.query(
        "SELECT s.id, s.state, r.total_calls, r.idempotency_key, r.first_run_id, s.max_calls, "
        "s.calls_per_second FROM result_state s JOIN results r ON r.id = s.id");
    while (row.step()) {
      ResultRow& result = survey[row.integer(0)];
      result.state = static_cast<ResultState>(row.integer(1));
      result.total = static_cast<std::uint64_t>(row.integer(2));
      result.key = row.text(3);
      result.first_run_id = row.integer(4);
      if (!row.null(5)) result.limits.max_calls = static_cast<int>(row.integer(5));
      if (!row.null(6)) result.limits.calls_per_second = row.real(6);
    }
  }
  Query row = db.query(
      "SELECT c.run_id, c.result_id, c.state, c.attempt, c.dials, c.worker, o.document, (SELECT count(*) "
      "FROM "
      "past_attempts p WHERE p.run_id = c.run_id AND p.reason = 'lost') "
      "FROM calls c LEFT JOIN outcomes o ON o.run_id = c.run_id");
  while (row.step()) {
    Row& run = survey[row.integer(1)].runs[row.integer(0)];
    run.spot.state = static_cast<int>(row.integer(2));
    run.spot.attempt = static_cast<int>(row.integer(3));
    run.spot.dials = static_cast<int>(row.integer(4));
    run.worker = row.text(5);
    run.document = row.text(6);
    run.lost = static_cast<int>(row.integer(7));
  }
  return survey;
}

bool Simulation::attempt(const char* what, const std::function<void()>& work) {
  if (disk_.stopped()) return false;
  try {
    work();
    return true;
  } catch (const StoreError& error) {
    ++counts_.failed_writes;
    say(what, " failed: ", error.what());
    if (!disk_.stopped() && error.kind() != StoreError::Kind::disk_full)
      throw SimulationFailed(std::string(what) + ": " + error.what());
    return false;
  }
}

// ---- group commit ----

void Simulation::write(Item item) {
  gathering_.push_back(std::move(item));
  if (gathering_.size() == 1) in_process(now_ns_ + (chance(50) ? 0 : roll(0, 20 * kMs)), [this] { flush(); });
}

void Simulation::flush() {
  const std::vector<Item> items = std::exchange(gathering_, {});
  const bool good = attempt("a batch", [&] {
    if (items.size() == 1 && chance(50)) return items[0].work();
    store_->batch([&] {
      for (const Item& item : items) item.work();
    });
  });
  for (const Item& item : items) (good ? item.done : item.failed)();
}

// ---- the whole ----

void Simulation::run() {
  at(0, [this] { start_process(); });
  after(kMs, [this] { people(); });
  after(roll(0, 5 * kSecond), [this] { trouble(); });
  const std::int64_t until = roll(15, 60) * kSecond;
  while (now_ns_ < until) next_event();
  calm_down();
  const std::int64_t patience = now_ns_ + 4 * 3600 * kSecond;
  while (!store_ || accepted_.size() < jobs_.size() || !books_.all_over()) {
    next_event();
    expect(now_ns_ < patience, "everything is served in the end");
  }
  check_end();
}

// Nothing goes wrong any more, and nobody holds anything back.
void Simulation::calm_down() {
  say("calm");
  calm_ = true;
  sync_most_ns_ = kMs;
  disk_.set_full(false);
  disk_.stop_after(-1);
  for (const auto& worker : workers_) worker->frozen_until = 0;
  for (auto& [name, limits] : limits_) limits.max_calls = std::max(limits.max_calls.value_or(1), 1);
  limits_set_ = false;
}

void Simulation::check_end() {
  std::map<ResultId, Progress> progress;
  for (const auto& [id, result] : books_.results()) {
    progress[id] = store_->result(id)->progress;
    counts_.dropped += progress[id].dropped_starts.total();
  }
  expect(store_->unfinished().empty(), "nothing is unfinished");
  const std::vector<Event> log = store_->events(0, 1'000'000);
  books_.check_end(survey(), progress, log);
}

}  // namespace linecheck::tests
