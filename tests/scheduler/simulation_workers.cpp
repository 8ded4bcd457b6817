// SPDX-License-Identifier: GPL-3.0-or-later
//
// Workers: the life of each call, as the dispatcher leads it.
#include <algorithm>

#include "tests/scheduler/simulation.h"

namespace linecheck::tests {

using namespace linecheck::scheduler;

namespace {

constexpr Nanos kLease = std::chrono::seconds(30);
constexpr std::int64_t kHeartbeat = 10'000'000'000;
constexpr std::int64_t kAgain = 1'000'000'000;
constexpr std::size_t kStale = 50;

}  // namespace

void Simulation::start_workers() {
  for (int i = 0; i < 2; ++i) {
    workers_.push_back(std::make_unique<Worker>());
    Worker& worker = *workers_.back();
    worker.name = "box-" + std::to_string(process_) + "-" + std::to_string(i);
    plan_look(worker, now_ns_);
    by(worker, now_ns_ + roll(0, kHeartbeat), [this, &worker] { beat(worker); });
  }
}

// ---- claiming ----

void Simulation::plan_look(Worker& worker, std::int64_t when) {
  if (worker.next_look && *worker.next_look <= when) return;
  worker.next_look = when;
  by(worker, when, [this, &worker, when] {
    if (worker.next_look != when) return;  // an earlier one was planned, and was here
    worker.next_look.reset();
    look(worker);
  });
}

void Simulation::look(Worker& worker) {
  ClaimRequest request;
  request.worker = worker.name;
  request.max = static_cast<std::size_t>(roll(1, 8));
  request.lease = kLease;
  const Moment when = now();
  Claim claim;
  if (!attempt("claim", [&] { claim = store_->claim(when, request); })) {
    books_.maybe_claimed();
    return plan_look(worker, now_ns_ + kAgain);
  }
  books_.claimed(when.mono_ns, when.unix_ms, request, claim);
  for (const Lease& lease : claim.leases) {
    say(worker.name, " claims ", lease.run_id, " of ", lease.result_id, ", attempt ", lease.attempt);
    auto call = std::make_shared<Call>();
    call->lease = lease;
    worker.calls[lease.run_id] = call;
    const bool wanted = chance(95);
    by(worker, now_ns_ + roll(0, 300 * kMs), [this, &worker, call, wanted] {
      if (wanted) {
        begin(worker, call);
      } else {
        release(worker, call);
      }
    });
  }
  if (!claim.leases.empty()) return plan_look(worker, now_ns_);
  if (claim.retry_at_ns) plan_look(worker, *claim.retry_at_ns + boot_ns_);
  if (looks_often_) plan_look(worker, now_ns_ + kAgain);
}

// ---- leases ----

void Simulation::beat(Worker& worker) {
  by(worker, now_ns_ + kHeartbeat, [this, &worker] { beat(worker); });
  std::vector<Lease> leases;
  for (const auto& [id, call] : worker.calls) leases.push_back(call->lease);
  const Moment when = now();
  std::vector<RunId> lost;
  if (!attempt("heartbeat", [&] { lost = store_->heartbeat(when, kLease, leases); })) return;
  books_.beaten(when.mono_ns, kLease.count(), leases, lost);
  for (const RunId run : lost) {
    ++counts_.zombies;
    const auto call = worker.calls.at(run);  // what is in the map goes with it
    if (chance(50)) drop(worker, call);      // else it does not listen, and goes on
  }
  reap();
}

void Simulation::reap() {
  const Moment when = now();
  std::vector<Reaped> reaped;
  if (!attempt("reap", [&] { reaped = store_->reap(when); })) return books_.maybe_reaped(when.mono_ns);
  for (const Reaped& call : reaped) {
    say("reaped ", call.run_id, call.lost ? ": lost" : "");
    if (call.lost) ++counts_.lost;
  }
  books_.reaped(when.mono_ns, reaped);
}

void Simulation::drop(Worker& worker, const std::shared_ptr<Call>& call) {
  const auto it = worker.calls.find(call->lease.run_id);
  if (it != worker.calls.end() && it->second == call) worker.calls.erase(it);
  stale_.push_back(call->lease);
  while (stale_.size() > kStale) stale_.pop_front();
}

// ---- the life of a call ----

void Simulation::release(Worker& worker, const std::shared_ptr<Call>& call) {
  auto answer = std::make_shared<bool>();
  write({[this, call, answer] { *answer = store_->release(now(), call->lease); },
         [this, &worker, call, answer] {
           books_.released(call->lease, *answer);
           drop(worker, call);
         },
         [this, &worker, call] {
           books_.maybe_released(call->lease);
           by(worker, now_ns_ + kAgain, [this, &worker, call] { release(worker, call); });
         }});
}

void Simulation::begin(Worker& worker, const std::shared_ptr<Call>& call) {
  auto when = std::make_shared<Moment>();
  auto begun = std::make_shared<Begun>();
  write({[this, call, when, begun] {
           *when = now();
           *begun = store_->begin_call(*when, call->lease);
         },
         [this, &worker, call, when, begun] {
           books_.begun(when->mono_ns, call->lease, *begun);
           if (*begun != Begun::yes) return drop(worker, call);
           const std::int64_t due = call->lease.due_ns + boot_ns_;
           by(worker, std::max(now_ns_, due), [this, &worker, call] { dial(worker, call); });
         },
         [this, &worker, call] {
           books_.maybe_begun(call->lease);
           Outcome outcome;  // excused: the engine's fault
           outcome.status = RunOutcome::failed;
           outcome.document = "not begun: " + call->lease.worker;
           complete(worker, call, outcome);
         }});
}

void Simulation::dial(Worker& worker, const std::shared_ptr<Call>& call) {
  if (chance(4)) {  // told to hang up before it has dialled
    Outcome outcome;
    outcome.status = RunOutcome::cancelled;
    outcome.again = true;
    outcome.dialled = false;
    outcome.document = "not dialled: " + call->lease.worker;
    return complete(worker, call, outcome);
  }
  say("dials ", call->lease.run_id);
  ++counts_.calls;
  books_.dialled(call->lease);
  by(worker, now_ns_ + (chance(10) ? 0 : roll(0, 20 * kSecond)),
     [this, &worker, call] { hang_up(worker, call); });
}

void Simulation::hang_up(Worker& worker, const std::shared_ptr<Call>& call) {
  Outcome outcome;
  const std::int64_t dice = roll(0, 99);
  if (dice < 90) outcome.success = dice < 70;
  outcome.again = outcome.success != true && call->lease.dials < 2 && chance(50);
  if (chance(30)) outcome.late = static_cast<HeldBy>(roll(0, 5));
  outcome.document = call->lease.worker + ", attempt " + std::to_string(call->lease.attempt);
  if (chance(40)) return complete(worker, call, outcome);
  auto answer = std::make_shared<bool>();
  write({[this, call, answer] { *answer = store_->end_call(now(), call->lease); },
         [this, call, answer] { books_.ended(call->lease, *answer); },
         [this, call] { books_.maybe_ended(call->lease); }});
  by(worker, now_ns_ + roll(0, 3 * kSecond),
     [this, &worker, call, outcome] { complete(worker, call, outcome); });
}

void Simulation::complete(Worker& worker, const std::shared_ptr<Call>& call, const Outcome& outcome) {
  auto completion = std::make_shared<Completion>();
  write({[this, call, outcome, completion] { *completion = store_->complete(now(), call->lease, outcome); },
         [this, &worker, call, outcome, completion] {
           books_.completed(call->lease, outcome, *completion);
           drop(worker, call);
         },
         [this, &worker, call, outcome] {
           books_.maybe_completed(call->lease, outcome);
           by(worker, now_ns_ + kAgain, [this, &worker, call, outcome] { complete(worker, call, outcome); });
         }});
}

}  // namespace linecheck::tests
