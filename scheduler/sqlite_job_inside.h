// SPDX-License-Identifier: GPL-3.0-or-later
//
// The inside of SqliteJobStore, shared by its source files: sqlite_job_store.cpp (opening, transactions,
// results), sqlite_job_calls.cpp (the life of a call), sqlite_job_loads.cpp (load shapes and start times),
// sqlite_job_control.cpp (limits, control, reaping) and sqlite_job_reads.cpp (what the reading connection
// answers).
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "scheduler/sqlite_job_store.h"

namespace linecheck::scheduler {

/// The lock on `<database>.lock`, held while the store is open. The kernel drops it when the process dies.
class FileLock {
 public:
  explicit FileLock(const std::string& path);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  int descriptor_;
};

class SqliteJobStore::Inside {
 public:
  Inside(const std::string& path, int busy_ms);

  Created create_run(const Moment& now, const RunSpec& spec);
  Claim claim(const Moment& now, const ClaimRequest& request);
  Begun begin_call(const Moment& now, const Lease& lease);
  std::vector<RunId> heartbeat(const Moment& now, Nanos lease, std::span<const Lease> leases);
  bool end_call(const Moment& now, const Lease& lease);
  Completion complete(const Moment& now, const Lease& lease, const Outcome& outcome);
  bool release(const Moment& now, const Lease& lease);
  bool amend(RunId run, int attempt, const std::string& document);
  bool set_limit(const Moment& now, LimitScope scope, const std::string& name, const Limits& limits);
  Controlled control(const Moment& now, ResultId result, Control what);
  std::vector<Reaped> reap(const Moment& now);
  std::vector<Event> events(std::int64_t after, std::size_t max);
  std::optional<StoredResult> result(ResultId id);
  std::vector<ResultId> unfinished();
  bool forget(const Moment& now, ResultId id);
  void batch(const std::function<void()>& work);

  std::function<void()> wake_;  ///< set before threads share the store

 private:
  enum class CallState { queued, leased, in_call, evaluating, done };

  /// A call that has a row and is not done.
  struct Open {
    ResultId result = 0;
    int attempt = 0;
    int dials = 0;
    CallState state = CallState::queued;
    std::uint32_t number = 0;
    bool line = false;  ///< holds its caps and its number
    std::string worker;
    std::int64_t expires_ns = 0;
  };

  /// A result that is not over.
  struct Known {
    ResultId id = 0;
    RunId first_run_id = 0;
    std::uint64_t total = 0;
    std::uint64_t cursor = 0;
    std::uint64_t done = 0;
    ResultState state = ResultState::active;
    int priority = 0;
    Limits limits;
    std::string trunk;
    NumberMode mode = NumberMode::same_number;
    bool reuse_numbers = false;
    bool retry_after_dial = false;
    std::optional<LoadShape> load;
    LoadSchedule::Saved load_saved;
    HeldStarts late;
    std::optional<std::int64_t> start_unix_ms;
    std::shared_ptr<const std::vector<std::string>> numbers;
  };

  // One write: a transaction of its own, or a part of the batch on this thread. What `work` does to the
  // memory is undone with the transaction when anything throws. Runs wake_ after the lock is gone.
  template <typename Work>
  auto write(Database::Durability durability, Work work) -> decltype(work());
  void undo() noexcept;
  void wake_if_changed(std::unique_lock<std::recursive_mutex>& lock);

  void make_durable();
  void read_calls();
  void read_again();
  void read_limits();
  void read_results();
  static Admission::Result admission_entry(const Known& known);

  [[nodiscard]] Open* find(const Lease& lease);  ///< null: lost, or somebody else's
  Open& touch(RunId run);                        ///< remembers how it was, for undo(); makes it where missing
  void erase(RunId run);
  void remember(RunId run);
  Lease lease(const Moment& now, const ClaimRequest& request, const Admitted& admitted);
  void save_cursors(const std::vector<Admitted>& admitted);
  void read_loads();
  void create_load(const Known& known);
  void follow_clock(const Moment& now);
  LoadProgress save_load(const Moment& now, const LoadNews& news);
  void note_late(ResultId result, HeldBy cause);
  void note_late_starts(const std::vector<Admitted>& admitted);
  [[nodiscard]] bool is_cancelled(ResultId result);
  std::vector<RunId> expired(const Moment& now);
  Reaped reap_call(const Moment& now, RunId run);
  int times_lost(RunId run);  ///< before
  void free_line(Open& call);
  void save_state(RunId run, const Open& call);
  void log(const Moment& now, Event::Kind kind, ResultId result, RunId run = 0, int attempt = 0,
           std::string_view detail = {});
  void keep_attempt(RunId run, const Open& call, const Outcome& outcome);
  void put_back(const Moment& now, RunId run, Open& call, std::string_view why);
  /// `call` is gone afterwards.
  void finish(const Moment& now, RunId run, Open& call, const Outcome& outcome,
              Event::Kind kind = Event::Kind::call_finished);
  struct Counts {
    std::uint64_t succeeded = 0, failed = 0, excused = 0, cancelled = 0;
  };
  void count_done(ResultId result, const Counts& counts);
  bool end_if_over(const Moment& now, ResultId result);
  void set_state(Known& known, ResultState state);
  void set_result_limits(Known& known, const Limits& limits);
  void cancel_waiting(const Moment& now, Known& known);

  FileLock file_lock_;
  Database db_;
  std::recursive_mutex lock_;    ///< recursive: the methods called inside a batch lock again
  int depth_ = 0;                ///< > 0 inside a transaction
  bool failed_ = false;          ///< a method inside the batch threw: the batch must not commit
  bool stale_ = false;           ///< the memory must be read from the file again before it is trusted
  bool changed_ = false;         ///< a claim may yield more than before
  std::int64_t last_event_ = 0;  ///< of this transaction; 0: none yet
  std::atomic<std::int64_t> durable_event_{0};  ///< and all before it
  Admission admission_;
  std::map<ResultId, Known> known_;
  std::unordered_map<RunId, Open> open_;
  std::vector<std::pair<RunId, std::optional<Open>>> journal_;

  std::mutex read_lock_;
  Database reader_;
  std::mutex statistics_lock_;
  std::map<ResultId, std::uint64_t> late_starts_;
};

template <typename Work>
auto SqliteJobStore::Inside::write(Database::Durability durability, Work work) -> decltype(work()) {
  std::unique_lock lock(lock_);
  if (depth_ > 0) {
    try {
      return work();
    } catch (...) {
      failed_ = true;
      throw;
    }
  }
  if (stale_) read_again();
  try {
    db_.begin(durability);
    depth_ = 1;
    last_event_ = 0;
    auto answer = work();
    db_.commit();
    depth_ = 0;
    if (durability == Database::Durability::durable && last_event_ > 0) durable_event_ = last_event_;
    journal_.clear();
    wake_if_changed(lock);
    return answer;
  } catch (...) {
    undo();
    throw;
  }
}

}  // namespace linecheck::scheduler
