// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/store/result_store.h"

#include <charconv>

#include "scheduler/sqlite_job_store.h"

namespace linecheck::engine {

using scheduler::Database;
using scheduler::Query;

namespace {

constexpr int kVersion = 1;

// `document` is last so that a page of results is read without the pages of the documents.
constexpr char kTables[] = R"sql(
CREATE TABLE result_documents (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  agent INTEGER NOT NULL,
  project INTEGER,
  status TEXT NOT NULL,
  success_rate REAL,
  scenarios TEXT NOT NULL,            -- ",11,12,"
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  document TEXT NOT NULL
);
CREATE INDEX result_documents_agent ON result_documents (agent, id);
)sql";

// With ?n unset a filter matches everything. LIKE is used without wildcards of the user's: they are escaped.
#define LINECHECK_RESULT_FILTER                                         \
  " WHERE (?1 IS NULL OR agent = ?1) AND (?2 IS NULL OR project = ?2) " \
  "AND (?3 = '' OR name LIKE ?3 ESCAPE '\\') "                          \
  "AND (?4 = '' OR EXISTS (SELECT 1 FROM json_each(?4) WHERE instr(scenarios, ',' || value || ',') > 0)) "

std::string like_pattern(const std::string& search) {
  if (search.empty()) return {};
  std::string pattern = "%";
  for (const char c : search) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

std::string id_list(const std::vector<std::int64_t>& ids, char open, char close) {
  if (ids.empty()) return {};
  std::string text(1, open);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) text += ',';
    text += std::to_string(ids[i]);
  }
  return text + close;
}

std::vector<std::int64_t> parse_ids(const std::string& text) {
  std::vector<std::int64_t> ids;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    std::int64_t id = 0;
    const auto [next, error] = std::from_chars(at, end, id);
    if (error == std::errc()) ids.push_back(id);
    at = next == at ? at + 1 : next;
  }
  return ids;
}

StoredResultDocument result_row(const Query& row) {
  StoredResultDocument result;
  result.id = row.integer(0);
  result.name = row.text(1);
  result.agent = row.integer(2);
  if (!row.null(3)) result.project = row.integer(3);
  result.status = row.text(4);
  if (!row.null(5)) result.success_rate = row.real(5);
  result.scenarios = parse_ids(row.text(6));
  result.created_at = row.text(7);
  result.updated_at = row.text(8);
  result.json = row.text(9);
  return result;
}

StoredRunDocument run_row(const Query& row) {
  StoredRunDocument run;
  run.run_id = row.integer(0);
  run.result_id = row.integer(1);
  run.attempt = static_cast<int>(row.integer(2));
  run.status = row.text(3);
  if (!row.null(4)) run.success = row.integer(4) != 0;
  run.category = row.text(5);
  run.reason = row.text(6);
  run.json = row.text(7);
  return run;
}

}  // namespace

ResultStore::ResultStore(const std::string& database_path, Database::Mode mode)
    : db_(std::make_unique<Database>(database_path, mode)) {
  if (mode == Database::Mode::read_only) {
    scheduler::require_job_tables(*db_);
    db_->require("results", kVersion);
    return;
  }
  scheduler::install_job_tables(*db_);
  db_->install("results", kVersion, kTables);
}

