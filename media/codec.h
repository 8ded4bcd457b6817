// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

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

inline constexpr int kSampleRate = 8000;   ///< Hz, of a leg's clock and recording
inline constexpr int kFrameMs = 20;        ///< one packet
inline constexpr int kFrameSamples = 160;  ///< kFrameMs at kSampleRate
inline constexpr std::int64_t kNsPerSample = 125'000;
inline constexpr std::int64_t kNsPerMs = 1'000'000;

}  // namespace linecheck::media
