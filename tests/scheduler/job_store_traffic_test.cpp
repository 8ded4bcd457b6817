// SPDX-License-Identifier: GPL-3.0-or-later
//
// Random traffic against a JobStore: workers that claim, dial, finish, stall, give back and wake up too late;
// crashes and restarts in between. A model beside it knows what must never happen.
#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "tests/scheduler/job_store_fixtures.h"
#include "tests/scheduler/job_store_steps.h"

using namespace linecheck::scheduler;
using linecheck::tests::kMs;
using namespace std::chrono_literals;

namespace {

// What the world outside the store knows of each run.
struct Truth {
  int dialled = 0;
  int finished = 0;
};

template <typename Fixture>
class Traffic {
 public:
  explicit Traffic(unsigned seed) : random_(seed) {
    JobStore& store = fixture_.store();
    global_.max_calls = roll(3, 10);
    store.set_limit(now(), LimitScope::global, "", global_);
    for (const char* name : {"a", "b"}) {
      trunks_[name].max_calls = roll(1, 5);
      if (roll(0, 1)) trunks_[name].calls_per_second = roll(5, 50);
      store.set_limit(now(), LimitScope::trunk, name, trunks_[name]);
    }
    for (int i = 0; i < 5; ++i) add_result();
  }

  void run() {
    for (int step = 0; step < 3000; ++step) {
      clock_ns_ += roll(0, 300) * kMs;
      act();
      check_caps();
    }
    // Then everything is served in order, until nothing is left.
    for (const auto& [id, result] : results_) store().control(now(), id, Control::resume);
    for (int round = 0; round < 10'000 && !store().unfinished().empty(); ++round) {
      clock_ns_ += 40'000 * kMs;
      reap();
      held_.clear();
      claim(8);
      for (const Lease& lease : std::vector<Lease>(held_)) {
        begin(lease);
        complete(lease);
      }
    }
    check_end();
  }

 private:
  struct Result {
    RunSpec spec;
    Created created;
    bool cancelled = false;
  };

  int roll(int first, int last) { return std::uniform_int_distribution<int>(first, last)(random_); }
  JobStore& store() { return fixture_.store(); }
  [[nodiscard]] Moment now() const { return {clock_ns_, 1'700'000'000'000 + clock_ns_ / kMs}; }

  void add_result() {
    Result result;
    result.spec.total_calls = static_cast<std::uint64_t>(roll(1, 60));
    result.spec.trunk = roll(0, 1) ? "a" : "b";
    result.spec.limits.max_calls = roll(1, 4);
    if (roll(0, 2) == 0) result.spec.limits.calls_per_second = roll(2, 30);
    result.spec.priority = roll(0, 2);
    if (roll(0, 1)) result.spec.numbers = {NumberMode::different_numbers, true, {"+1", "+2", "+3"}};
    result.created = store().create_run(now(), result.spec);
    results_[result.created.result_id] = result;
  }

  void act() {
    switch (roll(0, 11)) {
      case 0:
      case 1:
      case 2:
        return claim(static_cast<std::size_t>(roll(1, 4)));
      case 3:
      case 4:
        if (const auto lease = pick(held_, false)) begin(*lease);
        return;
      case 5:
      case 6:
        if (const auto lease = pick(held_, true)) complete(*lease);
        return;
      case 7:
        if (const auto lease = pick(held_, true)) release(*lease);
        return;
      case 8:
        return reap();
      case 9:
        if (const auto lease = pick(stale_, false)) disturb(*lease);
        return;
      case 10:
        return steer();
      default:
        if (roll(0, 15) == 0) restart();
    }
  }

  std::optional<Lease> pick(std::vector<Lease>& from, bool take) {
    if (from.empty()) return std::nullopt;
    const auto at = static_cast<std::ptrdiff_t>(roll(0, static_cast<int>(from.size()) - 1));
    Lease lease = from[static_cast<std::size_t>(at)];
    if (take) from.erase(from.begin() + at);
    return lease;
  }

  void claim(std::size_t max) {
    ClaimRequest request;
    request.worker = "box-" + std::to_string(roll(1, 3));
    request.max = max;
    request.lease = std::chrono::seconds(roll(5, 60));
    for (Lease& lease : store().claim(now(), request).leases) {
      REQUIRE(truth_[lease.run_id].finished == 0);
      in_progress_[lease.run_id] = lease;
      held_.push_back(std::move(lease));
    }
  }

  void begin(const Lease& lease) {
    const Begun begun = store().begin_call(now(), lease);
    if (begun == Begun::yes) {
      ++truth_[lease.run_id].dialled;
      CHECK(truth_[lease.run_id].dialled == 1);
      CHECK(truth_[lease.run_id].finished == 0);
      return;
    }
    if (begun == Begun::paused) gone(lease);
  }

