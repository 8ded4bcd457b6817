// SPDX-License-Identifier: GPL-3.0-or-later
//
// The way back from JSON, tolerant of what is missing and strict about what has another type.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <type_traits>

#include "engine/report/json.h"
#include "engine/report/words.h"

namespace linecheck::engine::report {
namespace {

using nlohmann::json;

/// An object being read, with the path that errors name.
class Reader {
 public:
  Reader(const json& object, std::string path) : object_(object), path_(std::move(path)) {
    if (!object.is_object()) throw BadJson(path_ + " is not an object");
  }

  /// nullptr where the key is missing or null.
  [[nodiscard]] const json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  template <typename T>
  [[nodiscard]] std::optional<T> maybe(const char* key) const {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    return as<T>(*value, path_ + "." + key);
  }

  template <typename T>
  void get(const char* key, T& into) const {
    if (std::optional<T> value = maybe<T>(key)) into = std::move(*value);
  }

  template <typename T>
  void get(const char* key, std::optional<T>& into) const {
    into = maybe<T>(key);
  }

  /// An object inside, empty where it is missing.
  [[nodiscard]] Reader object(const char* key) const {
    static const json kEmpty = json::object();
    const json* value = find(key);
    return {value != nullptr ? *value : kEmpty, path_ + "." + key};
  }

  /// Calls `each(element, path)` for an array, nothing where it is missing.
  template <typename Each>
  void array(const char* key, Each each) const {
    const json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_array()) throw BadJson(path_ + "." + key + " is not a list");
    std::size_t index = 0;
    for (const json& element : *value) each(element, path_ + "." + key + "[" + std::to_string(index++) + "]");
  }

  template <typename Enum, typename FromName>
  void name(const char* key, Enum& into, FromName from_name) const {
    const auto word = maybe<std::string>(key);
    if (!word) return;
    const auto value = from_name(*word);
    if (!value) throw BadJson(path_ + "." + key + ": unknown value \"" + *word + "\"");
    into = *value;
  }

  template <typename T>
  static T as(const json& value, const std::string& path) {
    bool fits = false;
    if constexpr (std::is_same_v<T, bool>) {
      fits = value.is_boolean();
    } else if constexpr (std::is_integral_v<T>) {
      fits = value.is_number_integer();
    } else if constexpr (std::is_floating_point_v<T>) {
      fits = value.is_number();
    } else {
      fits = value.is_string();
    }
    if (!fits) throw BadJson(path + " has another type than expected");
    return value.get<T>();
  }

