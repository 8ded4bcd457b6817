// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/waveform.h"

#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace linecheck::engine::report {
namespace {

constexpr double kShortestBucketMs = 5;
constexpr sf_count_t kFramesAtOnce = 4096;

struct CloseSound {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using Sound = std::unique_ptr<SNDFILE, CloseSound>;

void append_u32(std::string& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>((value >> shift) & 0xFFU);
}
void append_u16(std::string& out, std::uint16_t value) {
  out += static_cast<char>(value & 0xFFU);
  out += static_cast<char>((value >> 8U) & 0xFFU);
}

/// RIFF/WAVE with the `fact` chunk that formats other than PCM must have.
std::string mulaw_header(std::uint32_t frames, int channels, int rate) {
  const auto channel_count = static_cast<std::uint32_t>(channels);
  const std::uint32_t bytes = frames * channel_count;
  std::string out = "RIFF";
  append_u32(out, 50 + bytes + (bytes & 1U));
  out += "WAVEfmt ";
  append_u32(out, 18);
  append_u16(out, 7);  // WAVE_FORMAT_MULAW
  append_u16(out, static_cast<std::uint16_t>(channels));
  append_u32(out, static_cast<std::uint32_t>(rate));
  append_u32(out, static_cast<std::uint32_t>(rate) * channel_count);
  append_u16(out, static_cast<std::uint16_t>(channels));
  append_u16(out, 8);
  append_u16(out, 0);
  out += "fact";
  append_u32(out, 4);
  append_u32(out, frames);
  out += "data";
  append_u32(out, bytes);
  return out;
}

std::int8_t scaled(int sample) {
  return static_cast<std::int8_t>(std::clamp(sample / 258, -127, 127));
}

}  // namespace

std::uint8_t to_mulaw(std::int16_t sample) {
  constexpr int kBias = 132;  // 33 on the 14-bit scale of G.711
  constexpr int kClip = 32635;
  const bool negative = sample < 0;
  const int magnitude =
      std::min(negative ? -static_cast<int>(sample) : static_cast<int>(sample), kClip) + kBias;
  int segment = 7;
  while (segment > 0 && (magnitude & (1 << (segment + 7))) == 0) --segment;
  const int step = (magnitude >> (segment + 3)) & 0x0F;
  return static_cast<std::uint8_t>(~((negative ? 0x80 : 0) | (segment << 4) | step));
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = (group << 8U) |
              (j < have ? static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + j])) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= have ? kAlphabet[(group >> (18 - 6 * j)) & 0x3FU] : '=';
    }
  }
  return out;
}

std::optional<Waveform> read_waveform(const std::filesystem::path& wav, bool with_audio,
                                      std::size_t max_buckets) {
  SF_INFO info{};
  const Sound file(sf_open(wav.c_str(), SFM_READ, &info));
  if (!file || info.channels < 1 || info.samplerate < 1 || info.frames < 0) return std::nullopt;
  Waveform waveform;
  waveform.channels = std::min(info.channels, 2);
  waveform.rate = info.samplerate;

  const auto shortest = static_cast<sf_count_t>(std::lround(kShortestBucketMs * info.samplerate / 1000.0));
  const auto most = static_cast<sf_count_t>(std::max<std::size_t>(max_buckets, 1));
  const sf_count_t per_bucket = std::max<sf_count_t>({1, shortest, (info.frames + most - 1) / most});
  waveform.peaks.bucket_ms = 1000.0 * static_cast<double>(per_bucket) / info.samplerate;
  const auto channels = static_cast<std::size_t>(waveform.channels);
  waveform.peaks.channels.resize(channels);

  std::string audio;
  std::vector<int> low(channels, 0);
  std::vector<int> high(channels, 0);
  sf_count_t in_bucket = 0;
  sf_count_t frames = 0;
  const auto close_bucket = [&] {
    for (std::size_t c = 0; c < channels; ++c) {
      waveform.peaks.channels[c].push_back(scaled(low[c]));
      waveform.peaks.channels[c].push_back(scaled(high[c]));
      low[c] = high[c] = 0;
    }
    in_bucket = 0;
  };
  const auto width = static_cast<std::size_t>(info.channels);
  std::vector<std::int16_t> block(static_cast<std::size_t>(kFramesAtOnce) * width);
  while (true) {
    const sf_count_t got = sf_readf_short(file.get(), block.data(), kFramesAtOnce);
    if (got <= 0) break;
    for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
      for (std::size_t c = 0; c < channels; ++c) {
        const std::int16_t sample = block[i * width + c];
        low[c] = std::min<int>(low[c], sample);
        high[c] = std::max<int>(high[c], sample);
        if (with_audio) audio += static_cast<char>(to_mulaw(sample));
      }
      if (++in_bucket == per_bucket) close_bucket();
    }
    frames += got;
  }
  if (in_bucket > 0) close_bucket();
  waveform.duration_ms = 1000.0 * static_cast<double>(frames) / info.samplerate;
  if (with_audio) {
    waveform.mulaw_wav =
        mulaw_header(static_cast<std::uint32_t>(frames), waveform.channels, waveform.rate) + audio;
    if (audio.size() % 2 == 1) waveform.mulaw_wav += '\0';
  }
  return waveform;
}

}  // namespace linecheck::engine::report
