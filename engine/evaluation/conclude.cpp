// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/conclude.h"

#include <algorithm>
#include <cmath>
#include <variant>

#include "engine/evaluation/metric_value.h"
#include "engine/evaluation/words.h"
#include "sip/network.h"

namespace linecheck::engine {
namespace {

constexpr double kMostExcused = 0.05;
constexpr double kPacketsPerMs = 1.0 / 20;

bool agent_spoke(const Run& run) {
  return std::any_of(run.evaluation.turns.begin(), run.evaluation.turns.end(),
                     [](const Turn& turn) { return turn.who == Party::agent; });
}

/// Whether the agent's channel could be listened to.
bool was_heard(const Run& run) {
  const Metric* ratio = run.evaluation.find("talk_ratio");
  return ratio && ratio->value;
}

Failure blame(FailureCategory category, std::string reason) {
  Failure failure;
  failure.category = category;
  failure.reason = std::move(reason);
  return failure;
}

/// A call that was not answered, from its final status alone.
Failure set_up_failure(const CallRecord& call) {
  Failure failure;
  failure.sip_status = call.sip_status;
  const int status = call.sip_status.value_or(0);
  if (status >= 500 && status < 600) {
    failure.category = FailureCategory::network;
    failure.reason = "The trunk or the agent's server failed the call with " + std::to_string(status) + ".";
  } else if (status >= 300) {
    failure.category = FailureCategory::agent;
    failure.reason = "The agent did not take the call: SIP status " + std::to_string(status) + ".";
  } else if (call.ringing_ms) {
    failure.category = FailureCategory::agent;
    failure.reason = "The agent did not answer.";
  } else if (call.invite_ms) {
    failure.category = FailureCategory::network;
    failure.reason = "Nothing answered the INVITE.";
  } else {
    failure.category = FailureCategory::engine;
    failure.reason = "The call was not placed.";
  }
  return failure;
}

std::optional<Failure> engine_fault(const Run& run, const FairnessLimits& limits) {
  const media::EngineStatistics& engine = run.call.media.engine;
  const double connected = run.call.ended_ms.value_or(0) - run.call.answered_ms.value_or(0);
  const double due = std::max(static_cast<double>(run.call.media.send.packets), connected * kPacketsPerMs);
  const auto percent = [due](std::uint64_t n) { return due > 0 ? 100.0 * static_cast<double>(n) / due : 0; };
  if (engine.late_ticks > limits.late_ticks && percent(engine.late_ticks) > limits.late_tick_percent)
    return blame(FailureCategory::engine,
                 "This machine kept time badly: " + std::to_string(engine.late_ticks) + " packets (" +
                     number_text(percent(engine.late_ticks), 1) + " %) left more than 5 ms late.");
  if (engine.skipped_frames > limits.skipped_frames &&
      percent(engine.skipped_frames) > limits.skipped_frame_percent)
    return blame(FailureCategory::engine,
                 "This machine could not keep up: " + std::to_string(engine.skipped_frames) + " packets (" +
                     number_text(percent(engine.skipped_frames), 1) + " %) were left out.");
  if (engine.dropped_commands > limits.dropped_commands)
    return blame(FailureCategory::engine, "The media engine's queue was full: " +
                                              count_text(engine.dropped_commands, "command") + " were lost.");
  if (!run.call.media.recording_error.empty())
    return blame(FailureCategory::engine, "The recording is incomplete: " + run.call.media.recording_error);
  return std::nullopt;
}

std::optional<Failure> network_fault(const Run& run, const FairnessLimits& limits) {
  const auto loss = run.call.media.receive.loss_percent();
  if (!loss || *loss <= limits.receive_loss_percent) return std::nullopt;
  return blame(FailureCategory::network,
               number_text(*loss, 1) + " % of the agent's packets were lost on their way to us.");
}

/// RFC 1918, RFC 3927, RFC 6598, loopback and their like in IPv6: nobody outside can send there.
bool is_private(const std::string& address) {
  static const std::vector<sip::Network> kPrivate = [] {
    std::vector<sip::Network> networks;
    for (const char* text : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
                             "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"})
      networks.push_back(*sip::Network::parse(text));
    return networks;
  }();
  return std::any_of(kPrivate.begin(), kPrivate.end(),
                     [&](const sip::Network& network) { return network.contains(address); });
}

/// One-way audio, with what a NAT may have done to it.
std::string no_rtp_text(const CallRecord& call) {
  std::string text = "The agent answered but sent no RTP";
  if (call.agent_media.empty()) return text + ".";
  text += ": its SDP said " + call.agent_media + ", ours said " + call.own_media + "; no RTP came.";
  if (is_private(sip::host_of_address(call.own_media)) && !is_private(sip::host_of_address(call.agent_media)))
    text += " Ours is a private address, which it may not reach: see the endpoint's external_address.";
  else if (is_private(sip::host_of_address(call.agent_media)) &&
           !is_private(sip::host_of_address(call.own_media)))
    text += " Its address is a private one: a NAT at its side rewrote nothing.";
  return text;
}

/// Answered, fair, and yet nothing was said by the agent.
void conclude_silent(Run& run) {
  CallRecord& call = run.call;
  run.success = false;
  if (call.hung_up_by == Party::agent) {
    run.status = RunStatus::failed;
    call.failure = blame(FailureCategory::agent, "The agent hung up before it said a word.");
    return;
  }
  run.status = RunStatus::completed;
  call.failure =
      blame(FailureCategory::agent,
            call.media.receive.packets == 0 ? no_rtp_text(call) : "The agent answered but never spoke.");
}

void conclude_checks(Run& run) {
  std::vector<const CheckResult*> failed;
  for (const CheckResult& check : run.evaluation.checks)
    if (!check.passed) failed.push_back(&check);
  run.status = RunStatus::completed;
  run.success = failed.empty();
  if (failed.empty()) {
    run.call.failure.reset();
    return;
  }
  std::string reason = std::to_string(failed.size()) + " of " +
                       count_text(run.evaluation.checks.size(), "check") +
                       " failed: " + failed.front()->check + ". " + failed.front()->explanation;
  run.call.failure = blame(FailureCategory::agent, std::move(reason));
}

/// The scenario wants the very rejection that came.
bool rejection_wanted(const Run& run, const scheduler::Scenario* scenario) {
  if (!scenario || run.call.answered_ms || !run.call.sip_status) return false;
  return std::any_of(scenario->expect.begin(), scenario->expect.end(), [&](const scheduler::Check& check) {
    const auto* status = std::get_if<scheduler::SipStatusIs>(&check.what);
    return status && status->status == *run.call.sip_status;
  });
}

void conclude_failure(Run& run) {
  const Failure& failure = *run.call.failure;
  run.status = RunStatus::failed;
  if (failure.category != FailureCategory::agent) {
    run.success = std::nullopt;
    return;
  }
  run.success = false;
  if (run.call.ended_reason == "dial-window-passed") run.status = RunStatus::timeout;
  // It conversed, and went wrong afterwards (its RTP stopped, say): the call was made.
  if (run.call.answered_ms && (agent_spoke(run) || run.call.hung_up_by != Party::agent))
    run.status = RunStatus::completed;
}

void decide(Run& run, const scheduler::Scenario* scenario, const FairnessLimits& limits) {
  CallRecord& call = run.call;
  if (call.cancelled) {
    run.status = RunStatus::cancelled;
    run.success = std::nullopt;
    return;
  }
  if (rejection_wanted(run, scenario)) return conclude_checks(run);
  if (!call.answered_ms && !call.failure) call.failure = set_up_failure(call);
  // What the call itself knows to be the engine's, the network's or a provider's fault stands; so does a call
  // that was never set up.
  if (call.failure && (call.failure->category != FailureCategory::agent || !call.answered_ms))
    return conclude_failure(run);
  if (auto fault = engine_fault(run, limits)) {
    call.failure = std::move(fault);
    return conclude_failure(run);
  }
  if (auto fault = network_fault(run, limits)) {
    call.failure = std::move(fault);
    return conclude_failure(run);
  }
  if (call.failure) return conclude_failure(run);
  if (was_heard(run)) {
    if (agent_spoke(run)) return conclude_checks(run);
    return conclude_silent(run);
  }
  if (call.media.receive.packets == 0 || call.hung_up_by == Party::agent) return conclude_silent(run);
  const Metric* ratio = run.evaluation.find("talk_ratio");
  call.failure =
      blame(FailureCategory::engine,
            "The agent's side could not be measured: " + (ratio ? ratio->reason : "no evaluation") + ".");
  conclude_failure(run);
}

}  // namespace

