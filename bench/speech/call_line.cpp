// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/speech/call_line.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "media/g711.h"

namespace linecheck::bench {
namespace {

double between(std::mt19937_64& random, double low, double high) {
  return low + (high - low) * static_cast<double>(random() >> 11U) * 0x1.0p-53;
}

void through_g711(std::vector<std::int16_t>& samples, media::Codec codec) {
  std::array<std::uint8_t, 160> payload;
  for (std::size_t at = 0; at < samples.size(); at += payload.size()) {
    const std::size_t count = std::min(payload.size(), samples.size() - at);
    media::g711_encode(codec, std::span(samples).subspan(at, count), std::span(payload).first(count));
    media::g711_decode(codec, std::span(payload).first(count), std::span(samples).subspan(at, count));
  }
}

}  // namespace

CallLine make_call_line(const std::vector<const Utterance*>& utterances,
                        const std::vector<std::int16_t>& noise, bool a_law, std::mt19937_64& random) {
  CallLine line;
  const auto silence = [&](double ms) {
    // Off the grid of any frame, as the answers of a real agent are.
    line.samples.resize(line.samples.size() + static_cast<std::size_t>(std::lround(ms * kRate / 1000)));
  };
  silence(between(random, 300, 2000));
  for (const Utterance* utterance : utterances) {
    const double at_ms = static_cast<double>(line.samples.size()) * 1000 / kRate;
    Placed placed;
    for (const media::Span& span : utterance->audible)
      placed.audible.push_back({span.start_ms + at_ms, span.end_ms + at_ms});
    placed.start_ms = placed.audible.front().start_ms;
    placed.end_ms = placed.audible.back().end_ms;
    line.truth.push_back(std::move(placed));
    line.samples.insert(line.samples.end(), utterance->samples.begin(), utterance->samples.end());
    silence(between(random, 1000, 4000));
  }
  if (!noise.empty()) {
    std::size_t at = static_cast<std::size_t>(random() % noise.size());
    for (std::int16_t& sample : line.samples) {
      sample = static_cast<std::int16_t>(std::clamp(sample + noise[at], -32768, 32767));
      at = (at + 1) % noise.size();
    }
  }
  through_g711(line.samples, a_law ? media::Codec::pcma : media::Codec::pcmu);
  return line;
}

}  // namespace linecheck::bench
