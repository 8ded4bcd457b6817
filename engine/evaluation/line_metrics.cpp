// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "engine/evaluation/emodel.h"
#include "engine/evaluation/measured.h"
#include "engine/evaluation/metric_value.h"
#include "engine/evaluation/words.h"
#include "media/speech/level.h"

namespace linecheck::engine {
namespace {

void add_set_up(const CallRecord& call, MetricSheet& sheet) {
  const char* kNotDialled = "no INVITE was sent";
  if (!call.invite_ms)
    sheet.none("post_dial_delay_ms", kNotDialled);
  else if (!call.ringing_ms)
    sheet.none("post_dial_delay_ms", "no 18x response came");
  else
    sheet.value("post_dial_delay_ms", *call.ringing_ms - *call.invite_ms, "INVITE to the first 18x.");

  if (!call.invite_ms)
    sheet.none("answer_delay_ms", kNotDialled);
  else if (!call.answered_ms)
    sheet.none("answer_delay_ms", "the call was not answered");
  else
    sheet.value("answer_delay_ms", *call.answered_ms - *call.invite_ms, "INVITE to 200.");
}

void add_levels(const Measured& m, MetricSheet& sheet) {
  const auto& levels = m.levels;
  if (levels.has_speech)
    sheet.value("speech_level_dbov", levels.speech_dbov, "ITU-T P.56 active level of the agent's speech.");
  else
    sheet.none("speech_level_dbov", "the agent never spoke");

  const bool silent = levels.noise_dbov <= media::speech::kSilenceDbov;
  if (levels.has_noise)
    sheet.value("noise_level_dbov", levels.noise_dbov,
                silent ? "Digital silence between the agent's words." : "Between the agent's words.");
  else
    sheet.none("noise_level_dbov", "the agent's channel has no pause to measure the noise in");

  if (!levels.has_speech)
    sheet.none("snr_db", "the agent never spoke");
  else if (!levels.has_noise)
    sheet.none("snr_db", "the agent's channel has no pause to measure the noise in");
  else if (silent)
    sheet.none("snr_db", kNoNoise);
  else
    sheet.value("snr_db", levels.speech_dbov - levels.noise_dbov);
  sheet.value("clipped_percent", media::speech::clipped_percent(m.channel.samples));
}

void add_voice(const Measured& m, MetricSheet& sheet) {
  if (m.agent.empty()) {
    sheet.none("average_pitch_hz", "the agent never spoke");
    sheet.none("dropouts", "the agent never spoke");
    return;
  }
  if (const auto pitch = average_pitch_hz(m.channel, m.agent))
    sheet.value("average_pitch_hz", *pitch);
  else
    sheet.none("average_pitch_hz", "too little voiced speech");

  const std::vector<double> torn = dropouts(m.channel, m.agent, m.levels.speech_dbov);
  Metric& metric = sheet.value("dropouts", static_cast<double>(torn.size()));
  constexpr std::size_t kMost = 20;
  for (std::size_t n = 0; n < std::min(torn.size(), kMost); ++n)
    metric.explanation.push_back("More than 60 ms of digital silence inside speech at " +
                                 seconds_text(torn[n]) + ".");
}

/// What the listener misses: lost, or too late for the assumed jitter buffer (G.107 takes the loss behind
/// it).
double missed_percent(const media::RtpStatistics& rtp, double loss_percent) {
  const std::uint64_t unique = rtp.packets > rtp.duplicate ? rtp.packets - rtp.duplicate : 0;
  if (unique == 0) return loss_percent;
  const double heard = 100 - loss_percent;
  return loss_percent +
         heard * std::min(1.0, static_cast<double>(rtp.discarded) / static_cast<double>(unique));
}

void add_mos(const std::string& key, const media::RtpStatistics& rtp, double loss_percent,
             std::optional<double> round_trip_ms, const std::string& codec, MetricSheet& sheet) {
  constexpr double kAssumedBufferMs = 40;
  EModelInput input;
  input.codec = codec;
  input.loss_percent = missed_percent(rtp, loss_percent);
  input.burst_ratio = burst_ratio(loss_percent, rtp.mean_burst_length);
  if (round_trip_ms)
    input.one_way_delay_ms = *round_trip_ms / 2 + (rtp.ptime_ms > 0 ? rtp.ptime_ms : 20) + kAssumedBufferMs;
  const auto mos = mos_cqe(input);
  if (!mos) {
    sheet.none(key, "the E-model of ITU-T G.107 is for narrow band, and its G.113 values are not known for " +
                        codec + " (wide band would need G.107.1)");
    return;
  }
  sheet.value(key, mos->mos,
              "ITU-T G.107: R " + number_text(mos->r, 1) + " with " + number_text(loss_percent, 2) +
                  " % loss" +
                  (rtp.discarded > 0
                       ? " and " + std::to_string(rtp.discarded) + " packets too late for a buffer of 40 ms"
                       : std::string()) +
                  ", concealment assumed" +
                  (input.one_way_delay_ms ? ", " + ms_text(*input.one_way_delay_ms) + " one way."
                                          : "; delay unknown (no RTCP round trip), so from loss only."));
}

void add_direction(const CallRecord& call, const std::string& direction, const media::RtpStatistics& rtp,
                   MetricSheet& sheet) {
  const bool received = direction == "receive";
  const std::string no_packets = received ? "the agent sent no RTP" : "no RTP was sent";
  const std::string unknown = "the agent sent no RTCP reports of what it received";
  const std::string reason = rtp.packets == 0 ? no_packets : unknown;
  const std::optional<double> loss = rtp.loss_percent();
  if (!loss) {
    sheet.none("packet_loss_percent." + direction, reason);
    sheet.none("mos_cqe." + direction, reason);
  } else {
    sheet.value("packet_loss_percent." + direction, *loss,
                received ? std::to_string(rtp.lost) + " lost, " + std::to_string(rtp.packets) + " received."
                         : std::to_string(rtp.lost) + " lost of " +
                               std::to_string(rtp.expected > 0 ? rtp.expected : rtp.packets) +
                               ", as the agent's RTCP has it.");
    const auto round_trip = rtp.round_trip_ms ? rtp.round_trip_ms : call.media.receive.round_trip_ms;
    add_mos("mos_cqe." + direction, rtp, *loss, round_trip, rtp.codec.empty() ? call.codec : rtp.codec,
            sheet);
  }
  if (rtp.packets == 0 || (!received && !rtp.loss_known)) {
    sheet.none("jitter_ms." + direction, reason);
    return;
  }
  Distribution jitter;
  jitter.mean = rtp.jitter_mean_ms;
  jitter.max = rtp.jitter_max_ms;
  jitter.n = static_cast<std::size_t>(rtp.packets);
  sheet.distribution("jitter_ms." + direction, std::move(jitter))
      .explanation.push_back(
          received ? "Interarrival jitter of RFC 3550 6.4.1 over " + std::to_string(rtp.packets) +
                         " packets; no values are kept, so it has no percentiles."
                   : std::string("Interarrival jitter of RFC 3550 6.4.1 as the agent's RTCP reports it."));
}

}  // namespace

void add_line_metrics(const Measured& m, MetricSheet& sheet) {
  add_set_up(m.call, sheet);
  if (m.answered) {
    add_direction(m.call, "send", m.call.media.send, sheet);
    add_direction(m.call, "receive", m.call.media.receive, sheet);
  }
  for (const char* key : {"words_per_minute", "transcription_accuracy", "repetition"})
    sheet.none(key, "it needs a transcript of the agent's side");
  for (const char* key : {"echo_delay_ms", "echo_return_loss_db"})
    sheet.none(key, "echo is not measured by this version");
  if (!m.unheard.empty()) return;
  add_levels(m, sheet);
  add_voice(m, sheet);
}

}  // namespace linecheck::engine