 private:
  const json& object_;
  std::string path_;
};

std::vector<double> numbers_in(const Reader& reader, const char* key) {
  std::vector<double> values;
  reader.array(key, [&](const json& value, const std::string& path) {
    values.push_back(Reader::as<double>(value, path));
  });
  return values;
}

std::vector<std::string> texts_in(const Reader& reader, const char* key) {
  std::vector<std::string> values;
  reader.array(key, [&](const json& value, const std::string& path) {
    values.push_back(Reader::as<std::string>(value, path));
  });
  return values;
}

std::vector<media::Span> spans_in(const Reader& reader, const char* key) {
  std::vector<media::Span> values;
  reader.array(key, [&](const json& value, const std::string& path) {
    if (!value.is_array() || value.size() != 2) throw BadJson(path + " is not a pair");
    values.push_back({Reader::as<double>(value[0], path), Reader::as<double>(value[1], path)});
  });
  return values;
}

media::PacingHistogram histogram_in(const Reader& engine) {
  media::PacingHistogram histogram;
  engine.array("pacing_histogram", [&](const json& value, const std::string& path) {
    if (!value.is_array() || value.size() != 2) throw BadJson(path + " is not a pair");
    const auto bucket = Reader::as<std::size_t>(value[0], path);
    if (bucket >= histogram.counts.size()) throw BadJson(path + ": no such bucket");
    histogram.counts[bucket] = Reader::as<std::uint32_t>(value[1], path);
    histogram.total += histogram.counts[bucket];
  });
  engine.object("pacing_ms").get("max", histogram.max_ms);
  return histogram;
}

std::vector<media::RtpSecond> seconds_in(const Reader& series, const char* lost, const char* jitter) {
  std::vector<media::RtpSecond> seconds;
  const std::vector<double> packets = numbers_in(series, "packets");
  const std::vector<double> lost_of = numbers_in(series, lost);
  const std::vector<double> jitter_of = numbers_in(series, jitter);
  for (std::size_t i = 0; i < std::min(packets.size(), media::RtpStatistics::kMostSeconds); ++i) {
    const auto small = [&](const std::vector<double>& values, double most, double scale) {
      return i < values.size() ? std::clamp(std::round(values[i] * scale), 0.0, most) : 0.0;
    };
    seconds.push_back({static_cast<std::uint8_t>(small(packets, 255, 1)),
                       static_cast<std::uint8_t>(small(lost_of, 255, 1)),
                       static_cast<std::uint16_t>(small(jitter_of, 65535, 100))});
  }
  return seconds;
}

media::RtcpStatistics rtcp_in(const Reader& in) {
  media::RtcpStatistics rtcp;
  in.get("sent", rtcp.sent);
  in.get("send_failures", rtcp.send_failures);
  in.get("received", rtcp.received);
  in.get("malformed", rtcp.malformed);
  in.get("muxed", rtcp.muxed);
  in.get("bye_ms", rtcp.bye_ms);
  in.get("round_trip_min_ms", rtcp.round_trip_min_ms);
  in.get("round_trip_max_ms", rtcp.round_trip_max_ms);
  in.array("reports", [&](const json& value, const std::string& path) {
    const Reader one(value, path);
    const auto of = [&](const char* key, double otherwise) {
      return static_cast<float>(one.maybe<double>(key).value_or(otherwise));
    };
    rtcp.reports.push_back(
        {of("t_ms", 0), of("loss_percent", 0), of("jitter_ms", 0), of("round_trip_ms", -1)});
  });
  if (in.find("voip_metrics") == nullptr) return rtcp;
  const Reader from = in.object("voip_metrics");
  media::VoipMetrics voip;
  from.get("loss_percent", voip.loss_percent);
  from.get("discard_percent", voip.discard_percent);
  from.get("burst_density_percent", voip.burst_density_percent);
  from.get("gap_density_percent", voip.gap_density_percent);
  from.get("burst_ms", voip.burst_ms);
  from.get("gap_ms", voip.gap_ms);
  from.get("round_trip_ms", voip.round_trip_ms);
  from.get("end_system_delay_ms", voip.end_system_delay_ms);
  from.get("signal_dbm0", voip.signal_dbm0);
  from.get("noise_dbm0", voip.noise_dbm0);
  from.get("echo_return_loss_db", voip.echo_return_loss_db);
  from.get("r_factor", voip.r_factor);
  from.get("mos_lq", voip.mos_lq);
  from.get("mos_cq", voip.mos_cq);
  from.get("buffer_nominal_ms", voip.buffer_nominal_ms);
  from.get("buffer_maximum_ms", voip.buffer_maximum_ms);
  rtcp.voip = voip;
  return rtcp;
}

media::RtpStatistics rtp_in(const Reader& in) {
  media::RtpStatistics rtp;
  in.get("packets", rtp.packets);
  in.get("bytes", rtp.bytes);
  in.get("lost", rtp.lost);
  rtp.loss_known = in.find("lost") != nullptr;
  in.get("expected", rtp.expected);
  in.get("reordered", rtp.reordered);
  in.get("duplicate", rtp.duplicate);
  in.get("late", rtp.late);
  in.get("discarded", rtp.discarded);
  in.get("comfort_noise", rtp.comfort_noise);
  in.get("other_source", rtp.other_source);
  in.get("sequence_restarts", rtp.sequence_restarts);
  in.get("longest_burst", rtp.bursts.longest);
  const std::vector<double> bursts = numbers_in(in, "bursts");
  for (std::size_t i = 0; i < std::min(bursts.size(), rtp.bursts.counts.size()); ++i)
    rtp.bursts.counts[i] = static_cast<std::uint32_t>(std::clamp(bursts[i], 0.0, 4e9));
  in.get("unknown_payload", rtp.unknown_payload);
  in.get("malformed", rtp.malformed);
  in.get("forged", rtp.forged);
  in.get("replayed", rtp.replayed);
  in.get("unheard_early", rtp.unheard_early);
  in.get("jitter_mean_ms", rtp.jitter_mean_ms);
  in.get("jitter_max_ms", rtp.jitter_max_ms);
  in.get("mean_burst_length", rtp.mean_burst_length);
  in.get("ssrc", rtp.ssrc);
  in.get("ssrc_changes", rtp.ssrc_changes);
  in.get("codec", rtp.codec);
  in.get("ptime_ms", rtp.ptime_ms);
  in.get("round_trip_ms", rtp.round_trip_ms);
  in.get("clock_skew_ppm", rtp.clock_skew_ppm);
  return rtp;
}

std::vector<media::LinePeriod> line_in(const Reader& network, const char* key) {
  std::vector<media::LinePeriod> periods;
  network.array(key, [&](const json& value, const std::string& path) {
    const Reader in(value, path);
    media::LinePeriod period;
    in.get("from_ms", period.from_ms);
    const Reader asked = in.object("asked");
    asked.get("packet_loss", period.asked.loss_percent);
    asked.get("burst", period.asked.mean_burst);
    asked.get("jitter", period.asked.jitter_ms);
    asked.get("reorder", period.asked.reorder);
    asked.get("latency", period.asked.delay_ms);
    asked.get("duplicate", period.asked.duplicate_percent);
    asked.get("gain_db", period.asked.gain_db);
    asked.get("low_cut_hz", period.asked.low_hz);
    asked.get("high_cut_hz", period.asked.high_hz);
    const Reader achieved = in.object("achieved");
    achieved.get("packets", period.achieved.packets);
    achieved.get("lost", period.achieved.lost);
    achieved.get("bursts", period.achieved.bursts);
    achieved.get("jitter", period.achieved.jitter_ms);
    achieved.get("latency", period.achieved.delay_mean_ms);
    achieved.get("latency_min", period.achieved.delay_min_ms);
    achieved.get("latency_max", period.achieved.delay_max_ms);
    achieved.get("left", period.achieved.left);
    achieved.get("duplicated", period.achieved.duplicated);
    achieved.get("reordered", period.achieved.reordered);
    achieved.get("overflow", period.achieved.overflow);
    periods.push_back(period);
  });
  return periods;
}

media::DigitTransport transport_of(const std::string& name) {
  for (std::size_t n = 0; n < media::kDigitTransports; ++n) {
    const auto transport = static_cast<media::DigitTransport>(n);
    if (name == media::transport_name(transport)) return transport;
  }
  return media::DigitTransport::rfc4733;
}

void read_media(const Reader& run, CallRecord& call) {
  const Reader network = run.object("network_simulation");
  call.media.send_line = line_in(network, "send");
  call.media.receive_line = line_in(network, "receive");
  const Reader rtp = run.object("rtp");
  call.media.send = rtp_in(rtp.object("send"));
  call.media.receive = rtp_in(rtp.object("receive"));
  call.media.rtcp = rtcp_in(rtp.object("rtcp"));
  call.media.send.seconds = seconds_in(rtp.object("send").object("series"), "late", "lateness_ms");
  call.media.receive.seconds = seconds_in(rtp.object("receive").object("series"), "lost", "jitter_ms");
  rtp.get("first_packet_ms", call.media.first_packet_ms);
  rtp.get("last_packet_ms", call.media.last_packet_ms);
  call.media.agent_speech_live = spans_in(run, "agent_speech_live");
  run.array("dtmf", [&](const json& value, const std::string& path) {
    const Reader in(value, path);
    media::DigitEvent digit;
    std::string character = "0";
    in.get("digit", character);
    digit.digit = character.empty() ? '0' : character[0];
    digit.sent = in.maybe<std::string>("by").value_or("agent") == "caller";
    in.get("start_ms", digit.start_ms);
    digit.duration_ms = in.maybe<double>("duration_ms").value_or(0);
    in.get("gap_ms", digit.gap_ms);
    in.get("level_dbm0", digit.level_dbm0);
    digit.transport = transport_of(in.maybe<std::string>("transport").value_or(""));
    in.array("also", [&](const json& also, const std::string&) {
      if (also.is_string())
        digit.also[static_cast<std::size_t>(transport_of(also.get<std::string>()))] = true;
    });
    call.media.digits.push_back(std::move(digit));
  });
  run.array("tones", [&](const json& value, const std::string& path) {
    const Reader in(value, path);
    media::ToneEvent tone;
    const auto kind = media::tone_named(in.maybe<std::string>("tone").value_or(""));
    if (!kind) return;
    tone.kind = *kind;
    in.get("start_ms", tone.start_ms);
    in.get("end_ms", tone.end_ms);
    const std::vector<double> frequencies = numbers_in(in, "frequencies_hz");
    if (!frequencies.empty()) tone.low_hz = frequencies[0];
    if (frequencies.size() > 1) tone.high_hz = frequencies[1];
    in.get("level_dbm0", tone.level_dbm0);
    in.get("bursts", tone.bursts);
    tone.cadence = in.maybe<std::string>("cadence").value_or("");
    tone.countries = in.maybe<std::string>("countries").value_or("");
    call.tones.push_back(std::move(tone));
  });
  const Reader engine = run.object("engine");
  media::EngineStatistics& own = call.media.engine;
  own.pacing = histogram_in(engine);
  engine.get("late_ticks", own.late_ticks);
  own.late_tick_ms = numbers_in(engine, "late_tick_ms");
  engine.get("skipped_frames", own.skipped_frames);
  engine.get("dropped_commands", own.dropped_commands);
  engine.get("dropped_events", own.dropped_events);
  engine.get("realtime", own.realtime);
  engine.get("recording_error", call.media.recording_error);
  engine.get("clock_map_restarts", call.media.clock_map_restarts);
  call.persona_delay_ms = numbers_in(engine.object("persona_delay_ms"), "values");
}

void read_call(const Reader& run, CallRecord& call, const std::filesystem::path& base) {
  run.get("id", call.run_id);
  run.get("outbound_dial_window_opens_at", call.dial_window_opens_at);
  run.get("outbound_dial_window_closes_at", call.dial_window_closes_at);
  run.get("outbound_dial_window_seconds", call.dial_window_s);
  run.get("attempt", call.attempt);
  run.get("caller_number", call.caller_number);
  run.get("agent_number", call.agent_number);
  run.get("executed_at", call.executed_at);
  run.get("digits_sent", call.digits_sent);
  if (const auto url = run.maybe<std::string>("voice_recording_url")) {
    const std::filesystem::path path(*url);
    call.recording_path =
        (base.empty() || path.is_absolute() ? path : base / path).lexically_normal().string();
  }
  if (const auto url = run.maybe<std::string>("pcap_url")) {
    const std::filesystem::path path(*url);
    call.capture_path = (base.empty() || path.is_absolute() ? path : base / path).lexically_normal().string();
  }
  if (run.find("failure") != nullptr) {
    const Reader in = run.object("failure");
    Failure failure;
    in.name("category", failure.category, failure_category_of);
    in.get("reason", failure.reason);
    in.get("sip_status", failure.sip_status);
    in.get("q850", failure.q850);
    in.get("retry_after", failure.retry_after_s);
    call.failure = std::move(failure);
  }
  const Reader metadata = run.object("metadata");
  metadata.get("ended_reason", call.ended_reason);
  if (metadata.find("hung_up_by") != nullptr) {
    Party party = Party::caller;
    metadata.name("hung_up_by", party, party_of);
    call.hung_up_by = party;
  }
  metadata.get("call_id", call.call_id);
  metadata.get("codec", call.codec);
  metadata.get("srtp", call.srtp);
  metadata.get("trunk", call.trunk);
  metadata.get("transferred_to", call.transferred_to);
  metadata.get("sip_status", call.sip_status);
  metadata.get("q850", call.q850);
  metadata.get("sip_reason", call.sip_reason);
  metadata.get("agent_media", call.agent_media);
  metadata.get("own_media", call.own_media);
  metadata.get("cancelled", call.cancelled);
  const Reader timing = run.object("timing");
  timing.get("invite_ms", call.invite_ms);
  timing.get("ringing_ms", call.ringing_ms);
  timing.get("answered_ms", call.answered_ms);
  timing.get("ended_ms", call.ended_ms);
  timing.get("origin_mono_ns", call.origin_mono_ns);
  run.array("sip", [&](const json& value, const std::string& path) {
    const Reader in(value, path);
    TracedMessage message;
    in.get("t_ms", message.t_ms);
    message.sent = in.maybe<std::string>("direction").value_or("received") == "sent";
    in.get("from", message.from);
    in.get("to", message.to);
    in.get("transport", message.transport);
    in.get("start_line", message.start_line);
    in.get("message", message.message);
    call.sip.push_back(std::move(message));
  });
  run.array("utterances", [&](const json& value, const std::string& path) {
    const Reader in(value, path);
    Utterance said;
    in.get("text", said.text);
    in.get("start_ms", said.start_ms);
    in.get("end_ms", said.end_ms);
    in.get("interrupted", said.interrupted);
    in.get("barge_in", said.barge_in);
    in.get("idle_prompt", said.idle_prompt);
    said.speech = spans_in(in, "speech");
    call.utterances.push_back(std::move(said));
  });
  run.array("timeline", [&](const json& value, const std::string& path) {
    const Reader in(value, path);
    TimelineEvent event;
    in.get("t_ms", event.t_ms);
    in.get("what", event.what);
    in.get("detail", event.detail);
    call.timeline.push_back(std::move(event));
  });
  read_media(run, call);
}

Metric metric_in(const Reader& in) {
  Metric metric;
  in.get("id", metric.id);
  in.get("key", metric.key);
  in.get("name", metric.name);
  in.get("unit", metric.unit);
  in.get("value", metric.value);
  in.get("passed", metric.passed);
  in.get("reason", metric.reason);
  metric.explanation = texts_in(in, "explanation");
  const Reader extra = in.object("extra");
  if (extra.find("percentiles") != nullptr) {
    const Reader p = extra.object("percentiles");
    Distribution d;
    p.get("mean", d.mean);
    p.get("p25", d.p25);
    p.get("p50", d.p50);
    p.get("p75", d.p75);
    p.get("p90", d.p90);
    p.get("p95", d.p95);
    p.get("p99", d.p99);
    p.get("max", d.max);
    p.get("n", d.n);
    d.values = numbers_in(extra, "values");
    metric.distribution = std::move(d);
  }
  return metric;
}

void read_evaluation(const Reader& run, Evaluation& evaluation) {
  run.array("turns", [&](const json& value, const std::string& path) {
    const Reader in(value, path);
    Turn turn;
    in.name("who", turn.who, party_of);
    in.get("start_ms", turn.start_ms);
    in.get("end_ms", turn.end_ms);
    in.get("uncertainty_ms", turn.uncertainty_ms);
    in.get("latency_ms", turn.latency_ms);
    in.get("overlap_ms", turn.overlap_ms);
    in.get("yielded_after_ms", turn.yielded_after_ms);
    in.get("interrupts", turn.interrupts);
    in.get("backchannel", turn.backchannel);
    in.get("touched_by_late_tick", turn.touched_by_late_tick);
    evaluation.turns.push_back(turn);
  });
  run.object("evaluation").array("metrics", [&](const json& value, const std::string& path) {
    evaluation.metrics.push_back(metric_in({value, path}));
  });
  run.array("expect", [&](const json& value, const std::string& path) {
    const Reader in(value, path);
    CheckResult check;
    in.get("check", check.check);
    in.get("passed", check.passed);
    in.get("explanation", check.explanation);
    evaluation.checks.push_back(std::move(check));
  });
  run.array("transcript_object", [&](const json& value, const std::string& path) {
    const Reader in(value, path);
    TranscriptLine line;
    line.who = in.maybe<std::string>("role").value_or("") == "Main Agent" ? Party::agent : Party::caller;
    in.get("content", line.content);
    in.get("start_ms", line.start_ms);
    in.get("end_ms", line.end_ms);
    in.get("draft", line.draft);
    evaluation.transcript.push_back(std::move(line));
  });
}

}  // namespace

