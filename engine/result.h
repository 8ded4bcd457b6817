// SPDX-License-Identifier: GPL-3.0-or-later
//
// A run judged, and a result: what the reporters write and the API answers. Plain values; built by the
// evaluation and the dispatcher, read by engine/report. The JSON shape is made in report/json.h alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/call/call_record.h"
#include "engine/call/refused_call.h"
#include "scheduler/model.h"

namespace linecheck::engine {

/// Life of a run (contract 2a).
enum class RunStatus { pending, in_queue, running, evaluating, completed, failed, timeout, cancelled };

/// A maximal run of speech of one side (metrics.md), from the offline pass over the recording.
struct Turn {
  Party who = Party::caller;
  double start_ms = 0;
  double end_ms = 0;
  double uncertainty_ms = 0;
  std::optional<double> latency_ms;        ///< agent turns that follow a caller turn
  std::optional<double> overlap_ms;        ///< where it started while the other side spoke
  std::optional<double> yielded_after_ms;  ///< caller barge-ins: until the agent fell silent
  bool interrupts = false;
  bool backchannel = false;
  bool touched_by_late_tick = false;
};

struct Distribution {
  std::optional<double> mean, p25, p50, p75, p90, p95, p99, max;
  std::size_t n = 0;
  std::vector<double> values;  ///< kept so that results merge values, never percentiles

  /// No p95 below 20 values and no p99 below 100: null, not a guess.
  static Distribution of(std::vector<double> values);
  /// By statistic's name ("p95"); nullopt where it does not apply.
  [[nodiscard]] std::optional<double> statistic(const std::string& name) const;
};

/// One metric of a run. Exactly one of score or distribution is set where it applies; else `reason` says why
/// not.
struct Metric {
  int id = 0;
  std::string key;   ///< latency_ms
  std::string name;  ///< the hosted product's display name where there is one: "Latency"
  std::string unit;  ///< ms, percent, dBov, "" ...
  std::optional<double> value;
  std::optional<Distribution> distribution;
  std::optional<bool> passed;
  std::string reason;                    ///< why it is null
  std::vector<std::string> explanation;  ///< plain sentences with times
};

struct CheckResult {
  std::string check;  ///< as written
  bool passed = false;
  std::string explanation;
};

struct TranscriptLine {
  Party who = Party::caller;
  std::string content;
  double start_ms = 0;
  double end_ms = 0;
  bool draft = false;
};

struct Evaluation {
  std::vector<Turn> turns;
  std::vector<Metric> metrics;
  std::vector<CheckResult> checks;
  std::vector<TranscriptLine> transcript;

  [[nodiscard]] const Metric* find(const std::string& key) const;
};

/// One call inside a result.
struct Run {
  std::int64_t id = 0;
  std::int64_t result_id = 0;
  scheduler::Id agent = 0;
  scheduler::Id scenario = 0;
  std::string scenario_name;
  scheduler::Id personality = 0;
  std::string personality_name;
  std::optional<scheduler::Id> test_profile;
  std::string test_profile_name;
  std::map<std::string, std::string> test_profile_data;
  int repetition = 1;  ///< 1..frequency
  RunStatus status = RunStatus::pending;
  std::optional<bool> success;
  std::string error_message;
  std::string inbound_number;   ///< the number the agent sees calling (inbound agent)
  std::string outbound_number;  ///< what we dialled
  CallRecord call;
  Evaluation evaluation;
};

struct ThresholdResult {
  std::string metric;
  std::string condition;  ///< "below 1500"
  std::optional<double> value;
  bool passed = false;
};

/// The engine's own behaviour over a result.
struct EngineSummary {
  std::string version;
  std::string commit;
  media::PacingHistogram pacing;
  std::uint64_t late_ticks = 0;
  std::uint64_t late_starts = 0;
  std::uint64_t dropped_starts = 0;
  /// What kept them back: concurrency_limit, trunk_channels, concurrent_calls, caller_numbers,
  /// calls_per_second, engine.
  std::map<std::string, std::uint64_t> late_causes, dropped_causes;
};

/// Contract 2a: completed and failed are the verdicts of a finished result.
enum class ResultStatus { pending, running, evaluating, completed, failed, cancelled, paused };

struct Result {
  std::int64_t id = 0;
  std::string name;
  scheduler::Id agent = 0;
  std::string agent_name;
  ResultStatus status = ResultStatus::pending;
  std::string run_settings_json;  ///< as requested, seed included
  std::string created_at;         ///< RFC 3339, UTC
  std::string updated_at;
  double wall_seconds = 0;
  std::vector<Run> runs;
  std::vector<ThresholdResult> thresholds;
  EngineSummary engine;
  std::vector<RefusedCall> refused_calls;  ///< while runs waited for an agent's call
  std::uint64_t refused_calls_count = 0;
  std::string verdict_note;  ///< "not enough fair calls", empty otherwise

  [[nodiscard]] std::optional<double> success_rate() const;
  [[nodiscard]] int exit_code() const;  ///< contract 2a and 5
};

}  // namespace linecheck::engine
