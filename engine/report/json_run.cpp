// SPDX-License-Identifier: GPL-3.0-or-later
//
// The shape of one run.
#include <cmath>
#include <system_error>

#include "engine/report/json.h"
#include "engine/report/json_parts.h"

namespace linecheck::engine::report {
namespace {

json failure_json(const std::optional<Failure>& failure) {
  if (!failure) return nullptr;
  return {{"category", name_of(failure->category)},
          {"reason", text(failure->reason)},
          {"sip_status", integer(failure->sip_status)},
          {"q850", integer(failure->q850)},
          {"retry_after", integer(failure->retry_after_s)}};
}

json turns_json(const std::vector<Turn>& turns) {
  json array = json::array();
  for (const Turn& turn : turns) {
    array.push_back({{"who", name_of(turn.who)},
                     {"start_ms", number(turn.start_ms)},
                     {"end_ms", number(turn.end_ms)},
                     {"uncertainty_ms", number(turn.uncertainty_ms)},
                     {"latency_ms", number(turn.latency_ms)},
                     {"overlap_ms", number(turn.overlap_ms)},
                     {"yielded_after_ms", number(turn.yielded_after_ms)},
                     {"interrupts", turn.interrupts},
                     {"backchannel", turn.backchannel},
                     {"touched_by_late_tick", turn.touched_by_late_tick}});
  }
  return array;
}

json metrics_json(const std::vector<Metric>& metrics) {
  json array = json::array();
  for (const Metric& metric : metrics) {
    json one{{"id", metric.id},
             {"key", text(metric.key)},
             {"name", text(metric.name)},
             {"type", metric.distribution ? "distribution" : "number"},
             {"value", number(metric.value)},
             {"unit", text(metric.unit)},
             {"passed", integer(metric.passed)},
             {"explanation", texts(metric.explanation)},
             {"reason", text_or_null(metric.reason)},
             {"extra", {{"percentiles", nullptr}}}};
    // The hosted product's single figure: of a distribution it is the mean.
    one["score"] = one["value"];
    if (metric.distribution) {
      one["extra"]["percentiles"] = percentiles(*metric.distribution);
      one["extra"]["values"] = numbers(metric.distribution->values);
      if (!metric.value) one["score"] = number(metric.distribution->mean);
    }
    array.push_back(std::move(one));
  }
  return array;
}

json checks_json(const std::vector<CheckResult>& checks) {
  json array = json::array();
  for (const CheckResult& check : checks) {
    array.push_back(
        {{"check", text(check.check)}, {"passed", check.passed}, {"explanation", text(check.explanation)}});
  }
  return array;
}

/// 0..100, met at 100: the metric of that name, else the share of the scenario's checks that hold.
json expected_outcome_json(const Evaluation& evaluation) {
  const std::vector<CheckResult>& checks = evaluation.checks;
  if (checks.empty()) return nullptr;
  json explanation = json::array();
  std::size_t held = 0;
  for (const CheckResult& check : checks) {
    held += check.passed ? 1 : 0;
    explanation.push_back(text((check.passed ? "met: " : "not met: ") + check.check +
                               (check.explanation.empty() ? std::string() : " (" + check.explanation + ")")));
  }
  const Metric* judged = evaluation.find("expected_outcome");
  if (judged != nullptr && judged->value)
    return {{"score", *judged->value}, {"explanation", std::move(explanation)}};
  const double score = std::floor(100.0 * static_cast<double>(held) / static_cast<double>(checks.size()));
  return {{"score", score}, {"explanation", std::move(explanation)}};
}

json digits_json(const std::vector<media::DigitEvent>& digits) {
  json array = json::array();
  for (const media::DigitEvent& digit : digits) {
    json also = json::array();
    for (std::size_t n = 0; n < digit.also.size(); ++n) {
      if (digit.also[n]) also.push_back(media::transport_name(static_cast<media::DigitTransport>(n)));
    }
    const bool lasting = digit.duration_ms > 0;
    array.push_back({{"digit", text(std::string(1, digit.digit))},
                     {"by", digit.sent ? "caller" : "agent"},
                     {"start_ms", number(digit.start_ms)},
                     {"duration_ms", lasting ? number(digit.duration_ms) : json(nullptr)},
                     {"gap_ms", number(digit.gap_ms)},
                     {"level_dbm0", number(digit.level_dbm0)},
                     {"transport", media::transport_name(digit.transport)},
                     {"also", std::move(also)}});
  }
  return array;
}

json tones_json(const std::vector<media::ToneEvent>& tones) {
  json array = json::array();
  for (const media::ToneEvent& tone : tones) {
    json frequencies = json::array();
    if (tone.low_hz > 0) frequencies.push_back(number(tone.low_hz));
    if (tone.high_hz > 0) frequencies.push_back(number(tone.high_hz));
    array.push_back({{"tone", text(std::string(media::tone_name(tone.kind)))},
                     {"start_ms", number(tone.start_ms)},
                     {"end_ms", number(tone.end_ms)},
                     {"frequencies_hz", std::move(frequencies)},
                     {"level_dbm0", number(tone.level_dbm0)},
                     {"bursts", tone.bursts},
                     {"cadence", text_or_null(tone.cadence)},
                     {"countries", text_or_null(tone.countries)}});
  }
  return array;
}

json line_json(const std::vector<media::LinePeriod>& periods) {
  json array = json::array();
  for (const media::LinePeriod& period : periods) {
    const media::Impairment& asked = period.asked;
    const media::LineAchieved& achieved = period.achieved;
    array.push_back({{"from_ms", number(period.from_ms)},
                     {"asked",
                      {{"packet_loss", number(asked.loss_percent)},
                       {"burst", number(asked.mean_burst)},
                       {"jitter", number(asked.jitter_ms)},
                       {"reorder", asked.reorders()},
                       {"latency", number(asked.delay_ms)},
                       {"duplicate", number(asked.duplicate_percent)},
                       {"gain_db", number(asked.gain_db)},
                       {"low_cut_hz", number(asked.low_hz)},
                       {"high_cut_hz", number(asked.high_hz)}}},
                     {"achieved",
                      {{"packets", achieved.packets},
                       {"lost", achieved.lost},
                       {"packet_loss", number(achieved.loss_percent())},
                       {"bursts", achieved.bursts},
                       {"burst", number(achieved.mean_burst())},
                       {"jitter", number(achieved.jitter_ms)},
                       {"latency", number(achieved.delay_mean_ms)},
                       {"latency_min", number(achieved.delay_min_ms)},
                       {"latency_max", number(achieved.delay_max_ms)},
                       {"left", achieved.left},
                       {"duplicated", achieved.duplicated},
                       {"reordered", achieved.reordered},
                       {"overflow", achieved.overflow}}}});
  }
  return array;
}

json engine_json(const CallRecord& call) {
  const media::EngineStatistics& engine = call.media.engine;
  const Distribution delay = Distribution::of(call.persona_delay_ms);
  return {
      {"pacing_ms", pacing(engine.pacing)},
      {"pacing_histogram", histogram_counts(engine.pacing)},
      {"late_ticks", engine.late_ticks},
      {"late_tick_ms", numbers(engine.late_tick_ms)},
      {"skipped_frames", engine.skipped_frames},
      {"dropped_commands", engine.dropped_commands},
      {"dropped_events", engine.dropped_events},
      {"realtime", engine.realtime},
      {"recording_error", text_or_null(call.media.recording_error)},
      {"clock_map_restarts", call.media.clock_map_restarts},
      {"persona_delay_ms",
       {{"p50", number(delay.p50)}, {"max", number(delay.max)}, {"values", numbers(call.persona_delay_ms)}}}};
}

json sip_json(const std::vector<TracedMessage>& messages) {
  json array = json::array();
  for (const TracedMessage& message : messages) {
    array.push_back({{"t_ms", number(message.t_ms)},
                     {"direction", message.sent ? "sent" : "received"},
                     {"from", text(message.from)},
                     {"to", text(message.to)},
                     {"transport", text(message.transport)},
                     {"start_line", text(message.start_line)},
                     {"message", text(message.message)}});
  }
  return array;
}

json utterances_json(const std::vector<Utterance>& utterances) {
  json array = json::array();
  for (const Utterance& said : utterances) {
    array.push_back({{"text", text(said.text)},
                     {"start_ms", number(said.start_ms)},
                     {"end_ms", number(said.end_ms)},
                     {"interrupted", said.interrupted},
                     {"barge_in", said.barge_in},
                     {"idle_prompt", said.idle_prompt},
                     {"speech", spans(said.speech)}});
  }
  return array;
}

json timeline_json(const std::vector<TimelineEvent>& timeline) {
  json array = json::array();
  for (const TimelineEvent& event : timeline) {
    array.push_back(
        {{"t_ms", number(event.t_ms)}, {"what", text(event.what)}, {"detail", text(event.detail)}});
  }
  return array;
}

std::string_view speaker(Party who) {
  return who == Party::caller ? "Testing Agent" : "Main Agent";
}

std::string transcript_text(const std::vector<TranscriptLine>& lines) {
  std::string out;
  for (const TranscriptLine& line : lines) {
    if (!out.empty()) out += '\n';
    out += "[" + minutes_seconds(std::floor(line.start_ms / 1000.0)) + "] " + std::string(speaker(line.who)) +
           ": " + line.content;
  }
  return valid_utf8(out);
}

json transcript_json(const std::vector<TranscriptLine>& lines) {
  json array = json::array();
  for (const TranscriptLine& line : lines) {
    array.push_back({{"role", speaker(line.who)},
                     {"content", text(line.content)},
                     {"start_ms", number(line.start_ms)},
                     {"end_ms", number(line.end_ms)},
                     {"draft", line.draft}});
  }
  return array;
}

json file_url(const std::filesystem::path& path, const JsonOptions& options) {
  if (path.empty()) return nullptr;
  if (options.relative_to.empty()) return text(path.generic_string());
  std::error_code error;
  const std::filesystem::path relative = std::filesystem::proximate(path, options.relative_to, error);
  return text((error ? path : relative).generic_string());
}

json recording_url(const Run& run, const JsonOptions& options) {
  if (!run.call.recording_path.empty() && options.recording_url) {
    return text_or_null(options.recording_url(run));
  }
  return file_url(run.call.recording_path, options);
}

}  // namespace

json run_json(const Run& run, const JsonOptions& options) {
  const CallRecord& call = run.call;
  const Evaluation& evaluation = run.evaluation;
  json out{
      {"id", run.id},
      {"result_id", run.result_id},
      {"scenario", run.scenario},
      {"scenario_name", text(run.scenario_name)},
      {"personality", run.personality},
      {"personality_name", text(run.personality_name)},
      {"test_profile", integer(run.test_profile)},
      {"test_profile_name", text_or_null(run.test_profile_name)},
      {"test_profile_data", run.test_profile ? variables(run.test_profile_data) : json(nullptr)},
      {"repetition", run.repetition},
      {"agent", run.agent},
      {"status", name_of(run.status)},
      {"evaluation_status", run.success ? json(*run.success ? "success" : "failure") : json(nullptr)},
      {"success", integer(run.success)},
      {"attempt", call.attempt},
      {"flaky", is_flaky(run)},
      {"inbound_number", text_or_null(run.inbound_number)},
      {"outbound_number", text_or_null(run.outbound_number)},
      {"agent_number", text_or_null(call.agent_number)},
      {"caller_number", text_or_null(call.caller_number)},
      {"outbound_dial_window_opens_at", text_or_null(call.dial_window_opens_at)},
      {"outbound_dial_window_seconds",
       call.dial_window_opens_at.empty() ? json(nullptr) : json(call.dial_window_s)},
      {"outbound_dial_window_closes_at", text_or_null(call.dial_window_closes_at)},
      {"duration", minutes_seconds(conversation_seconds(call))},
      {"executed_at", text_or_null(call.executed_at)},
      {"error_message", text_or_null(run.error_message)},
      {"failure", failure_json(call.failure)},
      {"metadata",
       {{"ended_reason", text_or_null(call.ended_reason)},
        {"hung_up_by", call.hung_up_by ? json(name_of(*call.hung_up_by)) : json(nullptr)},
        {"call_id", text_or_null(call.call_id)},
        {"codec", text_or_null(call.codec)},
        {"srtp", text_or_null(call.srtp)},
        {"trunk", text_or_null(call.trunk)},
        {"transferred_to", text_or_null(call.transferred_to)},
        {"sip_status", integer(call.sip_status)},
        {"q850", integer(call.q850)},
        {"sip_reason", text_or_null(call.sip_reason)},
        {"agent_media", text_or_null(call.agent_media)},
        {"own_media", text_or_null(call.own_media)},
        {"cancelled", call.cancelled}}},
      {"timing",
       {{"invite_ms", number(call.invite_ms)},
        {"ringing_ms", number(call.ringing_ms)},
        {"answered_ms", number(call.answered_ms)},
        {"ended_ms", number(call.ended_ms)},
        {"origin_mono_ns", call.origin_mono_ns}}},
      {"voice_recording_url", recording_url(run, options)},
      {"pcap_url", file_url(run.call.capture_path, options)},
      {"testing_channel_index", 0},
      {"transcript", transcript_text(evaluation.transcript)},
      {"transcript_object", transcript_json(evaluation.transcript)},
      {"evaluation", {{"metrics", metrics_json(evaluation.metrics)}}},
      {"expect", checks_json(evaluation.checks)},
      {"expected_outcome", expected_outcome_json(evaluation)},
      {"dtmf", digits_json(call.media.digits)},
      {"digits_sent", text(call.digits_sent)},
      {"tones", tones_json(call.tones)},
      {"engine", engine_json(call)},
  };
  const bool details = options.details;
  out["turns"] = details ? turns_json(evaluation.turns) : json::array();
  out["sip"] = details ? sip_json(call.sip) : json::array();
  out["utterances"] = details ? utterances_json(call.utterances) : json::array();
  out["timeline"] = details ? timeline_json(call.timeline) : json::array();
  out["agent_speech_live"] = details ? spans(call.media.agent_speech_live) : json::array();
  out["rtp"] = rtp_json(call.media, details);
  out["network_simulation"] = {{"send", line_json(call.media.send_line)},
                               {"receive", line_json(call.media.receive_line)}};
  return out;
}

}  // namespace linecheck::engine::report
