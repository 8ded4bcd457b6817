// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

namespace linecheck::media {

/// What a leg can send and decode. Static payload types by RFC 3551 table 4: PCMU 0, PCMA 8.
enum class Codec : std::uint8_t { pcmu, pcma };

constexpr const char* codec_name(Codec codec) {
  return codec == Codec::pcmu ? "PCMU" : "PCMA";
}
constexpr int static_payload_type(Codec codec) {
  return codec == Codec::pcmu ? 0 : 8;
}
/// Of RTP timestamps, Hz.
constexpr int rtp_clock_rate(Codec) {
  return 8000;
}

// A leg's clock and recording run at one of two rates, fixed when it is opened.
inline constexpr int kNarrowRate = 8000;
inline constexpr int kWideRate = 16000;
constexpr bool is_leg_rate(int rate) {
  return rate == kNarrowRate || rate == kWideRate;
}

inline constexpr int kFrameMs = 20;  ///< one packet
inline constexpr std::int64_t kNsPerMs = 1'000'000;
inline constexpr std::size_t kMaxFrameSamples = 320;  ///< kFrameMs at kWideRate
constexpr int frame_samples(int rate) {
  return rate / 1000 * kFrameMs;
}
constexpr std::int64_t ns_per_sample(int rate) {
  return 1'000'000'000 / rate;
}

}  // namespace linecheck::media
