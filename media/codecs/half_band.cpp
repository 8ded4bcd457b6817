// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/codecs/half_band.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "media/codec.h"
#include "media/codecs/to_sample.h"

namespace linecheck::media {
namespace {

constexpr double kBeta = 5.65;  // of the Kaiser window: 60 dB

// Modified Bessel function of the first kind, order 0, by its power series.
double bessel_i0(double x) {
  double sum = 1;
  double term = 1;
  for (int k = 1; k < 40; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

// The taps at distance 1, 3, 5 ... from the middle: a windowed sinc of half the bandwidth.
struct Taps {
  std::array<float, kHalfBandPairs> pair{};

  Taps() {
    constexpr double kReach = 2.0 * kHalfBandPairs;  // of the window, to either side
    double sum = 0;
    std::array<double, kHalfBandPairs> exact{};
    for (std::size_t i = 0; i < kHalfBandPairs; ++i) {
      const double distance = 2.0 * static_cast<double>(i) + 1.0;
      const double sinc = std::sin(std::numbers::pi * distance / 2) / (std::numbers::pi * distance);
      const double at = distance / kReach;
      exact[i] = sinc * bessel_i0(kBeta * std::sqrt(1 - at * at)) / bessel_i0(kBeta);
      sum += 2 * exact[i];
    }
    // Unity gain at 0 Hz, and with it none at 8 kHz.
    for (std::size_t i = 0; i < kHalfBandPairs; ++i) pair[i] = static_cast<float>(exact[i] * 0.5 / sum);
  }
};

const Taps kTaps;

}  // namespace

void HalfBandDown::process(std::span<const std::int16_t> in, std::span<std::int16_t> out) noexcept {
  std::array<std::int16_t, kHistory + kMaxFrameSamples> x;
  std::copy(history_.begin(), history_.end(), x.begin());
  std::copy(in.begin(), in.end(), x.begin() + kHistory);
  for (std::size_t m = 0; m < out.size(); ++m) {
    const std::int16_t* middle = x.data() + kHistory + 2 * m - kDelay;
    float sum = 0.5F * static_cast<float>(*middle);
    for (std::size_t i = 0; i < kHalfBandPairs; ++i) {
      const auto distance = static_cast<std::ptrdiff_t>(2 * i + 1);
      sum += kTaps.pair[i] * static_cast<float>(middle[distance] + middle[-distance]);
    }
    out[m] = to_sample(sum);
  }
  std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(in.size()), kHistory, history_.begin());
}

void HalfBandUp::process(std::span<const std::int16_t> in, std::span<std::int16_t> out) noexcept {
  std::array<std::int16_t, kHistory + kMaxFrameSamples / 2> x;
  std::copy(history_.begin(), history_.end(), x.begin());
  std::copy(in.begin(), in.end(), x.begin() + kHistory);
  for (std::size_t m = 0; m < in.size(); ++m) {
    // Between x[m - 12] and x[m - 11], in the middle of 24 samples; then x[m - 11] itself.
    const std::int16_t* right = x.data() + kHistory + m - (kHalfBandPairs - 1);
    float sum = 0;
    for (std::size_t i = 0; i < kHalfBandPairs; ++i) {
      const auto distance = static_cast<std::ptrdiff_t>(i);
      sum += kTaps.pair[i] * static_cast<float>(right[distance] + right[-1 - distance]);
    }
    out[2 * m] = to_sample(2.0F * sum);
    out[2 * m + 1] = *right;
  }
  std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(in.size()), kHistory, history_.begin());
}

}  // namespace linecheck::media
