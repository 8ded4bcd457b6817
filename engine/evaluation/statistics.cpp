// SPDX-License-Identifier: GPL-3.0-or-later
//
// Distributions: Distribution of engine/result.h.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/result.h"

namespace linecheck::engine {
namespace {

constexpr std::size_t kLeastForP95 = 20;
constexpr std::size_t kLeastForP99 = 100;

/// Linear interpolation between the two nearest ranks (Hyndman and Fan's type 7).
double quantile(const std::vector<double>& sorted, double q) {
  const double rank = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (rank - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Distribution Distribution::of(std::vector<double> values) {
  Distribution d;
  d.n = values.size();
  d.values = std::move(values);
  if (d.values.empty()) return d;
  std::vector<double> sorted = d.values;
  std::sort(sorted.begin(), sorted.end());
  d.mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / static_cast<double>(sorted.size());
  d.p25 = quantile(sorted, 0.25);
  d.p50 = quantile(sorted, 0.50);
  d.p75 = quantile(sorted, 0.75);
  d.p90 = quantile(sorted, 0.90);
  if (d.n >= kLeastForP95) d.p95 = quantile(sorted, 0.95);
  if (d.n >= kLeastForP99) d.p99 = quantile(sorted, 0.99);
  d.max = sorted.back();
  return d;
}

std::optional<double> Distribution::statistic(const std::string& name) const {
  if (name == "mean") return mean;
  if (name == "p25") return p25;
  if (name == "p50") return p50;
  if (name == "p75") return p75;
  if (name == "p90") return p90;
  if (name == "p95") return p95;
  if (name == "p99") return p99;
  if (name == "max") return max;
  if (name == "n") return static_cast<double>(n);
  return std::nullopt;
}

const Metric* Evaluation::find(const std::string& key) const {
  for (const Metric& metric : metrics)
    if (metric.key == key) return &metric;
  return nullptr;
}

}  // namespace linecheck::engine
