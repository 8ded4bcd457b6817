// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/tones/spectrum.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "media/full_scale.h"
#include "media/speech/level.h"

namespace linecheck::media::tones {
namespace {

constexpr double kBinHz = 8000.0 / 1024;
// Half the main lobe of a Hann window: 2 / length.
constexpr int kShortLobe = 8;  // bins: 62.5 Hz
constexpr int kLongLobe = 4;   // 31.25 Hz
constexpr int kCluster = 10;   // 78 Hz
constexpr int kLeastBin = 20;  // 156 Hz: hum is no signalling tone
// A Hann window's spectrum of one tone, seen as a distribution, has this spread (at 64 ms): 1 / (sqrt(3) T)
// = 9.0 Hz. Two tones 40 Hz apart have 20 Hz more.
constexpr double kLoneSpreadHz = 9.1;
constexpr double kPairSpreadHz = 15;

struct Shares {
  double one, two, cluster;
};
constexpr Shares kStrict{0.90, 0.95, 0.97};
constexpr Shares kInNoise{0.78, 0.80, 0.80};
constexpr double kFlatAsNoise = 0.25;  // spectral flatness; of white noise 0.56

struct Peak {
  int bin = -1;
  double hz = 0;
  double power = 0;  // of its lobe
};

using Bins = std::array<float, 512>;

double sum_around(const Bins& powers, int bin, int half) {
  double sum = 0;
  const int last = std::min<int>(511, bin + half);
  for (int k = std::max(1, bin - half); k <= last; ++k)
    sum += static_cast<double>(powers[static_cast<std::size_t>(k)]);
  return sum;
}

/// The highest bin; beside `other`, the highest top that is outside its lobes: a slope of another peak is
/// none.
Peak peak_of(const Bins& powers, int half, const Peak* other) {
  Peak peak;
  float most = 0;
  for (int k = kLeastBin; k < 500; ++k) {
    if (other != nullptr && std::abs(k - other->bin) <= 2 * half) continue;
    const auto at = static_cast<std::size_t>(k);
    const float here = powers[at];
    if (other != nullptr && (here < powers[at - 1] || here < powers[at + 1])) continue;
    if (here > most) {
      most = here;
      peak.bin = k;
    }
  }
  if (peak.bin < 0) return peak;
  const auto log_at = [&](int k) { return std::log(std::max(1e-20F, powers[static_cast<std::size_t>(k)])); };
  const double left = log_at(peak.bin - 1);
  const double middle = log_at(peak.bin);
  const double right = log_at(peak.bin + 1);
  const double curve = left - 2 * middle + right;
  const double shift = curve < 0 ? std::clamp(0.5 * (left - right) / curve, -0.5, 0.5) : 0;
  peak.hz = (peak.bin + shift) * kBinHz;
  peak.power = sum_around(powers, peak.bin, half);
  return peak;
}

/// Spectral flatness of what is not in the lobes, over the telephone band.
double flatness(const Bins& powers, int half, const Peak& a, const Peak& b) {
  constexpr int kFirst = 40;  // 312 Hz
  constexpr int kLast = 430;  // 3360 Hz
  double log_sum = 0;
  double sum = 0;
  int count = 0;
  for (int k = kFirst; k < kLast; k += 4) {  // zero-padded: neighbours say the same
    if (std::abs(k - a.bin) <= 2 * half || (b.bin >= 0 && std::abs(k - b.bin) <= 2 * half)) continue;
    const double here = static_cast<double>(powers[static_cast<std::size_t>(k)]) + 1e-12;
    log_sum += std::log(here);
    sum += here;
    ++count;
  }
  if (count == 0 || sum <= 0) return 0;
  return std::exp(log_sum / count) / (sum / count);
}

}  // namespace

Spectrum::Spectrum() {
  const auto hann = [](std::span<float> window) {
    double energy = 0;
    for (std::size_t n = 0; n < window.size(); ++n) {
      const double x = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * (static_cast<double>(n) + 0.5) /
                                            static_cast<double>(window.size()));
      window[n] = static_cast<float>(x);
      energy += x * x;
    }
    for (float& x : window) x /= static_cast<float>(std::sqrt(energy) * kFullScale);
  };
  hann(short_window_);
  hann(long_window_);
  for (std::size_t k = 0; k < kBins; ++k) {
    const double angle = std::numbers::pi * static_cast<double>(k) / static_cast<double>(kBins);
    cos_[k] = static_cast<float>(std::cos(angle));
    sin_[k] = static_cast<float>(std::sin(angle));
    std::size_t mirrored = 0;
    for (std::size_t bit = 1, rest = k; bit < kBins; bit <<= 1U, rest >>= 1U)
      mirrored = (mirrored << 1U) | (rest & 1U);
    reversed_[k] = static_cast<std::uint16_t>(mirrored);
  }
}

