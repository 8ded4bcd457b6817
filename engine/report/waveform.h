// SPDX-License-Identifier: GPL-3.0-or-later
//
// A recording made ready for the page: peaks to draw it with, and the sound itself as a small WAV file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linecheck::engine::report {

/// Lowest and highest sample of each bucket, scaled to -127..127.
struct Peaks {
  double bucket_ms = 0;
  /// For each channel: low, high, low, high, ...
  std::vector<std::vector<std::int8_t>> channels;
};

struct Waveform {
  double duration_ms = 0;
  int channels = 0;
  int rate = 0;
  Peaks peaks;
  /// A WAV file of G.711 mu-law samples (WAVE_FORMAT_MULAW, which every browser plays): half the size of 16
  /// bit, and nothing lost where the call itself was PCMU. At the recording's own rate. Empty when not asked
  /// for.
  std::string mulaw_wav;
};

/// At most `max_buckets` peaks a channel, none shorter than 5 ms. nullopt where the file can't be read as
/// sound.
[[nodiscard]] std::optional<Waveform> read_waveform(const std::filesystem::path& wav, bool with_audio,
                                                    std::size_t max_buckets = 6000);

/// ITU-T G.711 mu-law, with the bias and the segments of Table 2a.
[[nodiscard]] std::uint8_t to_mulaw(std::int16_t sample);

/// RFC 4648 section 4, padded.
[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace linecheck::engine::report
