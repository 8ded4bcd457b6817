// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/metric_value.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>
#include <string_view>

#include "engine/evaluation/conclude.h"
#include "engine/evaluation/metric_catalog.h"

namespace linecheck::engine {
namespace {

constexpr std::array<std::string_view, 9> kStatistics{"mean", "p25", "p50", "p75", "p90",
                                                      "p95",  "p99", "max", "n"};

bool is_statistic(std::string_view name) {
  return std::find(kStatistics.begin(), kStatistics.end(), name) != kStatistics.end();
}

bool has_statistic(MetricKind kind, std::string_view statistic, MetricScope scope) {
  if (statistic.empty()) return true;
  if (!is_statistic(statistic)) return false;
  const bool mean_or_max = statistic == "mean" || statistic == "max";
  switch (kind) {
    case MetricKind::distribution:
      return true;
    case MetricKind::value:
      return mean_or_max || scope == MetricScope::result;
    case MetricKind::mean_and_max:
      return mean_or_max;
    case MetricKind::result_only:
      return false;
  }
  return false;
}

/// Why a statistic of a distribution has no value.
std::string too_few(const std::string& statistic, std::size_t n, std::string_view counted) {
  const std::string what(counted.empty() ? "values" : counted);
  if (statistic == "p95") return "p95 needs 20 " + what + ", had " + std::to_string(n);
  if (statistic == "p99") return "p99 needs 100 " + what + ", had " + std::to_string(n);
  return "there were no " + what;
}

ResolvedMetric statistic_of(const Distribution& distribution, const std::string& statistic,
                            std::string_view counted) {
  ResolvedMetric resolved;
  resolved.value = distribution.statistic(statistic.empty() ? "mean" : statistic);
  if (!resolved.value) resolved.reason = too_few(statistic, distribution.n, counted);
  return resolved;
}

/// Runs whose numbers are the agent's: those that were not excused.
bool fair(const Run& run) {
  return run.success.has_value() && !excused(run);
}

double ratio(std::size_t part, std::size_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

ResolvedMetric answer_seizure_ratio(const Result& result) {
  std::size_t dialled = 0;
  std::size_t answered = 0;
  for (const Run& run : result.runs) {
    if (!run.call.invite_ms) continue;
    ++dialled;
    if (run.call.answered_ms) ++answered;
  }
  ResolvedMetric resolved;
  if (dialled > 0)
    resolved.value = ratio(answered, dialled);
  else
    resolved.reason = "nothing was dialled";
  return resolved;
}

/// Means weighted by the packets that they were taken over, and the largest maximum.
ResolvedMetric merge_mean_and_max(const std::vector<const Metric*>& metrics, const std::string& statistic) {
  double sum = 0;
  double weight = 0;
  double max = 0;
  for (const Metric* metric : metrics) {
    const Distribution& d = *metric->distribution;
    sum += d.mean.value_or(0) * static_cast<double>(d.n);
    weight += static_cast<double>(d.n);
    max = std::max(max, d.max.value_or(0));
  }
  ResolvedMetric resolved;
  if (weight > 0)
    resolved.value = statistic == "max" ? max : sum / weight;
  else
    resolved.reason = "no call has a value";
  return resolved;
}

}  // namespace

std::vector<std::string> known_metric_keys() {
  std::vector<std::string> keys;
  for (const MetricInfo& info : metric_catalog()) keys.emplace_back(info.key);
  return keys;
}

std::pair<std::string, std::string> split_metric(const std::string& name) {
  if (metric_info(name)) return {name, ""};
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos || !metric_info(name.substr(0, dot))) return {name, ""};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

bool is_known_metric(const std::string& name, MetricScope scope) {
  const auto [key, statistic] = split_metric(name);
  const MetricInfo* info = metric_info(key);
  if (!info || (info->kind == MetricKind::result_only && scope == MetricScope::run)) return false;
  return has_statistic(info->kind, statistic, scope);
}

ResolvedMetric resolve_metric(const Evaluation& evaluation, const std::string& name) {
  const auto [key, statistic] = split_metric(name);
  const MetricInfo* info = metric_info(key);
  ResolvedMetric resolved;
  if (!info || !is_known_metric(name, MetricScope::run)) {
    resolved.reason = "there is no metric " + name + " of a call";
    return resolved;
  }
  const Metric* metric = evaluation.find(key);
  if (!metric) {
    resolved.reason = "it was not measured";
    return resolved;
  }
  if (metric->distribution) return statistic_of(*metric->distribution, statistic, info->counted);
  resolved.value = metric->value;
  resolved.reason = metric->value ? "" : metric->reason;
  resolved.nothing_to_measure = !metric->value && nothing_happened(*metric);
  return resolved;
}

std::optional<double> metric_value(const Evaluation& evaluation, const std::string& name) {
  return resolve_metric(evaluation, name).value;
}

bool nothing_happened(const Metric& metric) {
  return metric.reason == kNoInterruption || metric.reason == kNoCallerTurn || metric.reason == kNoNoise;
}

ResolvedMetric resolve_metric(const Result& result, const std::string& name) {
  ResolvedMetric resolved;
  if (name == "success_rate") {
    resolved.value = result.success_rate();
    if (!resolved.value) resolved.reason = "no run was a fair test of the agent";
    return resolved;
  }
  if (name == "asr") return answer_seizure_ratio(result);

  const auto [key, statistic] = split_metric(name);
  const MetricInfo* info = metric_info(key);
  if (!info || !is_known_metric(name, MetricScope::result)) {
    resolved.reason = "there is no metric " + name;
    return resolved;
  }
  std::vector<double> values;
  std::vector<const Metric*> found;
  std::string why;
  for (const Run& run : result.runs) {
    if (!fair(run)) continue;
    const Metric* metric = run.evaluation.find(key);
    if (!metric) continue;
    if (metric->distribution) {
      found.push_back(metric);
      values.insert(values.end(), metric->distribution->values.begin(), metric->distribution->values.end());
    } else if (metric->value) {
      values.push_back(*metric->value);
    } else if (why.empty()) {
      why = metric->reason;
    }
  }
  if (info->kind == MetricKind::mean_and_max) {
    resolved = merge_mean_and_max(found, statistic);
  } else {
    resolved = statistic_of(Distribution::of(std::move(values)), statistic,
                            info->counted.empty() ? "calls" : info->counted);
  }
  if (!resolved.value && !why.empty()) resolved.reason += " (" + why + ")";
  return resolved;
}

std::string condition_text(const scheduler::MetricBound& bound) {
  using enum scheduler::Comparison;
  std::ostringstream text;
  switch (bound.comparison) {
    case below:
      text << "below ";
      break;
    case at_most:
      text << "at most ";
      break;
    case above:
      text << "above ";
      break;
    case at_least:
      text << "at least ";
      break;
    case equals:
      text << "equals ";
      break;
  }
  text << bound.value;
  return text.str();
}

bool holds(const scheduler::MetricBound& bound, double value) {
  using enum scheduler::Comparison;
  constexpr double kSame = 1e-9;
  switch (bound.comparison) {
    case below:
      return value < bound.value;
    case at_most:
      return value <= bound.value;
    case above:
      return value > bound.value;
    case at_least:
      return value >= bound.value;
    case equals:
      return std::abs(value - bound.value) <= kSame * std::max(1.0, std::abs(bound.value));
  }
  return false;
}

}  // namespace linecheck::engine
