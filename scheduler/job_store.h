// SPDX-License-Identifier: GPL-3.0-or-later
//
// The one interface between scheduling and running: durable results, the calls inside them, and who works on
// which.
//
// The life of a call as the store sees it:
//
//   (not claimed yet: no row)  --claim-->  leased  --begin_call-->  in_call  --end_call-->  evaluating
//   --complete-->  done
//                                            |                          \______________________|
//                                            | release, pause,                    | lease expired: done as
//                                            failed, reason | lease expired                      | "lost", or
//                                            queued again where the job v v says retry_after_dial
//                                          queued                               done
//
// begin_call is the point of no return: it is on disk before the INVITE leaves, so a call that may have been
// dialled is never silently dialled again.
//
// Identifiers: a result's id is unique over the store. Its runs have consecutive ids, reserved when the
// result is created: run id = first_run_id + plan index, so that a million runs have their ids before any of
// them has a row.
//
// Fencing: each time that a call is leased its attempt number goes up. Whoever comes back with an older
// attempt (a worker that was stopped and woke up) is refused by begin_call, heartbeat, end_call, release and
// complete alike.
//
// Time is handed in (Moment), never read: tests and simulations run in virtual time. All workers of one store
// must use one timeline; for a store inside one process that is CLOCK_MONOTONIC, and leases of an earlier
// process count as expired when the store is opened.
//
// Threads: every method may be called from any thread. Every method may block for as long as the disk or the
// database takes (milliseconds as a rule, seconds on a sick disk): never call one on the control thread or on
// a media worker.
//
// Errors: what cannot be stored or read is thrown as StoreError (scheduler/database.h), and then nothing of
// that method has happened. Refusals that belong to normal operation (a lost lease, a cancelled result) are
// return values.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "scheduler/admission.h"
#include "scheduler/numbers.h"

