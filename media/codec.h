// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace linecheck::media {

/// What a leg can send and decode.
enum class Codec : std::uint8_t { pcmu, pcma, g722, opus };
inline constexpr std::size_t kCodecs = 4;

/// As RTP names it.
constexpr const char* codec_name(Codec codec) {
  constexpr const char* kNames[kCodecs] = {"PCMU", "PCMA", "G722", "opus"};
  return kNames[static_cast<std::size_t>(codec)];
}
/// By RFC 3551 table 4; -1: it has none.
constexpr int static_payload_type(Codec codec) {
  constexpr int kTypes[kCodecs] = {0, 8, 9, -1};
  return kTypes[static_cast<std::size_t>(codec)];
}
/// Of RTP timestamps, Hz: not that of the audio. G.722 keeps the 8,000 of an old mistake (RFC 3551 section
/// 4.5.2), Opus has 48,000 whatever it carries (RFC 7587 section 4.1).
constexpr int rtp_clock_rate(Codec codec) {
  return codec == Codec::opus ? 48000 : 8000;
}
constexpr bool is_wide_band(Codec codec) {
  return codec == Codec::g722 || codec == Codec::opus;
}

/// By Codec: the payload type by which each is received; -1: it is not.
using PayloadTypes = std::array<int, kCodecs>;

// A leg's clock and recording run at one of two rates, fixed when it is opened.
inline constexpr int kNarrowRate = 8000;
inline constexpr int kWideRate = 16000;
constexpr bool is_leg_rate(int rate) {
  return rate == kNarrowRate || rate == kWideRate;
}

inline constexpr int kFrameMs = 20;  ///< one packet
inline constexpr std::int64_t kNsPerMs = 1'000'000;
inline constexpr std::int64_t kNsPerSecond = 1'000 * kNsPerMs;
inline constexpr std::size_t kMaxFrameSamples = 320;  ///< kFrameMs at kWideRate
constexpr int frame_samples(int rate) {
  return rate / 1000 * kFrameMs;
}
constexpr std::int64_t ns_per_sample(int rate) {
  return 1'000'000'000 / rate;
}

}  // namespace linecheck::media
