// SPDX-License-Identifier: GPL-3.0-or-later
#include "sample.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <random>
#include <vector>

namespace linecheck::engine::report::sample {
namespace {

constexpr int kRate = 8000;

void put(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFFU);
}

/// Something with the look of speech: harmonics under syllables of a quarter of a second, over a faint noise.
void write_wav(const std::filesystem::path& file, const std::vector<Turn>& turns, double duration_ms,
               unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> noise(-1, 1);
  const auto frames = static_cast<std::size_t>(duration_ms * kRate / 1000);
  std::vector<double> sides[2] = {std::vector<double>(frames), std::vector<double>(frames)};
  for (int side = 0; side < 2; ++side) {
    for (double& sample : sides[side]) sample = noise(random) * (side == 0 ? 260 : 40);
  }
  for (const Turn& turn : turns) {
    const int side = turn.who == Party::caller ? 0 : 1;
    const double pitch = side == 0 ? 190 : 125;
    const auto first = static_cast<std::size_t>(turn.start_ms * kRate / 1000);
    const auto last = std::min(frames, static_cast<std::size_t>(turn.end_ms * kRate / 1000));
    for (std::size_t i = first; i < last; ++i) {
      const double t = static_cast<double>(i - first) / kRate;
      const double whole = static_cast<double>(last - first) / kRate;
      const double edge = std::min({1.0, t / 0.02, (whole - t) / 0.05});
      const double syllable = 0.25 + 0.75 * std::pow(std::abs(std::sin(3.14159 * t / 0.23)), 0.7);
      const double phrase = 0.7 + 0.3 * std::sin(2.1 * t + side);
      double voice = 0;
      for (int k = 1; k < 9; ++k) voice += std::sin(2 * 3.14159 * pitch * k * t + k) / k;
      sides[side][i] += 5200 * std::max(0.0, edge) * syllable * phrase * (voice * 0.6 + 0.12 * noise(random));
    }
  }
  std::string out = "RIFF";
  const auto bytes = static_cast<std::uint32_t>(frames * 4);
  put(out, 36 + bytes, 4);
  out += "WAVEfmt ";
  put(out, 16, 4);
  put(out, 1, 2);
  put(out, 2, 2);
  put(out, kRate, 4);
  put(out, kRate * 4, 4);
  put(out, 4, 2);
  put(out, 16, 2);
  out += "data";
  put(out, bytes, 4);
  for (std::size_t i = 0; i < frames; ++i) {
    for (const auto& side : sides) {
      const auto sample = static_cast<std::int16_t>(std::clamp(side[i], -32000.0, 32000.0));
      put(out, static_cast<std::uint32_t>(static_cast<std::uint16_t>(sample)), 2);
    }
  }
  std::ofstream(file, std::ios::binary) << out;
}

Turn turn(Party who, double start, double end) {
  Turn made;
  made.who = who;
  made.start_ms = start;
  made.end_ms = end;
  made.uncertainty_ms = who == Party::agent ? 5 : 0;
  return made;
}

Metric scalar(int id, std::string key, std::string name, std::string unit, double value) {
  Metric metric;
  metric.id = id;
  metric.key = std::move(key);
  metric.name = std::move(name);
  metric.unit = std::move(unit);
  metric.value = value;
  return metric;
}

Metric spread(int id, std::string key, std::string name, std::vector<double> values, std::string reason) {
  Metric metric;
  metric.id = id;
  metric.key = std::move(key);
  metric.name = std::move(name);
  metric.unit = "ms";
  if (values.empty()) {
    metric.reason = std::move(reason);
  } else {
    metric.distribution = Distribution::of(std::move(values));
  }
  return metric;
}

TracedMessage message(double t_ms, bool sent, const std::string& start_line, const std::string& cseq,
                      const std::string& extra = "") {
  const std::string us = "127.0.0.1:5062";
  const std::string agent = "127.0.0.1:5080";
  TracedMessage made;
  made.t_ms = t_ms;
  made.sent = sent;
  made.from = sent ? us : agent;
  made.to = sent ? agent : us;
  made.transport = "udp";
  made.start_line = start_line;
  made.message = start_line + "\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK" + cseq.substr(0, 1) +
                 ";rport\r\nFrom: <sip:+15550100007@127.0.0.1>;tag=a1\r\nTo: <sip:agent@127.0.0.1:5080>\r\n" +
                 "Call-ID: 3f1c77b0-6a51-4f0e@127.0.0.1\r\nCSeq: " + cseq + "\r\n" + extra +
                 "Content-Length: 0\r\n\r\n";
  return made;
}

const std::string kInvite = "INVITE sip:agent@127.0.0.1:5080 SIP/2.0";
const std::string kSdp = "Content-Type: application/sdp\r\n";

void answer(Run& run, double ringing, double answered, double ended, Party hung_up_by) {
  CallRecord& call = run.call;
  call.invite_ms = 4.2;
  call.ringing_ms = ringing;
  call.answered_ms = answered;
  call.ended_ms = ended;
  call.sip_status = 200;
  call.hung_up_by = hung_up_by;
  call.ended_reason = hung_up_by == Party::caller ? "caller-ended-call" : "agent-ended-call";
  call.codec = "PCMU";
  call.sip = {message(4.2, true, kInvite, "1 INVITE", kSdp),
              message(5.1, false, "SIP/2.0 100 Trying", "1 INVITE"),
              message(ringing, false, "SIP/2.0 180 Ringing", "1 INVITE"),
              message(answered, false, "SIP/2.0 200 OK", "1 INVITE", kSdp),
              message(answered + 0.7, true, "ACK sip:agent@127.0.0.1:5080 SIP/2.0", "2 ACK"),
              message(ended, hung_up_by == Party::caller, "BYE sip:peer@127.0.0.1 SIP/2.0", "3 BYE"),
              message(ended + 1.3, hung_up_by == Party::agent, "SIP/2.0 200 OK", "3 BYE")};
  call.timeline = {{answered, "answered", "PCMU, 20 ms"}, {ended, "hang_up", ""}};
  media::LinePeriod line;
  line.from_ms = 1.5;
  line.asked.loss_percent = 2;
  line.asked.jitter_ms = 20;
  line.asked.reorder = false;
  line.achieved.packets = 1000;
  line.achieved.lost = 20;
  line.achieved.bursts = 19;
  line.achieved.left = 980;
  line.achieved.jitter_ms = 19.75;
  call.media.send_line = {line};
  for (media::RtpStatistics* rtp : {&call.media.send, &call.media.receive}) {
    rtp->packets = static_cast<std::uint64_t>((ended - answered) / 20);
    rtp->bytes = rtp->packets * 160;
    rtp->codec = "PCMU";
    rtp->ptime_ms = 20;
    rtp->jitter_mean_ms = 0.31;
    rtp->jitter_max_ms = 1.7;
    rtp->ssrc = 0x1234abcd;
  }
  for (double at = answered; at < ended; at += 20) {
    call.media.send.count_departure(at, 0.03);
    call.media.receive.count_departure(at, 0.31);
  }
  media::RtcpStatistics& rtcp = call.media.rtcp;
  rtcp.sent = 4;
  rtcp.received = 3;
  rtcp.round_trip_min_ms = 20.5;
  rtcp.round_trip_max_ms = 24;
  rtcp.reports = {{3000, 0, 1.5F, 20.5F}, {8000, 2.5F, 2, -1}};
  media::VoipMetrics& voip = rtcp.voip.emplace();
  voip.loss_percent = 1.25;
  voip.signal_dbm0 = -18;
  voip.mos_cq = 4.1;
  call.media.receive.bursts.add(3);
  call.media.send.loss_known = false;
  call.media.receive.clock_skew_ppm = 1.2;
  call.media.first_packet_ms = answered + 12;
  call.media.last_packet_ms = ended;
  for (std::uint64_t i = 0; i < call.media.send.packets; ++i) {
    call.media.engine.pacing.add(0.03 + 0.0004 * static_cast<double>(i % 97));
  }
  call.persona_delay_ms = {3.1, 1.2, 2.4};
}

void add_metrics(Run& run) {
  Evaluation& evaluation = run.evaluation;
  std::vector<double> latencies;
  std::vector<double> stops;
  double cut_ins = 0;
  double barge_ins = 0;
  for (const Turn& one : evaluation.turns) {
    if (one.latency_ms) latencies.push_back(*one.latency_ms);
    if (one.yielded_after_ms) stops.push_back(*one.yielded_after_ms);
    if (one.interrupts) (one.who == Party::agent ? cut_ins : barge_ins) += 1;
  }
  const double worst = latencies.empty() ? 0 : *std::max_element(latencies.begin(), latencies.end());
  evaluation.metrics.push_back(
      spread(2, "latency_ms", "Latency", latencies, "no agent turn followed a caller turn"));
  evaluation.metrics.back().explanation = {"The slowest answer took " + std::to_string(std::lround(worst)) +
                                           " ms."};
  evaluation.metrics.push_back(
      scalar(4, "greeting_delay_ms", "Greeting delay", "ms", 312 + 3.0 * static_cast<double>(run.id % 7)));
  evaluation.metrics.push_back(scalar(7, "ai_interruptions", "AI interrupting user", "", cut_ins));
  evaluation.metrics.push_back(scalar(8, "user_interruptions", "User interrupting AI", "", barge_ins));
  evaluation.metrics.push_back(
      spread(9, "stop_time_ms", "Stop time after interruption", stops, "no interruption happened"));
  evaluation.metrics.push_back(scalar(10, "interruption_score", "Interruption score", "", 5 - cut_ins));
  evaluation.metrics.push_back(scalar(12, "dead_air_ms", "Detect silence", "ms", worst + 40));
  evaluation.metrics.push_back(scalar(14, "talk_ratio", "Talk ratio", "", 0.512));
  evaluation.metrics.push_back(scalar(23, "speech_level_dbov", "Active speech level", "dBov", -25.7));
  Metric words;
  words.id = 19;
  words.key = "words_per_minute";
  words.name = "Words per minute";
  words.unit = "words/min";
  words.reason = "there is no transcript of the agent";
  evaluation.metrics.push_back(std::move(words));
  evaluation.metrics.push_back(
      scalar(31, "packet_loss_percent.receive", "Packet loss, received", "percent", 0));
  evaluation.metrics.push_back(scalar(35, "mos_cqe.receive", "MOS-CQE, received", "MOS", 4.41));
}

void say(Run& run, const Turn& heard, const std::string& text, bool barge_in = false) {
  Utterance said;
  said.text = text;
  said.start_ms = heard.start_ms;
  said.end_ms = heard.end_ms;
  said.barge_in = barge_in;
  said.speech = {{heard.start_ms, heard.end_ms}};
  run.call.utterances.push_back(said);
  run.evaluation.transcript.push_back({Party::caller, text, heard.start_ms, heard.end_ms, false});
}

Run base(std::int64_t id) {
  Run run;
  run.id = id;
  run.result_id = 501;
  run.agent = 12;
  run.scenario = 11;
  run.scenario_name = "Book an appointment";
  run.personality = 3;
  run.personality_name = "Hurried, in a cafe";
  run.test_profile = 20;
  run.test_profile_name = "Jane, premium";
  run.test_profile_data = {{"account", "4471"}, {"name", "Jane Smith"}};
  run.inbound_number = "+155501000" + std::to_string(id % 100);
  run.outbound_number = "sip:agent@127.0.0.1:5080";
  run.status = RunStatus::completed;
  run.success = true;
  run.call.run_id = id;
  run.call.call_id = "3f1c77b0-6a51-4f0e@127.0.0.1";
  run.call.trunk = "loopback";
  run.call.caller_number = run.inbound_number;
  run.call.agent_number = "+15550200001";
  run.call.executed_at = "2026-03-02T09:00:0" + std::to_string(id % 10) + "Z";
  return run;
}

void record(Run& run, const std::filesystem::path& folder) {
  if (folder.empty()) return;
  std::filesystem::create_directories(folder / "recordings");
  const std::filesystem::path file = folder / "recordings" / (std::to_string(run.id) + ".wav");
  write_wav(file, run.evaluation.turns, *run.call.ended_ms, static_cast<unsigned>(run.id));
  run.call.recording_path = file.string();
}

/// Greeting, request, answer, the caller cuts in, the agent stops, good-bye.
Run booking(std::int64_t id, double wait, const std::filesystem::path& folder) {
  Run run = base(id);
  const double shift = wait - 700;
  std::vector<Turn> turns{turn(Party::agent, 540, 2310),
                          turn(Party::caller, 2830, 5120),
                          turn(Party::agent, 5120 + wait, 8480 + shift),
                          turn(Party::caller, 8010 + shift, 9620 + shift),
                          turn(Party::agent, 9620 + 2 * shift + 700, 11900 + 2 * shift),
                          turn(Party::caller, 12420 + 2 * shift, 13180 + 2 * shift)};
  turns[2].latency_ms = wait;
  turns[3].interrupts = true;
  turns[3].overlap_ms = 470;
  turns[3].yielded_after_ms = 470;
  turns[4].latency_ms = wait;
  run.evaluation.turns = turns;
  answer(run, 106, 212, 13600 + 2 * shift, Party::caller);
  say(run, turns[1], "Hello, this is Jane Smith. I need an appointment.");
  say(run, turns[3], "Sorry, Tuesday, not Monday.", true);
  say(run, turns[5], "Thank you.");
  run.call.timeline.insert(run.call.timeline.begin() + 1,
                           {{2810, "agent_turn_end", "decided after 500 ms of silence"},
                            {8000 + shift, "cue", "interruption, 2 s into the agent's turn"}});
  add_metrics(run);
  run.evaluation.checks = {{"agent_speaks_within: 3s", true, "it spoke after 328 ms"},
                           {"latency_ms.p50 below 1500", true, "it is " + std::to_string(std::lround(wait))},
                           {"stop_time_ms.max below 800", true, "it is 470"}};
  record(run, folder);
  return run;
}

Run menu(std::int64_t id, const std::filesystem::path& folder) {
  Run run = base(id);
  run.scenario = 12;
  run.scenario_name = "Reach sales through the menu";
  run.personality = 7;
  run.personality_name = "Calm";
  run.evaluation.turns = {turn(Party::agent, 480, 3050), turn(Party::agent, 5340, 6480),
                          turn(Party::caller, 7010, 7900), turn(Party::agent, 8523, 9600)};
  run.evaluation.turns[3].latency_ms = 623;
  answer(run, 90, 180, 10100, Party::agent);
  say(run, run.evaluation.turns[2], "Is that sales?");
  run.call.digits_sent = "12#";
  double at = 3600;
  for (const char digit : run.call.digits_sent) {
    media::DigitEvent event;
    event.digit = digit;
    event.sent = true;
    event.start_ms = at;
    event.duration_ms = 100;
    event.level_dbm0 = -10;
    if (at > 3600) event.gap_ms = 100;
    run.call.media.digits.push_back(event);
    at += 200;
  }
  add_metrics(run);
  run.evaluation.checks = {{"agent_speaks_within: 3s", true, "it spoke after 300 ms"}};
  record(run, folder);
  return run;
}

/// The agent cuts in, and does not stop when it is cut in on.
Run stubborn(std::int64_t id, const std::filesystem::path& folder) {
  Run run = base(id);
  run.scenario = 13;
  run.scenario_name = "Correct the date";
  run.success = false;
  std::vector<Turn> turns{turn(Party::agent, 520, 2300),    turn(Party::caller, 2850, 5400),
                          turn(Party::agent, 4860, 7420),   turn(Party::caller, 7950, 9100),
                          turn(Party::agent, 11312, 16900), turn(Party::caller, 13310, 14720)};
  turns[2].interrupts = true;
  turns[2].overlap_ms = 540;
  turns[4].latency_ms = 2212;
  turns[4].touched_by_late_tick = true;
  turns[5].interrupts = true;
  turns[5].overlap_ms = 1410;
  run.evaluation.turns = turns;
  answer(run, 130, 205, 17800, Party::caller);
  // Its INVITE was sent twice, as over a line that loses packets.
  run.call.sip.insert(run.call.sip.begin() + 1, run.call.sip.front());
  run.call.sip[1].t_ms = 504.9;
  for (std::size_t i = 2; i < 6; ++i) run.call.sip[i].t_ms += 501;
  run.call.media.engine.late_ticks = 2;
  run.call.media.engine.late_tick_ms = {11290, 11310};
  run.call.media.engine.pacing.add(6.2);
  run.call.media.engine.pacing.add(7.9);
  say(run, turns[1], "Good morning, I booked an appointment for Monday and I would like to move it.");
  say(run, turns[3], "To Tuesday, please.");
  say(run, turns[5], "No, no, Tuesday!", true);
  add_metrics(run);
  run.evaluation.checks = {{"agent_speaks_within: 3s", true, "it spoke after 315 ms"},
                           {"latency_ms.p50 below 1500", false, "it is 2,212 (1 turn)"},
                           {"stop_time_ms.max below 800", false,
                            "at 13.31 s the agent went on for more than 2,000 ms after it was interrupted"}};
  run.error_message = "2 checks failed";
  record(run, folder);
  return run;
}

Run unanswered(std::int64_t id, FailureCategory category, std::optional<int> status,
               const std::string& reason) {
  Run run = base(id);
  run.status = RunStatus::failed;
  run.success = category == FailureCategory::agent ? std::optional<bool>(false) : std::nullopt;
  run.error_message = reason;
  run.call.failure = Failure{category, reason, status, {}, {}};
  run.call.sip_status = status;
  run.call.ended_reason = "rejected";
  run.call.invite_ms = 4.1;
  run.call.sip = {message(4.1, true, kInvite, "1 INVITE", kSdp)};
  if (status) {
    const std::string phrase = *status == 486 ? " Busy Here" : " Service Unavailable";
    run.call.sip.push_back(message(31.6, false, "SIP/2.0 " + std::to_string(*status) + phrase, "1 INVITE"));
    run.call.sip.push_back(message(32.0, true, "ACK sip:agent@127.0.0.1:5080 SIP/2.0", "1 ACK"));
  }
  return run;
}

}  // namespace

Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "linecheck-report-XXXXXX").string();
  if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
}

