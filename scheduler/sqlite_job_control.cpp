// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is done to results from outside: limits, pause, resume, cancel, expired leases, removal.
#include <algorithm>
#include <charconv>
#include <cstdio>

#include "scheduler/sqlite_job_inside.h"

namespace linecheck::scheduler {

namespace {

std::string described(const Limits& limits) {
  std::string text =
      "max_calls " + (limits.max_calls ? std::to_string(*limits.max_calls) : std::string("none"));
  text += ", calls_per_second ";
  if (!limits.calls_per_second) return text + "none";
  char number[32];
  std::snprintf(number, sizeof number, "%g", *limits.calls_per_second);
  return text + number;
}

std::optional<std::int64_t> wide(const std::optional<int>& value) {
  return value ? std::optional<std::int64_t>(*value) : std::nullopt;
}

}  // namespace

void SqliteJobStore::Inside::set_state(Known& known, ResultState state) {
  known.state = state;
  db_.query("UPDATE result_state SET state = ? WHERE id = ?")
      .bind(static_cast<std::int64_t>(state))
      .bind(known.id)
      .run();
}

// `known` is gone when this answers true.
bool SqliteJobStore::Inside::end_if_over(const Moment& now, ResultId result) {
  Known& known = known_.at(result);
  if (known.done < known.total) return false;
  const ResultState last =
      known.state == ResultState::cancelling ? ResultState::cancelled : ResultState::over;
  set_state(known, last);
  log(now, Event::Kind::result_over, result, 0, 0, to_string(last));
  admission_.remove(result);
  known_.erase(result);
  return true;
}

void SqliteJobStore::Inside::set_result_limits(Known& known, const Limits& limits) {
  known.limits = limits;
  admission_.set_result(known.id, limits);
  db_.query("UPDATE result_state SET max_calls = ?, calls_per_second = ? WHERE id = ?")
      .bind(wide(limits.max_calls))
      .bind(limits.calls_per_second)
      .bind(known.id)
      .run();
}

bool SqliteJobStore::Inside::set_limit(const Moment& now, LimitScope scope, const std::string& name,
                                       const Limits& limits) {
  return write(Database::Durability::durable, [&] {
    if (scope == LimitScope::result) {
      ResultId id = 0;
      const auto parsed = std::from_chars(name.data(), name.data() + name.size(), id);
      const auto known = known_.find(id);
      if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size() || known == known_.end())
        return false;
      set_result_limits(known->second, limits);
      log(now, Event::Kind::limits_changed, id, 0, 0, "result: " + described(limits));
      changed_ = true;
      return true;
    }
    const bool global = scope == LimitScope::global;
    const std::string_view scope_name = global ? "global" : "trunk";
    const std::string_view key = global ? std::string_view() : std::string_view(name);
    {
      Query same = db_.query(
          "SELECT 1 FROM limits WHERE scope = ? AND name = ? AND max_calls IS ? AND calls_per_second IS ?");
      same.bind(scope_name).bind(key).bind(wide(limits.max_calls)).bind(limits.calls_per_second);
      if (same.step()) return true;  // the configuration repeats itself at each start
    }
    if (global) {
      admission_.set_global(limits);
    } else {
      admission_.set_trunk(name, limits);
    }
    db_.query("INSERT OR REPLACE INTO limits (scope, name, max_calls, calls_per_second) VALUES (?, ?, ?, ?)")
        .bind(scope_name)
        .bind(key)
        .bind(wide(limits.max_calls))
        .bind(limits.calls_per_second)
        .run();
    log(now, Event::Kind::limits_changed, 0, 0, 0,
        (global ? "global: " : "trunk " + name + ": ") + described(limits));
    changed_ = true;
    return true;
  });
}

// Calls that were never claimed have no row: they are only counted, so that cancelling a million of them
// costs as much as cancelling one.
void SqliteJobStore::Inside::cancel_waiting(const Moment& now, Known& known) {
  Counts never_claimed;
  never_claimed.cancelled = known.total - known.cursor;
  count_done(known.id, never_claimed);
  std::vector<RunId> waiting;
  for (const auto& [run, call] : open_) {
    if (call.result != known.id) continue;
    if (call.state == CallState::queued || call.state == CallState::leased) waiting.push_back(run);
  }
  Outcome cancelled;
  cancelled.status = RunOutcome::cancelled;
  cancelled.reason = "cancelled before it was dialled";
  for (const RunId run : waiting) finish(now, run, touch(run), cancelled);
}

