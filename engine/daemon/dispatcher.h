// SPDX-License-Identifier: GPL-3.0-or-later
//
// Leases calls of all open results from the job store as every cap allows, runs each as a coroutine, and
// stores what came of it, many at a time in one commit. On the control thread; the database lives on a pool
// of one thread.
//
//   submit() --> OpenResult --claim, up to 500 ms ahead--> make_call: prepare, begin_call on disk, wait for
//   the exact time, INVITE, ... --complete--> the last call of a result: conclude, on_over
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/call/call.h"
#include "engine/daemon/log.h"
#include "engine/daemon/open_result.h"
#include "engine/daemon/store_writer.h"
#include "engine/store/result_store.h"

namespace linecheck::engine {

/// What a dispatcher works with. Outlives it.
struct DispatcherParts {
  boost::asio::io_context& control;
  boost::asio::thread_pool& database;
  boost::asio::thread_pool& files;  ///< what blocks and is no database: folders, names
  CallServices& services;
  scheduler::JobStore& store;
  const StateDirectory& state;
  Log& log;
  std::string worker;
  /// A database that fails, or a disk that is full: true ends every result with what there is (somebody waits
  /// for the exit code), false waits until they are well again.
  bool gives_up = false;
  /// Told, in words, of each call that somebody else is to have made; may be empty.
  std::function<void(const std::string&)> announce{};
};

class Dispatcher {
 public:
  using OnOver = std::function<boost::asio::awaitable<void>(std::shared_ptr<OpenResult>, Result)>;

  Dispatcher(DispatcherParts parts, std::shared_ptr<const Settings> settings, OnOver on_over);

  /// Sets the limits of the configuration and begins to claim.
  boost::asio::awaitable<void> start();
  /// Durable when it returns. Throws scheduler::StoreError, std::invalid_argument.
  boost::asio::awaitable<scheduler::Created> submit(scheduler::Job job, std::string key);
  /// Takes up what an earlier process left: results go on, lost calls are described, finished results whose
  /// verdict was never written are concluded. Before start().
  boost::asio::awaitable<void> recover(ResultStore& documents);
  /// Has the first calls' texts spoken ahead, so that the voices are never what a call waits for.
  boost::asio::awaitable<void> warm_up(CallBasis basis, std::function<bool()> enough);

  /// Another configuration: its limits and, where a result's plan stays the same, its catalogue for calls not
  /// yet claimed.
  boost::asio::awaitable<void> adopt(std::shared_ptr<const Settings> settings);
  [[nodiscard]] const std::shared_ptr<const Settings>& settings() const { return settings_; }
  [[nodiscard]] boost::asio::awaitable<CallBasis> basis_of(scheduler::Job job);

  /// No new calls of a result; those in progress may finish within the job's graceful_stop.
  void stop_gently(scheduler::ResultId id, std::string notice);
  /// Hangs up a result's calls.
  void stop_now(scheduler::ResultId id);
  /// Hangs up one call; false: it is not in progress in this process.
  bool hang_up(scheduler::RunId run);
  /// False: there is no such open result.
  boost::asio::awaitable<bool> pause(scheduler::ResultId id, bool paused);

  /// No new calls of any result; nothing is cancelled, a later process goes on.
  void drain();
  /// Hangs up everything, and comes to an end.
  void hang_up_all();
  /// Ends the claiming and waits until no call is left.
  boost::asio::awaitable<void> finish();

  [[nodiscard]] std::shared_ptr<OpenResult> find(scheduler::ResultId id) const;
  [[nodiscard]] const std::map<scheduler::ResultId, std::shared_ptr<OpenResult>>& open() const {
    return open_;
  }
  /// Over, and their verdicts not yet stored.
  [[nodiscard]] const std::map<scheduler::ResultId, std::shared_ptr<OpenResult>>& concluding() const {
    return concluding_;
  }
  [[nodiscard]] std::size_t active_calls() const { return active_.size(); }
  [[nodiscard]] report::ProgressState progress(const OpenResult& result) const;
  /// When the claiming last went round, CLOCK_MONOTONIC.
  [[nodiscard]] std::int64_t turned_ns() const { return turned_ns_; }
  /// Calls dialled since the start of the process.
  [[nodiscard]] std::uint64_t dialled() const { return dialled_; }
  /// Why no call starts at present; empty: nothing holds them back.
  [[nodiscard]] const std::string& held_back() const { return held_back_; }
  [[nodiscard]] const StoreWriter& writer() const { return writer_; }
  [[nodiscard]] scheduler::JobStore& store() { return parts_.store; }

