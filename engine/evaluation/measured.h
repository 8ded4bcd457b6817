// SPDX-License-Identifier: GPL-3.0-or-later
//
// What evaluate() found out about a call before it makes metrics of it, and the sheet on which they are
// entered.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/evaluation/evaluate.h"
#include "engine/evaluation/signal.h"
#include "engine/evaluation/turns.h"
#include "engine/result.h"
#include "media/speech/refine.h"

namespace linecheck::engine {

struct Measured {
  Measured(const CallRecord& record, const EvaluateOptions& with) : call(record), options(with) {}

  const CallRecord& call;
  const EvaluateOptions& options;
  double from_ms = 0;  ///< answer
  double to_ms = 0;    ///< end of the call
  bool answered = false;
  std::string unheard;  ///< why the agent's channel could not be measured; empty: it was
  ChannelView channel;  ///< the agent's channel in [from_ms, to_ms]
  std::vector<SpeechSpan> caller;
  std::vector<SpeechSpan> agent;
  std::vector<Turn> turns;
  media::speech::ChannelLevels levels;
};

/// Metrics by key, entered in any order.
class MetricSheet {
 public:
  Metric& value(const std::string& key, double value, std::string explanation = {});
  Metric& distribution(const std::string& key, Distribution distribution);
  Metric& none(const std::string& key, std::string reason);

  /// All metrics of a call in the catalogue's order; what nobody entered has `reason`.
  [[nodiscard]] std::vector<Metric> take(const std::string& reason);

 private:
  Metric& entry(const std::string& key);
  std::map<std::string, Metric> metrics_;
};

/// Turns, latencies, interruptions, silence.
void add_conversation_metrics(const Measured& measured, MetricSheet& sheet);

/// Set-up times, levels, voice, RTP, MOS.
void add_line_metrics(const Measured& measured, MetricSheet& sheet);

}  // namespace linecheck::engine