  void complete(const Lease& lease) {
    if (roll(0, 1) && store().end_call(now(), lease)) ended_.insert(lease.run_id);
    Outcome outcome;
    outcome.success = roll(0, 3) != 0;
    if (store().complete(now(), lease, outcome).accepted) {
      ++truth_[lease.run_id].finished;
      gone(lease);
    }
    stale_.push_back(lease);
  }

  void release(const Lease& lease) {
    if (store().release(now(), lease)) {
      gone(lease);
      stale_.push_back(lease);
    } else {
      held_.push_back(lease);
    }
  }

  // A worker that was stopped and does not know that its lease is gone.
  void disturb(const Lease& lease) {
    CHECK(store().begin_call(now(), lease) != Begun::yes);
    CHECK_FALSE(store().end_call(now(), lease));
    CHECK_FALSE(store().release(now(), lease));
    CHECK(store().heartbeat(now(), 30s, std::vector<Lease>{lease}).size() == 1);
    CHECK_FALSE(store().complete(now(), lease, Outcome{}).accepted);
  }

  void reap() {
    for (const Reaped& call : store().reap(now())) {
      const Lease lease = in_progress_.at(call.run_id);
      CHECK(call.lost == (truth_[call.run_id].dialled > 0));
      CHECK(call.requeued != call.lost);
      if (call.lost) ++truth_[call.run_id].finished;
      gone(lease);
      stale_.push_back(lease);
      std::erase_if(held_, [&](const Lease& held) { return held.run_id == call.run_id; });
    }
  }

  void steer() {
    auto it = results_.begin();
    std::advance(it, roll(0, static_cast<int>(results_.size()) - 1));
    const int what = roll(0, 20);
    if (what == 0 && !it->second.cancelled) {
      const bool open = store().control(now(), it->first, Control::cancel).changed;
      it->second.cancelled = open;
      if (open) drop_not_begun(it->first);
    } else if (what < 8) {
      store().control(now(), it->first, Control::pause);
    } else {
      store().control(now(), it->first, Control::resume);
    }
  }

  void drop_not_begun(ResultId result) {
    for (const auto& [run, lease] : std::map<RunId, Lease>(in_progress_)) {
      if (lease.result_id != result || truth_[run].dialled > 0) continue;
      gone(lease);
      stale_.push_back(lease);
      std::erase_if(held_, [ended = run](const Lease& held) { return held.run_id == ended; });
    }
  }

  // Leases die with their process; the store must still know which calls may have been dialled.
  void restart() {
    held_.clear();
    if (roll(0, 1)) {
      fixture_.reopen();
    } else {
      fixture_.crash();
    }
    reap();
    CHECK(in_progress_.empty());
  }

  void gone(const Lease& lease) {
    in_progress_.erase(lease.run_id);
    ended_.erase(lease.run_id);
  }

  void check_caps() {
    std::map<std::string, int> on_trunk;
    std::map<ResultId, int> of_result;
    std::set<std::pair<ResultId, std::string>> numbers;
    int all = 0;
    for (const auto& [run, lease] : in_progress_) {
      if (ended_.count(run)) continue;
      ++all;
      ++on_trunk[results_[lease.result_id].spec.trunk];
      ++of_result[lease.result_id];
      if (!lease.caller_number.empty()) {
        CHECK(numbers.insert({lease.result_id, lease.caller_number}).second);
      }
    }
    CHECK(all <= *global_.max_calls);
    for (const auto& [name, count] : on_trunk) CHECK(count <= *trunks_[name].max_calls);
    for (const auto& [id, count] : of_result) CHECK(count <= *results_[id].spec.limits.max_calls);
  }

  void check_end() {
    CHECK(store().unfinished().empty());
    for (const auto& entry : results_) {
      const ResultId id = entry.first;
      const auto& result = entry.second;
      CAPTURE(id);
      const Progress progress = store().result(id)->progress;
      CHECK(progress.done == result.spec.total_calls);
      CHECK(progress.succeeded + progress.failed + progress.excused + progress.cancelled ==
            result.spec.total_calls);
      CHECK(progress.state == (result.cancelled ? ResultState::cancelled : ResultState::over));
      std::uint64_t finished = 0;
      for (std::uint64_t i = 0; i < result.spec.total_calls; ++i) {
        const Truth& run = truth_[result.created.first_run_id + static_cast<RunId>(i)];
        CHECK(run.dialled <= 1);
        CHECK(run.finished <= 1);
        finished += static_cast<std::uint64_t>(run.finished);
      }
      CHECK(finished + progress.cancelled == result.spec.total_calls);
    }
    // The log tells the same story: every run starts and ends at most once.
    std::map<RunId, int> started, ended;
    for (const Event& event : store().events(0, 1'000'000)) {
      if (event.kind == Event::Kind::call_started) CHECK(++started[event.run_id] == 1);
      if (event.kind == Event::Kind::call_finished || event.kind == Event::Kind::call_lost) {
        CHECK(++ended[event.run_id] == 1);
      }
    }
  }

