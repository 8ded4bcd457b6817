// SPDX-License-Identifier: GPL-3.0-or-later
//
// Opening, transactions, new results.
#include "scheduler/sqlite_job_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "scheduler/sqlite_job_inside.h"

namespace linecheck::scheduler {

namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

Limits limits_of(const Query& row, int column) {
  Limits limits;
  if (!row.null(column)) limits.max_calls = static_cast<int>(row.integer(column));
  if (!row.null(column + 1)) limits.calls_per_second = row.real(column + 1);
  return limits;
}

// The reading connection can only look at tables that are there.
const Database& with_tables(Database& db) {
  install_job_tables(db);
  return db;
}

}  // namespace

// ---- the lock on the file ----

FileLock::FileLock(const std::string& path)
    : descriptor_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640)) {
  if (descriptor_ < 0) {
    const int error = errno;
    const auto kind = error == EROFS    ? StoreError::Kind::read_only
                      : error == ENOSPC ? StoreError::Kind::disk_full
                                        : StoreError::Kind::cannot_open;
    throw StoreError(kind, "cannot open " + path + ": " + std::strerror(error) +
                               "; the state directory must exist and be writable for this user");
  }
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    close(descriptor_);
    throw StoreError(
        StoreError::Kind::locked,
        path + " is locked: another linecheck works in this directory; stop it or choose another one");
  }
}

FileLock::~FileLock() {
  close(descriptor_);
}

// ---- opening ----

SqliteJobStore::Inside::Inside(const std::string& path, int busy_ms)
    : file_lock_(path + ".lock"),
      db_(path, Database::Mode::read_write, busy_ms),
      reader_(with_tables(db_).path(), Database::Mode::read_only) {
  make_durable();
  read_calls();
  read_again();
}

// What a process that was killed has written may not be on disk yet, and whoever finds it here takes it for
// durable. A checkpoint syncs the log before anything else.
void SqliteJobStore::Inside::make_durable() {
  try {
    db_.execute("PRAGMA wal_checkpoint(PASSIVE)");
  } catch (const StoreError& error) {
    if (error.kind() != StoreError::Kind::disk_full)
      throw;  // the log is on disk: only copying it had no room
  }
  Query last = db_.query("SELECT max(sequence) FROM events");
  if (last.step()) durable_event_ = last.integer(0);
}

void SqliteJobStore::Inside::read_limits() {
  Query row = db_.query("SELECT scope, name, max_calls, calls_per_second FROM limits");
  while (row.step()) {
    if (row.text(0) == "global") {
      admission_.set_global(limits_of(row, 2));
    } else {
      admission_.set_trunk(row.text(1), limits_of(row, 2));
    }
  }
}

void SqliteJobStore::Inside::read_results() {
  known_.clear();
  Query row = db_.query(
      "SELECT s.id, s.state, s.cursor, s.priority, s.max_calls, s.calls_per_second, s.done, r.total_calls, "
      "r.first_run_id, r.trunk, r.number_mode, r.reuse_numbers, r.retry_after_dial, r.numbers "
      "FROM result_state s JOIN results r ON r.id = s.id WHERE s.state < 3");
  while (row.step()) {
    Known known;
    known.id = row.integer(0);
    known.state = static_cast<ResultState>(row.integer(1));
    known.cursor = static_cast<std::uint64_t>(row.integer(2));
    known.priority = static_cast<int>(row.integer(3));
    known.limits = limits_of(row, 4);
    known.done = static_cast<std::uint64_t>(row.integer(6));
    known.total = static_cast<std::uint64_t>(row.integer(7));
    known.first_run_id = row.integer(8);
    known.trunk = row.text(9);
    known.mode = static_cast<NumberMode>(row.integer(10));
    known.reuse_numbers = row.integer(11) != 0;
    known.retry_after_dial = row.integer(12) != 0;
    std::vector<std::string> numbers;
    std::istringstream lines(row.text(13));
    for (std::string line; std::getline(lines, line);) numbers.push_back(line);
    known.numbers = std::make_shared<const std::vector<std::string>>(std::move(numbers));
    known_.emplace(known.id, std::move(known));
  }
  read_loads();
}

// The calls that an earlier process left open. Nobody holds them any more: expired since ever.
void SqliteJobStore::Inside::read_calls() {
  Query row =
      db_.query("SELECT run_id, result_id, attempt, dials, state, number, worker FROM calls WHERE state < 4");
  while (row.step()) {
    Open call;
    call.result = row.integer(1);
    call.attempt = static_cast<int>(row.integer(2));
    call.dials = static_cast<int>(row.integer(3));
    call.state = static_cast<CallState>(row.integer(4));
    call.number = static_cast<std::uint32_t>(row.integer(5));
    call.worker = row.text(6);
    call.line = call.state == CallState::leased || call.state == CallState::in_call;
    call.expires_ns = INT64_MIN;
    open_.emplace(row.integer(0), std::move(call));
  }
}

