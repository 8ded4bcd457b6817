// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/evaluate.h"

#include <algorithm>

#include "engine/evaluation/checks.h"
#include "engine/evaluation/measured.h"
#include "engine/evaluation/metric_catalog.h"
#include "engine/evaluation/words.h"

namespace linecheck::engine {
namespace {

/// Keys by their sound and signalling tones fire every detector of speech.
bool is_tone(const media::speech::RefinedSpan& span, double offset_ms, const CallRecord& call) {
  constexpr double kSlackMs = 40;
  for (const media::ToneEvent& tone : call.tones) {
    if (span.start_ms + offset_ms >= tone.start_ms - kSlackMs &&
        span.end_ms + offset_ms <= tone.end_ms + kSlackMs)
      return true;
  }
  return std::any_of(call.media.digits.begin(), call.media.digits.end(), [&](const media::DigitEvent& digit) {
    return !digit.sent && span.start_ms + offset_ms >= digit.start_ms - kSlackMs &&
           span.end_ms + offset_ms <= digit.start_ms + digit.duration_ms + kSlackMs;
  });
}

/// The part of the recording in which the two sides were connected.
void cut_channel(const StereoRecording& recording, Measured& m) {
  const auto total = static_cast<double>(recording.agent.size()) * 1000.0 / recording.rate;
  m.from_ms = std::clamp(*m.call.answered_ms, 0.0, total);
  m.to_ms = std::clamp(m.call.ended_ms.value_or(total), m.from_ms, total);
  const auto index = [&](double ms) {
    return std::min(recording.agent.size(), static_cast<std::size_t>(ms * recording.rate / 1000.0));
  };
  const std::size_t first = index(m.from_ms);
  m.channel.samples = std::span(recording.agent).subspan(first, index(m.to_ms) - first);
  m.channel.rate = recording.rate;
  m.channel.start_ms = static_cast<double>(first) * 1000.0 / recording.rate;
}

void find_agent_speech(Measured& m) {
  auto spans = media::speech::refine(m.channel.samples, m.channel.rate);
  std::erase_if(spans, [&](const auto& span) { return is_tone(span, m.channel.start_ms, m.call); });
  m.levels = media::speech::channel_levels(m.channel.samples, m.channel.rate, spans);
  for (const auto& span : spans) {
    SpeechSpan speech;
    speech.start_ms = span.start_ms + m.channel.start_ms;
    speech.end_ms = span.end_ms + m.channel.start_ms;
    speech.start_uncertainty_ms = span.start_uncertainty_ms;
    speech.end_uncertainty_ms = span.end_uncertainty_ms;
    m.agent.push_back(speech);
  }
}

Measured measure(const CallRecord& call, const StereoRecording& recording, const EvaluateOptions& options) {
  Measured m(call, options);
  m.answered = call.answered_ms.has_value();
  if (!m.answered) {
    m.unheard = "the call was not answered";
    return m;
  }
  m.from_ms = *call.answered_ms;
  m.to_ms = std::max(m.from_ms, call.ended_ms.value_or(m.from_ms));
  if (recording.empty()) {
    m.unheard = recording.error.empty() ? "the call was not recorded" : recording.error;
  } else {
    cut_channel(recording, m);
    constexpr double kLeastMs = 20;
    if (m.to_ms - m.from_ms < kLeastMs)
      m.unheard = "the call ended as soon as it was answered";
    else
      find_agent_speech(m);
  }
  m.caller = caller_speech(call, m.from_ms, m.to_ms);
  m.turns = make_turns(m.caller, m.agent, options);
  mark_late_ticks(m.turns, call.media.engine.late_tick_ms);
  return m;
}

std::vector<TranscriptLine> transcript_of(const CallRecord& call) {
  std::vector<TranscriptLine> lines;
  for (const Utterance& utterance : call.utterances) {
    TranscriptLine line;
    line.who = Party::caller;
    line.content = utterance.text;
    line.start_ms = utterance.start_ms;
    line.end_ms = utterance.end_ms;
    lines.push_back(std::move(line));
  }
  return lines;
}

/// The deterministic half of the hosted product's metric: the share of the scenario's checks that hold.
void add_expected_outcome(Evaluation& evaluation) {
  const auto at = std::find_if(evaluation.metrics.begin(), evaluation.metrics.end(),
                               [](const Metric& m) { return m.key == "expected_outcome"; });
  if (at == evaluation.metrics.end()) return;
  if (evaluation.checks.empty()) {
    at->reason = "the scenario expects nothing";
    return;
  }
  const auto passed = static_cast<std::size_t>(std::count_if(
      evaluation.checks.begin(), evaluation.checks.end(), [](const CheckResult& c) { return c.passed; }));
  at->reason.clear();
  at->value = 100.0 * static_cast<double>(passed) / static_cast<double>(evaluation.checks.size());
  at->passed = passed == evaluation.checks.size();
  at->explanation.push_back(std::to_string(passed) + " of " + count_text(evaluation.checks.size(), "check") +
                            " passed.");
}

}  // namespace

Metric& MetricSheet::entry(const std::string& key) {
  Metric& metric = metrics_[key];
  const MetricInfo* info = metric_info(key);
  metric.key = key;
  if (info) {
    metric.id = info->id;
    metric.name = info->name;
    metric.unit = info->unit;
  }
  return metric;
}

Metric& MetricSheet::value(const std::string& key, double value, std::string explanation) {
  Metric& metric = entry(key);
  metric.value = value;
  if (!explanation.empty()) metric.explanation.push_back(std::move(explanation));
  return metric;
}

Metric& MetricSheet::distribution(const std::string& key, Distribution distribution) {
  Metric& metric = entry(key);
  metric.distribution = std::move(distribution);
  return metric;
}

Metric& MetricSheet::none(const std::string& key, std::string reason) {
  Metric& metric = entry(key);
  metric.reason = std::move(reason);
  return metric;
}

std::vector<Metric> MetricSheet::take(const std::string& reason) {
  std::vector<Metric> metrics;
  for (const MetricInfo& info : metric_catalog()) {
    if (info.kind == MetricKind::result_only) continue;
    const std::string key(info.key);
    if (!metrics_.contains(key)) none(key, reason);
    metrics.push_back(std::move(metrics_[key]));
  }
  metrics_.clear();
  return metrics;
}

Evaluation evaluate(const CallRecord& call, const scheduler::Scenario& scenario,
                    const StereoRecording& recording, const EvaluateOptions& options) {
  const Measured measured = measure(call, recording, options);
  MetricSheet sheet;
  add_conversation_metrics(measured, sheet);
  add_line_metrics(measured, sheet);
  Evaluation evaluation;
  evaluation.turns = measured.turns;
  evaluation.transcript = transcript_of(call);
  evaluation.metrics = sheet.take(measured.unheard.empty() ? "it was not measured" : measured.unheard);
  evaluation.checks = run_checks(call, scenario, evaluation);
  add_expected_outcome(evaluation);
  return evaluation;
}

}  // namespace linecheck::engine
