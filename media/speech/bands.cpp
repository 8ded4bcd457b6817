// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/speech/bands.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "media/full_scale.h"

namespace linecheck::media::speech {
namespace {

struct Band {
  double centre_hz;
  double q;
};
// About a third of an octave to an octave wide, side by side over the telephone band.
constexpr std::array<Band, Bands::kCount> kBands{
    {{160, 1.5}, {280, 1.5}, {480, 1.8}, {800, 2.0}, {1250, 2.5}, {1850, 3.0}, {2550, 3.5}, {3300, 4.0}}};

// Share of the moments without speech in which chance may lift any band over the limit.
constexpr double kChance = 0.003;
constexpr double kLeastContrast = 1.5;

/// All bands at once: second-order band-passes with unit gain at their centres (R. Bristow-Johnson's
/// cookbook).
class BandPasses {
 public:
  explicit BandPasses(int rate) {
    for (std::size_t b = 0; b < Bands::kCount; ++b) {
      const double w = 2 * std::numbers::pi * kBands[b].centre_hz / rate;
      const double alpha = std::sin(w) / (2 * kBands[b].q);
      gain_[b] = static_cast<float>(alpha / (1 + alpha));
      a1_[b] = static_cast<float>(2 * std::cos(w) / (1 + alpha));
      a2_[b] = static_cast<float>(-(1 - alpha) / (1 + alpha));
    }
  }

  /// Adds the squares of the outputs to `energy`.
  void feed(float x, std::array<float, Bands::kCount>& energy) {
    const float input = x - x2_;
    x2_ = x1_;
    x1_ = x;
    for (std::size_t b = 0; b < Bands::kCount; ++b) {
      const float y = gain_[b] * input + a1_[b] * y1_[b] + a2_[b] * y2_[b];
      y2_[b] = y1_[b];
      y1_[b] = y;
      energy[b] += y * y;
    }
  }

 private:
  using Row = std::array<float, Bands::kCount>;
  Row gain_{}, a1_{}, a2_{}, y1_{}, y2_{};
  float x1_ = 0, x2_ = 0;
};

}  // namespace

Bands::Bands(std::span<const std::int16_t> samples, int rate, int window_ms) : window_(window_ms) {
  size_ = static_cast<std::ptrdiff_t>(samples.size() * 1000 / static_cast<std::size_t>(rate));
  sums_.resize(static_cast<std::size_t>(size_) + 1);
  BandPasses filters(rate);
  std::size_t at = 0;
  for (std::ptrdiff_t ms = 0; ms < size_; ++ms) {
    const std::size_t end = static_cast<std::size_t>(ms + 1) * static_cast<std::size_t>(rate) / 1000;
    const double per_sample = 1.0 / (static_cast<double>(end - at) * kFullScale * kFullScale);
    std::array<float, kCount> bin;
    bin.fill(1e-6F);
    for (; at < end; ++at) filters.feed(samples[at], bin);
    const auto n = static_cast<std::size_t>(ms);
    for (std::size_t b = 0; b < kCount; ++b) sums_[n + 1][b] = sums_[n][b] + bin[b] * per_sample;
  }
}

std::array<double, Bands::kCount> Bands::powers(std::ptrdiff_t at) const {
  std::array<double, kCount> powers{};
  const std::ptrdiff_t first = std::clamp<std::ptrdiff_t>(at - window_ / 2, 0, size_);
  const std::ptrdiff_t last = std::clamp<std::ptrdiff_t>(at - window_ / 2 + window_, 0, size_);
  if (last <= first) return powers;
  const auto& from = sums_[static_cast<std::size_t>(first)];
  const auto& to = sums_[static_cast<std::size_t>(last)];
  for (std::size_t b = 0; b < kCount; ++b) powers[b] = (to[b] - from[b]) / static_cast<double>(last - first);
  return powers;
}

bool Bands::learn(const std::vector<MsRun>& quiet) {
  constexpr std::size_t kEnough = 100;
  constexpr std::ptrdiff_t kStepMs = 3;
  std::vector<std::array<double, kCount>> seen;
  for (const MsRun& run : quiet)
    for (std::ptrdiff_t ms = run.first + window_ / 2; ms < run.last - window_ / 2; ms += kStepMs)
      seen.push_back(powers(ms));
  if (seen.size() < kEnough) return false;
  noise_.fill(0);
  for (const auto& row : seen)
    for (std::size_t b = 0; b < kCount; ++b) noise_[b] += row[b] / static_cast<double>(seen.size());
  std::vector<double> contrasts;
  contrasts.reserve(seen.size());
  for (const auto& row : seen) contrasts.push_back(contrast(row));
  const auto rank = static_cast<std::ptrdiff_t>(static_cast<double>(contrasts.size()) * (1 - kChance));
  std::nth_element(contrasts.begin(), contrasts.begin() + rank, contrasts.end());
  limit_ = std::max(contrasts[static_cast<std::size_t>(rank)], kLeastContrast);
  return true;
}

double Bands::contrast(const std::array<double, kCount>& powers) const {
  double most = 0;
  for (std::size_t b = 0; b < kCount; ++b)
    if (noise_[b] > 0) most = std::max(most, powers[b] / noise_[b]);
  return most;
}

bool Bands::stands_out(std::ptrdiff_t at, double least) const {
  const auto now = powers(at);
  if (contrast(now) <= limit_) return false;
  double above = 0;
  for (std::size_t b = 0; b < kCount; ++b) above += std::max(0.0, now[b] - noise_[b]);
  return above > least;
}

}  // namespace linecheck::media::speech
