// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/speech/scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace linecheck::bench {
namespace {

constexpr double kTurnGapMs = 500;  // EvaluateOptions::turn_gap_ms: shorter pauses do not end a turn
constexpr double kPauseMs = 300;    // LiveOptions::end_silence_ms: longer ones end a segment

double rounded(double ms) {
  return std::round(ms * 100) / 100;
}

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

double Errors::median() const {
  return quantile(all_, 0.5);
}

double Errors::bias() const {
  if (all_.empty()) return 0;
  return std::accumulate(all_.begin(), all_.end(), 0.0) / static_cast<double>(all_.size());
}

double Errors::magnitude(double share) const {
  std::vector<double> absolute = all_;
  for (double& error : absolute) error = std::abs(error);
  return quantile(std::move(absolute), share);
}

nlohmann::ordered_json Errors::json() const {
  return {{"n", size()},
          {"bias", rounded(bias())},
          {"median", rounded(median())},
          {"p50", rounded(magnitude(0.5))},
          {"p95", rounded(magnitude(0.95))},
          {"max", rounded(magnitude(1))}};
}

void Scores::add(const CallLine& line, const std::vector<Found>& found) {
  // As turns are made: with their short pauses bridged.
  std::vector<Found> turns;
  std::vector<std::size_t> parts;
  for (const Found& one : found) {
    if (!turns.empty() && one.start_ms - turns.back().end_ms <= kTurnGapMs) {
      turns.back().end_ms = one.end_ms;
      turns.back().end_uncertainty_ms = one.end_uncertainty_ms;
      ++parts.back();
    } else {
      turns.push_back(one);
      parts.push_back(1);
    }
  }
  std::vector<bool> used(turns.size());
  std::optional<double> last_end, last_true_end;
  for (const Placed& truth : line.truth) {
    ++utterances;
    std::optional<std::size_t> first, last;
    for (std::size_t n = 0; n < turns.size(); ++n) {
      if (turns[n].end_ms <= truth.start_ms || turns[n].start_ms >= truth.end_ms) continue;
      if (used[n]) continue;  // the utterance before has it
      used[n] = true;
      if (!first) first = n;
      last = n;
    }
    if (!first) {
      ++missed;
      last_end.reset();
      continue;
    }
    std::size_t pauses = 0;
    for (std::size_t n = 1; n < truth.audible.size(); ++n)
      if (truth.audible[n].start_ms - truth.audible[n - 1].end_ms >= kPauseMs) ++pauses;
    std::size_t pieces = 0;
    for (std::size_t n = *first; n <= *last; ++n) pieces += parts[n];
    if (pieces > pauses + 1) splits += pieces - pauses - 1;

    const double start_error = turns[*first].start_ms - truth.start_ms;
    const double end_error = turns[*last].end_ms - truth.end_ms;
    start.add(start_error);
    end.add(end_error);
    for (const auto& [error, uncertainty] : {std::pair{start_error, turns[*first].start_uncertainty_ms},
                                             std::pair{end_error, turns[*last].end_uncertainty_ms}}) {
      if (uncertainty <= 0) continue;
      ++boundaries;
      if (std::abs(error) <= uncertainty) ++covered;
    }
    if (last_end) latency.add((turns[*first].start_ms - *last_end) - (truth.start_ms - *last_true_end));
    last_end = turns[*last].end_ms;
    last_true_end = truth.end_ms;
  }
  invented += static_cast<std::size_t>(std::count(used.begin(), used.end(), false));
}

nlohmann::ordered_json Scores::json() const {
  nlohmann::ordered_json out{{"onset_ms", start.json()},     {"offset_ms", end.json()},
                             {"latency_ms", latency.json()}, {"missed", missed},
                             {"invented", invented},         {"splits", splits}};
  if (boundaries > 0)
    out["within_uncertainty"] = rounded(static_cast<double>(covered) / static_cast<double>(boundaries));
  return out;
}

}  // namespace linecheck::bench
