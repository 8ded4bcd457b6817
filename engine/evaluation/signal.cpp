// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/signal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "media/speech/level.h"

namespace linecheck::engine {
namespace {

constexpr int kPitchRate = 8000;  // higher rates are thinned to it: pitch needs no more
constexpr int kWindow = 320;      // 40 ms
constexpr int kShortestLag = kPitchRate / 400;
constexpr int kLongestLag = kPitchRate / 50;
constexpr double kVoiced = 0.6;           // normalised autocorrelation
constexpr std::size_t kMostFrames = 300;  // a call: more make the mean no better, and cost
constexpr double kHopMs = 20;

/// Fundamental of one window, or 0 where it is not voiced. `x` holds kWindow + kLongestLag samples.
double pitch_of(const std::array<float, kWindow + kLongestLag>& x) {
  const auto dot = [&x](int lag) {
    const auto shift = static_cast<std::size_t>(lag);
    float sum = 0;
    for (std::size_t n = 0; n < kWindow; ++n) sum += x[n] * x[n + shift];
    return sum;
  };
  const float own = dot(0);
  constexpr float kQuiet = 30.0F * 30.0F * kWindow;
  if (own < kQuiet) return 0;
  // Energy of the shifted window, kept up to date sample by sample.
  float shifted = own;
  std::array<float, kLongestLag + 1> r{};
  for (int lag = 1; lag <= kLongestLag; ++lag) {
    const auto before = static_cast<std::size_t>(lag) - 1;
    const float out = x[before];
    const float in = x[before + kWindow];
    shifted = std::max(1.0F, shifted + in * in - out * out);
    if (lag < kShortestLag) continue;
    r[static_cast<std::size_t>(lag)] = dot(lag) / std::sqrt(own * shifted);
  }
  const float best = *std::max_element(r.begin() + kShortestLag, r.end());
  if (best < kVoiced) return 0;
  // The first peak that is nearly as high as the highest: later ones are multiples of the period.
  constexpr float kNearly = 0.9F;
  for (int lag = kShortestLag + 1; lag < kLongestLag; ++lag) {
    const auto n = static_cast<std::size_t>(lag);
    if (r[n] < kNearly * best || r[n] < r[n - 1] || r[n] < r[n + 1]) continue;
    const double curve = r[n - 1] - 2.0 * r[n] + r[n + 1];
    const double shift = curve < 0 ? 0.5 * (r[n - 1] - r[n + 1]) / curve : 0;
    return kPitchRate / (lag + shift);
  }
  return 0;
}

}  // namespace

std::optional<double> average_pitch_hz(const ChannelView& channel, const std::vector<SpeechSpan>& speech) {
  const int step = std::max(1, channel.rate / kPitchRate);
  std::vector<double> starts;
  for (const SpeechSpan& span : speech) {
    const int hops = static_cast<int>(std::ceil(std::max(0.0, span.end_ms - span.start_ms) / kHopMs));
    for (int hop = 0; hop < hops; ++hop) starts.push_back(span.start_ms + hop * kHopMs - channel.start_ms);
  }
  const std::size_t frames = std::min(starts.size(), kMostFrames);
  std::vector<double> pitches;
  for (std::size_t n = 0; n < frames; ++n) {  // spread evenly over all of them
    const double ms = std::max(0.0, starts[n * starts.size() / frames]);
    const auto first = static_cast<std::size_t>(ms * channel.rate / 1000);
    std::array<float, kWindow + kLongestLag> x{};
    if (first + x.size() * static_cast<std::size_t>(step) > channel.samples.size()) continue;
    float mean = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
      x[k] = channel.samples[first + k * static_cast<std::size_t>(step)];
      mean += x[k] / static_cast<float>(x.size());
    }
    for (float& v : x) v -= mean;
    if (const double pitch = pitch_of(x); pitch > 0) pitches.push_back(pitch);
  }
  constexpr std::size_t kLeast = 10;
  if (pitches.size() < kLeast) return std::nullopt;
  std::vector<double> sorted = pitches;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2),
                   sorted.end());
  const double median = sorted[sorted.size() / 2];
  double sum = 0;
  std::size_t count = 0;
  for (const double pitch : pitches) {
    if (pitch < 0.6 * median || pitch > 1.6 * median) continue;
    sum += pitch;
    ++count;
  }
  return sum / static_cast<double>(count);
}

std::vector<double> dropouts(const ChannelView& channel, const std::vector<SpeechSpan>& speech,
                             double active_dbov) {
  std::vector<double> found;
  constexpr double kLeastMs = 60;
  constexpr double kBesideMs = 5;
  constexpr double kLoudBelowActiveDb = 20;
  constexpr double kReachMs = 300;  // a long gap parts two spans: look beyond their ends
  const auto least = static_cast<std::size_t>(kLeastMs * channel.rate / 1000);
  const auto beside = static_cast<std::size_t>(kBesideMs * channel.rate / 1000);
  const auto index = [&](double ms) {
    const double at = std::max(0.0, ms - channel.start_ms) * channel.rate / 1000;
    return std::min(channel.samples.size(), static_cast<std::size_t>(at));
  };
  const auto loud = [&](std::size_t from) {
    return media::speech::rms_dbov(channel.samples.subspan(from, beside)) > active_dbov - kLoudBelowActiveDb;
  };
  std::size_t done = 0;
  for (const SpeechSpan& span : speech) {
    std::size_t at = std::max(done, index(span.start_ms));
    const std::size_t end = index(span.end_ms + kReachMs);
    while (at < end) {
      if (channel.samples[at] != 0) {
        ++at;
        continue;
      }
      std::size_t after = at;
      while (after < channel.samples.size() && channel.samples[after] == 0) ++after;
      if (after - at > least && at >= beside && after + beside <= channel.samples.size() &&
          loud(at - beside) && loud(after))
        found.push_back(channel.start_ms + static_cast<double>(at) * 1000.0 / channel.rate);
      at = after;
    }
    done = std::max(done, at);
  }
  return found;
}

}  // namespace linecheck::engine
