// SPDX-License-Identifier: GPL-3.0-or-later
//
// Results and runs as documents: the JSON that reports and the API show, with the columns by which they are
// listed.
//
// It lives in the same file as the job store. A run's document is the one that JobStore::complete() stored
// with its outcome, in one transaction, so a run is never finished without its document; this class only
// reads those. The document of a result is saved here, as often as the result changes.
//
// Threads: any; a lock inside. Blocks for the disk. Errors: StoreError (scheduler/database.h).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/database.h"

namespace linecheck::engine {

struct StoredResultDocument {
  std::int64_t id = 0;
  std::string name;
  std::int64_t agent = 0;
  std::optional<std::int64_t> project;
  std::string status;  ///< as on the wire: pending, running, completed, ...
  std::optional<double> success_rate;
  std::vector<std::int64_t> scenarios;
  std::string created_at;  ///< RFC 3339, UTC
  std::string updated_at;
  std::string json;  ///< without the runs, or with them: as the caller saved it
};

struct StoredRunDocument {
  std::int64_t run_id = 0;
  std::int64_t result_id = 0;
  int attempt = 1;
  std::string status;  ///< completed, failed, timeout, cancelled
  std::optional<bool> success;
  std::string category;
  std::string reason;
  std::string json;  ///< empty for a lost run that nobody has described yet
};

/// What GET /results/ filters by; unset fields match everything.
struct ResultFilter {
  std::optional<std::int64_t> agent;
  std::optional<std::int64_t> project;
  std::string search;                   ///< part of the name, ASCII case ignored
  std::vector<std::int64_t> scenarios;  ///< results that ran any of these
};

class ResultStore {
 public:
  /// Opens or creates the database; the job store may have it open as well, in this process or another.
  /// Read-only for commands that look at a running daemon's results.
  explicit ResultStore(const std::string& database_path,
                       scheduler::Database::Mode mode = scheduler::Database::Mode::read_write);

  /// Inserts or replaces the document of a result. Durable when it returns.
  void save_result(const StoredResultDocument& result);
  [[nodiscard]] std::optional<StoredResultDocument> result(std::int64_t id) const;
  /// Newest first. The documents themselves are left out unless asked for.
  [[nodiscard]] std::vector<StoredResultDocument> results(const ResultFilter& filter, std::size_t offset,
                                                          std::size_t limit, bool with_json = false) const;
  [[nodiscard]] std::size_t count(const ResultFilter& filter) const;
  bool remove_result(std::int64_t id);
  /// Results whose calls are all over, and whose verdict nobody has saved: a process died in between.
  [[nodiscard]] std::vector<std::int64_t> unreported() const;
  /// The result that a job with this idempotency key became.
  [[nodiscard]] std::optional<std::int64_t> result_of_key(const std::string& key) const;

  /// A finished run: its last attempt, or an earlier one by number.
  [[nodiscard]] std::optional<StoredRunDocument> run(std::int64_t run_id, int attempt = 0) const;
  /// Finished runs of a result in plan order, starting after `after_run_id`.
  [[nodiscard]] std::vector<StoredRunDocument> runs(std::int64_t result_id, std::int64_t after_run_id,
                                                    std::size_t limit) const;
  /// Those that did not succeed.
  [[nodiscard]] std::vector<StoredRunDocument> unsuccessful_runs(std::int64_t result_id,
                                                                 std::int64_t after_run_id,
                                                                 std::size_t limit) const;

 private:
  std::vector<StoredRunDocument> read_runs(const char* sql, std::int64_t result_id, std::int64_t after,
                                           std::size_t limit) const;

  mutable std::mutex lock_;
  std::unique_ptr<scheduler::Database> db_;
};

}  // namespace linecheck::engine
