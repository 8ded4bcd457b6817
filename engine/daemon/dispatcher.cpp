// SPDX-License-Identifier: GPL-3.0-or-later
//
// Results: accepted, taken up again after a restart, stopped, concluded; and the claiming of their calls.
#include "engine/daemon/dispatcher.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "engine/call/offload.h"
#include "engine/call/time.h"
#include "engine/daemon/wait.h"
#include "engine/report/json.h"
#include "scheduler/numbers.h"

namespace linecheck::engine {
namespace {

using boost::asio::awaitable;
using std::chrono::nanoseconds;

constexpr std::chrono::seconds kLongestWait{1};
constexpr std::size_t kClaimedAtOnce = 64;
constexpr std::size_t kDocumentsAtOnce = 500;
constexpr int kRefusalsLoggedASecond = 10;

}  // namespace

Dispatcher::Dispatcher(DispatcherParts parts, std::shared_ptr<const Settings> settings, OnOver on_over)
    : parts_(std::move(parts)),
      settings_(std::move(settings)),
      on_over_(std::move(on_over)),
      writer_(parts_.control, parts_.database, parts_.store),
      reception_(parts_.services.switchboard),
      changed_(parts_.control),
      heartbeat_(parts_.control),
      turned_ns_(mono_ns()) {
  parts_.services.reception = &reception_;
  reception_.on_refused([this](const RefusedCall& call) { keep_refused(call); });
}

/// To the result whose run it was nearest to; one that was near to nobody, to all whose runs wait there.
void Dispatcher::keep_refused(const RefusedCall& call) {
  log_refused(call);
  if (call.result_id != 0) {
    if (const auto nearest = find(call.result_id)) nearest->add(call);
    return;
  }
  for (const auto& [id, result] : open_) {
    const CallBasis& basis = result->basis();
    if (basis.job->called && basis.settings->endpoint_of(basis.trunk()) == call.endpoint) result->add(call);
  }
}

/// A stranger who calls on and on does not fill the log.
void Dispatcher::log_refused(const RefusedCall& call) {
  const std::int64_t second = mono_ns() / 1'000'000'000;
  if (second != refused_second_) {
    if (refused_unlogged_ > 0) {
      parts_.log.write(Part::calls, LogLevel::warn,
                       "refused " + std::to_string(refused_unlogged_) + " more calls from outside");
    }
    refused_second_ = second;
    refused_logged_ = 0;
    refused_unlogged_ = 0;
  }
  if (++refused_logged_ > kRefusalsLoggedASecond) {
    ++refused_unlogged_;
    return;
  }
  parts_.log.write(
      Part::calls, LogLevel::warn,
      "refused a call from " + call.source + " with " + std::to_string(call.status) + ": " + call.reason,
      {{"RUN_ID", std::to_string(call.run_id)}});
}

void Dispatcher::changed() {
  dirty_ = true;
  changed_.cancel();
}

std::vector<LocalAddress> Dispatcher::local_addresses() const {
  std::vector<LocalAddress> addresses;
  for (std::size_t i = 0; i < parts_.services.switchboard.endpoints(); ++i) {
    const sip::Endpoint& endpoint = parts_.services.switchboard.endpoint(i);
    addresses.push_back({endpoint.local_address(), endpoint.local_port()});
  }
  return addresses;
}

awaitable<CallBasis> Dispatcher::basis_of(scheduler::Job job) {
  auto make = [settings = settings_, job = std::move(job), addresses = local_addresses()]() mutable {
    return make_basis(std::move(settings), std::move(job), addresses);
  };
  co_return co_await offload(parts_.files, std::move(make));
}

// ---- limits ----

awaitable<void> Dispatcher::apply_limits() {
  auto set = [this, settings = settings_] {
    const auto now = scheduler::moment_now();
    const Limits& limits = settings->config.limits;
    const scheduler::Limits global{limits.concurrent_calls, limits.calls_per_second};
    parts_.store.set_limit(now, scheduler::LimitScope::global, "", global);
    for (const auto& [name, trunk] : settings->catalog->trunks) {
      const scheduler::Limits of_trunk{trunk.max_calls, trunk.calls_per_second};
      parts_.store.set_limit(now, scheduler::LimitScope::trunk, name, of_trunk);
    }
  };
  co_await offload(parts_.database, std::move(set));
}

awaitable<void> Dispatcher::adopt(std::shared_ptr<const Settings> settings) {
  settings_ = std::move(settings);
  co_await apply_limits();
  std::vector<std::shared_ptr<OpenResult>> results;
  for (const auto& [id, result] : open_) results.push_back(result);
  for (const auto& result : results) {
    scheduler::Problems problems;
    auto job = read_job(resolved_request(result->job()), "result " + std::to_string(result->id()), *settings_,
                        problems);
    if (job) {
      CallBasis basis = co_await basis_of(std::move(*job));
      if (result->adopt(std::move(basis))) continue;
    }
    const std::string why = problems.empty() ? "its calls would be others" : problems.front().text();
    parts_.log.write(Part::jobs, LogLevel::warn,
                     "the result goes on with the catalogue that it began with: " + why,
                     {{"RESULT_ID", std::to_string(result->id())}});
  }
  changed();
}

// ---- accepted ----

awaitable<scheduler::Created> Dispatcher::submit(scheduler::Job job, std::string key) {
  CallBasis basis = co_await basis_of(std::move(job));
  scheduler::RunSpec spec;
  spec.idempotency_key = key;
  spec.name = basis.job->name;
  spec.job_text = resolved_request(*basis.job);
  spec.settings_json = settings_of(*basis.job);
  spec.total_calls = basis.plan->size();
  spec.trunk = basis.trunk().name;
  spec.limits.max_calls = basis.job->concurrency_limit;
  spec.limits.calls_per_second = basis.job->calls_per_second;
  spec.priority = basis.job->priority;
  spec.retry_after_dial = basis.job->retry_after_dial;
  spec.load = basis.job->load;
  spec.start_unix_ms = basis.job->start_unix_ms;
  spec.numbers = scheduler::caller_numbers(*basis.job, basis.trunk());
  auto create = [this, spec] { return parts_.store.create_run(scheduler::moment_now(), spec); };
  const scheduler::Created created = co_await offload(parts_.database, std::move(create));
  if (created.existed) co_return created;
  auto result = std::make_shared<OpenResult>(created.result_id, created.first_run_id, std::move(basis));
  result->key = std::move(key);
  parts_.log.write(Part::jobs, LogLevel::info,
                   "accepted '" + result->job().name + "': " + std::to_string(result->total()) + " calls",
                   {{"RESULT_ID", std::to_string(result->id())}, {"TRUNK", result->basis().trunk().name}});
  insert(std::move(result));
  co_return created;
}

void Dispatcher::insert(std::shared_ptr<OpenResult> result) {
  const scheduler::ResultId id = result->id();
  open_[id] = std::move(result);
  const auto [first, last] = early_.equal_range(id);
  std::vector<scheduler::Lease> leases;
  for (auto it = first; it != last; ++it) leases.push_back(it->second);
  early_.erase(first, last);
  for (scheduler::Lease& lease : leases) launch(std::move(lease));
  changed();
}

// ---- taken up again ----

awaitable<void> Dispatcher::recover(ResultStore& documents) {
  std::vector<scheduler::StoredResult> unfinished;
  auto look = [this, &documents, &unfinished] {
    const auto now = scheduler::moment_now();
    parts_.store.reap(now);
    // A foreground job that died: nobody waits for it any more.
    for (const auto id : parts_.store.unfinished()) {
      const auto stored = parts_.store.result(id);
      if (stored && stored->spec.idempotency_key.empty()) {
        parts_.store.control(now, id, scheduler::Control::cancel);
      }
    }
    auto ids = parts_.store.unfinished();
    for (const auto id : documents.unreported()) ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    for (const auto id : ids) {
      if (auto stored = parts_.store.result(id)) unfinished.push_back(std::move(*stored));
    }
  };
  co_await offload(parts_.database, std::move(look));
  for (scheduler::StoredResult& stored : unfinished) {
    if (stored.spec.idempotency_key.empty()) continue;
    co_await take_up(std::move(stored), documents);
  }
  const auto results = open_;  // after_call() takes them out one by one
  for (const auto& [id, result] : results) {
    if (result->over) after_call(result, true);
  }
}

awaitable<void> Dispatcher::take_up(scheduler::StoredResult stored, ResultStore& documents) {
  using scheduler::ResultState;
  const ResultState state = stored.progress.state;
  const bool over = state == ResultState::over || state == ResultState::cancelled;
  const std::string id = std::to_string(stored.id);
  scheduler::Problems problems;
  auto job = read_job(stored.spec.job_text, "result " + id, *settings_, problems);
  std::string why;
  std::shared_ptr<OpenResult> result;
  if (job) {
    CallBasis basis = co_await basis_of(std::move(*job));
    // A load shape that is over has left the rest of its calls out.
    const std::uint64_t planned = basis.plan->size();
    if (planned == stored.spec.total_calls || (basis.job->load && planned > stored.spec.total_calls)) {
      result = std::make_shared<OpenResult>(stored.id, stored.first_run_id, std::move(basis));
      result->close(stored.spec.total_calls);
      result->dropped_starts = stored.progress.dropped_starts;
      result->late_starts.before(stored.progress.late_starts_stored);
    } else {
      why = "its calls would be others";
    }
  } else {
    why = problems.empty() ? "its job can't be read" : problems.front().text();
  }
  if (!result) {
    // The catalogue no longer has what the job asks for. What was called stays readable; nothing more is.
    parts_.log.write(Part::jobs, LogLevel::error, "the result can't go on: " + why, {{"RESULT_ID", id}});
    auto end = [this, id = stored.id, &documents, why, stored] {
      parts_.store.control(scheduler::moment_now(), id, scheduler::Control::cancel);
      StoredResultDocument document;
      document.id = id;
      document.name = stored.spec.name;
      document.status = "cancelled";
      document.created_at = utc_text(stored.created_unix_ms);
      document.updated_at = utc_now();
      documents.save_result(document);
    };
    co_await offload(parts_.database, std::move(end));
    co_return;
  }
  result->key = stored.spec.idempotency_key;
  result->created_at = utc_text(stored.created_unix_ms);
  result->paused = state == ResultState::paused;
  result->cancelled = state == ResultState::cancelling || state == ResultState::cancelled;
  result->stopping = over || state == ResultState::cancelling;
  result->over = over;
  for (std::int64_t after = 0;;) {
    auto read = [&documents, id = stored.id, after] { return documents.runs(id, after, kDocumentsAtOnce); };
    const auto runs = co_await offload(parts_.database, std::move(read));
    for (const StoredRunDocument& run : runs) {
      after = run.run_id;
      if (!run.json.empty()) {
        result->add(report::run_from_json(nlohmann::json::parse(run.json), parts_.state.root()));
      } else if (run.status != "cancelled") {
        co_await describe_lost(result, run.run_id, run.attempt);
      }
    }
    if (runs.size() < kDocumentsAtOnce) break;
  }
  parts_.log.write(Part::jobs, LogLevel::info,
                   "goes on with '" + result->job().name + "': " + std::to_string(result->progress().done()) +
                       " of " + std::to_string(result->total()) + " calls are done",
                   {{"RESULT_ID", id}});
  insert(std::move(result));
}

// ---- claiming ----

awaitable<void> Dispatcher::start() {
  co_await apply_limits();
  parts_.store.on_change([this] { boost::asio::post(parts_.control, [this] { changed(); }); });
  const auto ended = [this](const std::exception_ptr&) {
    --running_;
    changed();
  };
  running_ += 2;
  boost::asio::co_spawn(parts_.control, claim_calls(), ended);
  boost::asio::co_spawn(parts_.control, keep_leases(), ended);
}

/// What keeps new calls from starting, apart from their caps.
awaitable<std::string> Dispatcher::obstacle() {
  if (draining_) co_return "stopping";
  if (parts_.gives_up) co_return std::string();  // each call says so itself
  if (mono_ns() - looked_ns_ < nanoseconds(kLongestWait).count()) co_return disk_;
  looked_ns_ = mono_ns();
  auto look = [this, wanted = settings_->config.limits.min_free_disk]() -> std::string {
    try {
      parts_.state.require_free(wanted);
      return {};
    } catch (const std::exception& error) {
      return error.what();
    }
  };
  disk_ = co_await offload(parts_.files, std::move(look));
  co_return disk_;
}

awaitable<void> Dispatcher::claim_calls() {
  while (!ending_) {
    turned_ns_ = mono_ns();
    auto until = std::chrono::steady_clock::now() + kLongestWait;
    std::string held_back = co_await obstacle();
    dirty_ = false;
    bool claimed = false;
    if (held_back.empty()) {
      scheduler::ClaimRequest request;
      request.worker = parts_.worker;
      request.max = kClaimedAtOnce;
      auto ask = [this, request] { return parts_.store.claim(scheduler::moment_now(), request); };
      try {
        const scheduler::Claim claim = co_await offload(parts_.database, std::move(ask));
        claimed = !claim.leases.empty();
        for (const scheduler::Lease& lease : claim.leases) launch(lease);
        for (const scheduler::LoadProgress& load : claim.loads) follow_load(load);
        if (claim.retry_at_ns) {
          until = std::min(until, std::chrono::steady_clock::time_point(nanoseconds(*claim.retry_at_ns)));
        }
      } catch (const std::exception& error) {
        held_back = std::string("the database fails: ") + error.what();
        if (parts_.gives_up) {
          give_up(error.what());
          co_return;
        }
      }
    }
    if (held_back != held_back_) {
      held_back_ = held_back;
      const bool well = held_back_.empty();
      parts_.log.write(Part::jobs, well || draining_ ? LogLevel::info : LogLevel::error,
                       well ? "calls start again" : "no call starts: " + held_back_);
    }
    if (claimed || dirty_ || ending_) continue;
    co_await wait(changed_, until);
  }
}

void Dispatcher::follow_load(const scheduler::LoadProgress& load) {
  const auto result = find(load.result_id);
  if (!result) return;
  result->dropped_starts = load.dropped;
  if (!load.total) return;
  result->close(*load.total);
  parts_.log.write(Part::jobs, LogLevel::info,
                   "the load shape is over: " + std::to_string(*load.total) + " calls, " +
                       std::to_string(load.dropped.total()) + " starts dropped",
                   {{"RESULT_ID", std::to_string(load.result_id)}});
  if (load.result_over) after_call(result, true);
}

void Dispatcher::launch(scheduler::Lease lease) {
  const auto result = find(lease.result_id);
  if (!result) {
    early_.emplace(lease.result_id, std::move(lease));
    return;
  }
  if (active_.contains(lease.run_id)) {
    // Its last attempt is back in the store's queue, and the answer that says so still on its way to us.
    next_attempts_.insert_or_assign(lease.run_id, std::move(lease));
    return;
  }
  ActiveCall& call = active_[lease.run_id];
  call.result = result;
  call.lease = lease;
  ++result->active;
  boost::asio::co_spawn(parts_.control, make_call(std::move(lease)), boost::asio::detached);
}

void Dispatcher::give_up(const std::string& why) {
  draining_ = true;
  const auto results = open_;  // after_call() takes them out one by one
  for (const auto& [id, result] : results) {
    result->trouble = why;
    result->stopping = true;
    result->aborted = true;
    after_call(result, true);
  }
}

// ---- stopped ----

std::shared_ptr<OpenResult> Dispatcher::find(scheduler::ResultId id) const {
  const auto found = open_.find(id);
  return found == open_.end() ? nullptr : found->second;
}

/// Tells the store that no further call of a result is to begin.
awaitable<void> Dispatcher::cancel(scheduler::ResultId id) {
  auto ask = [this, id] {
    return parts_.store.control(scheduler::moment_now(), id, scheduler::Control::cancel);
  };
  const auto result = find(id);
  if (!result) co_return;
  try {
    const scheduler::Controlled done = co_await offload(parts_.database, std::move(ask));
    if (done.result_over) after_call(result, true);
  } catch (const std::exception& error) {
    result->trouble = error.what();
    if (parts_.gives_up) after_call(result, true);
  }
}

void Dispatcher::stop_gently(scheduler::ResultId id, std::string notice) {
  const auto result = find(id);
  if (!result || result->cancelled) return;
  result->stopping = true;
  result->cancelled = true;
  result->notice = std::move(notice);
  parts_.services.switchboard.wake_trunk_waiters();
  boost::asio::co_spawn(parts_.control, cancel(id), boost::asio::detached);
  auto grace = std::make_shared<boost::asio::steady_timer>(parts_.control, result->job().graceful_stop);
  graces_[id] = grace;
  grace->async_wait([this, id, grace](const boost::system::error_code& error) {
    if (!error) stop_now(id);
  });
}

void Dispatcher::stop_now(scheduler::ResultId id) {
  stop_gently(id, {});
  const auto result = find(id);
  if (!result) return;
  result->notice = "Hanging up.";
  for (auto& [run, call] : active_) {
    if (call.result == result && call.inbox) call.inbox->push(StopCall{StopCall::Why::cancelled});
  }
}

bool Dispatcher::hang_up(scheduler::RunId run) {
  const auto found = active_.find(run);
  if (found == active_.end() || !found->second.inbox) return false;
  found->second.inbox->push(StopCall{StopCall::Why::cancelled});
  return true;
}

awaitable<bool> Dispatcher::pause(scheduler::ResultId id, bool paused) {
  const auto result = find(id);
  if (!result) co_return false;
  const auto what = paused ? scheduler::Control::pause : scheduler::Control::resume;
  auto ask = [this, id, what] { return parts_.store.control(scheduler::moment_now(), id, what); };
  co_await offload(parts_.database, std::move(ask));
  result->paused = paused;
  co_return true;
}

void Dispatcher::drain() {
  draining_ = true;
  changed();
}

void Dispatcher::hang_up_all() {
  drain();
  hanging_up_ = true;
  for (auto& [id, call] : active_) {
    call.hung_up = true;
    if (call.inbox) call.inbox->push(StopCall{StopCall::Why::cancelled});
  }
  parts_.services.switchboard.wake_trunk_waiters();
}

awaitable<void> Dispatcher::finish() {
  ending_ = true;
  heartbeat_.cancel();
  changed();
  boost::asio::steady_timer poll(parts_.control);
  while (running_ > 0 || !active_.empty()) {
    co_await wait(poll, std::chrono::steady_clock::now() + std::chrono::milliseconds(10));
  }
  for (const auto& [id, grace] : graces_) grace->cancel();
  auto forget_us = [this] { parts_.store.on_change({}); };
  co_await offload(parts_.database, std::move(forget_us));  // takes no part of the disk: can't fail
}

// ---- over ----

/// `over`: the store has seen the result's last call, or nobody will make the others.
void Dispatcher::after_call(const std::shared_ptr<OpenResult>& result, bool over) {
  if (over) result->stopping = true;
  if (over || result->over) result->over = true;
  if (result->over && result->active == 0 && find(result->id()) == result) {
    open_.erase(result->id());
    if (const auto grace = graces_.find(result->id()); grace != graces_.end()) {
      grace->second->cancel();
      graces_.erase(grace);
    }
    ++running_;
    concluding_[result->id()] = result;
    boost::asio::co_spawn(parts_.control, conclude(result),
                          [this, id = result->id()](const std::exception_ptr&) {
                            concluding_.erase(id);
                            --running_;
                            changed();
                          });
  }
  changed();
}

awaitable<void> Dispatcher::conclude(std::shared_ptr<OpenResult> result) {
  open_.erase(result->id());
  auto judge = [result] { return result->conclude(); };
  Result judged = co_await offload(parts_.services.pool, std::move(judge));
  parts_.log.write(Part::jobs, LogLevel::info,
                   "'" + judged.name + "' is over: " + std::to_string(judged.runs.size()) +
                       " calls, exit code " + std::to_string(judged.exit_code()),
                   {{"RESULT_ID", std::to_string(judged.id)}});
  co_await on_over_(std::move(result), std::move(judged));
}

report::ProgressState Dispatcher::progress(const OpenResult& result) const {
  report::ProgressState state = result.progress();
  const std::int64_t now = mono_ns();
  for (const auto& [id, call] : active_) {
    if (call.result.get() != &result) continue;
    report::ActiveCall shown;
    shown.run_id = id;
    shown.scenario = call.scenario;
    shown.variant = call.variant;
    shown.doing = call.doing;
    shown.seconds = static_cast<double>(now - call.started_ns) / 1e9;
    state.active.push_back(std::move(shown));
  }
  return state;
}

}  // namespace linecheck::engine