Folder::~Folder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result result(const std::filesystem::path& folder) {
  Result made;
  made.id = 501;
  made.name = "nightly Sales.Inbound";
  made.agent = 12;
  made.agent_name = "Booking agent";
  made.status = ResultStatus::failed;
  made.verdict_note = "not enough fair calls";
  made.run_settings_json = R"({"name":"nightly Sales.Inbound","agent_id":12,"frequency":2,"seed":42})";
  made.created_at = "2026-03-02T09:00:00.990052Z";
  made.updated_at = "2026-03-02T09:00:41.120000Z";
  made.wall_seconds = 41.2;
  made.engine.version = "0.1.0";
  made.engine.commit = "0123456789abcdef";
  made.thresholds = {{"latency_ms.p95", "below 1500", 1207.4, true},
                     {"success_rate", "at_least 0.95", 0.5, false}};
  made.runs = {
      booking(271, 742, folder),
      menu(272, folder),
      stubborn(273, folder),
      unanswered(274, FailureCategory::agent, 486, "The agent is busy (486 Busy Here)"),
      unanswered(275, FailureCategory::network, 503, "The trunk answered 503 Service Unavailable"),
      unanswered(276, FailureCategory::engine, {}, "The disk is full: the call was not recorded"),
      unanswered(277, FailureCategory::provider, {}, "The voices process died while it made \"Hello\""),
      base(278)};
  made.runs[4].call.failure->retry_after_s = 30;
  made.runs[5].call.sip.clear();
  made.runs[6].call.sip.clear();
  made.runs[7].status = RunStatus::cancelled;
  made.runs[7].success.reset();
  made.runs[7].call.cancelled = true;
  made.runs[7].call.ended_reason = "cancelled";
  for (const Run& run : made.runs) {
    made.engine.pacing.merge(run.call.media.engine.pacing);
    made.engine.late_ticks += run.call.media.engine.late_ticks;
  }
  return made;
}