 private:
  struct ActiveCall {
    std::shared_ptr<OpenResult> result;
    std::shared_ptr<CallInbox> inbox;
    scheduler::Lease lease;
    std::string scenario;
    std::string variant;
    std::string doing;
    std::int64_t started_ns = 0;
    bool begun = false;                     ///< begin_call is on disk
    bool dialled = false;                   ///< the INVITE may have left
    bool not_ours = false;                  ///< the store has given the call to somebody else, or ended it
    bool hung_up = false;                   ///< by a shutdown of this process
    std::optional<scheduler::HeldBy> late;  ///< it started late, because of this
  };
  [[nodiscard]] static bool worth_a_retry(const ActiveCall& call, const Run& run);

  void insert(std::shared_ptr<OpenResult> result);
  boost::asio::awaitable<void> take_up(scheduler::StoredResult stored, ResultStore& documents);
  boost::asio::awaitable<void> claim_calls();
  boost::asio::awaitable<std::string> obstacle();
  boost::asio::awaitable<void> keep_leases();
  void launch(scheduler::Lease lease);
  void follow_load(const scheduler::LoadProgress& load);
  boost::asio::awaitable<void> make_call(scheduler::Lease lease);
  boost::asio::awaitable<bool> begin(scheduler::Lease lease);
  boost::asio::awaitable<void> finish_call(ActiveCall& call, Run run);
  boost::asio::awaitable<scheduler::Completion> store_outcome(ActiveCall& call, const Run& run);
  boost::asio::awaitable<void> describe_lost(std::shared_ptr<OpenResult> result, scheduler::RunId run_id,
                                             int attempt);
  void after_call(const std::shared_ptr<OpenResult>& result, bool over);
  boost::asio::awaitable<void> conclude(std::shared_ptr<OpenResult> result);
  boost::asio::awaitable<void> cancel(scheduler::ResultId id);
  boost::asio::awaitable<void> apply_limits();
  void give_up(const std::string& why);
  void keep_refused(const RefusedCall& call);
  void log_refused(const RefusedCall& call);
  void changed();
  [[nodiscard]] std::vector<LocalAddress> local_addresses() const;

  DispatcherParts parts_;
  std::shared_ptr<const Settings> settings_;
  OnOver on_over_;
  StoreWriter writer_;
  Reception reception_;
  std::map<scheduler::ResultId, std::shared_ptr<OpenResult>> open_;
  std::map<scheduler::ResultId, std::shared_ptr<OpenResult>> concluding_;
  std::map<scheduler::RunId, ActiveCall> active_;
  std::multimap<scheduler::ResultId, scheduler::Lease> early_;  ///< claimed before their result is known here
  std::map<scheduler::RunId, scheduler::Lease> next_attempts_;  ///< claimed before the last one had left here
  std::map<scheduler::ResultId, std::shared_ptr<boost::asio::steady_timer>> graces_;
  boost::asio::steady_timer changed_;
  boost::asio::steady_timer heartbeat_;
  bool dirty_ = false;  ///< something changed since the claiming last looked
  bool draining_ = false;
  bool hanging_up_ = false;
  bool ending_ = false;
  int running_ = 0;  ///< coroutines of this object
  std::string held_back_;
  std::string disk_;
  std::int64_t looked_ns_ = 0;  ///< at the disk
  std::int64_t turned_ns_ = 0;
  std::uint64_t dialled_ = 0;
  std::int64_t refused_second_ = 0;  ///< of the calls from outside that were refused last
  int refused_logged_ = 0;           ///< in that second
  int refused_unlogged_ = 0;
};

}  // namespace linecheck::engine
