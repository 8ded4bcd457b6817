// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/open_result.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "engine/call/stream_terms.h"
#include "engine/call/time.h"
#include "engine/daemon/credentials.h"
#include "engine/daemon/local_address.h"
#include "engine/daemon/preflight.h"
#include "engine/daemon/version.h"
#include "engine/evaluation/conclude.h"
#include "scheduler/numbers.h"
#include "scheduler/recording.h"

namespace linecheck::engine {
namespace {

constexpr std::size_t kShownNeverStarted = 1000;
constexpr std::size_t kKeptWhole = 1000;  ///< runs in memory with every message and packet series

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

sip::Identity sip_identity(scheduler::CallerIdentity identity) {
  switch (identity) {
    case scheduler::CallerIdentity::pai:
      return sip::Identity::asserted;
    case scheduler::CallerIdentity::rpid:
      return sip::Identity::remote_party;
    case scheduler::CallerIdentity::privacy:
      return sip::Identity::privacy;
    case scheduler::CallerIdentity::from:
      break;
  }
  return sip::Identity::from;
}

nlohmann::ordered_json request_of(const scheduler::Job& job) {
  auto request = nlohmann::ordered_json::parse(job.requested_json, nullptr, false);
  if (!request.is_object()) request = nlohmann::ordered_json::object();
  request["seed"] = job.seed;
  return request;
}

}  // namespace

std::string settings_of(const scheduler::Job& job) {
  return request_of(job).dump();
}

std::string resolved_request(const scheduler::Job& job) {
  auto request = request_of(job);
  for (const char* key : {"tags", "folder_path", "project_id"}) request.erase(key);
  request["scenarios"] = job.scenarios;
  request["agent_id"] = job.agent_id;
  request["name"] = job.name;
  return request.dump();
}

// ---- one call ----

Run CallBasis::planned_run(std::int64_t result_id, std::int64_t run_id, std::uint64_t index) const {
  const scheduler::Catalog& catalog = *settings->catalog;
  const scheduler::PlannedCall planned = plan->at(index);
  Run run;
  run.id = run_id;
  run.result_id = result_id;
  run.agent = job->agent_id;
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
  run.outbound_number = job->dial_target;
  run.call.agent_number = job->called ? job->accepted_caller : job->dial_target;
  return run;
}

std::shared_ptr<CallSpec> CallBasis::spec(const scheduler::Lease& lease, const StateDirectory& state,
                                          const std::string& seen) const {
  const std::shared_ptr<const scheduler::Catalog>& catalog = settings->catalog;
  const scheduler::PlannedCall planned = plan->at(lease.plan_index);
  auto spec = std::make_shared<CallSpec>();
  spec->run = planned_run(lease.result_id, lease.run_id, lease.plan_index);
  (job->called ? spec->run.outbound_number : spec->run.inbound_number) = lease.caller_number;
  spec->run.status = RunStatus::running;
  spec->attempt = lease.dials + 1;
  // The catalogue outlives the call: each call keeps the one that it started with.
  spec->scenario = {catalog, &catalog->scenarios.at(planned.scenario)};
  spec->personality = {catalog, &scheduler::personality_of(planned, *catalog)};
  spec->profile = {catalog, scheduler::test_profile_of(planned, *catalog)};
  spec->endpoint = settings->endpoint_of(trunk());
  spec->trunk = trunk().name;
  spec->caller_number = lease.caller_number.empty() ? "linecheck" : lease.caller_number;
  spec->target = job->called ? job->accepted_caller : job->dial_target;
  if (job->called) {
    spec->awaited = awaited_call(*spec, lease);
    spec->proxy = trunk().proxy;
  } else if (auto destination = destination_of(job->dial_target, trunk())) {
    spec->target_uri = std::move(destination->request_uri);
    spec->proxy = std::move(destination->proxy);
  }
  add_trunk(*spec, seen);
  spec->codecs = sip_codecs(job->codecs);
  spec->dtmf = digit_transport(job->dtmf);
  spec->srtp = sip_srtp(trunk().srtp);
  for (const std::string& name : trunk().srtp_suites)
    if (const auto suite = sip::suite_of(name)) spec->srtp_suites.push_back(*suite);
  spec->rtcp_mux = trunk().rtcp_mux;
  spec->auth = credentials_of(catalog->agents.at(job->agent_id), trunk());
  spec->seed = planned.seed;
  spec->recording_path = state.make_recording_path(lease.run_id, unix_ms(), spec->attempt).string();
  spec->keep = scheduler::chosen(job->recording, settings->config.recording);
  return spec;
}

AwaitedCall CallBasis::awaited_call(const CallSpec& spec, const scheduler::Lease& lease) const {
  const scheduler::Agent& agent = settings->catalog->agents.at(job->agent_id);
  AwaitedCall awaited;
  ExpectedCall& call = awaited.call;
  call.run_id = lease.run_id;
  call.result_id = lease.result_id;
  call.endpoint = spec.endpoint;
  call.number = lease.caller_number;
  call.number_forms = number_forms(call.number, scheduler::with_rules(trunk().caller_format, call.number));
  call.caller = job->accepted_caller;
  call.caller_forms = number_forms(call.caller, scheduler::with_rules(trunk().called_format, call.caller));
  call.by_header = agent.sends_run_id;
  awaited.window = agent.dial_window;
  const auto& config = settings->config;
  awaited.own_address_towards = [endpoint =
                                     config.endpoints[config.endpoint_index(trunk().endpoint).value_or(0)],
                                 bound = bound_address, port = own_port](const std::string& host) {
    const bool any = bound == "0.0.0.0" || bound == "::";
    return engine::own_address(endpoint, any ? local_address_towards(host) : bound, port, host, {}).media;
  };
  return awaited;
}

void CallBasis::add_trunk(CallSpec& spec, const std::string& seen) const {
  const scheduler::Trunk& trunk = this->trunk();
  spec.caller_number = scheduler::with_rules(trunk.caller_format, spec.caller_number);
  spec.proxy_address = trunk.address;
  spec.from_domain = trunk.domain;
  if (spec.from_domain.empty() && trunk.registers) spec.from_domain = address_of_uri(trunk.proxy);
  spec.identity = sip_identity(trunk.identity);
  spec.follow_redirects = trunk.follow_redirects;
  spec.session_timer = std::chrono::duration_cast<std::chrono::seconds>(trunk.session_timer);
  const SipEndpointConfig& endpoint =
      settings->config.endpoints[settings->config.endpoint_index(trunk.endpoint).value_or(0)];
  spec.rtp_dscp = endpoint.rtp_dscp;
  OwnAddress own = engine::own_address(endpoint, own_address, own_port, peer, seen);
  spec.media_address = std::move(own.media);
  spec.contact = std::move(own.contact);
}

CallBasis make_basis(std::shared_ptr<const Settings> settings, scheduler::Job job,
                     const std::vector<LocalAddress>& local_addresses) {
  CallBasis basis;
  basis.settings = std::move(settings);
  basis.plan = std::make_shared<const scheduler::Plan>(job, *basis.settings->catalog);
  basis.job = std::make_shared<const scheduler::Job>(std::move(job));
  const scheduler::Trunk& trunk = basis.trunk();
  const LocalAddress& local = local_addresses.at(basis.settings->endpoint_of(trunk));
  basis.own_address = basis.bound_address = local.address;
  basis.own_port = local.port;
  const auto destination = destination_of(basis.job->dial_target, trunk);
  const std::string uri = trunk.proxy.empty() && destination ? destination->request_uri : trunk.proxy;
  basis.peer = trunk.address.empty() ? host_of_uri(uri) : trunk.address;
  if (local.address == "0.0.0.0" || local.address == "::")
    basis.own_address = local_address_towards(basis.peer);
  return basis;
}

// ---- the result ----

OpenResult::OpenResult(scheduler::ResultId id, scheduler::RunId first_run_id, CallBasis basis)
    : opened_ns(mono_ns()), created_at(utc_now()), basis_(std::move(basis)), first_run_id_(first_run_id) {
  result_.id = id;
  result_.name = job().name;
  result_.agent = job().agent_id;
  result_.agent_name = basis_.settings->catalog->agents.at(job().agent_id).name;
  result_.status = ResultStatus::running;
  result_.run_settings_json = settings_of(job());
  counts_.name = job().name;
  counts_.total = basis_.plan->size();
}

bool OpenResult::adopt(CallBasis basis) {
  if (basis.plan->size() != basis_.plan->size() || basis.job->scenarios != job().scenarios) return false;
  basis_ = std::move(basis);
  return true;
}

Run OpenResult::planned_run(std::int64_t run_id) const {
  return basis_.planned_run(id(), run_id, static_cast<std::uint64_t>(run_id - first_run_id_));
}

void OpenResult::add(Run run) {
  count(run);
  if (result_.runs.size() >= kKeptWhole) {  // the database has it whole
    run.call.sip.clear();
    run.call.timeline.clear();
  }
  result_.runs.push_back(std::move(run));
}

void OpenResult::add(const RefusedCall& call) {
  ++result_.refused_calls_count;
  if (result_.refused_calls.size() < kKeptWhole) result_.refused_calls.push_back(call);
}

void OpenResult::count(const Run& run) {
  if (run.status == RunStatus::cancelled) {
    ++counts_.cancelled;
  } else if (!run.success) {
    ++counts_.excused;
  } else {
    ++(*run.success ? counts_.passed : counts_.failed);
  }
}

std::optional<std::string> OpenResult::failed_abort() {
  if (result_.runs.size() < judged_next_) return std::nullopt;
  judged_next_ = result_.runs.size() + 1 + result_.runs.size() / 100;
  std::vector<scheduler::MetricBound> aborting;
  std::copy_if(job().thresholds.begin(), job().thresholds.end(), std::back_inserter(aborting),
               [](const scheduler::MetricBound& bound) { return bound.abort_on_fail; });
  if (aborting.empty()) return std::nullopt;
  for (const ThresholdResult& judged : judge_thresholds(result_, aborting)) {
    if (judged.passed || !judged.value) continue;  // no value yet: nothing to judge
    return judged.metric + " is not " + judged.condition;
  }
  return std::nullopt;
}

void OpenResult::add_never_started() {
  std::set<std::int64_t> known;
  for (const Run& run : result_.runs) known.insert(run.id);
  std::size_t added = 0;
  for (std::uint64_t i = 0; i < total() && added < kShownNeverStarted; ++i) {
    const std::int64_t run_id = first_run_id_ + static_cast<std::int64_t>(i);
    if (known.contains(run_id)) continue;
    Run run = planned_run(run_id);
    run.call.cancelled = true;
    run.call.ended_reason = "never-started";
    engine::conclude(run);
    result_.runs.push_back(std::move(run));
    ++added;
  }
}

Result OpenResult::conclude() {
  if (counts_.done() < counts_.total) add_never_started();
  std::sort(result_.runs.begin(), result_.runs.end(), [](const Run& a, const Run& b) { return a.id < b.id; });
  result_.wall_seconds = static_cast<double>(mono_ns() - opened_ns) / 1e9;
  result_.created_at = created_at;
  result_.updated_at = utc_now();
  result_.engine.version = kVersion;
  result_.engine.commit = kCommit;
  result_.engine.late_starts = late_starts.late();
  result_.engine.late_causes = late_starts.causes().named();
  result_.engine.dropped_starts = dropped_starts.total();
  result_.engine.dropped_causes = dropped_starts.named();
  for (const Run& run : result_.runs) {
    result_.engine.pacing.merge(run.call.media.engine.pacing);
    result_.engine.late_ticks += run.call.media.engine.late_ticks;
  }
  result_.thresholds = judge_thresholds(result_, job().thresholds);
  if (cancelled) result_.status = ResultStatus::cancelled;
  engine::conclude(result_);
  if (aborted && !cancelled) result_.status = ResultStatus::failed;  // a threshold stopped it, not the user
  if (!trouble.empty()) {
    result_.verdict_note += (result_.verdict_note.empty() ? "" : "; ") + ("the database failed: " + trouble);
  }
  return std::move(result_);
}

report::ProgressState OpenResult::progress() const {
  report::ProgressState state = counts_;
  state.cap = basis_.settings->config.limits.concurrent_calls;
  if (job().concurrency_limit) state.cap = std::min(*state.cap, *job().concurrency_limit);
  if (basis_.trunk().max_calls) state.cap = std::min(*state.cap, *basis_.trunk().max_calls);
  state.notice = notice;
  return state;
}

}  // namespace linecheck::engine
