// SPDX-License-Identifier: GPL-3.0-or-later
//
// The answers of a store that runs. What a crash leaves is in simulation_recovery.cpp.
#include "tests/scheduler/simulation_books.h"

#include <algorithm>

#include "tests/scheduler/simulation_expect.h"

namespace linecheck::tests {

using namespace linecheck::scheduler;

namespace {

constexpr double kNsPerSecond = 1e9;
constexpr std::int64_t kNsPerMs = 1'000'000;

bool on_line(const Spot& spot) {
  return spot.state == Spot::leased || spot.state == Spot::in_call;
}

bool open(const Spot& spot) {
  return on_line(spot) || spot.state == Spot::evaluating;
}

}  // namespace

// ---- the books themselves ----

SimulationBooks::Result* SimulationBooks::result_of(RunId run) {
  for (auto& [id, result] : results_) {
    const auto index = run - result.created.first_run_id;
    if (index >= 0 && static_cast<std::uint64_t>(index) < result.spec.total_calls) return &result;
  }
  return nullptr;
}

SimulationBooks::Run* SimulationBooks::find(const Lease& lease) {
  Result* result = result_of(lease.run_id);
  if (!result) return nullptr;
  const auto it = result->runs.find(lease.run_id);
  if (it == result->runs.end()) return nullptr;
  Run& run = it->second;
  return open(run.at) && run.at.attempt == lease.attempt && run.worker == lease.worker ? &run : nullptr;
}

bool SimulationBooks::current(const Lease& lease) const {
  return const_cast<SimulationBooks*>(this)->find(lease) != nullptr;
}

bool SimulationBooks::all_over() const {
  return std::all_of(results_.begin(), results_.end(), [](const auto& entry) { return entry.second.over; });
}

void SimulationBooks::move(Run& run, const Spot& to) {
  run.at = to;
  run.since.push_back(to);
}

// The last write was durable, and all before it are with it.
void SimulationBooks::durable() {
  for (auto& [id, result] : results_) {
    for (auto& [run_id, run] : result.runs) {
      if (run.since.size() > 1) run.since = {run.at};
    }
  }
}

bool SimulationBooks::is_over(const Result& result) {
  const auto done = std::count_if(result.runs.begin(), result.runs.end(),
                                  [](const auto& entry) { return entry.second.at.state == Spot::done; });
  if (result.state == ResultState::cancelling || result.state == ResultState::cancelled)
    return static_cast<std::size_t>(done) == result.runs.size();
  return static_cast<std::uint64_t>(done) == result.total;
}

void SimulationBooks::check_over(Result& result, bool said) {
  expect(!result.over || !said, "a result is over twice");
  expect(said == (!result.over && is_over(result)), "a result is over exactly with its last call");
  if (!said) return;
  result.over = true;
  result.state = result.state == ResultState::cancelling ? ResultState::cancelled : ResultState::over;
}

// ---- results ----

void SimulationBooks::created(const RunSpec& spec, const Created& created) {
  const auto known = std::find_if(results_.begin(), results_.end(), [&](const auto& entry) {
    return entry.second.spec.idempotency_key == spec.idempotency_key;
  });
  if (known != results_.end()) {
    expect(created.existed, "a key that is known makes no second result");
    expect(created.result_id == known->first, "a key leads to its own result");
    return;
  }
  expect(!created.existed, "a key that is not known makes a result");
  expect(created.first_run_id >= next_run_id_, "run ids are never given twice");
  next_run_id_ = created.first_run_id + static_cast<RunId>(spec.total_calls);
  Result result;
  result.spec = spec;
  result.created = created;
  result.total = spec.total_calls;
  results_.emplace(created.result_id, std::move(result));
  durable();
}

void SimulationBooks::controlled(ResultId id, Control what, const Controlled& done) {
  const auto it = results_.find(id);
  expect(done.known == (it != results_.end()), "control() knows the results that there are");
  if (it == results_.end()) return;
  Result& result = it->second;
  std::set<RunId> in_call;
  for (const auto& [run_id, run] : result.runs) {
    if (run.at.state == Spot::in_call) in_call.insert(run_id);
  }
  expect(in_call == std::set<RunId>(done.in_progress.begin(), done.in_progress.end()),
         "control() lists the calls in progress");
  const ResultState was = result.state;
  const bool pause = what == Control::pause && was == ResultState::active;
  const bool resume = what == Control::resume && was == ResultState::paused;
  const bool cancel = what == Control::cancel && (was == ResultState::active || was == ResultState::paused);
  expect(done.changed == (pause || resume || cancel), "control() says whether it changed anything");
  if (pause) result.state = ResultState::paused;
  if (resume) result.state = ResultState::active;
  if (cancel) {
    result.state = ResultState::cancelling;
    for (auto& [run_id, run] : result.runs) {
      if (run.at.state != Spot::queued && run.at.state != Spot::leased) continue;
      move(run, {Spot::done, run.at.attempt, run.at.dials});
    }
    check_over(result, done.result_over);
  } else {
    expect(!done.result_over, "only a cancel ends a result");
  }
  if (done.changed) durable();
}

void SimulationBooks::limited(LimitScope scope, const std::string& name, const Limits& limits) {
  if (scope != LimitScope::result) {
    limits_[name] = limits;
    return;
  }
  results_.at(std::stoll(name)).spec.limits = limits;
  durable();
}

void SimulationBooks::forgotten(ResultId id, bool answer) {
  const auto it = results_.find(id);
  expect(answer == (it != results_.end() && it->second.over), "only a result that is over is forgotten");
  if (answer) results_.erase(id);
}

void SimulationBooks::heard(const std::vector<Event>& events) {
  for (const Event& event : events) {
    expect(log_.empty() || event.sequence > log_.back().sequence, "the log goes forward");
    log_.push_back(event);
  }
}

// ---- claimed ----

void SimulationBooks::check_number(const Result& result, const Lease& lease) {
  const CallerNumbers& numbers = result.spec.numbers;
  if (numbers.pool.empty()) return expect(lease.caller_number.empty(), "no numbers, no caller number");
  if (numbers.mode == NumberMode::same_number)
    return expect(lease.caller_number == numbers.pool[0], "same_number is always the same");
  if (!numbers.reuse)
    return expect(lease.caller_number == numbers.pool.at(lease.plan_index), "each run has its own number");
  for (const auto& [id, other] : result.runs) {
    expect(id == lease.run_id || !on_line(other.at) || other.number != lease.caller_number,
           "no two calls in progress share a number");
  }
}

void SimulationBooks::check_pace(const std::string& gate, const Limits& limits, std::int64_t due) {
  const auto last = last_due_.find(gate);
  if (last != last_due_.end() && limits.calls_per_second) {
    const auto apart = static_cast<double>(due - last->second);
    if (apart < kNsPerSecond / *limits.calls_per_second - 2)
      throw SimulationFailed("no two starts are closer than the rate allows: " + gate);
  }
  last_due_[gate] = due;
}

void SimulationBooks::lease(std::int64_t now, std::int64_t wall_ms, const ClaimRequest& request,
                            const Lease& lease) {
  const auto it = results_.find(lease.result_id);
  expect(it != results_.end(), "a lease is of a result that there is");
  Result& result = it->second;
  expect(result.state == ResultState::active, "only an active result gets leases");
  expect(lease.plan_index < result.total, "a lease is of a call of the plan");
  expect(lease.run_id == result.created.first_run_id + static_cast<RunId>(lease.plan_index),
         "a run's id follows from its index");
  Run& run = result.runs[lease.run_id];
  if (run.since.empty()) run.since = {run.at};
  expect(run.at.state == Spot::none || run.at.state == Spot::queued, "a call has one lease at a time");
  expect(lease.attempt == run.at.attempt + 1, "the attempt goes up with each lease");
  expect(lease.dials == run.at.dials, "a lease knows how often its call was begun before");
  expect(lease.due_ns >= now && lease.due_ns <= now + request.ahead.count(), "a lease is due soon");
  const auto& start = result.spec.start_unix_ms;
  if (start && !result.start_passed)
    expect(wall_ms + (lease.due_ns - now) / kNsPerMs >= *start - 1, "no call before its start time");
  check_number(result, lease);
  check_pace("everything", limits_[""], lease.due_ns);
  check_pace("trunk " + result.spec.trunk, limits_[result.spec.trunk], lease.due_ns);
  check_pace("result " + std::to_string(lease.result_id), result.spec.limits, lease.due_ns);
  move(run, {Spot::leased, lease.attempt, lease.dials});
  run.worker = request.worker;
  run.number = lease.caller_number;
  run.expires_ns = now + request.lease.count();
}

void SimulationBooks::check_caps(const std::vector<Lease>& leases) const {
  if (leases.empty()) return;
  std::map<std::string, int> on;
  std::map<ResultId, int> of;
  int all = 0;
  for (const auto& [id, result] : results_) {
    for (const auto& [run_id, run] : result.runs) {
      if (!on_line(run.at)) continue;
      ++all;
      ++on[result.spec.trunk];
      ++of[id];
    }
  }
  const auto within = [](int calls, const Limits& limits) {
    return !limits.max_calls || calls <= *limits.max_calls;
  };
  const auto limits = [this](const std::string& name) {
    const auto it = limits_.find(name);
    return it == limits_.end() ? Limits() : it->second;
  };
  expect(within(all, limits("")), "the global cap holds");
  for (const Lease& lease : leases) {
    const Result& result = results_.at(lease.result_id);
    expect(within(on[result.spec.trunk], limits(result.spec.trunk)), "a trunk's cap holds");
    expect(within(of[lease.result_id], result.spec.limits), "a result's cap holds");
  }
}

void SimulationBooks::claimed(std::int64_t now, std::int64_t wall_ms, const ClaimRequest& request,
                              const Claim& claim) {
  expect(claim.leases.size() <= request.max, "no more leases than asked for");
  for (auto& [id, result] : results_) {
    const auto& start = result.spec.start_unix_ms;
    result.start_passed = result.start_passed || (start && wall_ms >= *start);
  }
  for (const Lease& one : claim.leases) lease(now, wall_ms, request, one);
  check_caps(claim.leases);
  bool shape_over = false;
  for (const LoadProgress& load : claim.loads) {
    Result& result = results_.at(load.result_id);
    shape_over = shape_over || load.total;
    if (load.total) {
      expect(*load.total == result.runs.size(), "a shape that is over leaves out what was never claimed");
      result.total = *load.total;
    }
    check_over(result, load.result_over);
  }
  if (shape_over) durable();
}

// ---- the life of a call ----

void SimulationBooks::begun(std::int64_t now, const Lease& lease, Begun begun) {
  Run* run = find(lease);
  const auto it = results_.find(lease.result_id);
  const ResultState state = it == results_.end() ? ResultState::over : it->second.state;
  const bool cancelled = state == ResultState::cancelling || state == ResultState::cancelled;
  const bool ready = run && run->at.state == Spot::leased && now < run->expires_ns;
  Begun expected = Begun::lost;
  if (!run && cancelled) expected = Begun::cancelled;
  if (ready) expected = state == ResultState::paused ? Begun::paused : Begun::yes;
  expect(begun == expected, "begin_call() goes by lease, expiry and state");
  if (!ready) return;
  if (begun == Begun::yes) move(*run, {Spot::in_call, run->at.attempt, run->at.dials + 1});
  if (begun == Begun::paused) move(*run, {Spot::queued, run->at.attempt, run->at.dials});
  durable();
}

void SimulationBooks::dialled(const Lease& lease) {
  Result* result = result_of(lease.run_id);
  if (!result) return;
  Run* mine = find(lease);
  // Its lease ran out between begin_call() and here: it may be in other hands, where the job allows that.
  if (!mine && result->spec.retry_after_dial) return;
  Run& run = result->runs.at(lease.run_id);
  expect(!run.dialled, "no call is dialled twice");
  run.dialled = true;
}

void SimulationBooks::ended(const Lease& lease, bool answer) {
  Run* run = find(lease);
  expect(answer == (run && run->at.state == Spot::in_call), "end_call() is for a call in progress");
  if (answer) move(*run, {Spot::evaluating, run->at.attempt, run->at.dials});
}

void SimulationBooks::completed(const Lease& lease, const Outcome& outcome, const Completion& completion) {
  Run* run = find(lease);
  expect(completion.accepted == (run != nullptr), "exactly the lease's holder completes a call");
  if (!run) return;
  Result& result = results_.at(lease.result_id);
  const bool again = outcome.again && result.state != ResultState::cancelling;
  expect(completion.again == again, "complete() says whether another attempt follows");
  if (again) {
    expect(outcome.dialled || !run->dialled, "what was dialled stays dialled");
    const int dials = outcome.dialled ? run->at.dials : std::max(run->at.dials - 1, 0);
    move(*run, {Spot::queued, run->at.attempt, dials});
    run->dialled = false;
    expect(!completion.result_over, "a call that is made again is not the last");
  } else {
    move(*run, {Spot::done, run->at.attempt, run->at.dials});
    run->document = outcome.document;
    check_over(result, completion.result_over);
  }
  durable();
}

void SimulationBooks::released(const Lease& lease, bool answer) {
  Run* run = find(lease);
  expect(answer == (run && run->at.state == Spot::leased), "release() is for a call that has not begun");
  if (answer) move(*run, {Spot::queued, run->at.attempt, run->at.dials});
}

void SimulationBooks::amended(RunId run_id, int attempt, const std::string& document, bool answer) {
  Result* result = result_of(run_id);
  const auto it = result ? result->runs.find(run_id) : std::map<RunId, Run>::iterator();
  const bool done = result && it != result->runs.end() && it->second.at.state == Spot::done;
  expect(answer == (done && it->second.at.attempt == attempt),
         "amend() is for the attempt that ended the run");
  if (answer) it->second.document = document;
}

void SimulationBooks::beaten(std::int64_t now, std::int64_t lease_ns, const std::vector<Lease>& leases,
                             const std::vector<RunId>& lost) {
  std::vector<RunId> expected;
  for (const Lease& lease : leases) {
    if (Run* run = find(lease)) {
      run->expires_ns = std::max(run->expires_ns, now + lease_ns);
    } else {
      expected.push_back(lease.run_id);
    }
  }
  expect(lost == expected, "heartbeat() names the leases that are lost");
}

void SimulationBooks::reaped(std::int64_t now, const std::vector<Reaped>& reaped) {
  for (const Reaped& call : reaped) {
    Result* result = result_of(call.run_id);
    expect(result && result->runs.count(call.run_id) > 0, "what is reaped was leased");
    Run& run = result->runs.at(call.run_id);
    expect(open(run.at) && now >= run.expires_ns, "only an expired lease is reaped");
    expect(call.attempt == run.at.attempt, "reap() names the attempt that expired");
    const bool begun = run.at.state != Spot::leased;
    const bool again =
        result->spec.retry_after_dial && result->state != ResultState::cancelling && run.lost + 1 < kMostLost;
    expect(call.lost == (begun && !again), "a call that may have been dialled is lost");
    expect(call.requeued == !call.lost, "another one is queued again");
    move(run, {call.lost ? Spot::done : Spot::queued, run.at.attempt, run.at.dials});
    if (call.requeued && begun) {
      ++run.lost;
      run.dialled = false;
    }
    check_over(*result, call.result_over);
  }
  for (const auto& [id, result] : results_) {
    for (const auto& [run_id, run] : result.runs)
      expect(!open(run.at) || now < run.expires_ns, "every expired lease is reaped");
  }
  if (!reaped.empty()) durable();
}

}  // namespace linecheck::tests