void ResultStore::save_result(const StoredResultDocument& result) {
  const std::lock_guard guard(lock_);
  std::string scenarios;
  if (!result.scenarios.empty()) scenarios = id_list(result.scenarios, ',', ',');
  db_->begin(Database::Durability::durable);
  try {
    Query insert = db_->query(
        "INSERT OR REPLACE INTO result_documents (id, name, agent, project, status, success_rate, scenarios, "
        "created_at, updated_at, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(result.id).bind(result.name).bind(result.agent).bind(result.project).bind(result.status);
    insert.bind(result.success_rate).bind(scenarios).bind(result.created_at).bind(result.updated_at);
    insert.bind(result.json).run();
    db_->commit();
  } catch (...) {
    db_->rollback();
    throw;
  }
}

std::optional<StoredResultDocument> ResultStore::result(std::int64_t id) const {
  const std::lock_guard guard(lock_);
  Query row = db_->query(
      "SELECT id, name, agent, project, status, success_rate, scenarios, created_at, updated_at, document "
      "FROM result_documents WHERE id = ?");
  row.bind(id);
  if (!row.step()) return std::nullopt;
  return result_row(row);
}

std::vector<StoredResultDocument> ResultStore::results(const ResultFilter& filter, std::size_t offset,
                                                       std::size_t limit, bool with_json) const {
  const std::lock_guard guard(lock_);
  const std::string search = like_pattern(filter.search);
  const std::string scenarios = id_list(filter.scenarios, '[', ']');
  Query row = with_json ? db_->query(
                              "SELECT id, name, agent, project, status, success_rate, scenarios, created_at, "
                              "updated_at, document FROM result_documents" LINECHECK_RESULT_FILTER
                              "ORDER BY id DESC LIMIT ?5 OFFSET ?6")
                        : db_->query(
                              "SELECT id, name, agent, project, status, success_rate, scenarios, created_at, "
                              "updated_at, '' FROM result_documents" LINECHECK_RESULT_FILTER
                              "ORDER BY id DESC LIMIT ?5 OFFSET ?6");
  row.bind(filter.agent).bind(filter.project).bind(search).bind(scenarios);
  row.bind(static_cast<std::int64_t>(limit)).bind(static_cast<std::int64_t>(offset));
  std::vector<StoredResultDocument> results;
  while (row.step()) results.push_back(result_row(row));
  return results;
}

std::size_t ResultStore::count(const ResultFilter& filter) const {
  const std::lock_guard guard(lock_);
  const std::string search = like_pattern(filter.search);
  const std::string scenarios = id_list(filter.scenarios, '[', ']');
  Query row = db_->query("SELECT count(*) FROM result_documents" LINECHECK_RESULT_FILTER);
  row.bind(filter.agent).bind(filter.project).bind(search).bind(scenarios);
  row.step();
  return static_cast<std::size_t>(row.integer(0));
}

bool ResultStore::remove_result(std::int64_t id) {
  const std::lock_guard guard(lock_);
  return db_->query("DELETE FROM result_documents WHERE id = ?").bind(id).run() == 1;
}

std::vector<std::int64_t> ResultStore::unreported() const {
  const std::lock_guard guard(lock_);
  Query row = db_->query(
      "SELECT s.id FROM result_state s LEFT JOIN result_documents d ON d.id = s.id WHERE s.state >= 3 "
      "AND (d.id IS NULL OR d.status NOT IN ('completed', 'failed', 'cancelled')) ORDER BY s.id");
  std::vector<std::int64_t> ids;
  while (row.step()) ids.push_back(row.integer(0));
  return ids;
}

std::optional<std::int64_t> ResultStore::result_of_key(const std::string& key) const {
  const std::lock_guard guard(lock_);
  Query row = db_->query("SELECT id FROM results WHERE idempotency_key = ?");
  row.bind(key);
  if (!row.step()) return std::nullopt;
  return row.integer(0);
}

std::optional<StoredRunDocument> ResultStore::run(std::int64_t run_id, int attempt) const {
  const std::lock_guard guard(lock_);
  {
    Query row = db_->query(
        "SELECT run_id, result_id, attempt, status, success, category, reason, document FROM outcomes "
        "WHERE run_id = ?1 AND (?2 = 0 OR attempt = ?2)");
    row.bind(run_id).bind(std::int64_t{attempt});
    if (row.step()) return run_row(row);
  }
  if (attempt == 0) return std::nullopt;
  Query row = db_->query(
      "SELECT run_id, result_id, attempt, status, success, category, reason, document FROM past_attempts "
      "WHERE run_id = ? AND attempt = ?");
  row.bind(run_id).bind(std::int64_t{attempt});
  if (!row.step()) return std::nullopt;
  return run_row(row);
}

// The runs of a result have consecutive ids, so a range of the primary key is all that is read.
std::vector<StoredRunDocument> ResultStore::runs(std::int64_t result_id, std::int64_t after_run_id,
                                                 std::size_t limit) const {
  return read_runs(
      "SELECT o.run_id, o.result_id, o.attempt, o.status, o.success, o.category, o.reason, o.document "
      "FROM results r JOIN outcomes o ON o.run_id >= max(r.first_run_id, ?2 + 1) "
      "AND o.run_id < r.first_run_id + r.total_calls WHERE r.id = ?1 ORDER BY o.run_id LIMIT ?3",
      result_id, after_run_id, limit);
}

std::vector<StoredRunDocument> ResultStore::unsuccessful_runs(std::int64_t result_id,
                                                              std::int64_t after_run_id,
                                                              std::size_t limit) const {
  return read_runs(
      "SELECT o.run_id, o.result_id, o.attempt, o.status, o.success, o.category, o.reason, o.document "
      "FROM results r JOIN outcomes o INDEXED BY outcomes_unsuccessful ON o.run_id >= max(r.first_run_id, ?2 "
      "+ 1) "
      "AND o.run_id < r.first_run_id + r.total_calls WHERE r.id = ?1 AND o.success IS NOT 1 "
      "ORDER BY o.run_id LIMIT ?3",
      result_id, after_run_id, limit);
}

std::vector<StoredRunDocument> ResultStore::read_runs(const char* sql, std::int64_t result_id,
                                                      std::int64_t after, std::size_t limit) const {
  const std::lock_guard guard(lock_);
  Query row = db_->query(sql);
  row.bind(result_id).bind(after).bind(static_cast<std::int64_t>(limit));
  std::vector<StoredRunDocument> runs;
  while (row.step()) runs.push_back(run_row(row));
  return runs;
}

}  // namespace linecheck::engine