void conclude(Run& run, const scheduler::Scenario* scenario, const FairnessLimits& limits) {
  decide(run, scenario, limits);
  run.error_message = run.call.failure ? run.call.failure->reason : "";
}

bool excused(const Run& run) {
  if (run.success || run.status != RunStatus::failed || !run.call.failure) return false;
  const FailureCategory category = run.call.failure->category;
  return category == FailureCategory::network || category == FailureCategory::engine ||
         category == FailureCategory::provider;
}

void conclude(Result& result) {
  std::size_t over = 0;
  std::size_t excuses = 0;
  bool cancelled = result.status == ResultStatus::cancelled;
  for (const Run& run : result.runs) {
    if (run.status == RunStatus::cancelled) cancelled = true;
    if (excused(run)) ++excuses;
    if (run.success || excused(run)) ++over;
  }
  const bool below_threshold = std::any_of(result.thresholds.begin(), result.thresholds.end(),
                                           [](const ThresholdResult& t) { return !t.passed; });
  result.verdict_note.clear();
  if (static_cast<double>(excuses) > kMostExcused * static_cast<double>(over))
    result.verdict_note = "not enough fair calls: " + std::to_string(excuses) + " of " +
                          std::to_string(over) + " failed through no fault of the agent";
  if (cancelled)
    result.status = ResultStatus::cancelled;
  else if (over == 0 || below_threshold || !result.verdict_note.empty())
    result.status = ResultStatus::failed;
  else
    result.status = ResultStatus::completed;
}