Run run_from_json(const json& document, const std::filesystem::path& recordings_base) {
  const Reader in(document, "run");
  Run run;
  in.get("id", run.id);
  in.get("result_id", run.result_id);
  in.get("agent", run.agent);
  in.get("scenario", run.scenario);
  in.get("scenario_name", run.scenario_name);
  in.get("personality", run.personality);
  in.get("personality_name", run.personality_name);
  in.get("test_profile", run.test_profile);
  in.get("test_profile_name", run.test_profile_name);
  if (const json* data = in.find("test_profile_data"); data != nullptr) {
    if (!data->is_object()) throw BadJson("run.test_profile_data is not an object");
    for (const auto& [key, value] : data->items()) {
      run.test_profile_data[key] = Reader::as<std::string>(value, "run.test_profile_data." + key);
    }
  }
  in.get("repetition", run.repetition);
  in.name("status", run.status, run_status_of);
  in.get("success", run.success);
  in.get("error_message", run.error_message);
  in.get("inbound_number", run.inbound_number);
  in.get("outbound_number", run.outbound_number);
  read_call(in, run.call, recordings_base);
  read_evaluation(in, run.evaluation);
  return run;
}

Result result_from_json(const json& document, const std::filesystem::path& recordings_base) {
  const Reader in(document, "result");
  Result result;
  in.get("id", result.id);
  in.get("name", result.name);
  in.get("agent", result.agent);
  in.get("agent_name", result.agent_name);
  in.name("status", result.status, result_status_of);
  in.get("verdict_note", result.verdict_note);
  if (const json* settings = in.find("run_settings"); settings != nullptr) {
    result.run_settings_json = settings->dump();
  }
  in.get("created_at", result.created_at);
  in.get("updated_at", result.updated_at);
  in.get("wall_seconds", result.wall_seconds);
  in.array("thresholds", [&](const json& value, const std::string& path) {
    const Reader one(value, path);
    ThresholdResult threshold;
    one.get("metric", threshold.metric);
    one.get("condition", threshold.condition);
    one.get("value", threshold.value);
    one.get("passed", threshold.passed);
    result.thresholds.push_back(std::move(threshold));
  });
  const Reader engine = in.object("engine");
  engine.get("version", result.engine.version);
  engine.get("commit", result.engine.commit);
  result.engine.pacing = histogram_in(engine);
  engine.get("late_ticks", result.engine.late_ticks);
  engine.get("late_starts", result.engine.late_starts);
  engine.get("dropped_starts", result.engine.dropped_starts);
  const auto causes = [&engine](const char* key, std::map<std::string, std::uint64_t>& out) {
    const json* by = engine.find(key);
    if (by == nullptr || !by->is_object()) return;
    for (const auto& [cause, n] : by->items()) {
      if (n.is_number_unsigned()) out[cause] = n.get<std::uint64_t>();
    }
  };
  causes("late_starts_by", result.engine.late_causes);
  causes("dropped_starts_by", result.engine.dropped_causes);
  in.get("refused_calls_count", result.refused_calls_count);
  in.array("refused_calls", [&](const json& value, const std::string& path) {
    const Reader one(value, path);
    RefusedCall& call = result.refused_calls.emplace_back();
    one.get("at", call.at);
    one.get("source", call.source);
    one.get("called", call.called);
    one.get("caller", call.caller);
    one.get("status", call.status);
    one.get("reason", call.reason);
    one.get("run_id", call.run_id);
  });
  // An object by id, as it is written, or a list, as the API's pages have it.
  if (const json* runs = in.find("runs"); runs != nullptr) {
    if (!runs->is_structured()) throw BadJson("result.runs is neither an object nor a list");
    for (const json& run : *runs) result.runs.push_back(run_from_json(run, recordings_base));
  }
  std::stable_sort(result.runs.begin(), result.runs.end(),
                   [](const Run& a, const Run& b) { return a.id < b.id; });
  return result;
}

Result read_result_json(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw BadJson("can't read " + file.string());
  const json document = json::parse(in, nullptr, false);
  if (document.is_discarded()) throw BadJson(file.string() + " is not JSON");
  const std::filesystem::path base = file.parent_path();
  try {
    Result result = result_from_json(document, base);
    if (!Reader(document, "result").maybe<bool>("runs_truncated").value_or(false)) return result;
    std::ifstream lines(base / "runs.jsonl", std::ios::binary);
    if (!lines) throw BadJson("runs.jsonl, which it names, can't be read");
    result.runs.clear();
    for (std::string line; std::getline(lines, line);) {
      const json run = json::parse(line, nullptr, false);
      if (run.is_discarded())
        throw BadJson("runs.jsonl: line " + std::to_string(result.runs.size() + 1) + " is not JSON");
      result.runs.push_back(run_from_json(run, base));
    }
    return result;
  } catch (const BadJson& problem) {
    throw BadJson(file.string() + ": " + problem.what());
  }
}

}  // namespace linecheck::engine::report