Controlled SqliteJobStore::Inside::control(const Moment& now, ResultId result, Control what) {
  return write(Database::Durability::durable, [&] {
    Controlled done;
    const auto it = known_.find(result);
    if (it == known_.end()) {
      Query row = db_.query("SELECT 1 FROM results WHERE id = ?");
      row.bind(result);
      done.known = row.step();
      return done;
    }
    Known& known = it->second;
    done.known = true;
    for (const auto& [run, call] : open_) {
      if (call.result == result && call.state == CallState::in_call) done.in_progress.push_back(run);
    }
    const bool pause = what == Control::pause && known.state == ResultState::active;
    const bool resume = what == Control::resume && known.state == ResultState::paused;
    if (pause || resume) {
      set_state(known, pause ? ResultState::paused : ResultState::active);
      admission_.hold(result, pause);
      log(now, pause ? Event::Kind::result_paused : Event::Kind::result_resumed, result);
      done.changed = true;
      changed_ = changed_ || resume;
    } else if (what == Control::cancel && known.state != ResultState::cancelling) {
      set_state(known, ResultState::cancelling);
      admission_.cancel(result);
      log(now, Event::Kind::result_cancelled, result);
      cancel_waiting(now, known);
      done.changed = true;
      done.result_over = end_if_over(now, result);
    }
    return done;
  });
}

std::vector<RunId> SqliteJobStore::Inside::expired(const Moment& now) {
  const std::lock_guard guard(lock_);
  std::vector<RunId> runs;
  for (const auto& [run, call] : open_) {
    if (call.state != CallState::queued && now.mono_ns >= call.expires_ns) runs.push_back(run);
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

std::vector<Reaped> SqliteJobStore::Inside::reap(const Moment& now) {
  if (expired(now).empty()) return {};  // as a rule, and then nothing is written
  return write(Database::Durability::durable, [&] {
    const std::vector<RunId> runs = expired(now);
    std::vector<Reaped> reaped;
    reaped.reserve(runs.size());
    for (const RunId run : runs) reaped.push_back(reap_call(now, run));
    return reaped;
  });
}

int SqliteJobStore::Inside::times_lost(RunId run) {
  Query row = db_.query("SELECT count(*) FROM past_attempts WHERE run_id = ? AND reason = 'lost'");
  row.bind(run).step();
  return static_cast<int>(row.integer(0));
}

Reaped SqliteJobStore::Inside::reap_call(const Moment& now, RunId run) {
  Open& call = touch(run);
  const Known& known = known_.at(call.result);
  Reaped reaped;
  reaped.result_id = call.result;
  reaped.run_id = run;
  reaped.plan_index = static_cast<std::uint64_t>(run - known.first_run_id);
  reaped.attempt = call.attempt;
  const bool cancelling = known.state == ResultState::cancelling;
  Outcome lost;
  lost.status = RunOutcome::failed;
  lost.category = "engine";
  lost.reason = "lost";
  const bool again = known.retry_after_dial && !cancelling && times_lost(run) + 1 < kMostLost;
  if (call.state == CallState::leased || again) {
    if (call.state != CallState::leased) keep_attempt(run, call, lost);
    put_back(now, run, call, "expired");
    reaped.requeued = true;
    return reaped;
  }
  finish(now, run, call, lost, Event::Kind::call_lost);
  reaped.lost = true;
  reaped.result_over = end_if_over(now, reaped.result_id);
  return reaped;
}

bool SqliteJobStore::Inside::forget(const Moment&, ResultId id) {
  return write(Database::Durability::durable, [&] {
    std::int64_t first = 0;
    std::int64_t end = 0;
    {
      Query row = db_.query(
          "SELECT r.first_run_id, r.first_run_id + r.total_calls FROM results r JOIN result_state s ON s.id "
          "= r.id "
          "WHERE r.id = ? AND s.state >= 3");
      row.bind(id);
      if (!row.step()) return false;
      first = row.integer(0);
      end = row.integer(1);
    }
    for (const char* sql : {"DELETE FROM outcomes WHERE run_id >= ? AND run_id < ?",
                            "DELETE FROM calls WHERE run_id >= ? AND run_id < ?",
                            "DELETE FROM past_attempts WHERE run_id >= ? AND run_id < ?"}) {
      db_.query(sql).bind(first).bind(end).run();
    }
    db_.query("DELETE FROM result_state WHERE id = ?").bind(id).run();
    db_.query("DELETE FROM load_state WHERE id = ?").bind(id).run();
    db_.query("DELETE FROM results WHERE id = ?").bind(id).run();
    return true;
  });
}

}  // namespace linecheck::scheduler