Admission::Result SqliteJobStore::Inside::admission_entry(const Known& known) {
  Admission::Result result;
  result.id = known.id;
  result.trunk = known.trunk;
  result.limits = known.limits;
  result.priority = known.priority;
  result.total = known.total;
  result.cursor = known.cursor;
  result.mode = known.mode;
  result.reuse_numbers = known.reuse_numbers;
  result.numbers = known.numbers->size();
  result.held = known.state == ResultState::paused;
  result.load = known.load;
  result.load_saved = known.load_saved;
  if (known.start_unix_ms)
    result.not_before_ns = INT64_MAX / 2;  // until the clocks are known: follow_clock()
  return result;
}

// Limits and results as the file has them, and the caps that the open calls take.
void SqliteJobStore::Inside::read_again() {
  stale_ = true;  // until all of it has been read
  admission_.reset();
  read_limits();
  read_results();
  for (const auto& [id, known] : known_) {
    admission_.add(admission_entry(known));
    if (known.state == ResultState::cancelling) admission_.cancel(id);
  }
  for (const auto& [run, call] : open_) {
    if (call.line) admission_.line_taken(call.result, call.number);
    if (call.state != CallState::queued) continue;
    const auto known = known_.find(call.result);
    if (known != known_.end()) {
      admission_.requeue(call.result, static_cast<std::uint64_t>(run - known->second.first_run_id));
    }
  }
  stale_ = false;
}

// ---- transactions ----

// Never throws: where even reading fails, the next method that writes reads again before it does anything
// else.
void SqliteJobStore::Inside::undo() noexcept {
  db_.rollback();
  depth_ = 0;
  failed_ = false;
  changed_ = false;
  for (auto it = journal_.rbegin(); it != journal_.rend(); ++it) {
    if (it->second) {
      open_[it->first] = std::move(*it->second);
    } else {
      open_.erase(it->first);
    }
  }
  journal_.clear();
  try {
    read_again();
  } catch (const StoreError&) {
    stale_ = true;
  }
}

void SqliteJobStore::Inside::wake_if_changed(std::unique_lock<std::recursive_mutex>& lock) {
  const bool wake = std::exchange(changed_, false) && wake_;
  lock.unlock();
  if (wake) wake_();
}

void SqliteJobStore::Inside::batch(const std::function<void()>& work) {
  write(Database::Durability::durable, [&] {
    work();
    if (failed_) {
      throw StoreError(StoreError::Kind::internal,
                       "a batch of writes was given up because one of them failed; none has been stored");
    }
    return true;
  });
}

// ---- new results ----

namespace {

void check(const Limits& limits) {
  if (limits.max_calls && *limits.max_calls < 0)
    throw std::invalid_argument("a cap on calls cannot be negative");
  const auto rate = limits.calls_per_second;
  if (rate && !(std::isfinite(*rate) && *rate > 0))
    throw std::invalid_argument("calls per second must be above 0");
}

void check(const RunSpec& spec) {
  check(spec.limits);
  const CallerNumbers& numbers = spec.numbers;
  const bool each_its_own =
      numbers.mode == NumberMode::different_numbers && !numbers.reuse && !numbers.pool.empty();
  if (each_its_own && numbers.pool.size() < spec.total_calls) {
    throw std::invalid_argument("fewer caller numbers than calls: ask numbers_problem() first");
  }
}

}  // namespace

