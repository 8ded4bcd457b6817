// SPDX-License-Identifier: GPL-3.0-or-later
//
// Metrics by the names that users write in `expect` and `thresholds`: a key, or a key and a statistic
// ("latency_ms.p95", "packet_loss_percent.receive", "jitter_ms.receive.max").
//
// A key with a distribution written without a statistic means its mean. A key with one value for each call
// takes
// `.mean` and `.max` on a call (the value itself) and every statistic on a result, where the calls' values
// are merged; without a statistic it means their mean there.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/result.h"
#include "scheduler/model.h"

namespace linecheck::engine {

enum class MetricScope {
  run,    ///< what a scenario's `expect` may name
  result  ///< what a job's `thresholds` may name: also success_rate and asr
};

/// All keys without statistics, in the order in which metrics are reported; success_rate and asr last.
[[nodiscard]] std::vector<std::string> known_metric_keys();

/// Whether `name` is a key, or a key with a statistic that it can have in this scope.
[[nodiscard]] bool is_known_metric(const std::string& name, MetricScope scope = MetricScope::result);

/// Reasons of metrics that are null because what they measure did not happen.
inline constexpr const char* kNoInterruption = "no interruption happened";
inline constexpr const char* kNoCallerTurn = "the caller took no turn";
inline constexpr const char* kNoNoise = "there is no noise: digital silence between the agent's words";
[[nodiscard]] bool nothing_happened(const Metric& metric);

struct ResolvedMetric {
  std::optional<double> value;
  std::string reason;  ///< why there is no value
  bool nothing_to_measure =
      false;  ///< no value because what it measures did not happen (no interruption, no turn)
};

[[nodiscard]] ResolvedMetric resolve_metric(const Evaluation& evaluation, const std::string& name);
[[nodiscard]] std::optional<double> metric_value(const Evaluation& evaluation, const std::string& name);

/// Over all fair runs of a result: values are merged first, then the statistic is taken; percentiles are
/// never averaged.
[[nodiscard]] ResolvedMetric resolve_metric(const Result& result, const std::string& name);

/// "below 1500".
[[nodiscard]] std::string condition_text(const scheduler::MetricBound& bound);
[[nodiscard]] bool holds(const scheduler::MetricBound& bound, double value);

/// "latency_ms.p95" -> {"latency_ms", "p95"}; no statistic: an empty string.
[[nodiscard]] std::pair<std::string, std::string> split_metric(const std::string& name);

}  // namespace linecheck::engine
