// SPDX-License-Identifier: GPL-3.0-or-later
//
// Every metric there is, in the order in which reports show them: the one place for keys, display names and
// units.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace linecheck::engine {

enum class MetricKind {
  value,         ///< one number for a call
  distribution,  ///< one number for each turn or interruption
  mean_and_max,  ///< measured on the fly: no values are kept
  result_only    ///< of a whole result
};

struct MetricInfo {
  int id;
  std::string_view key;
  std::string_view name;  ///< the hosted product's display name where it has the metric
  std::string_view unit;
  MetricKind kind;
  std::string_view counted{};  ///< what a distribution counts, plural: "turns"
};

[[nodiscard]] std::span<const MetricInfo> metric_catalog();

/// nullptr for a key that does not exist.
[[nodiscard]] const MetricInfo* metric_info(std::string_view key);

}  // namespace linecheck::engine
