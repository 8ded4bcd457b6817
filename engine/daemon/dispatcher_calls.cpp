// SPDX-License-Identifier: GPL-3.0-or-later
//
// One call of a dispatcher: prepared, begun, made, stored; leases renewed and lost.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <set>
#include <utility>

#include "engine/call/offload.h"
#include "engine/call/stream_terms.h"
#include "engine/call/synthesis.h"
#include "engine/call/time.h"
#include "engine/daemon/dispatcher.h"
#include "engine/daemon/trigger.h"
#include "engine/daemon/wait.h"
#include "engine/evaluation/conclude.h"
#include "engine/persona/script.h"
#include "engine/report/json.h"
#include "engine/report/words.h"

namespace linecheck::engine {
namespace {

using boost::asio::awaitable;
using std::chrono::nanoseconds;

constexpr std::uint64_t kWarmUpCalls = 1000;  ///< of the plan, looked at for texts to speak ahead
constexpr std::size_t kWarmUpBatch = 16;
constexpr nanoseconds kLease{30'000'000'000};
constexpr std::chrono::seconds kHeartbeat{10};
constexpr std::chrono::seconds kStoreAgain{1};
constexpr std::chrono::seconds kTrunkPatience{10};

/// A personality / profile / #n as people tell runs of one scenario apart.
std::string variant_of(const Run& run) {
  std::string text = run.personality_name;
  if (!run.test_profile_name.empty()) text += " / " + run.test_profile_name;
  return text + " / #" + std::to_string(run.repetition);
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

void blame_engine(Run& run, std::string ended_reason, std::string reason) {
  run.call.ended_reason = std::move(ended_reason);
  Failure failure;
  failure.category = FailureCategory::engine;
  failure.reason = std::move(reason);
  run.call.failure = std::move(failure);
  conclude(run);
}

}  // namespace

awaitable<void> Dispatcher::warm_up(CallBasis basis, std::function<bool()> enough) {
  struct Spoken {
    VoiceSpec voice;
    std::set<std::string> texts;
  };
  const scheduler::Catalog& catalog = *basis.settings->catalog;
  std::map<scheduler::Id, Spoken> by_personality;
  for (std::uint64_t i = 0; i < std::min(basis.plan->size(), kWarmUpCalls); ++i) {
    const auto planned = basis.plan->at(i);
    const auto& scenario = catalog.scenarios.at(planned.scenario);
    const auto& personality = scheduler::personality_of(planned, catalog);
    Spoken& part = by_personality[personality.id];
    part.voice = choose_voice(personality, parts_.services.voice_providers);
    part.voice.rate = leg_rate(sip_codecs(basis.job->codecs));
    const std::string& language =
        scenario.scenario_language.empty() ? personality.language : scenario.scenario_language;
    const Script script = compile_script(scenario, scheduler::test_profile_of(planned, catalog), language);
    part.texts.insert(script.texts.begin(), script.texts.end());
  }
  for (auto& [id, part] : by_personality) {
    std::vector<std::string> texts;
    for (auto text = part.texts.begin(); text != part.texts.end();) {
      if (draining_ || enough()) co_return;
      texts.push_back(*text++);
      if (texts.size() < kWarmUpBatch && text != part.texts.end()) continue;
      co_await synthesize_all(parts_.services.voices, part.voice, std::move(texts));
      texts.clear();
    }
  }
}

awaitable<void> Dispatcher::make_call(scheduler::Lease lease) {
  ActiveCall& call = active_.at(lease.run_id);  // a map: the reference stays until finish_call() erases it
  const CallBasis basis = call.result->basis();
  auto inbox = std::make_shared<CallInbox>(parts_.control.get_executor());
  call.inbox = inbox;
  call.started_ns = mono_ns();
  Run run = basis.planned_run(lease.result_id, lease.run_id, lease.plan_index);
  call.scenario = run.scenario_name;
  call.variant = variant_of(run);
  try {
    Switchboard& switchboard = parts_.services.switchboard;
    const scheduler::Trunk& trunk = basis.trunk();
    const auto given_up = [this, &call] { return call.result->cancelled || call.hung_up || hanging_up_; };
    if (trunk.registers || trunk.keep_alive) {
      // It is given a moment to say whether it is there, once after the start of this process.
      co_await switchboard.trunk_known(trunk.name, std::chrono::steady_clock::now() + kTrunkPatience,
                                       given_up);
    }
    auto prepare = [this, lease, basis, seen = switchboard.trunk(trunk.name).seen_address] {
      if (parts_.gives_up) parts_.state.require_free(basis.settings->config.limits.min_free_disk);
      return basis.spec(lease, parts_.state, seen);
    };
    std::shared_ptr<CallSpec> spec = co_await offload(parts_.files, std::move(prepare));
    spec->trunk_trouble = [&switchboard, given_up, name = trunk.name,
                           registers = trunk.registers]() -> std::string {
      if (given_up()) return {};  // begin() says so
      const sip::TrunkChanged state = switchboard.trunk(name);
      if (state.state == sip::TrunkState::down) return state.reason;
      return state.state == sip::TrunkState::unknown && registers ? "it is not registered yet" : "";
    };
    spec->begin = [this, lease] { return begin(lease); };
    if (spec->awaited) {
      spec->awaited->trigger = [this, basis, box = std::weak_ptr<CallInbox>(inbox), asked = spec.get()] {
        const scheduler::Agent& agent = basis.settings->catalog->agents.at(basis.job->agent_id);
        trigger_agent(parts_.services.switchboard, agent, *asked, box);
        if (agent.trigger == scheduler::Trigger::none && parts_.announce) {
          parts_.announce("run " + std::to_string(asked->run.id) + " waits for a call to " +
                          asked->awaited->call.number + " for " +
                          std::to_string(asked->awaited->window.count() / 1000) + " s");
        }
      };
    }
    spec->doing = [this, id = lease.run_id](const std::string& what) {
      const auto found = active_.find(id);
      if (found != active_.end()) found->second.doing = what;
    };
    run = co_await run_call(parts_.services, std::move(spec), *inbox);
  } catch (const std::exception& error) {
    (basis.job->called ? run.outbound_number : run.inbound_number) = lease.caller_number;
    blame_engine(run, "engine-failed", error.what());
  }
  co_await finish_call(call, std::move(run));
}

/// On disk before the INVITE, which leaves at its exact time.
awaitable<bool> Dispatcher::begin(scheduler::Lease lease) {
  ActiveCall& call = active_.at(lease.run_id);
  if (call.hung_up || hanging_up_) co_return false;
  auto commit = [this, lease] { return parts_.store.begin_call(scheduler::moment_now(), lease); };
  const scheduler::Begun begun = co_await writer_.write(std::move(commit));
  if (begun != scheduler::Begun::yes) {
    call.not_ours = true;
    if (begun == scheduler::Begun::lost) {
      throw std::runtime_error("The call's lease was lost before it was dialled: the database was too slow.");
    }
    co_return false;
  }
  call.begun = true;
  boost::asio::steady_timer due(parts_.control);
  co_await wait(due, std::chrono::steady_clock::time_point(nanoseconds(lease.due_ns)));
  if (hanging_up_) co_return false;
  call.dialled = true;
  ++dialled_;
  const bool called = call.result->job().called;
  parts_.log.write(
      Part::calls, LogLevel::debug,
      called ? "waits for the agent's call to " + lease.caller_number
             : "dialling " + call.result->job().dial_target,
      {{"RESULT_ID", std::to_string(lease.result_id)}, {"RUN_ID", std::to_string(lease.run_id)}});
  // When a call comes is the agent's affair, and its number may have been somebody else's for a while.
  if (!called)
    call.late = call.result->late_starts.started(lease.exact_ns, lease.due_ns, lease.held_by, mono_ns());
  co_return true;
}

/// A call that was made and did not succeed, whosever the fault, as long as the job allows another attempt.
bool Dispatcher::worth_a_retry(const ActiveCall& call, const Run& run) {
  if (!call.dialled || run.success == true || run.status == RunStatus::cancelled) return false;
  if (run.call.failure && run.call.failure->category == FailureCategory::configuration) return false;
  return !call.result->stopping && call.lease.dials < call.result->job().retries;
}

awaitable<scheduler::Completion> Dispatcher::store_outcome(ActiveCall& call, const Run& run) {
  const bool interrupted = call.hung_up && run.status == RunStatus::cancelled && !call.result->cancelled;
  if (interrupted && !call.begun) {
    auto release = [this, lease = call.lease] {
      return parts_.store.release(scheduler::moment_now(), lease);
    };
    co_await writer_.write(std::move(release));
    call.not_ours = true;
    co_return scheduler::Completion();
  }
  auto outcome = std::make_shared<scheduler::Outcome>();
  outcome->status = outcome_of(run.status);
  outcome->success = run.success;
  if (run.call.failure) {
    outcome->category = report::name_of(run.call.failure->category);
    outcome->reason = run.call.failure->reason;
  }
  // Begun and not dialled, because this process ends: a later one may dial it. What was dialled stays
  // dialled.
  const bool retried = worth_a_retry(call, run);
  outcome->again = retried || (interrupted && !call.dialled);
  outcome->dialled = call.dialled;
  outcome->late = call.late;
  auto describe = [this, &run] {
    report::JsonOptions options;
    options.relative_to = parts_.state.root();
    return report::run_json(run, options).dump();
  };
  outcome->document = co_await offload(parts_.services.pool, std::move(describe));
  auto complete = [this, lease = call.lease, outcome] {
    return parts_.store.complete(scheduler::moment_now(), lease, *outcome);
  };
  scheduler::Completion stored = co_await writer_.write(std::move(complete));
  if (stored.again) {
    call.not_ours = true;
    if (retried) {
      parts_.log.write(Part::calls, LogLevel::info, "will be tried again: " + run.error_message,
                       {{"RESULT_ID", std::to_string(run.result_id)}, {"RUN_ID", std::to_string(run.id)}});
    }
  }
  co_return stored;
}

awaitable<void> Dispatcher::finish_call(ActiveCall& call, Run run) {
  const std::shared_ptr<OpenResult> result = call.result;
  scheduler::Completion stored;
  while (!call.not_ours) {
    std::string trouble;
    try {
      stored = co_await store_outcome(call, run);
    } catch (const std::exception& error) {
      trouble = error.what();
    }
    if (!trouble.empty() && !parts_.gives_up && !ending_) {
      // The verdict must not get lost: the call keeps its line until the database is well again.
      parts_.log.write(Part::calls, LogLevel::error, "a call's end can't be stored yet: " + trouble,
                       {{"RUN_ID", std::to_string(run.id)}});
      boost::asio::steady_timer again(parts_.control);
      co_await wait(again, std::chrono::steady_clock::now() + kStoreAgain);
      continue;
    }
    if (trouble.empty() && !call.not_ours && !stored.accepted && run.status != RunStatus::cancelled) {
      trouble = "the end of run " + std::to_string(run.id) + " came too late to be stored";
      parts_.log.write(Part::calls, LogLevel::error, trouble);
    }
    if (!trouble.empty() && parts_.gives_up) result->trouble = trouble;
    break;
  }
  // A foreground job keeps what it has seen, also when the database did not take it.
  const bool keep = (stored.accepted && !call.not_ours) || (parts_.gives_up && !result->trouble.empty());
  if (keep) {
    parts_.log.write(Part::calls, LogLevel::info,
                     std::string("call ended: ") +
                         (run.success ? (*run.success ? "passed" : "failed") : "excused") +
                         (run.error_message.empty() ? "" : ": " + run.error_message),
                     {{"RESULT_ID", std::to_string(run.result_id)},
                      {"RUN_ID", std::to_string(run.id)},
                      {"CALL_ID", run.call.call_id},
                      {"TRUNK", run.call.trunk}});
    result->add(std::move(run));
  }
  const scheduler::RunId id = call.lease.run_id;
  active_.erase(id);
  --result->active;
  if (auto next = next_attempts_.extract(id)) launch(std::move(next.mapped()));
  if (!result->stopping && keep) {
    if (const auto failed = result->failed_abort()) {
      result->notice = "Stopping: " + *failed + ".";
      result->stopping = true;
      result->aborted = true;
      boost::asio::co_spawn(parts_.control, cancel(result->id()), boost::asio::detached);
    }
  }
  after_call(result, stored.result_over || (parts_.gives_up && !result->trouble.empty()));
}

// ---- leases ----

awaitable<void> Dispatcher::keep_leases() {
  while (!ending_) {
    co_await wait(heartbeat_, std::chrono::steady_clock::now() + kHeartbeat);
    if (ending_) break;
    std::vector<scheduler::Lease> leases;
    for (const auto& [id, call] : active_) leases.push_back(call.lease);
    std::vector<scheduler::Reaped> reaped;
    auto beat = [this, leases, &reaped] {
      auto lost = parts_.store.heartbeat(scheduler::moment_now(), kLease, leases);
      reaped = parts_.store.reap(scheduler::moment_now());
      return lost;
    };
    try {
      for (const auto lost : co_await offload(parts_.database, std::move(beat))) {
        const auto found = active_.find(lost);
        if (found == active_.end()) continue;
        found->second.not_ours = true;
        if (found->second.inbox) found->second.inbox->push(StopCall{StopCall::Why::lease_lost});
      }
      for (const scheduler::Reaped& call : reaped) {
        const auto result = find(call.result_id);
        if (!result) continue;
        if (call.lost) co_await describe_lost(result, call.run_id, call.attempt);
        if (call.result_over) after_call(result, true);
      }
    } catch (const std::exception& error) {
      parts_.log.write(Part::jobs, LogLevel::error, std::string("leases can't be renewed: ") + error.what(),
                       {});
    }
  }
}

/// A call that may have been dialled by a process that died: it is not dialled again, and its run says so.
awaitable<void> Dispatcher::describe_lost(std::shared_ptr<OpenResult> result, scheduler::RunId run_id,
                                          int attempt) {
  Run run = result->planned_run(run_id);
  run.call.run_id = run_id;
  blame_engine(run, "lost",
               "lost: linecheck ended while this call was in progress, after it may have been dialled.");
  auto amend = [this, run, attempt] {
    report::JsonOptions options;
    options.relative_to = parts_.state.root();
    return parts_.store.amend(run.id, attempt, report::run_json(run, options).dump());
  };
  co_await offload(parts_.database, std::move(amend));
  parts_.log.write(Part::jobs, LogLevel::warn, run.error_message,
                   {{"RESULT_ID", std::to_string(run.result_id)}, {"RUN_ID", std::to_string(run.id)}});
  result->add(std::move(run));
}

}  // namespace linecheck::engine
