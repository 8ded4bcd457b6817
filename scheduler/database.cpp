// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/database.h"

#include <sqlite3.h>

namespace linecheck::scheduler {

namespace {

StoreError::Kind kind_of(int code) {
  switch (code & 0xff) {  // the primary code of an extended one
    case SQLITE_FULL:
      return StoreError::Kind::disk_full;
    case SQLITE_READONLY:
      return StoreError::Kind::read_only;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return StoreError::Kind::cannot_open;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return StoreError::Kind::locked;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return StoreError::Kind::corrupt;
    case SQLITE_IOERR:
      return StoreError::Kind::io;
    default:
      return StoreError::Kind::internal;
  }
}

const char* advice(StoreError::Kind kind) {
  switch (kind) {
    case StoreError::Kind::cannot_open:
      return "check that its directory exists and that this user may write there";
    case StoreError::Kind::read_only:
      return "make the file and its directory writable for this user, or choose another state directory";
    case StoreError::Kind::disk_full:
      return "free some disk space";
    case StoreError::Kind::locked:
      return "another process holds it: wait for it or stop it";
    case StoreError::Kind::corrupt:
      return "move it away, and restore a copy if there is one";
    case StoreError::Kind::newer_schema:
      return "use the version of linecheck that wrote it, or a later one";
    case StoreError::Kind::io:
      return "the disk failed, or a quota or file-size limit is reached: look at the system's log";
    case StoreError::Kind::internal:
      return "this is a mistake in linecheck: please report it";
  }
  return "";
}

[[noreturn]] void fail(sqlite3* db, int code, const std::string& path) {
  const int extended = db ? sqlite3_extended_errcode(db) : code;
  const char* what = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  const StoreError::Kind kind = kind_of(code);
  throw StoreError(kind, "database " + path + ": " + what + " (SQLite " +
                             std::to_string(extended == SQLITE_OK ? code : extended) + "); " + advice(kind));
}

}  // namespace

// ---- Query ----

Query::Query(sqlite3* db, sqlite3_stmt* statement, const std::string& path)
    : db_(db), statement_(statement), path_(path) {
}

Query::~Query() {
  again();
}

void Query::again() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  next_ = 1;
}

Query& Query::bind(std::int64_t value) {
  sqlite3_bind_int64(statement_, next_++, value);
  return *this;
}

Query& Query::bind(double value) {
  sqlite3_bind_double(statement_, next_++, value);
  return *this;
}

Query& Query::bind(std::string_view text) {
  const char* data = text.data() ? text.data() : "";  // a null pointer would bind NULL
  const int code = sqlite3_bind_text64(statement_, next_++, data, text.size(), nullptr, SQLITE_UTF8);
  if (code != SQLITE_OK) fail(db_, code, path_);  // text beyond SQLite's limit
  return *this;
}

Query& Query::bind(std::nullptr_t) {
  sqlite3_bind_null(statement_, next_++);
  return *this;
}

Query& Query::bind(std::optional<std::int64_t> value) {
  return value ? bind(*value) : bind(nullptr);
}

Query& Query::bind(std::optional<double> value) {
  return value ? bind(*value) : bind(nullptr);
}

bool Query::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  fail(db_, code, path_);
}

int Query::run() {
  while (step()) {
  }
  return sqlite3_changes(db_);
}

std::int64_t Query::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Query::real(int column) const {
  return sqlite3_column_double(statement_, column);
}

std::string Query::text(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data ? std::string(static_cast<const char*>(data), static_cast<std::size_t>(size)) : std::string();
}

bool Query::null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

// ---- Database ----

void Database::Close::operator()(sqlite3* db) const {
  sqlite3_close_v2(db);
}

void Database::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Database::Database(const std::string& path, Mode mode, int busy_ms) : path_(path) {
  const int flags =
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
      (mode == Mode::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  db_.reset(handle);  // SQLite makes a handle for the error message even where it fails
  if (code != SQLITE_OK) fail(handle, code, path_);
  sqlite3_busy_timeout(handle, busy_ms);
  if (mode == Mode::read_only) return;
  // SQLite opens a file that it may not write read-only without a word, and fails at the first write.
  if (sqlite3_db_readonly(handle, "main") == 1) fail(nullptr, SQLITE_READONLY, path_);
  execute("PRAGMA journal_mode = WAL");
  execute("PRAGMA synchronous = FULL");
  execute("PRAGMA foreign_keys = ON");
  // Fewer, larger checkpoints than the default 1,000 pages: a run's document takes ten pages or so.
  execute("PRAGMA wal_autocheckpoint = 4000");
  execute("PRAGMA journal_size_limit = 67108864");
}

Database::~Database() = default;

void Database::execute(const char* sql) {
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(db_.get(), code, path_);
}

Query Database::query(const char* sql) {
  auto& cached = statements_[sql];
  if (!cached) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) fail(db_.get(), code, path_);
    cached.reset(statement);
  }
  return Query(db_.get(), cached.get(), path_);
}

void Database::begin(Durability durability) {
  if (durability != durability_) {
    execute(durability == Durability::durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    durability_ = durability;
  }
  execute("BEGIN IMMEDIATE");
}

void Database::commit() {
  execute("COMMIT");
}

void Database::rollback() noexcept {
  if (in_transaction()) sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

bool Database::in_transaction() const {
  return sqlite3_get_autocommit(db_.get()) == 0;
}

std::int64_t Database::last_id() const {
  return sqlite3_last_insert_rowid(db_.get());
}

std::optional<std::int64_t> Database::version_of(std::string_view component) {
  {
    Query table = query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'");
    if (!table.step()) return std::nullopt;
  }
  Query version = query("SELECT version FROM schema_version WHERE component = ?");
  version.bind(component);
  if (!version.step()) return std::nullopt;
  return version.integer(0);
}

void Database::require(std::string_view component, int version) {
  const std::optional<std::int64_t> found = version_of(component);
  if (found == version) return;
  if (!found) {
    throw StoreError(StoreError::Kind::corrupt,
                     "database " + path_ + " has no " + std::string(component) +
                         " tables: it is not one of linecheck's, or nothing was stored yet");
  }
  throw StoreError(StoreError::Kind::newer_schema, "database " + path_ + ": its " + std::string(component) +
                                                       " tables have version " + std::to_string(*found) +
                                                       ", this program knows " + std::to_string(version) +
                                                       "; " + advice(StoreError::Kind::newer_schema));
}

void Database::install(std::string_view component, int version, const char* create) {
  begin(Durability::durable);
  try {
    if (!version_of(component)) {
      execute(
          "CREATE TABLE IF NOT EXISTS schema_version (component TEXT PRIMARY KEY, version INTEGER NOT NULL) "
          "WITHOUT ROWID");
      execute(create);
      query("INSERT INTO schema_version VALUES (?, ?)").bind(component).bind(std::int64_t{version}).run();
    }
    require(component, version);
    commit();
  } catch (...) {
    rollback();
    throw;
  }
}

}  // namespace linecheck::scheduler