namespace linecheck::scheduler {

using ResultId = std::int64_t;
using RunId = std::int64_t;
using Nanos = std::chrono::nanoseconds;

/// A call that was in progress so often when its process died is not made again: it may be what kills it.
inline constexpr int kMostLost = 3;

/// One instant on both clocks: leases and pacing go by the steady one, what people read by the wall clock.
struct Moment {
  std::int64_t mono_ns = 0;
  std::int64_t unix_ms = 0;
};

/// The present, from CLOCK_MONOTONIC and CLOCK_REALTIME.
[[nodiscard]] Moment moment_now();

/// A result to be: the accepted job.
struct RunSpec {
  std::string idempotency_key;  ///< not empty: a second create_run with it returns the first result
  std::string name;
  std::string job_text;       ///< the job as it came, so that its plan can be made again after a restart
  std::string settings_json;  ///< run_settings, seed included
  std::uint64_t total_calls = 0;
  std::string trunk;
  Limits limits;  ///< concurrency_limit, calls_per_second
  int priority = 0;
  CallerNumbers numbers;
  bool retry_after_dial = false;  ///< a call that was lost is queued again, kMostLost times at most
  std::optional<LoadShape> load;  ///< total_calls: what it starts at most
  std::optional<std::int64_t> start_unix_ms;  ///< no call before it
};

struct Created {
  ResultId result_id = 0;
  RunId first_run_id = 0;
  bool existed = false;  ///< the idempotency key was known
};

struct ClaimRequest {
  std::string worker;        ///< who asks; unique over all processes of the store
  std::size_t max = 16;      ///< leases at most
  Nanos ahead{500'000'000};  ///< calls due by then are handed out, so that begin_call never delays an INVITE
  Nanos lease{30'000'000'000};  ///< until when the worker must heartbeat
};

/// The right to make one call, until expires_ns.
struct Lease {
  ResultId result_id = 0;
  RunId run_id = 0;
  std::uint64_t plan_index = 0;
  int attempt = 1;  ///< fencing token; goes up with each lease of this run
  int dials =
      0;  ///< how often begin_call has succeeded for this run before (a user's "attempt" is dials + 1)
  std::string worker;
  std::int64_t due_ns = 0;          ///< when the INVITE leaves
  std::int64_t exact_ns = 0;        ///< when it should leave by the job's load shape; else due_ns
  HeldBy held_by = HeldBy::engine;  ///< why due_ns is later
  std::int64_t expires_ns = 0;
  std::string caller_number;  ///< empty where the result has no numbers
};

/// Where the load shape of a result stands.
struct LoadProgress {
  ResultId result_id = 0;
  HeldStarts dropped;                  ///< so far
  std::optional<std::uint64_t> total;  ///< the shape is over: the result has only so many calls
  bool result_over = false;            ///< and they were all done
};

struct Claim {
  std::vector<Lease> leases;                ///< by due time
  std::vector<LoadProgress> loads;          ///< those with news
  std::optional<std::int64_t> retry_at_ns;  ///< ask again then; nullopt: when on_change fires
};

enum class Begun {
  yes,        ///< on disk: dial
  lost,       ///< the lease expired or belongs to somebody else: don't dial
  cancelled,  ///< the result was cancelled; the run is done as cancelled
  paused      ///< the result is paused; the run is back in the queue
};

enum class RunOutcome { completed, failed, timeout, cancelled };

/// How a call ended. The store looks at status and `again` only; the rest is kept for readers.
struct Outcome {
  RunOutcome status = RunOutcome::completed;
  std::optional<bool> success;
  std::string category;  ///< agent, network, engine, provider; empty without failure
  std::string reason;
  std::string document;  ///< the run as JSON text, as reports show it
  bool again =
      false;  ///< keep this as a past attempt and queue the run again (ignored once the result is cancelled)
  bool dialled = true;         ///< with `again`: false takes begin_call back, and leaves no past attempt
  std::optional<HeldBy> late;  ///< it started late, because of this: kept with the result's counts
};

struct Completion {
  bool accepted = false;     ///< false: a zombie's report, nothing changed
  bool again = false;        ///< as asked for: it waits for another lease, this was not its end
  bool result_over = false;  ///< this was the result's last call
};

enum class Control { pause, resume, cancel };

enum class ResultState { active, paused, cancelling, over, cancelled };

/// What control() has done. `in_progress` are the calls to hang up where `cancel` should not wait for their
/// end.
struct Controlled {
  bool known = false;  ///< the result exists
  bool changed = false;
  bool result_over = false;  ///< nothing was in progress: the cancelled result is over now
  std::vector<RunId> in_progress;
};

enum class LimitScope { global, trunk, result };

/// A call whose lease ran out.
struct Reaped {
  ResultId result_id = 0;
  RunId run_id = 0;
  std::uint64_t plan_index = 0;
  int attempt = 0;
  bool lost = false;      ///< it may have been dialled: done as failed, category engine, reason "lost"
  bool requeued = false;  ///< waits for another lease
  bool result_over = false;
};

/// A finished result's counts, or where a running one stands.
struct Progress {
  ResultState state = ResultState::active;
  std::uint64_t total = 0;
  std::uint64_t waiting = 0;  ///< not leased: never claimed, or put back
  std::uint64_t leased = 0;
  std::uint64_t in_call = 0;
  std::uint64_t evaluating = 0;
  std::uint64_t done = 0;
  std::uint64_t succeeded = 0;  ///< success == true
  std::uint64_t failed = 0;     ///< success == false
  std::uint64_t excused = 0;    ///< failed or timed out with no success value: not the agent's fault
  std::uint64_t cancelled = 0;
  std::uint64_t late_starts =
      0;  ///< starts later than the result's own calls_per_second asked (this process only)
  HeldStarts dropped_starts;      ///< by its load shape
  HeldStarts late_starts_stored;  ///< those that complete() was told of, in all processes
};

struct StoredResult {
  ResultId id = 0;
  RunId first_run_id = 0;
  std::int64_t created_unix_ms = 0;
  RunSpec spec;
  Progress progress;
};

/// The ordered log: every change that somebody may want to hear of.
struct Event {
  enum class Kind {
    result_created,
    call_started,     ///< begin_call
    call_evaluating,  ///< end_call
    call_finished,    ///< detail: completed, failed, timeout, cancelled
    call_lost,
    call_requeued,  ///< detail: expired, again, not dialled, paused, released
    result_paused,
    result_resumed,
    result_cancelled,  ///< asked for; calls may still be in progress
    result_over,       ///< the last call is done; detail: over, cancelled
    limits_changed,    ///< detail: scope and new values
    load_over,         ///< its load shape has ended; detail: so many calls
  };
  std::int64_t sequence = 0;  ///< strictly increasing, never reused
  std::int64_t unix_ms = 0;
  Kind kind = Kind::result_created;
  ResultId result_id = 0;  ///< 0: none
  RunId run_id = 0;        ///< 0: none
  int attempt = 0;
  std::string detail;
};

[[nodiscard]] const char* to_string(RunOutcome outcome);
[[nodiscard]] const char* to_string(ResultState state);
[[nodiscard]] const char* to_string(Event::Kind kind);

class JobStore {
 public:
  JobStore() = default;
  JobStore(const JobStore&) = delete;
  JobStore& operator=(const JobStore&) = delete;
  virtual ~JobStore() = default;

