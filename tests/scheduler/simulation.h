// SPDX-License-Identifier: GPL-3.0-or-later
//
// A box with a job store on it, through some minutes of a bad life, in virtual time: workers that claim,
// dial, talk and complete as the dispatcher does, people who submit, pause, cancel and change limits, and a
// seeded choice of what goes wrong: kill -9 and power cuts between any two writes of the disk, a disk that is
// slow or full, workers that stop and come back when their leases are gone, steps of the wall clock. In the
// end all is well again, and what is left must be served.
//
// The store is the real SqliteJobStore on a SimulatedDisk; SimulationBooks holds every answer against the
// others. The same seed does the same thing to the last write.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "scheduler/sqlite_job_store.h"
#include "tests/scheduler/simulation_books.h"
#include "tests/scheduler/simulation_disk.h"
#include "tests/temporary_directory.h"

namespace linecheck::tests {

/// How much has happened: a simulation in which nothing goes wrong shows nothing.
struct SimulationCounts {
  std::uint64_t calls = 0, kills = 0, power_cuts = 0, failed_writes = 0, zombies = 0, refused = 0, lost = 0,
                dropped = 0;
  SimulationCounts& operator+=(const SimulationCounts& other);
};

class Simulation {
  static constexpr std::int64_t kUs = 1'000;
  static constexpr std::int64_t kMs = 1'000 * kUs;
  static constexpr std::int64_t kSecond = 1'000 * kMs;

 public:
  /// `trace`: where each step is told; null: nowhere.
  explicit Simulation(std::uint64_t seed, std::ostream* trace = nullptr);
  ~Simulation();

  /// Throws SimulationFailed.
  void run();
  [[nodiscard]] const SimulationCounts& counts() const { return counts_; }

 private:
  struct Call {
    scheduler::Lease lease;
    bool begun = false;
    bool dialled = false;
  };
  struct Worker {
    std::string name;
    std::int64_t frozen_until = 0;
    std::optional<std::int64_t> next_look;
    std::map<scheduler::RunId, std::shared_ptr<Call>> calls;
  };
  /// One write of many that go to disk together.
  struct Item {
    std::function<void()> work;
    std::function<void()> done;
    std::function<void()> failed;
  };

  // ---- time and chance (simulation.cpp)
  std::int64_t roll(std::int64_t first, std::int64_t last);
  bool chance(int percent) { return roll(0, 99) < percent; }
  [[nodiscard]] scheduler::Moment now() const;
  void at(std::int64_t when, std::function<void()> what);
  void after(std::int64_t ns, std::function<void()> what) { at(now_ns_ + ns, std::move(what)); }
  /// For as long as this process lives.
  void in_process(std::int64_t when, std::function<void()> what);
  /// And once the worker is not frozen.
  void by(Worker& worker, std::int64_t when, std::function<void()> what);
  template <class... Parts>
  void say(const Parts&... parts) {
    if (!trace_) return;
    *trace_ << static_cast<double>(now_ns_) / 1e9 << " s: ";
    (*trace_ << ... << parts) << '\n';
  }

  // ---- the process (simulation.cpp)
  void start_process();
  void end_process();
  [[nodiscard]] Survey survey() const;
  /// False: it failed, or the process is dead, and nothing of it counts.
  bool attempt(const char* what, const std::function<void()>& work);
  void write(Item item);
  void flush();
  void next_event();
  void calm_down();
  void check_end();

  // ---- what is done (simulation_world.cpp)
  scheduler::RunSpec some_job();
  scheduler::Limits some_limits(int most_calls);
  void submit(const scheduler::RunSpec& spec);
  void set_limits();
  void people();
  void steer();
  void change_limits();
  void look_after_results();
  void checkpoint();
  void trouble();
  void disturb();

  // ---- workers (simulation_world.cpp)
  void start_workers();
  void plan_look(Worker& worker, std::int64_t when);
  void look(Worker& worker);
  void beat(Worker& worker);
  void reap();
  void begin(Worker& worker, const std::shared_ptr<Call>& call);
  void dial(Worker& worker, const std::shared_ptr<Call>& call);
  void hang_up(Worker& worker, const std::shared_ptr<Call>& call);
  void complete(Worker& worker, const std::shared_ptr<Call>& call, const scheduler::Outcome& outcome);
  void release(Worker& worker, const std::shared_ptr<Call>& call);
  void drop(Worker& worker, const std::shared_ptr<Call>& call);

  std::mt19937_64 random_;
  std::ostream* trace_;
  SimulationCounts counts_;
  TemporaryDirectory directory_;
  SimulatedDisk disk_;
  SimulationBooks books_;

  std::int64_t now_ns_ = 0;
  std::int64_t boot_ns_ = 0;         ///< CLOCK_MONOTONIC began
  std::int64_t wall_step_ms_ = 0;    ///< what has been added to the wall clock
  std::int64_t sync_most_ns_ = kMs;  ///< how long a sync takes at most
  bool calm_ = false;
  bool looks_often_ = false;  ///< each second, as the dispatcher does; else only when the store says
  std::multimap<std::int64_t, std::function<void()>> events_;

  std::unique_ptr<scheduler::SqliteJobStore> store_;
  std::uint64_t process_ = 0;
  bool power_was_cut_ = false;  ///< since a process last had a look
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Item> gathering_;
  std::deque<scheduler::Lease> stale_;  ///< what only a zombie would act on
  std::map<std::string, scheduler::Limits> limits_;
  bool limits_set_ = false;
  std::vector<scheduler::RunSpec> jobs_;
  std::set<std::string> accepted_;  ///< their keys
  std::int64_t heard_ = 0;          ///< events
};

}  // namespace linecheck::tests