std::vector<ThresholdResult> judge_thresholds(const Result& result,
                                              const std::vector<scheduler::MetricBound>& bounds) {
  std::vector<ThresholdResult> judged;
  judged.reserve(bounds.size());
  for (const scheduler::MetricBound& bound : bounds) {
    ThresholdResult threshold;
    threshold.metric = bound.metric;
    threshold.condition = condition_text(bound);
    threshold.value = resolve_metric(result, bound.metric).value;
    threshold.passed = threshold.value && holds(bound, *threshold.value);
    judged.push_back(std::move(threshold));
  }
  return judged;
}

std::optional<double> Result::success_rate() const {
  std::size_t successes = 0;
  std::size_t counted = 0;
  for (const Run& run : runs) {
    if (!run.success) continue;
    ++counted;
    if (*run.success) ++successes;
  }
  if (counted == 0) return std::nullopt;
  return static_cast<double>(successes) / static_cast<double>(counted);
}

int Result::exit_code() const {
  constexpr int kCancelled = 130;
  constexpr int kConfiguration = 2;
  constexpr int kNotFair = 3;
  constexpr int kFailed = 1;
  if (status == ResultStatus::cancelled) return kCancelled;
  bool unfair = !verdict_note.empty();
  bool failed = status == ResultStatus::failed;
  for (const Run& run : runs) {
    if (run.call.failure && run.call.failure->category == FailureCategory::configuration)
      return kConfiguration;
    unfair = unfair || excused(run);
    failed = failed || run.success == false;
  }
  for (const ThresholdResult& threshold : thresholds) failed = failed || !threshold.passed;
  if (unfair) return kNotFair;
  return failed ? kFailed : 0;
}

}  // namespace linecheck::engine
