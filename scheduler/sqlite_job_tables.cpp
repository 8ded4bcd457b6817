// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tables of the job store. What changes with every call is kept apart from what is large: a row of SQLite
// is rewritten whole, so the cursor and the counts of a result must not share one with the text of its job.
#include "scheduler/database.h"
#include "scheduler/sqlite_job_store.h"

namespace linecheck::scheduler {

namespace {

constexpr int kVersion = 1;
constexpr int kLoadsVersion = 1;

}  // namespace

void require_job_tables(Database& db) {
  db.require("jobs", kVersion);
  db.require("loads", kLoadsVersion);
}

void install_job_tables(Database& db) {
  db.install("jobs", kVersion, R"sql(
CREATE TABLE results (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  idempotency_key TEXT UNIQUE,
  name TEXT NOT NULL,
  job_text TEXT NOT NULL,
  settings_json TEXT NOT NULL,
  total_calls INTEGER NOT NULL,
  first_run_id INTEGER NOT NULL,
  trunk TEXT NOT NULL,
  number_mode INTEGER NOT NULL,
  reuse_numbers INTEGER NOT NULL,
  numbers TEXT NOT NULL,              -- one a line
  retry_after_dial INTEGER NOT NULL,
  created_unix_ms INTEGER NOT NULL
);

-- state: ResultState. cursor: plan indices below it have a row in calls.
CREATE TABLE result_state (
  id INTEGER PRIMARY KEY,
  state INTEGER NOT NULL,
  cursor INTEGER NOT NULL DEFAULT 0,
  priority INTEGER NOT NULL,
  max_calls INTEGER,
  calls_per_second REAL,
  done INTEGER NOT NULL DEFAULT 0,
  succeeded INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  excused INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX result_state_open ON result_state (id) WHERE state < 3;

-- One row for each run that was claimed: run_id = first_run_id + plan index. state: 0 queued, 1 leased, 2 in_call,
-- 3 evaluating, 4 done. The index holds the open ones only, so reading them never walks past a million finished.
CREATE TABLE calls (
  run_id INTEGER PRIMARY KEY,
  result_id INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  dials INTEGER NOT NULL DEFAULT 0,
  state INTEGER NOT NULL,
  number INTEGER NOT NULL,
  worker TEXT NOT NULL,
  claimed_unix_ms INTEGER NOT NULL,
  begun_unix_ms INTEGER,
  done_unix_ms INTEGER
);
CREATE INDEX calls_open ON calls (run_id) WHERE state < 4;

-- How each finished run ended; document last, so that the columns before it are read without its pages.
CREATE TABLE outcomes (
  run_id INTEGER PRIMARY KEY,
  result_id INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  status TEXT NOT NULL,
  success INTEGER,
  category TEXT NOT NULL,
  reason TEXT NOT NULL,
  document TEXT NOT NULL
);
CREATE INDEX outcomes_unsuccessful ON outcomes (run_id) WHERE success IS NOT 1;

-- Attempts that were followed by another one.
CREATE TABLE past_attempts (
  run_id INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  result_id INTEGER NOT NULL,
  status TEXT NOT NULL,
  success INTEGER,
  category TEXT NOT NULL,
  reason TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (run_id, attempt)
);

CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  unix_ms INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  result_id INTEGER NOT NULL,
  run_id INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  detail TEXT NOT NULL
);

CREATE TABLE limits (
  scope TEXT NOT NULL,                -- global, trunk
  name TEXT NOT NULL,
  max_calls INTEGER,
  calls_per_second REAL,
  PRIMARY KEY (scope, name)
) WITHOUT ROWID;

CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counters VALUES ('next_run_id', 1);
)sql");
  // For results with a load shape, a start time or late starts: scheduler/load.h says what the texts are.
  db.install("loads", kLoadsVersion, R"sql(
CREATE TABLE load_state (
  id INTEGER PRIMARY KEY,             -- of the result
  shape TEXT NOT NULL,                -- empty: none
  start_unix_ms INTEGER,
  position_ns INTEGER NOT NULL DEFAULT 0,
  slots INTEGER NOT NULL DEFAULT 0,
  dropped TEXT NOT NULL DEFAULT '',
  late TEXT NOT NULL DEFAULT ''
);
)sql");
}

}  // namespace linecheck::scheduler