  Fixture fixture_;
  std::mt19937 random_;
  std::int64_t clock_ns_ = 1'000'000'000;
  Limits global_;
  std::map<std::string, Limits> trunks_;
  std::map<ResultId, Result> results_;
  std::map<RunId, Truth> truth_;
  std::map<RunId, Lease> in_progress_;  // leased and not given back, completed or reaped
  std::set<RunId> ended_;               // of those: the line is free
  std::vector<Lease> held_;             // what workers still act on
  std::vector<Lease> stale_;            // what only a zombie would act on
};

}  // namespace

TEST_CASE_TEMPLATE("random traffic with crashes: caps hold, every run ends once, none is dialled twice",
                   Fixture, STORE_FIXTURES) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Traffic<Fixture>(seed).run();
  }
}

TEST_CASE_TEMPLATE("several threads claim, dial and finish at once", Fixture, STORE_FIXTURES) {
  Fixture fixture;
  JobStore& store = fixture.store();
  constexpr int kTrunkCap = 3;
  constexpr int kGlobalCap = 5;
  store.set_limit(moment_now(), LimitScope::global, "", {.max_calls = kGlobalCap, .calls_per_second = {}});
  store.set_limit(moment_now(), LimitScope::trunk, "a", {.max_calls = kTrunkCap, .calls_per_second = {}});
  std::map<ResultId, std::string> trunk_of;
  std::uint64_t total = 0;
  for (const char* trunk : {"a", "b", "a", "b"}) {
    RunSpec spec;
    spec.total_calls = 40;
    spec.trunk = trunk;
    total += spec.total_calls;
    trunk_of[store.create_run(moment_now(), spec).result_id] = trunk;
  }
  std::atomic<int> everywhere{0}, on_a{0}, worst_everywhere{0}, worst_on_a{0};
  std::atomic<std::uint64_t> finished{0};
  std::atomic<bool> stop{false};
  std::mutex lock;
  std::set<RunId> dialled;
  bool doubled = false;
  const auto highest = [](std::atomic<int>& worst, int value) {
    for (int seen = worst; value > seen && !worst.compare_exchange_weak(seen, value);) {
    }
  };
  const auto work = [&](int number) {
    ClaimRequest request;
    request.worker = "thread-" + std::to_string(number);
    request.max = 2;
    while (finished < total) {
      const Claim claim = store.claim(moment_now(), request);
      for (const Lease& lease : claim.leases) {
        highest(worst_everywhere, ++everywhere);
        if (trunk_of.at(lease.result_id) == "a") highest(worst_on_a, ++on_a);
      }
      for (const Lease& lease : claim.leases) {
        const bool begun = store.begin_call(moment_now(), lease) == Begun::yes;
        {
          const std::lock_guard guard(lock);
          doubled = doubled || (begun && !dialled.insert(lease.run_id).second);
        }
        --everywhere;
        if (trunk_of.at(lease.result_id) == "a") --on_a;
        if (!begun) continue;
        Outcome outcome;
        outcome.success = true;
        if (store.complete(moment_now(), lease, outcome).accepted) ++finished;
      }
      if (claim.leases.empty()) std::this_thread::yield();
    }
  };
  std::thread other([&] {  // the daemon's other interests
    std::int64_t after = 0;
    while (!stop) {
      for (const Event& event : store.events(after, 100)) after = event.sequence;
      for (const auto& [id, trunk] : trunk_of) {
        const auto stored = store.result(id);
        if (stored && stored->progress.done > stored->progress.total) std::abort();
      }
      store.reap(moment_now());
      const std::string first = std::to_string(trunk_of.begin()->first);
      store.set_limit(moment_now(), LimitScope::result, first,
                      {.max_calls = after % 2 ? 1 : 2, .calls_per_second = {}});
    }
  });
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) workers.emplace_back(work, i);
  for (std::thread& worker : workers) worker.join();
  stop = true;
  other.join();
  CHECK(finished == total);
  CHECK(dialled.size() == total);
  CHECK_FALSE(doubled);
  CHECK(worst_everywhere <= kGlobalCap);
  CHECK(worst_on_a <= kTrunkCap);
  CHECK(store.unfinished().empty());
}