// A real transform of 1,024 points by a complex one of 512 (Cooley and Tukey 1965), powers only. Scaled so
// that all bins together hold the mean power of the window, full scale 1.
void Spectrum::transform(std::span<const std::int16_t> samples, std::span<const float> window,
                         Powers& powers) const {
  std::array<float, kBins> re{};
  std::array<float, kBins> im{};
  for (std::size_t n = 0; n < samples.size(); n += 2) {
    const std::size_t to = reversed_[n / 2];
    re[to] = static_cast<float>(samples[n]) * window[n];
    im[to] = static_cast<float>(samples[n + 1]) * window[n + 1];
  }
  for (std::size_t half = 1; half < kBins; half *= 2) {
    const std::size_t stride = kBins / half;  // of the table, which holds half a turn
    for (std::size_t base = 0; base < kBins; base += 2 * half) {
      for (std::size_t k = 0; k < half; ++k) {
        const float c = cos_[k * stride];
        const float s = -sin_[k * stride];
        const std::size_t a = base + k;
        const std::size_t b = a + half;
        const float r = re[b] * c - im[b] * s;
        const float i = re[b] * s + im[b] * c;
        re[b] = re[a] - r;
        im[b] = im[a] - i;
        re[a] += r;
        im[a] += i;
      }
    }
  }
  constexpr float kScale = 2.0F / 1024.0F;
  powers[0] = 0;  // a DC offset is nothing
  for (std::size_t k = 1; k < kBins; ++k) {
    const std::size_t m = kBins - k;
    const float even_re = 0.5F * (re[k] + re[m]);
    const float even_im = 0.5F * (im[k] - im[m]);
    const float odd_re = 0.5F * (im[k] + im[m]);
    const float odd_im = -0.5F * (re[k] - re[m]);
    const float x = even_re + odd_re * cos_[k] + odd_im * sin_[k];
    const float y = even_im + odd_im * cos_[k] - odd_re * sin_[k];
    powers[k] = (x * x + y * y) * kScale;
  }
}

double Spectrum::strongest(std::span<const std::int16_t, kLong> samples) const {
  Powers powers;
  transform(samples, long_window_, powers);
  const Peak peak = peak_of(powers, kLongLobe, nullptr);
  return peak.bin < 0 ? 0 : peak.hz;
}

Look Spectrum::look(std::span<const std::int16_t, kLong> samples, double least_dbov) const {
  Look none;
  const auto middle = samples.subspan<(kLong - kShort) / 2, kShort>();
  double energy = 0;
  for (const std::int16_t s : middle) energy += static_cast<double>(s) * s;
  if (speech::power_to_dbov(energy / (kShort * kFullScale * kFullScale)) < least_dbov) return none;

  Powers powers;
  transform(middle, short_window_, powers);
  double total = 0;
  for (std::size_t k = 4; k < kBins; ++k) total += static_cast<double>(powers[k]);
  const Peak first = peak_of(powers, kShortLobe, nullptr);
  if (first.bin < 0 || total <= 0) return none;
  const Peak second = peak_of(powers, kShortLobe, &first);
  const double rest_flatness = flatness(powers, kShortLobe, first, second);
  const Shares& shares = rest_flatness > kFlatAsNoise ? kInNoise : kStrict;
  const double near = sum_around(powers, first.bin, 2 * kShortLobe) / total;

  if (near > shares.one) {
    // One tone, or a pair that 32 ms do not part.
    transform(samples, long_window_, powers);
    double long_total = 0;
    for (std::size_t k = 4; k < kBins; ++k) long_total += static_cast<double>(powers[k]);
    const Peak a = peak_of(powers, kLongLobe, nullptr);
    if (a.bin < 0) return none;
    const Peak b = peak_of(powers, kLongLobe, &a);
    if (b.bin >= 0 && std::abs(a.bin - b.bin) <= 3 * kShortLobe && b.power > 0.1 * a.power &&
        (a.power + b.power) / long_total > shares.two) {
      return {2, std::min(a.hz, b.hz), std::max(a.hz, b.hz), speech::power_to_dbov(a.power + b.power)};
    }
    const double cluster = sum_around(powers, a.bin, kCluster);
    if (cluster / long_total > shares.cluster) {
      double mean = 0, square = 0, weight = 0;
      for (int k = std::max(1, a.bin - kCluster); k <= std::min(511, a.bin + kCluster); ++k) {
        const double p = static_cast<double>(powers[static_cast<std::size_t>(k)]);
        mean += p * k;
        weight += p;
      }
      mean /= weight;
      for (int k = std::max(1, a.bin - kCluster); k <= std::min(511, a.bin + kCluster); ++k)
        square += static_cast<double>(powers[static_cast<std::size_t>(k)]) * (k - mean) * (k - mean);
      const double spread = std::sqrt(square / weight) * kBinHz;
      // Noise in the cluster spreads it too, so a lone tone is one whose own lobe holds nearly all of it.
      if (spread > kPairSpreadHz && a.power < 0.93 * cluster) {
        const double apart = std::sqrt(spread * spread - kLoneSpreadHz * kLoneSpreadHz);
        return {2, mean * kBinHz - apart, mean * kBinHz + apart, speech::power_to_dbov(cluster)};
      }
    }
    if (first.power / total > shares.one) return {1, first.hz, 0, speech::power_to_dbov(first.power)};
    return none;
  }
  if (second.bin >= 0 && second.power > 0.05 * first.power &&
      (first.power + second.power) / total > shares.two) {
    return {2, std::min(first.hz, second.hz), std::max(first.hz, second.hz),
            speech::power_to_dbov(first.power + second.power)};
  }
  return none;
}

}  // namespace linecheck::media::tones
