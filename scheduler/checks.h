// SPDX-License-Identifier: GPL-3.0-or-later
//
// What must hold: the `expect` list of a scenario and the `thresholds` of a job. Metric names are checked for
// their form only (`latency_ms.p95`); which of them exist is for whoever computes them to say, with the Mark
// kept here.
#pragma once

#include <string>
#include <vector>

#include "scheduler/model.h"
#include "scheduler/reader.h"

namespace linecheck::scheduler {

/// The entries of `expect`. An entry with two comparisons gives two checks.
std::vector<Check> parse_expect(const Field& list);

/// The entries of `thresholds`.
std::vector<MetricBound> parse_thresholds(const Field& list);

/// `below`, `at_most`, `above`, `at_least`, `equals`.
const char* comparison_name(Comparison comparison);

/// `metric: latency_ms.p95, below: 1500`.
std::string metric_text(const MetricBound& bound);

}  // namespace linecheck::scheduler
