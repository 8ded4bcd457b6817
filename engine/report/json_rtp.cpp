// SPDX-License-Identifier: GPL-3.0-or-later
//
// The shape of a run's RTP and RTCP statistics.
#include "engine/report/json_parts.h"

namespace linecheck::engine::report {
namespace {

/// A value for each second since the call's zero. What `lost` and `jitter` mean differs between the
/// directions (media::RtpSecond).
json series_json(const media::RtpStatistics& rtp, const char* lost, const char* jitter) {
  json packets = json::array();
  json lost_of = json::array();
  json jitter_of = json::array();
  for (const media::RtpSecond& second : rtp.seconds) {
    packets.push_back(second.packets);
    lost_of.push_back(second.lost);
    jitter_of.push_back(number(second.jitter_ms()));
  }
  return {{"interval_ms", 1000},
          {"packets", std::move(packets)},
          {lost, std::move(lost_of)},
          {jitter, std::move(jitter_of)}};
}

json direction_json(const media::RtpStatistics& rtp) {
  return {{"packets", rtp.packets},
          {"bytes", rtp.bytes},
          {"lost", rtp.loss_known ? json(rtp.lost) : json(nullptr)},
          {"expected", rtp.expected},
          {"loss_percent", number(rtp.loss_percent())},
          {"reordered", rtp.reordered},
          {"duplicate", rtp.duplicate},
          {"late", rtp.late},
          {"discarded", rtp.discarded},
          {"comfort_noise", rtp.comfort_noise},
          {"other_source", rtp.other_source},
          {"unknown_payload", rtp.unknown_payload},
          {"malformed", rtp.malformed},
          {"forged", rtp.forged},
          {"replayed", rtp.replayed},
          {"unheard_early", rtp.unheard_early},
          {"jitter_mean_ms", number(rtp.jitter_mean_ms)},
          {"jitter_max_ms", number(rtp.jitter_max_ms)},
          {"mean_burst_length", number(rtp.mean_burst_length)},
          {"longest_burst", rtp.bursts.longest},
          {"bursts", rtp.bursts.counts},
          {"ssrc", rtp.ssrc},
          {"ssrc_changes", rtp.ssrc_changes},
          {"sequence_restarts", rtp.sequence_restarts},
          {"codec", text(rtp.codec)},
          {"ptime_ms", rtp.ptime_ms},
          {"round_trip_ms", number(rtp.round_trip_ms)},
          {"clock_skew_ppm", number(rtp.clock_skew_ppm)}};
}

json voip_json(const std::optional<media::VoipMetrics>& voip) {
  if (!voip) return nullptr;
  return {{"loss_percent", number(voip->loss_percent)},
          {"discard_percent", number(voip->discard_percent)},
          {"burst_density_percent", number(voip->burst_density_percent)},
          {"gap_density_percent", number(voip->gap_density_percent)},
          {"burst_ms", voip->burst_ms},
          {"gap_ms", voip->gap_ms},
          {"round_trip_ms", voip->round_trip_ms},
          {"end_system_delay_ms", voip->end_system_delay_ms},
          {"signal_dbm0", integer(voip->signal_dbm0)},
          {"noise_dbm0", integer(voip->noise_dbm0)},
          {"echo_return_loss_db", integer(voip->echo_return_loss_db)},
          {"r_factor", number(voip->r_factor)},
          {"mos_lq", number(voip->mos_lq)},
          {"mos_cq", number(voip->mos_cq)},
          {"buffer_nominal_ms", voip->buffer_nominal_ms},
          {"buffer_maximum_ms", voip->buffer_maximum_ms}};
}

json rtcp_json(const media::RtcpStatistics& rtcp, bool details) {
  json reports = json::array();
  for (const media::RemoteReport& report : rtcp.reports) {
    if (!details) break;
    const bool answered = report.round_trip_ms >= 0;
    reports.push_back({{"t_ms", number(report.t_ms)},
                       {"loss_percent", number(report.loss_percent)},
                       {"jitter_ms", number(report.jitter_ms)},
                       {"round_trip_ms", answered ? number(report.round_trip_ms) : json(nullptr)}});
  }
  return {{"sent", rtcp.sent},
          {"send_failures", rtcp.send_failures},
          {"received", rtcp.received},
          {"malformed", rtcp.malformed},
          {"muxed", rtcp.muxed},
          {"bye_ms", number(rtcp.bye_ms)},
          {"round_trip_min_ms", number(rtcp.round_trip_min_ms)},
          {"round_trip_max_ms", number(rtcp.round_trip_max_ms)},
          {"voip_metrics", voip_json(rtcp.voip)},
          {"reports", std::move(reports)}};
}

}  // namespace

json rtp_json(const media::LegReport& media, bool details) {
  json out{{"send", direction_json(media.send)},
           {"receive", direction_json(media.receive)},
           {"rtcp", rtcp_json(media.rtcp, details)},
           {"first_packet_ms", number(media.first_packet_ms)},
           {"last_packet_ms", number(media.last_packet_ms)}};
  if (details) {
    out["send"]["series"] = series_json(media.send, "late", "lateness_ms");
    out["receive"]["series"] = series_json(media.receive, "lost", "jitter_ms");
  }
  return out;
}

}  // namespace linecheck::engine::report
