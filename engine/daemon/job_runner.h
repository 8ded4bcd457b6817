// SPDX-License-Identifier: GPL-3.0-or-later
//
// One job from its first claim to its verdict: leases calls from the job store as caps allow, runs each as a
// coroutine, stores what came of it. On the control thread; the database lives on a pool of one thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "engine/call/call.h"
#include "engine/daemon/config.h"
#include "engine/report/console.h"
#include "engine/store/state_directory.h"
#include "scheduler/job_store.h"
#include "scheduler/plan.h"

namespace linecheck::engine {

/// What a runner works with. Outlives it.
struct JobRunnerParts {
  boost::asio::io_context& control;
  boost::asio::thread_pool& database;
  CallServices& services;
  scheduler::JobStore& store;
  const StateDirectory& state;
  const Config& config;
  std::shared_ptr<const scheduler::Catalog> catalog;
};

class JobRunner {
 public:
  JobRunner(JobRunnerParts parts, scheduler::Job job);

  /// Has the first calls' texts spoken before the first call is due, so that the voices are never what it
  /// waits for.
  boost::asio::awaitable<void> warm_up();
  /// Runs all calls; returns the judged result. Throws scheduler::StoreError if the job can't even be stored.
  boost::asio::awaitable<Result> run();

  /// No new calls; those in progress may finish within the job's graceful_stop.
  void stop_gently();
  /// Hangs up everything.
  void stop_now();

  [[nodiscard]] report::ProgressState progress() const;

 private:
  struct ActiveCall {
    std::shared_ptr<CallInbox> inbox;
    scheduler::Lease lease;
    std::string scenario;
    std::string variant;
    std::string doing;
    std::int64_t started_ns = 0;
  };

  boost::asio::awaitable<void> store_job();
  boost::asio::awaitable<void> claim_calls();
  boost::asio::awaitable<void> keep_leases();
  boost::asio::awaitable<void> make_call(scheduler::Lease lease);
  boost::asio::awaitable<bool> begin(const scheduler::Lease& lease);
  boost::asio::awaitable<void> finish_call(const scheduler::Lease& lease, Run run);
  std::shared_ptr<CallSpec> spec_of(const scheduler::Lease& lease, const scheduler::PlannedCall& planned);
  [[nodiscard]] Run planned_run(std::int64_t run_id, const scheduler::PlannedCall& planned) const;
  void cancel_rest();
  void count(const Run& run);
  void check_aborting_thresholds();
  void add_never_started();
  Result conclude_result();

  JobRunnerParts parts_;
  scheduler::Job job_;
  scheduler::Plan plan_;
  const scheduler::Trunk& trunk_;
  Result result_;
  scheduler::RunId first_run_id_ = 0;
  std::map<scheduler::RunId, ActiveCall> active_;
  report::ProgressState counts_;
  scheduler::LateStarts late_starts_;
  boost::asio::steady_timer changed_;
  boost::asio::steady_timer grace_;
  boost::asio::steady_timer heartbeat_;
  bool stopping_ = false;
  bool over_ = false;
  bool hanging_up_ = false;
  bool cancelled_ = false;  ///< by the user
  bool aborted_ = false;    ///< by a threshold with abort_on_fail
  std::string storage_trouble_;
};

}  // namespace linecheck::engine
