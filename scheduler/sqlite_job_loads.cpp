// SPDX-License-Identifier: GPL-3.0-or-later
//
// Load shapes and start times in the file: what a later process needs to go on where this one stood.
#include <algorithm>

#include "scheduler/sqlite_job_inside.h"

namespace linecheck::scheduler {

void SqliteJobStore::Inside::read_loads() {
  Query row = db_.query("SELECT id, shape, start_unix_ms, position_ns, slots, dropped, late FROM load_state");
  while (row.step()) {
    const auto it = known_.find(row.integer(0));
    if (it == known_.end()) continue;
    Known& known = it->second;
    known.load = decode_load(row.text(1));
    if (!row.null(2)) known.start_unix_ms = row.integer(2);
    known.load_saved.position_ns = row.integer(3);
    known.load_saved.slots = static_cast<std::uint64_t>(row.integer(4));
    known.load_saved.dropped = decode_held(row.text(5));
    known.late = decode_held(row.text(6));
  }
}

void SqliteJobStore::Inside::create_load(const Known& known) {
  if (!known.load && !known.start_unix_ms) return;
  const std::string shape = known.load ? encode_load(*known.load) : std::string();
  db_.query("INSERT INTO load_state (id, shape, start_unix_ms) VALUES (?, ?, ?)")
      .bind(known.id)
      .bind(shape)
      .bind(known.start_unix_ms)
      .run();
}

// The result must be open.
void SqliteJobStore::Inside::note_late(ResultId result, HeldBy cause) {
  Known& known = known_.at(result);
  known.late.count(cause);
  const std::string late = encode_held(known.late);
  db_.query(
         "INSERT INTO load_state (id, shape, late) VALUES (?, '', ?) "
         "ON CONFLICT (id) DO UPDATE SET late = excluded.late")
      .bind(result)
      .bind(late)
      .run();
}

// A start time is on the wall clock, which may be set while it is waited for.
void SqliteJobStore::Inside::follow_clock(const Moment& now) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  constexpr std::int64_t kFarthestMs = 100LL * 365 * 24 * 3600 * 1000;
  for (auto& [id, known] : known_) {
    if (!known.start_unix_ms) continue;
    const std::int64_t left_ms = std::min(*known.start_unix_ms - now.unix_ms, kFarthestMs);
    admission_.set_not_before(id, left_ms > 0 ? now.mono_ns + left_ms * kNsPerMs : INT64_MIN);
    if (left_ms <= 0) known.start_unix_ms.reset();  // begun: a clock put back doesn't take that back
  }
}

LoadProgress SqliteJobStore::Inside::save_load(const Moment& now, const LoadNews& news) {
  LoadProgress progress;
  progress.result_id = news.result;
  progress.dropped = news.saved.dropped;
  const std::string dropped = encode_held(news.saved.dropped);
  db_.query("UPDATE load_state SET position_ns = ?, slots = ?, dropped = ? WHERE id = ?")
      .bind(news.saved.position_ns)
      .bind(static_cast<std::int64_t>(news.saved.slots))
      .bind(dropped)
      .bind(news.result)
      .run();
  const auto it = known_.find(news.result);
  if (it == known_.end()) return progress;
  it->second.load_saved = news.saved;
  if (!news.closed) return progress;
  progress.total = it->second.total = *news.closed;
  db_.query("UPDATE results SET total_calls = ? WHERE id = ?")
      .bind(static_cast<std::int64_t>(*news.closed))
      .bind(news.result)
      .run();
  log(now, Event::Kind::load_over, news.result, 0, 0, std::to_string(*news.closed) + " calls");
  progress.result_over = end_if_over(now, news.result);
  return progress;
}

}  // namespace linecheck::scheduler
