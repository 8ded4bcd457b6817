// SPDX-License-Identifier: GPL-3.0-or-later
//
// JobStore in one SQLite file: the default, for one process.
//
// The file is the truth, the caps are counted in memory: what is open (results with calls left, calls in
// progress) is read once at opening, admission decides in memory, and every decision is written in the same
// transaction that the method commits. After a failed write the memory is read from the file again, so the
// two never disagree.
//
// - WAL, one writing connection, one reading connection (events, results), so that a page of results never
// waits for a
//   commit. create_run, begin_call, complete, amend, set_limit, control, reap and forget are on disk when
//   they return; claim, release and end_call are ordered before the next one that is.
// - Leases live in memory only: nobody else can hold one, since a lock on `<file>.lock` keeps other processes
// out, and
//   the leases that an earlier process left in the file are expired from the start (reap() them).
// - Not for several machines, nor for a network file system.
// - Cost: one fsync for each durable method, or for each batch().
#pragma once

#include <memory>
#include <string>

#include "scheduler/database.h"
#include "scheduler/job_store.h"

namespace linecheck::scheduler {

/// Creates the store's tables where they are missing. The engine's result store reads the same tables.
void install_job_tables(Database& db);
/// For a reader: throws unless they are there, in this program's version.
void require_job_tables(Database& db);

class SqliteJobStore final : public JobStore {
 public:
  /// Opens or creates `path`; its directory must exist. Throws StoreError. `busy_ms`: how long a method waits
  /// for somebody else's write to the file before it gives up with StoreError{locked}.
  explicit SqliteJobStore(const std::string& path, int busy_ms = 5000);
  ~SqliteJobStore() override;

  Created create_run(const Moment& now, const RunSpec& spec) override;
  Claim claim(const Moment& now, const ClaimRequest& request) override;
  Begun begin_call(const Moment& now, const Lease& lease) override;
  std::vector<RunId> heartbeat(const Moment& now, Nanos lease, std::span<const Lease> leases) override;
  bool end_call(const Moment& now, const Lease& lease) override;
  Completion complete(const Moment& now, const Lease& lease, const Outcome& outcome) override;
  bool release(const Moment& now, const Lease& lease) override;
  bool amend(RunId run, int attempt, const std::string& document) override;
  bool set_limit(const Moment& now, LimitScope scope, const std::string& name, const Limits& limits) override;
  Controlled control(const Moment& now, ResultId result, Control what) override;
  std::vector<Reaped> reap(const Moment& now) override;
  std::vector<Event> events(std::int64_t after, std::size_t max) override;
  std::optional<StoredResult> result(ResultId id) override;
  std::vector<ResultId> unfinished() override;
  bool forget(const Moment& now, ResultId id) override;
  void batch(const std::function<void()>& work) override;
  void on_change(std::function<void()> wake) override;

 private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace linecheck::scheduler