Created SqliteJobStore::Inside::create_run(const Moment& now, const RunSpec& spec) {
  check(spec);
  return write(Database::Durability::durable, [&]() -> Created {
    Created created;
    if (!spec.idempotency_key.empty()) {
      Query known = db_.query("SELECT id, first_run_id FROM results WHERE idempotency_key = ?");
      known.bind(spec.idempotency_key);
      if (known.step()) {
        created.result_id = known.integer(0);
        created.first_run_id = known.integer(1);
        created.existed = true;
        return created;
      }
    }
    {
      Query next =
          db_.query("UPDATE counters SET value = value + ?1 WHERE name = 'next_run_id' RETURNING value - ?1");
      next.bind(static_cast<std::int64_t>(spec.total_calls));
      next.step();
      created.first_run_id = next.integer(0);
    }
    {
      const std::string numbers = joined(spec.numbers.pool);
      Query insert = db_.query(
          "INSERT INTO results (idempotency_key, name, job_text, settings_json, total_calls, first_run_id, "
          "trunk, "
          "number_mode, reuse_numbers, numbers, retry_after_dial, created_unix_ms) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
      if (spec.idempotency_key.empty()) {
        insert.bind(nullptr);
      } else {
        insert.bind(spec.idempotency_key);
      }
      insert.bind(spec.name).bind(spec.job_text).bind(spec.settings_json);
      insert.bind(static_cast<std::int64_t>(spec.total_calls)).bind(created.first_run_id).bind(spec.trunk);
      insert.bind(static_cast<std::int64_t>(spec.numbers.mode)).bind(std::int64_t{spec.numbers.reuse});
      insert.bind(numbers).bind(std::int64_t{spec.retry_after_dial}).bind(now.unix_ms);
      insert.run();
    }
    created.result_id = db_.last_id();
    db_.query("INSERT INTO result_state (id, state, priority) VALUES (?, 0, ?)")
        .bind(created.result_id)
        .bind(std::int64_t{spec.priority})
        .run();
    Known known;
    known.id = created.result_id;
    known.first_run_id = created.first_run_id;
    known.total = spec.total_calls;
    known.priority = spec.priority;
    known.trunk = spec.trunk;
    known.mode = spec.numbers.mode;
    known.reuse_numbers = spec.numbers.reuse;
    known.retry_after_dial = spec.retry_after_dial;
    known.load = spec.load;
    known.start_unix_ms = spec.start_unix_ms;
    create_load(known);
    known.numbers = std::make_shared<const std::vector<std::string>>(spec.numbers.pool);
    admission_.add(admission_entry(known));
    Known& kept = known_.emplace(known.id, std::move(known)).first->second;
    set_result_limits(kept, spec.limits);
    log(now, Event::Kind::result_created, created.result_id);
    end_if_over(now, created.result_id);
    changed_ = true;
    return created;
  });
}

// ---- the interface ----

SqliteJobStore::SqliteJobStore(const std::string& path, int busy_ms)
    : inside_(std::make_unique<Inside>(path, busy_ms)) {
}
SqliteJobStore::~SqliteJobStore() = default;

Created SqliteJobStore::create_run(const Moment& now, const RunSpec& spec) {
  return inside_->create_run(now, spec);
}
Claim SqliteJobStore::claim(const Moment& now, const ClaimRequest& request) {
  return inside_->claim(now, request);
}
Begun SqliteJobStore::begin_call(const Moment& now, const Lease& lease) {
  return inside_->begin_call(now, lease);
}
std::vector<RunId> SqliteJobStore::heartbeat(const Moment& now, Nanos lease, std::span<const Lease> leases) {
  return inside_->heartbeat(now, lease, leases);
}
bool SqliteJobStore::end_call(const Moment& now, const Lease& lease) {
  return inside_->end_call(now, lease);
}
Completion SqliteJobStore::complete(const Moment& now, const Lease& lease, const Outcome& outcome) {
  return inside_->complete(now, lease, outcome);
}
bool SqliteJobStore::release(const Moment& now, const Lease& lease) {
  return inside_->release(now, lease);
}
bool SqliteJobStore::amend(RunId run, int attempt, const std::string& document) {
  return inside_->amend(run, attempt, document);
}
bool SqliteJobStore::set_limit(const Moment& now, LimitScope scope, const std::string& name,
                               const Limits& limits) {
  check(limits);
  return inside_->set_limit(now, scope, name, limits);
}
Controlled SqliteJobStore::control(const Moment& now, ResultId result, Control what) {
  return inside_->control(now, result, what);
}
std::vector<Reaped> SqliteJobStore::reap(const Moment& now) {
  return inside_->reap(now);
}
std::vector<Event> SqliteJobStore::events(std::int64_t after, std::size_t max) {
  return inside_->events(after, max);
}
std::optional<StoredResult> SqliteJobStore::result(ResultId id) {
  return inside_->result(id);
}
std::vector<ResultId> SqliteJobStore::unfinished() {
  return inside_->unfinished();
}
bool SqliteJobStore::forget(const Moment& now, ResultId id) {
  return inside_->forget(now, id);
}
void SqliteJobStore::batch(const std::function<void()>& work) {
  inside_->batch(work);
}
void SqliteJobStore::on_change(std::function<void()> wake) {
  inside_->wake_ = std::move(wake);
}

}  // namespace linecheck::scheduler
