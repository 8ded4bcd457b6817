// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the reading connection answers: it sees what is committed, and never waits for a commit.
#include <sstream>

#include "scheduler/sqlite_job_inside.h"

namespace linecheck::scheduler {

namespace {

// A result and its counts belong to one snapshot.
class Snapshot {
 public:
  explicit Snapshot(Database& db) : db_(db) { db_.execute("BEGIN"); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() { db_.rollback(); }

 private:
  Database& db_;
};

std::uint64_t count(const Query& row, int column) {
  return static_cast<std::uint64_t>(row.integer(column));
}

}  // namespace

std::vector<Event> SqliteJobStore::Inside::events(std::int64_t after, std::size_t max) {
  const std::lock_guard guard(read_lock_);
  std::vector<Event> events;
  Query row = reader_.query(
      "SELECT sequence, unix_ms, kind, result_id, run_id, attempt, detail FROM events WHERE sequence > ? "
      "AND sequence <= ? ORDER BY sequence LIMIT ?");
  row.bind(after).bind(durable_event_.load()).bind(static_cast<std::int64_t>(max));
  while (row.step()) {
    Event event;
    event.sequence = row.integer(0);
    event.unix_ms = row.integer(1);
    event.kind = static_cast<Event::Kind>(row.integer(2));
    event.result_id = row.integer(3);
    event.run_id = row.integer(4);
    event.attempt = static_cast<int>(row.integer(5));
    event.detail = row.text(6);
    events.push_back(std::move(event));
  }
  return events;
}

std::optional<StoredResult> SqliteJobStore::Inside::result(ResultId id) {
  StoredResult result;
  Progress& progress = result.progress;
  {
    const std::lock_guard guard(read_lock_);
    const Snapshot snapshot(reader_);
    {
      Query row = reader_.query(
          "SELECT r.first_run_id, r.created_unix_ms, r.idempotency_key, r.name, r.job_text, r.settings_json, "
          "r.total_calls, r.trunk, r.number_mode, r.reuse_numbers, r.numbers, r.retry_after_dial, "
          "s.priority, "
          "s.max_calls, s.calls_per_second, s.state, s.done, s.succeeded, s.failed, s.excused, s.cancelled "
          "FROM results r JOIN result_state s ON s.id = r.id WHERE r.id = ?");
      row.bind(id);
      if (!row.step()) return std::nullopt;
      result.id = id;
      result.first_run_id = row.integer(0);
      result.created_unix_ms = row.integer(1);
      RunSpec& spec = result.spec;
      spec.idempotency_key = row.text(2);
      spec.name = row.text(3);
      spec.job_text = row.text(4);
      spec.settings_json = row.text(5);
      spec.total_calls = count(row, 6);
      spec.trunk = row.text(7);
      spec.numbers.mode = static_cast<NumberMode>(row.integer(8));
      spec.numbers.reuse = row.integer(9) != 0;
      std::istringstream lines(row.text(10));
      for (std::string line; std::getline(lines, line);) spec.numbers.pool.push_back(line);
      spec.retry_after_dial = row.integer(11) != 0;
      spec.priority = static_cast<int>(row.integer(12));
      if (!row.null(13)) spec.limits.max_calls = static_cast<int>(row.integer(13));
      if (!row.null(14)) spec.limits.calls_per_second = row.real(14);
      progress.state = static_cast<ResultState>(row.integer(15));
      progress.total = spec.total_calls;
      progress.done = count(row, 16);
      progress.succeeded = count(row, 17);
      progress.failed = count(row, 18);
      progress.excused = count(row, 19);
      progress.cancelled = count(row, 20);
    }
    {
      Query row = reader_.query("SELECT shape, start_unix_ms, dropped, late FROM load_state WHERE id = ?");
      row.bind(id);
      if (row.step()) {
        result.spec.load = decode_load(row.text(0));
        if (!row.null(1)) result.spec.start_unix_ms = row.integer(1);
        progress.dropped_starts = decode_held(row.text(2));
        progress.late_starts_stored = decode_held(row.text(3));
      }
    }
    Query row = reader_.query(
        "SELECT state, count(*) FROM calls INDEXED BY calls_open WHERE state < 4 AND run_id >= ? AND run_id "
        "< ? "
        "GROUP BY state");
    row.bind(result.first_run_id).bind(result.first_run_id + static_cast<std::int64_t>(progress.total));
    while (row.step()) {
      const auto state = static_cast<CallState>(row.integer(0));
      if (state == CallState::leased) progress.leased = count(row, 1);
      if (state == CallState::in_call) progress.in_call = count(row, 1);
      if (state == CallState::evaluating) progress.evaluating = count(row, 1);
    }
  }
  progress.waiting =
      progress.total - progress.done - progress.leased - progress.in_call - progress.evaluating;
  const std::lock_guard guard(statistics_lock_);
  const auto late = late_starts_.find(id);
  if (late != late_starts_.end()) progress.late_starts = late->second;
  return result;
}

std::vector<ResultId> SqliteJobStore::Inside::unfinished() {
  const std::lock_guard guard(read_lock_);
  std::vector<ResultId> ids;
  Query row = reader_.query("SELECT id FROM result_state WHERE state < 3 ORDER BY id");
  while (row.step()) ids.push_back(row.integer(0));
  return ids;
}

}  // namespace linecheck::scheduler