  /// Accepts a job as a new result; its calls get rows as they are claimed. Durable when it returns. A spec
  /// without calls makes a result that is over at once. Throws std::invalid_argument for limits as
  /// set_limit() does, and for fewer caller numbers than calls (ask numbers_problem() first).
  virtual Created create_run(const Moment& now, const RunSpec& spec) = 0;

  /// Leases calls that may start by now + ahead under every cap at once. Never waits for work: an empty
  /// answer says when to ask again. Not durable on its own: after a power cut a claimed call that had not
  /// begun was never claimed. The end of a load shape is.
  virtual Claim claim(const Moment& now, const ClaimRequest& request) = 0;

  /// The point of no return, durable when it returns: call it up to 500 ms before the lease's due time, and
  /// dial only on Begun::yes.
  virtual Begun begin_call(const Moment& now, const Lease& lease) = 0;

  /// Extends leases until now + lease. Returns the run ids of those that are no longer the worker's: hang
  /// these up.
  virtual std::vector<RunId> heartbeat(const Moment& now, Nanos lease, std::span<const Lease> leases) = 0;

  /// The line is free: caps and caller number go to the next call, the evaluation may still run. Optional;
  /// complete() implies it. False for a lease that is no longer valid. Durable with the next begin_call or
  /// complete.
  virtual bool end_call(const Moment& now, const Lease& lease) = 0;

  /// The call is over and judged. Durable when it returns; exactly one complete() is accepted for each lease,
  /// without begin_call too (a call that could not even be dialled).
  virtual Completion complete(const Moment& now, const Lease& lease, const Outcome& outcome) = 0;

  /// Gives a lease back before begin_call: the call returns to the queue (to nobody, where the result is
  /// cancelled). False, and no effect, after begin_call or for a lost lease.
  virtual bool release(const Moment& now, const Lease& lease) = 0;

  /// Replaces the document of a finished run (a lost one, or one that was evaluated again). `attempt` must be
  /// the one that finished it. Durable when it returns.
  virtual bool amend(RunId run, int attempt, const std::string& document) = 0;

  /// Changes caps for calls not yet leased; those in progress stay. `name` is the trunk's name or the
  /// result's id in digits, empty for global. Kept in the store: a process sets those of its configuration
  /// when it starts, also where they are none. Durable. False for an unknown result. Throws
  /// std::invalid_argument for a negative cap and for a rate that is not above 0.
  virtual bool set_limit(const Moment& now, LimitScope scope, const std::string& name,
                         const Limits& limits) = 0;

  /// Pause: no call begins any more, those in progress go on. Resume. Cancel: as pause for good; calls in
  /// progress are listed and must still be completed (as cancelled or as they ended). Durable.
  virtual Controlled control(const Moment& now, ResultId result, Control what) = 0;

  /// Takes expired leases back. Run it every second or so, and once after opening.
  virtual std::vector<Reaped> reap(const Moment& now) = 0;

  /// Up to `max` events with sequence > after, in order. Durable ones only: a call's call_evaluating may be
  /// told no earlier than its call_finished.
  virtual std::vector<Event> events(std::int64_t after, std::size_t max) = 0;

  /// One result, finished or not.
  virtual std::optional<StoredResult> result(ResultId id) = 0;
  /// Results that are not over yet, by id: what a restarted process must make plans for.
  virtual std::vector<ResultId> unfinished() = 0;
  /// Removes a result that is over, with its runs; their ids are never given again. False for an unknown or
  /// open one.
  virtual bool forget(const Moment& now, ResultId id) = 0;

  /// Group commit: the calls that `work` makes on this store, on this thread, become durable together when
  /// batch() returns, for the price of one. Their return values hold only then. If it throws, none of them
  /// has happened. Other threads wait.
  virtual void batch(const std::function<void()>& work) = 0;

  /// `wake` is called, without locks held and on the thread that made the change, whenever a claim may yield
  /// more than the one before it. It must not call the store. Set it once, before other threads use the
  /// store.
  virtual void on_change(std::function<void()> wake) = 0;
};

}  // namespace linecheck::scheduler