Result all_passed(const std::filesystem::path& folder) {
  Result made = result();
  made.name = "linecheck demo";
  made.status = ResultStatus::completed;
  made.verdict_note.clear();
  made.runs.clear();
  made.engine.late_ticks = 0;
  made.thresholds = {{"latency_ms.p95", "below 1500", 1207.4, true},
                     {"success_rate", "at_least 0.95", 1, true}};
  for (int i = 0; i < 12; ++i) {
    const std::int64_t id = 1 + i;
    made.runs.push_back(i % 3 == 2 ? menu(id, folder) : booking(id, 640 + 61.7 * i, folder));
    Run& run = made.runs.back();
    if (i % 3 == 1) {
      run.scenario = 13;
      run.scenario_name = "Correct the date";
    }
    run.personality_name = i % 2 == 0 ? "Hurried, in a cafe" : "Calm";
    run.repetition = 1 + i / 6;
  }
  return made;
}

std::string hostile() {
  return std::string(
             "</script><script>window.broken=1</script><img src=x "
             "onerror=window.broken=1>\"'&]]>\x01\x1b[31m") +
         '\0' + "\xff\xfe\xc0\x80 \xe2\x80\xa8 --> \xef\xbf\xbf";
}

}  // namespace linecheck::engine::report::sample
