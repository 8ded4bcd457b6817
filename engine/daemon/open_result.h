// SPDX-License-Identifier: GPL-3.0-or-later
//
// A result that is not over: its job, its plan, and what is known of its calls so far. Control thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/call/call.h"
#include "engine/daemon/settings.h"
#include "engine/report/console.h"
#include "engine/store/state_directory.h"
#include "scheduler/job_store.h"
#include "scheduler/plan.h"

namespace linecheck::engine {

/// What a call of a result needs from it: a snapshot that stays as it is when a reload gives the result
/// another catalogue. Any thread.
struct CallBasis {
  std::shared_ptr<const Settings> settings;
  std::shared_ptr<const scheduler::Job> job;
  std::shared_ptr<const scheduler::Plan> plan;
  std::string bound_address;  ///< of the endpoint
  std::string own_address;    ///< towards the peer
  std::uint16_t own_port = 0;
  std::string peer;  ///< its host

  [[nodiscard]] const scheduler::Trunk& trunk() const { return settings->catalog->trunks.at(job->trunk); }
  /// A run as planned: ids and names, nothing that happened.
  [[nodiscard]] Run planned_run(std::int64_t result_id, std::int64_t run_id, std::uint64_t index) const;
  /// Touches the disk (the recording's folder, a password file). `seen`: our address as the trunk's peer saw
  /// it; empty: it has not said.
  [[nodiscard]] std::shared_ptr<CallSpec> spec(const scheduler::Lease& lease, const StateDirectory& state,
                                               const std::string& seen) const;

 private:
  /// How the trunk wants its calls.
  void add_trunk(CallSpec& spec, const std::string& seen) const;
  [[nodiscard]] AwaitedCall awaited_call(const CallSpec& spec, const scheduler::Lease& lease) const;
};

/// As an endpoint is bound.
struct LocalAddress {
  std::string address;
  std::uint16_t port = 0;
};

/// `local_addresses` of the endpoints at the switchboard. Blocks for the resolver.
CallBasis make_basis(std::shared_ptr<const Settings> settings, scheduler::Job job,
                     const std::vector<LocalAddress>& local_addresses);

class OpenResult {
 public:
  OpenResult(scheduler::ResultId id, scheduler::RunId first_run_id, CallBasis basis);

  [[nodiscard]] scheduler::ResultId id() const { return result_.id; }
  [[nodiscard]] scheduler::RunId first_run_id() const { return first_run_id_; }
  [[nodiscard]] const CallBasis& basis() const { return basis_; }
  [[nodiscard]] const scheduler::Job& job() const { return *basis_.job; }
  [[nodiscard]] std::uint64_t total() const { return counts_.total; }
  /// Its load shape is over: there are only so many calls.
  void close(std::uint64_t total) { counts_.total = total; }
  [[nodiscard]] Run planned_run(std::int64_t run_id) const;
  /// For calls that are not claimed yet; false, and nothing changes, when the plan is another one.
  bool adopt(CallBasis basis);

  /// A run that is over, in this process or an earlier one.
  void add(Run run);
  /// A call that was refused while this result's runs waited for theirs. The first thousand are kept.
  void add(const RefusedCall& call);
  /// The first threshold with abort_on_fail that fails by now, in words. Judges all runs together, so it does
  /// that after each of the first hundred and then each time that there are 1 % more.
  [[nodiscard]] std::optional<std::string> failed_abort();
  /// Everything is over: the verdict. Calls that never started are in it as cancelled.
  Result conclude();

  [[nodiscard]] report::ProgressState progress() const;

  int active = 0;  ///< calls of this process, claimed ones included
  scheduler::LateStarts late_starts;
  scheduler::HeldStarts dropped_starts;
  bool over = false;       ///< the store has seen its last call
  bool stopping = false;   ///< no new calls
  bool cancelled = false;  ///< by a user
  bool aborted = false;    ///< by a threshold, or by a database that failed
  bool paused = false;
  std::string notice;
  std::string trouble;  ///< of the database
  std::int64_t opened_ns = 0;
  std::string created_at;
  std::string key;  ///< idempotency key

 private:
  void count(const Run& run);
  void add_never_started();

  CallBasis basis_;
  scheduler::RunId first_run_id_;
  Result result_;
  report::ProgressState counts_;
  std::size_t judged_next_ = 0;  ///< failed_abort() looks again with so many runs
};

/// The request as it came, and the seed that it ran with, so that it can be run again.
std::string settings_of(const scheduler::Job& job);
/// The request with its selection made, so that a later process plans the same calls from it.
std::string resolved_request(const scheduler::Job& job);

}  // namespace linecheck::engine
