// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/metric_catalog.h"

#include <array>

namespace linecheck::engine {
namespace {

using enum MetricKind;

// The ids are part of the API: append, never renumber.
constexpr std::array kCatalog{
    MetricInfo{1, "expected_outcome", "Expected Outcome", "percent", value},
    MetricInfo{2, "latency_ms", "Latency", "ms", distribution, "answers"},
    MetricInfo{3, "latency_net_ms", "Latency without simulated delay", "ms", distribution, "answers"},
    MetricInfo{4, "greeting_delay_ms", "Greeting delay", "ms", value},
    MetricInfo{5, "post_dial_delay_ms", "Post-dial delay", "ms", value},
    MetricInfo{6, "answer_delay_ms", "Answer delay", "ms", value},
    MetricInfo{7, "ai_interruptions", "AI interrupting user", "", value},
    MetricInfo{8, "user_interruptions", "User interrupting AI", "", value},
    MetricInfo{9, "stop_time_ms", "Stop time after interruption", "ms", distribution, "interruptions"},
    MetricInfo{10, "interruption_score", "Interruption score", "", value},
    MetricInfo{11, "yield_rate", "Yield rate", "", value},
    MetricInfo{12, "dead_air_ms", "Detect silence", "ms", value},
    MetricInfo{13, "infrastructure_issues", "Infrastructure issues", "", value},
    MetricInfo{14, "talk_ratio", "Talk ratio", "", value},
    MetricInfo{15, "talk_ratio.agent_alone", "Talk ratio: agent alone", "", value},
    MetricInfo{16, "talk_ratio.caller_alone", "Talk ratio: caller alone", "", value},
    MetricInfo{17, "talk_ratio.overlap", "Talk ratio: both", "", value},
    MetricInfo{18, "talk_ratio.silence", "Talk ratio: neither", "", value},
    MetricInfo{19, "words_per_minute", "Words per minute", "words/min", value},
    MetricInfo{20, "average_pitch_hz", "Average pitch", "Hz", value},
    MetricInfo{21, "transcription_accuracy", "Transcription accuracy", "", value},
    MetricInfo{22, "repetition", "Repetition", "", value},
    MetricInfo{23, "speech_level_dbov", "Active speech level", "dBov", value},
    MetricInfo{24, "noise_level_dbov", "Noise level", "dBov", value},
    MetricInfo{25, "snr_db", "Signal-to-noise ratio", "dB", value},
    MetricInfo{26, "clipped_percent", "Clipped samples", "percent", value},
    MetricInfo{27, "dropouts", "Dropouts", "", value},
    MetricInfo{28, "echo_delay_ms", "Echo delay", "ms", value},
    MetricInfo{29, "echo_return_loss_db", "Echo return loss", "dB", value},
    MetricInfo{30, "packet_loss_percent.send", "Packet loss, sent", "percent", value},
    MetricInfo{31, "packet_loss_percent.receive", "Packet loss, received", "percent", value},
    MetricInfo{32, "jitter_ms.send", "Jitter, sent", "ms", mean_and_max},
    MetricInfo{33, "jitter_ms.receive", "Jitter, received", "ms", mean_and_max},
    MetricInfo{34, "mos_cqe.send", "MOS-CQE, sent", "MOS", value},
    MetricInfo{35, "mos_cqe.receive", "MOS-CQE, received", "MOS", value},
    MetricInfo{36, "success_rate", "Success rate", "", result_only},
    MetricInfo{37, "asr", "Answer-seizure ratio", "", result_only},
};

}  // namespace

std::span<const MetricInfo> metric_catalog() {
  return kCatalog;
}

const MetricInfo* metric_info(std::string_view key) {
  for (const MetricInfo& info : kCatalog)
    if (info.key == key) return &info;
  return nullptr;
}

}  // namespace linecheck::engine
