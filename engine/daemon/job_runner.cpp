// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/job_runner.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>
#include <utility>

#include "engine/call/offload.h"
#include "engine/call/stream_terms.h"
#include "engine/call/synthesis.h"
#include "engine/call/time.h"
#include "engine/daemon/credentials.h"
#include "engine/daemon/preflight.h"
#include "engine/daemon/version.h"
#include "engine/evaluation/conclude.h"
#include "engine/persona/script.h"
#include "engine/report/json.h"
#include "scheduler/numbers.h"
#include "scheduler/recording.h"

namespace linecheck::engine {
namespace {

using boost::asio::awaitable;
using std::chrono::nanoseconds;

constexpr std::uint64_t kWarmUpCalls = 1000;  ///< of the plan, looked at for texts to speak ahead
constexpr std::size_t kWarmUpBatch = 16;
constexpr std::size_t kShownNeverStarted = 1000;
constexpr nanoseconds kLease{30'000'000'000};
constexpr std::chrono::seconds kHeartbeat{10};

/// A personality / profile / #n as people tell runs of one scenario apart.
std::string variant_of(const Run& run) {
  std::string text = run.personality_name;
  if (!run.test_profile_name.empty()) text += " / " + run.test_profile_name;
  return text + " / #" + std::to_string(run.repetition);
}

sip::Srtp sip_srtp(scheduler::Srtp srtp) {
  switch (srtp) {
    case scheduler::Srtp::offer:
      return sip::Srtp::offer;
    case scheduler::Srtp::require:
      return sip::Srtp::require;
    case scheduler::Srtp::off:
      break;
  }
  return sip::Srtp::off;
}

scheduler::RunOutcome outcome_of(RunStatus status) {
  switch (status) {
    case RunStatus::completed:
      return scheduler::RunOutcome::completed;
    case RunStatus::timeout:
      return scheduler::RunOutcome::timeout;
    case RunStatus::cancelled:
      return scheduler::RunOutcome::cancelled;
    default:
      return scheduler::RunOutcome::failed;
  }
}

const char* category_name(FailureCategory category) {
  switch (category) {
    case FailureCategory::agent:
      return "agent";
    case FailureCategory::network:
      return "network";
    case FailureCategory::engine:
      return "engine";
    case FailureCategory::provider:
      return "provider";
    case FailureCategory::configuration:
      return "configuration";
  }
  return "engine";
}

/// The request as it came, and the seed that it ran with, so that it can be run again.
std::string settings_of(const scheduler::Job& job) {
  auto settings = nlohmann::ordered_json::parse(job.requested_json, nullptr, false);
  if (!settings.is_object()) settings = nlohmann::ordered_json::object();
  settings["seed"] = job.seed;
  return settings.dump();
}

/// Waits until `until` or until somebody cancels the timer.
awaitable<void> wait(boost::asio::steady_timer& timer, std::chrono::steady_clock::time_point until) {
  timer.expires_at(until);
  boost::system::error_code woken;
  co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
}

}  // namespace

JobRunner::JobRunner(JobRunnerParts parts, scheduler::Job job)
    : parts_(std::move(parts)),
      job_(std::move(job)),
      plan_(job_, *parts_.catalog),
      trunk_(parts_.catalog->trunks.at(job_.trunk)),
      changed_(parts_.control),
      grace_(parts_.control),
      heartbeat_(parts_.control) {
  counts_.name = job_.name;
  counts_.total = plan_.size();
  counts_.cap = parts_.config.limits.concurrent_calls;
  if (job_.concurrency_limit) counts_.cap = std::min(*counts_.cap, *job_.concurrency_limit);
  if (trunk_.max_calls) counts_.cap = std::min(*counts_.cap, *trunk_.max_calls);
}

awaitable<void> JobRunner::warm_up() {
  struct Part {
    VoiceSpec voice;
    std::set<std::string> texts;
  };
  std::map<scheduler::Id, Part> by_personality;
  for (std::uint64_t i = 0; i < std::min(plan_.size(), kWarmUpCalls); ++i) {
    const auto planned = plan_.at(i);
    const auto& scenario = parts_.catalog->scenarios.at(planned.scenario);
    const auto& personality = scheduler::personality_of(planned, *parts_.catalog);
    Part& part = by_personality[personality.id];
    part.voice = choose_voice(personality, parts_.services.voice_providers);
    part.voice.rate = leg_rate(sip_codecs(job_.codecs));
    const std::string& language =
        scenario.scenario_language.empty() ? personality.language : scenario.scenario_language;
    const Script script =
        compile_script(scenario, scheduler::test_profile_of(planned, *parts_.catalog), language);
    part.texts.insert(script.texts.begin(), script.texts.end());
  }
  for (auto& [id, part] : by_personality) {
    std::vector<std::string> texts;
    for (auto text = part.texts.begin(); text != part.texts.end();) {
      if (stopping_) co_return;
      texts.push_back(*text++);
      if (texts.size() < kWarmUpBatch && text != part.texts.end()) continue;
      co_await synthesize_all(parts_.services.voices, part.voice, std::move(texts));
      texts.clear();
    }
  }
}

awaitable<void> JobRunner::store_job() {
  scheduler::RunSpec spec;
  spec.name = job_.name;
  spec.job_text = job_.requested_json;
  spec.settings_json = settings_of(job_);
  spec.total_calls = plan_.size();
  spec.trunk = trunk_.name;
  spec.limits.max_calls = job_.concurrency_limit;
  spec.limits.calls_per_second = job_.calls_per_second;
  spec.priority = job_.priority;
  spec.numbers = scheduler::caller_numbers(job_, trunk_);
  auto create = [this, spec] {
    scheduler::JobStore& store = parts_.store;
    const auto now = scheduler::moment_now();
    // What an earlier process left unfinished in this directory is over: nobody will make those calls.
    store.reap(now);
    for (const auto id : store.unfinished()) store.control(now, id, scheduler::Control::cancel);
    const auto& limits = parts_.config.limits;
    const scheduler::Limits global{limits.concurrent_calls, limits.calls_per_second};
    store.set_limit(now, scheduler::LimitScope::global, "", global);
    const scheduler::Limits trunk{trunk_.max_calls, trunk_.calls_per_second};
    store.set_limit(now, scheduler::LimitScope::trunk, trunk_.name, trunk);
    return store.create_run(now, spec);
  };
  const scheduler::Created created = co_await offload(parts_.database, std::move(create));
  first_run_id_ = created.first_run_id;
  result_.id = created.result_id;
  result_.name = job_.name;
  result_.agent = job_.agent_id;
  result_.agent_name = parts_.catalog->agents.at(job_.agent_id).name;
  result_.status = ResultStatus::running;
  result_.run_settings_json = settings_of(job_);
  result_.created_at = utc_now();
  if (cancelled_) cancel_rest();
}

awaitable<Result> JobRunner::run() {
  const std::int64_t started = mono_ns();
  co_await store_job();
  parts_.store.on_change([this] { boost::asio::post(parts_.control, [this] { changed_.cancel(); }); });
  boost::asio::co_spawn(parts_.control, keep_leases(), boost::asio::detached);
  try {
    co_await claim_calls();
  } catch (const std::exception& error) {
    // A database that fails in the middle: no new calls; those in progress end and are reported.
    storage_trouble_ = error.what();
    stopping_ = true;
    aborted_ = true;
  }
  while (!active_.empty()) co_await wait(changed_, std::chrono::steady_clock::time_point::max());
  over_ = true;
  heartbeat_.cancel();
  grace_.cancel();
  auto forget_us = [this] { parts_.store.on_change({}); };
  co_await offload(parts_.database, std::move(forget_us));  // takes no part of the disk: can't fail
  result_.wall_seconds = static_cast<double>(mono_ns() - started) / 1e9;
  co_return conclude_result();
}

awaitable<void> JobRunner::claim_calls() {
  while (!stopping_ && counts_.done() < counts_.total) {
    scheduler::ClaimRequest request;
    request.worker = "run";
    request.lease = kLease;
    auto ask = [this, request] { return parts_.store.claim(scheduler::moment_now(), request); };
    const scheduler::Claim claim = co_await offload(parts_.database, std::move(ask));
    for (const scheduler::Lease& lease : claim.leases) {
      active_[lease.run_id].lease = lease;
      boost::asio::co_spawn(parts_.control, make_call(lease), boost::asio::detached);
    }
    if (stopping_ || counts_.done() >= counts_.total) break;
    if (!claim.leases.empty()) continue;
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    if (claim.retry_at_ns) {
      until = std::min(until, std::chrono::steady_clock::time_point(nanoseconds(*claim.retry_at_ns)));
    }
    co_await wait(changed_, until);
  }
}

awaitable<void> JobRunner::keep_leases() {
  while (!over_) {
    co_await wait(heartbeat_, std::chrono::steady_clock::now() + kHeartbeat);
    if (over_) break;
    std::vector<scheduler::Lease> leases;
    for (const auto& [id, call] : active_) leases.push_back(call.lease);
    auto beat = [this, leases] {
      auto lost = parts_.store.heartbeat(scheduler::moment_now(), kLease, leases);
      parts_.store.reap(scheduler::moment_now());  // a call whose end could not be stored frees its line so
      return lost;
    };
    try {
      for (const auto lost : co_await offload(parts_.database, std::move(beat))) {
        const auto found = active_.find(lost);
        if (found != active_.end() && found->second.inbox)
          found->second.inbox->push(StopCall{StopCall::Why::lease_lost});
      }
    } catch (const std::exception& error) {
      storage_trouble_ = error.what();
    }
  }
}

Run JobRunner::planned_run(std::int64_t run_id, const scheduler::PlannedCall& planned) const {
  const scheduler::Catalog& catalog = *parts_.catalog;
  Run run;
  run.id = run_id;
  run.result_id = result_.id;
  run.agent = job_.agent_id;
  run.scenario = planned.scenario;
  run.scenario_name = catalog.scenarios.at(planned.scenario).name;
  const auto& personality = scheduler::personality_of(planned, catalog);
  run.personality = personality.id;
  run.personality_name = personality.name;
  if (const auto* profile = scheduler::test_profile_of(planned, catalog)) {
    run.test_profile = profile->id;
    run.test_profile_name = profile->name;
    run.test_profile_data = profile->testing_agent_variables;
    run.test_profile_data.insert(profile->main_agent_variables.begin(), profile->main_agent_variables.end());
  }
  run.repetition = planned.repetition + 1;
  run.outbound_number = job_.dial_target;
  return run;
}

/// Touches the disk (the recording's folder, a password file): on the database thread, reading only what does
/// not change once the job is stored.
std::shared_ptr<CallSpec> JobRunner::spec_of(const scheduler::Lease& lease,
                                             const scheduler::PlannedCall& planned) {
  const scheduler::Catalog& catalog = *parts_.catalog;
  auto spec = std::make_shared<CallSpec>();
  spec->run = planned_run(lease.run_id, planned);
  spec->run.inbound_number = lease.caller_number;
  spec->run.status = RunStatus::running;
  spec->attempt = lease.dials + 1;
  // The catalogue outlives the call: each call keeps the one that it started with.
  spec->scenario = {parts_.catalog, &catalog.scenarios.at(planned.scenario)};
  spec->personality = {parts_.catalog, &scheduler::personality_of(planned, catalog)};
  spec->profile = {parts_.catalog, scheduler::test_profile_of(planned, catalog)};
  spec->endpoint = parts_.config.endpoint_index(trunk_.endpoint).value_or(0);
  spec->trunk = trunk_.name;
  spec->caller_number = lease.caller_number.empty() ? "linecheck" : lease.caller_number;
  spec->target = job_.dial_target;
  if (auto destination = destination_of(job_.dial_target, trunk_)) {
    spec->target_uri = std::move(destination->request_uri);
    spec->proxy = std::move(destination->proxy);
  }
  spec->codecs = sip_codecs(job_.codecs);
  spec->srtp = sip_srtp(trunk_.srtp);
  for (const std::string& name : trunk_.srtp_suites)
    if (const auto suite = sip::suite_of(name)) spec->srtp_suites.push_back(*suite);
  spec->rtcp_mux = trunk_.rtcp_mux;
  spec->auth = credentials_of(catalog.agents.at(job_.agent_id), trunk_);
  spec->seed = planned.seed;
  spec->recording_path = parts_.state.make_recording_path(lease.run_id, unix_ms(), spec->attempt).string();
  spec->keep = scheduler::chosen(job_.recording, parts_.config.recording);
  return spec;
}

awaitable<void> JobRunner::make_call(scheduler::Lease lease) {
  const auto planned = plan_.at(lease.plan_index);
  ActiveCall& call = active_[lease.run_id];
  auto inbox = std::make_shared<CallInbox>(parts_.control.get_executor());
  call.inbox = inbox;
  call.started_ns = mono_ns();
  Run run = planned_run(lease.run_id, planned);
  call.scenario = run.scenario_name;
  call.variant = variant_of(run);
  try {
    auto prepare = [this, lease, planned] {
      parts_.state.require_free(parts_.config.limits.min_free_disk);
      return spec_of(lease, planned);
    };
    std::shared_ptr<CallSpec> spec = co_await offload(parts_.database, std::move(prepare));
    spec->begin = [this, lease] { return begin(lease); };
    spec->doing = [this, id = lease.run_id](const std::string& what) {
      const auto found = active_.find(id);
      if (found != active_.end()) found->second.doing = what;
    };
    run = co_await run_call(parts_.services, std::move(spec), *inbox);
  } catch (const std::exception& error) {
    run.inbound_number = lease.caller_number;
    run.call.ended_reason = "engine-failed";
    Failure failure;
    failure.category = FailureCategory::engine;
    failure.reason = error.what();
    run.call.failure = std::move(failure);
    conclude(run);
  }
  co_await finish_call(lease, std::move(run));
}

awaitable<bool> JobRunner::begin(const scheduler::Lease& lease) {
  const scheduler::Lease mine = lease;
  auto commit = [this, mine] { return parts_.store.begin_call(scheduler::moment_now(), mine); };
  const scheduler::Begun begun = co_await offload(parts_.database, std::move(commit));
  if (begun == scheduler::Begun::lost) {
    throw std::runtime_error("The call's lease was lost before it was dialled: the database was too slow.");
  }
  if (begun != scheduler::Begun::yes) co_return false;
  boost::asio::steady_timer due(parts_.control);
  co_await wait(due, std::chrono::steady_clock::time_point(nanoseconds(mine.due_ns)));
  if (hanging_up_) co_return false;
  late_starts_.started(mine.due_ns, mono_ns());
  co_return true;
}

awaitable<void> JobRunner::finish_call(const scheduler::Lease& lease, Run run) {
  scheduler::Outcome outcome;
  outcome.status = outcome_of(run.status);
  outcome.success = run.success;
  if (run.call.failure) {
    outcome.category = category_name(run.call.failure->category);
    outcome.reason = run.call.failure->reason;
  }
  auto store = [this, lease, outcome, &run]() mutable {
    report::JsonOptions options;
    options.relative_to = parts_.state.root();
    outcome.document = report::run_json(run, options).dump();
    return parts_.store.complete(scheduler::moment_now(), lease, outcome);
  };
  try {
    const scheduler::Completion stored = co_await offload(parts_.database, std::move(store));
    if (!stored.accepted && run.status != RunStatus::cancelled) {
      storage_trouble_ = "the end of run " + std::to_string(run.id) + " came too late to be stored";
    }
  } catch (const std::exception& error) {
    storage_trouble_ = error.what();  // the verdict is still in memory and in this result's files
  }
  count(run);
  result_.runs.push_back(std::move(run));
  active_.erase(lease.run_id);
  check_aborting_thresholds();
  changed_.cancel();
}

void JobRunner::count(const Run& run) {
  if (run.status == RunStatus::cancelled) {
    ++counts_.cancelled;
  } else if (!run.success) {
    ++counts_.excused;
  } else {
    ++(*run.success ? counts_.passed : counts_.failed);
  }
}

void JobRunner::check_aborting_thresholds() {
  if (stopping_) return;
  std::vector<scheduler::MetricBound> aborting;
  std::copy_if(job_.thresholds.begin(), job_.thresholds.end(), std::back_inserter(aborting),
               [](const scheduler::MetricBound& bound) { return bound.abort_on_fail; });
  for (const ThresholdResult& judged : judge_thresholds(result_, aborting)) {
    if (judged.passed || !judged.value) continue;  // no value yet: nothing to judge
    counts_.notice = "Stopping: " + judged.metric + " is not " + judged.condition + ".";
    stopping_ = true;
    aborted_ = true;
    cancel_rest();
    changed_.cancel();
    return;
  }
}

/// Tells the store that no further call is to begin.
void JobRunner::cancel_rest() {
  auto ask = [this, id = result_.id]() -> awaitable<void> {
    if (id == 0) co_return;  // not stored yet: store_job comes back to it
    auto cancel = [this, id] {
      return parts_.store.control(scheduler::moment_now(), id, scheduler::Control::cancel);
    };
    try {
      co_await offload(parts_.database, std::move(cancel));
    } catch (const std::exception& error) {
      storage_trouble_ = error.what();
    }
  };
  boost::asio::co_spawn(parts_.control, std::move(ask), boost::asio::detached);
}

void JobRunner::stop_gently() {
  if (cancelled_) return;
  stopping_ = true;
  cancelled_ = true;
  counts_.notice = "Stopping: no new calls. Ctrl-C again hangs up.";
  changed_.cancel();
  cancel_rest();
  grace_.expires_after(job_.graceful_stop);
  grace_.async_wait([this](const boost::system::error_code& error) {
    if (!error) stop_now();
  });
}

void JobRunner::stop_now() {
  stop_gently();
  hanging_up_ = true;
  counts_.notice = "Hanging up.";
  for (auto& [id, call] : active_) {
    if (call.inbox) call.inbox->push(StopCall{StopCall::Why::cancelled});
  }
}

void JobRunner::add_never_started() {
  std::set<std::int64_t> known;
  for (const Run& run : result_.runs) known.insert(run.id);
  std::size_t added = 0;
  for (std::uint64_t i = 0; i < plan_.size() && added < kShownNeverStarted; ++i) {
    const std::int64_t id = first_run_id_ + static_cast<std::int64_t>(i);
    if (known.contains(id)) continue;
    Run run = planned_run(id, plan_.at(i));
    run.call.cancelled = true;
    run.call.ended_reason = "never-started";
    conclude(run);
    result_.runs.push_back(std::move(run));
    ++added;
  }
}

Result JobRunner::conclude_result() {
  if (counts_.done() < counts_.total) add_never_started();
  std::sort(result_.runs.begin(), result_.runs.end(), [](const Run& a, const Run& b) { return a.id < b.id; });
  result_.updated_at = utc_now();
  result_.engine.version = kVersion;
  result_.engine.commit = kCommit;
  result_.engine.late_starts = late_starts_.late();
  for (const Run& run : result_.runs) {
    result_.engine.pacing.merge(run.call.media.engine.pacing);
    result_.engine.late_ticks += run.call.media.engine.late_ticks;
  }
  result_.thresholds = judge_thresholds(result_, job_.thresholds);
  if (cancelled_) result_.status = ResultStatus::cancelled;
  conclude(result_);
  if (aborted_ && !cancelled_) result_.status = ResultStatus::failed;  // a threshold stopped it, not the user
  if (!storage_trouble_.empty()) {
    result_.verdict_note +=
        (result_.verdict_note.empty() ? "" : "; ") + ("the database failed: " + storage_trouble_);
  }
  return result_;
}

report::ProgressState JobRunner::progress() const {
  report::ProgressState state = counts_;
  const std::int64_t now = mono_ns();
  for (const auto& [id, call] : active_) {
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
