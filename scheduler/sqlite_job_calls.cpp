// SPDX-License-Identifier: GPL-3.0-or-later
//
// The life of a call: claimed, begun, ended, completed; and the two ways back into the queue.
#include <algorithm>

#include "scheduler/sqlite_job_inside.h"

namespace linecheck::scheduler {

// ---- the open calls, in memory and in their rows ----

SqliteJobStore::Inside::Open* SqliteJobStore::Inside::find(const Lease& lease) {
  const auto it = open_.find(lease.run_id);
  if (it == open_.end()) return nullptr;
  Open& call = it->second;
  const bool owned =
      call.state != CallState::queued && call.attempt == lease.attempt && call.worker == lease.worker;
  return owned ? &call : nullptr;
}

void SqliteJobStore::Inside::remember(RunId run) {
  const auto it = open_.find(run);
  journal_.emplace_back(run, it == open_.end() ? std::nullopt : std::optional(it->second));
}

SqliteJobStore::Inside::Open& SqliteJobStore::Inside::touch(RunId run) {
  remember(run);
  return open_[run];
}

void SqliteJobStore::Inside::erase(RunId run) {
  remember(run);
  open_.erase(run);
}

void SqliteJobStore::Inside::free_line(Open& call) {
  if (!call.line) return;
  call.line = false;
  admission_.line_free(call.result, call.number);
  changed_ = true;
}

void SqliteJobStore::Inside::save_state(RunId run, const Open& call) {
  db_.query("UPDATE calls SET state = ?, attempt = ?, dials = ?, number = ?, worker = ? WHERE run_id = ?")
      .bind(static_cast<std::int64_t>(call.state))
      .bind(std::int64_t{call.attempt})
      .bind(std::int64_t{call.dials})
      .bind(std::int64_t{call.number})
      .bind(call.worker)
      .bind(run)
      .run();
}

void SqliteJobStore::Inside::log(const Moment& now, Event::Kind kind, ResultId result, RunId run, int attempt,
                                 std::string_view detail) {
  db_.query(
         "INSERT INTO events (unix_ms, kind, result_id, run_id, attempt, detail) VALUES (?, ?, ?, ?, ?, ?)")
      .bind(now.unix_ms)
      .bind(static_cast<std::int64_t>(kind))
      .bind(result)
      .bind(run)
      .bind(std::int64_t{attempt})
      .bind(detail)
      .run();
  last_event_ = db_.last_id();
}

void SqliteJobStore::Inside::put_back(const Moment& now, RunId run, Open& call, std::string_view why) {
  free_line(call);
  call.state = CallState::queued;
  save_state(run, call);
  const Known& known = known_.at(call.result);
  admission_.requeue(call.result, static_cast<std::uint64_t>(run - known.first_run_id));
  log(now, Event::Kind::call_requeued, call.result, run, call.attempt, why);
  changed_ = true;
}

void SqliteJobStore::Inside::count_done(ResultId result, const Counts& counts) {
  const std::uint64_t sum = counts.succeeded + counts.failed + counts.excused + counts.cancelled;
  known_.at(result).done += sum;
  Query update = db_.query(
      "UPDATE result_state SET done = done + ?, succeeded = succeeded + ?, failed = failed + ?, "
      "excused = excused + ?, cancelled = cancelled + ? WHERE id = ?");
  for (const std::uint64_t count : {sum, counts.succeeded, counts.failed, counts.excused, counts.cancelled}) {
    update.bind(static_cast<std::int64_t>(count));
  }
  update.bind(result).run();
}

void SqliteJobStore::Inside::finish(const Moment& now, RunId run, Open& call, const Outcome& outcome,
                                    Event::Kind kind) {
  free_line(call);
  const ResultId result = call.result;
  const int attempt = call.attempt;
  db_.query("UPDATE calls SET state = 4, done_unix_ms = ? WHERE run_id = ?")
      .bind(now.unix_ms)
      .bind(run)
      .run();
  {
    Query insert = db_.query(
        "INSERT INTO outcomes (run_id, result_id, attempt, status, success, category, reason, document) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(run)
        .bind(result)
        .bind(std::int64_t{attempt})
        .bind(std::string_view(to_string(outcome.status)));
    insert.bind(outcome.success ? std::optional<std::int64_t>(*outcome.success) : std::nullopt);
    insert.bind(outcome.category).bind(outcome.reason).bind(outcome.document).run();
  }
  Counts counts;
  if (outcome.status == RunOutcome::cancelled) {
    counts.cancelled = 1;
  } else if (!outcome.success) {
    counts.excused = 1;
  } else if (*outcome.success) {
    counts.succeeded = 1;
  } else {
    counts.failed = 1;
  }
  count_done(result, counts);
  log(now, kind, result, run, attempt, to_string(outcome.status));
  erase(run);
}

void SqliteJobStore::Inside::keep_attempt(RunId run, const Open& call, const Outcome& outcome) {
  Query insert = db_.query(
      "INSERT INTO past_attempts (run_id, attempt, result_id, status, success, category, reason, document) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind(run).bind(std::int64_t{call.attempt}).bind(call.result);
  insert.bind(std::string_view(to_string(outcome.status)));
  insert.bind(outcome.success ? std::optional<std::int64_t>(*outcome.success) : std::nullopt);
  insert.bind(outcome.category).bind(outcome.reason).bind(outcome.document).run();
}

// ---- the methods ----

Claim SqliteJobStore::Inside::claim(const Moment& now, const ClaimRequest& request) {
  std::unique_lock lock(lock_);
  if (stale_) read_again();
  Claim claim;
  follow_clock(now);
  const std::vector<Admitted> admitted = admission_.admit(now.mono_ns, request.ahead.count(), request.max);
  const std::vector<LoadNews> news = admission_.load_news(now.mono_ns);
  if (!admitted.empty() || !news.empty()) {
    const bool ends =
        std::any_of(news.begin(), news.end(), [](const LoadNews& one) { return one.closed.has_value(); });
    write(ends ? Database::Durability::durable : Database::Durability::ordered, [&] {
      for (const Admitted& call : admitted) claim.leases.push_back(lease(now, request, call));
      save_cursors(admitted);
      for (const LoadNews& one : news) claim.loads.push_back(save_load(now, one));
      return true;
    });
    std::stable_sort(claim.leases.begin(), claim.leases.end(),
                     [](const Lease& a, const Lease& b) { return a.due_ns < b.due_ns; });
    note_late_starts(admitted);
  }
  claim.retry_at_ns = admission_.retry_at(now.mono_ns, request.ahead.count());
  return claim;
}

Lease SqliteJobStore::Inside::lease(const Moment& now, const ClaimRequest& request,
                                    const Admitted& admitted) {
  const Known& known = known_.at(admitted.result);
  Lease lease;
  lease.result_id = admitted.result;
  lease.plan_index = admitted.index;
  lease.run_id = known.first_run_id + static_cast<RunId>(admitted.index);
  lease.worker = request.worker;
  lease.due_ns = admitted.due_ns;
  lease.exact_ns = admitted.exact_ns;
  lease.held_by = admitted.held_by;
  lease.expires_ns = now.mono_ns + request.lease.count();
  if (!known.numbers->empty()) lease.caller_number = known.numbers->at(admitted.number);

  Open& call = touch(lease.run_id);
  const bool first = call.attempt == 0;
  call.result = admitted.result;
  ++call.attempt;
  call.state = CallState::leased;
  call.number = admitted.number;
  call.line = true;
  call.worker = request.worker;
  call.expires_ns = lease.expires_ns;
  lease.attempt = call.attempt;
  lease.dials = call.dials;
  if (!first) {
    save_state(lease.run_id, call);
    return lease;
  }
  db_.query(
         "INSERT INTO calls (run_id, result_id, attempt, state, number, worker, claimed_unix_ms) "
         "VALUES (?, ?, 1, 1, ?, ?, ?)")
      .bind(lease.run_id)
      .bind(lease.result_id)
      .bind(std::int64_t{call.number})
      .bind(call.worker)
      .bind(now.unix_ms)
      .run();
  return lease;
}

void SqliteJobStore::Inside::save_cursors(const std::vector<Admitted>& admitted) {
  for (const Admitted& call : admitted) {
    Known& known = known_.at(call.result);
    const std::uint64_t cursor = admission_.cursor(call.result);
    if (cursor == known.cursor) continue;
    known.cursor = cursor;
    db_.query("UPDATE result_state SET cursor = ? WHERE id = ?")
        .bind(static_cast<std::int64_t>(cursor))
        .bind(call.result)
        .run();
  }
}

void SqliteJobStore::Inside::note_late_starts(const std::vector<Admitted>& admitted) {
  const std::lock_guard guard(statistics_lock_);
  for (const Admitted& call : admitted) {
    if (const std::uint64_t late = admission_.late_starts(call.result)) late_starts_[call.result] = late;
  }
}

Begun SqliteJobStore::Inside::begin_call(const Moment& now, const Lease& lease) {
  return write(Database::Durability::durable, [&]() -> Begun {
    Open* call = find(lease);
    if (!call) return is_cancelled(lease.result_id) ? Begun::cancelled : Begun::lost;
    if (call->state != CallState::leased || now.mono_ns >= call->expires_ns) return Begun::lost;
    remember(lease.run_id);
    if (known_.at(call->result).state == ResultState::paused) {
      put_back(now, lease.run_id, *call, "paused");
      return Begun::paused;
    }
    call->state = CallState::in_call;
    ++call->dials;
    db_.query("UPDATE calls SET state = 2, dials = ?, begun_unix_ms = ? WHERE run_id = ?")
        .bind(std::int64_t{call->dials})
        .bind(now.unix_ms)
        .bind(lease.run_id)
        .run();
    log(now, Event::Kind::call_started, call->result, lease.run_id, call->attempt);
    return Begun::yes;
  });
}

bool SqliteJobStore::Inside::is_cancelled(ResultId result) {
  Query row = db_.query("SELECT state FROM result_state WHERE id = ?");
  row.bind(result);
  if (!row.step()) return false;
  const auto state = static_cast<ResultState>(row.integer(0));
  return state == ResultState::cancelling || state == ResultState::cancelled;
}

std::vector<RunId> SqliteJobStore::Inside::heartbeat(const Moment& now, Nanos lease,
                                                     std::span<const Lease> leases) {
  const std::lock_guard guard(lock_);
  std::vector<RunId> lost;
  for (const Lease& held : leases) {
    if (Open* call = find(held)) {
      call->expires_ns = std::max(call->expires_ns, now.mono_ns + lease.count());
    } else {
      lost.push_back(held.run_id);
    }
  }
  return lost;
}

bool SqliteJobStore::Inside::end_call(const Moment& now, const Lease& lease) {
  return write(Database::Durability::ordered, [&] {
    Open* call = find(lease);
    if (!call || call->state != CallState::in_call) return false;
    remember(lease.run_id);
    free_line(*call);
    call->state = CallState::evaluating;
    save_state(lease.run_id, *call);
    log(now, Event::Kind::call_evaluating, call->result, lease.run_id, call->attempt);
    return true;
  });
}

Completion SqliteJobStore::Inside::complete(const Moment& now, const Lease& lease, const Outcome& outcome) {
  return write(Database::Durability::durable, [&] {
    Completion completion;
    Open* call = find(lease);
    if (!call) return completion;
    completion.accepted = true;
    const ResultId result = call->result;
    if (outcome.late) note_late(result, *outcome.late);
    if (outcome.again && known_.at(result).state != ResultState::cancelling) {
      completion.again = true;
      remember(lease.run_id);
      if (!outcome.dialled) {
        call->dials = std::max(call->dials - 1, 0);
        put_back(now, lease.run_id, *call, "not dialled");
        return completion;
      }
      keep_attempt(lease.run_id, *call, outcome);
      put_back(now, lease.run_id, *call, "again");
      return completion;
    }
    remember(lease.run_id);
    finish(now, lease.run_id, *call, outcome);
    completion.result_over = end_if_over(now, result);
    return completion;
  });
}

bool SqliteJobStore::Inside::release(const Moment& now, const Lease& lease) {
  return write(Database::Durability::ordered, [&] {
    Open* call = find(lease);
    if (!call || call->state != CallState::leased) return false;
    remember(lease.run_id);
    put_back(now, lease.run_id, *call, "released");
    return true;
  });
}

bool SqliteJobStore::Inside::amend(RunId run, int attempt, const std::string& document) {
  return write(Database::Durability::durable, [&] {
    return db_.query("UPDATE outcomes SET document = ? WHERE run_id = ? AND attempt = ?")
               .bind(document)
               .bind(run)
               .bind(std::int64_t{attempt})
               .run() == 1;
  });
}

}  // namespace linecheck::scheduler
