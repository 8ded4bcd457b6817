// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/speech/level.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>

#include "media/full_scale.h"

namespace linecheck::media::speech {
namespace {

// ITU-T P.56 (12/2011), method B.
constexpr double kTimeConstantS = 0.03;
constexpr double kHangoverS = 0.2;
constexpr double kMarginDb = 15.9;
constexpr int kThresholds = 15;  // 2^-15 .. 2^-1 of full scale

}  // namespace

double power_to_dbov(double mean_power) {
  constexpr double kLeast = 1e-10;  // -100 dBov
  return mean_power > kLeast ? 10.0 * std::log10(mean_power) : kSilenceDbov;
}

double dbov_to_power(double dbov) {
  return std::pow(10.0, dbov / 10.0);
}

double rms_dbov(std::span<const std::int16_t> samples) {
  if (samples.empty()) return kSilenceDbov;
  double sum = 0;
  for (const std::int16_t s : samples) sum += static_cast<double>(s) * s;
  return power_to_dbov(sum / (static_cast<double>(samples.size()) * kFullScale * kFullScale));
}

std::optional<ActiveLevel> active_level(std::span<const std::int16_t> samples, int rate) {
  if (samples.empty() || rate <= 0) return std::nullopt;
  const double g = std::exp(-1.0 / (rate * kTimeConstantS));
  const auto hangover = static_cast<std::int64_t>(std::ceil(rate * kHangoverS));
  std::array<double, kThresholds> threshold{};
  for (std::size_t j = 0; j < threshold.size(); ++j)
    threshold[j] = std::ldexp(1.0, static_cast<int>(j) - kThresholds);
  std::array<std::int64_t, kThresholds> active{};
  std::array<std::int64_t, kThresholds> since{};  // samples since the envelope was last above
  since.fill(hangover);

  double sum = 0;
  double p = 0;
  double q = 0;
  for (const std::int16_t s : samples) {
    const double x = s / kFullScale;
    sum += x * x;
    p = g * p + (1 - g) * std::abs(x);
    q = g * q + (1 - g) * p;
    for (std::size_t j = 0; j < threshold.size(); ++j) {
      if (q >= threshold[j]) {
        ++active[j];
        since[j] = 0;
      } else if (since[j] < hangover) {
        ++active[j];
        ++since[j];
      } else {
        break;  // the thresholds rise: those above have been silent for longer
      }
    }
  }
  if (active[0] == 0) return std::nullopt;

  ActiveLevel level;
  level.long_term_dbov = power_to_dbov(sum / static_cast<double>(samples.size()));
  double before_level = 0;
  double before_delta = 0;
  for (std::size_t j = 0; j < threshold.size(); ++j) {
    // A threshold that nothing reached: what the one below it found is as near as this signal lets us come.
    const double a = active[j] > 0 ? power_to_dbov(sum / static_cast<double>(active[j])) : before_level;
    const double delta =
        active[j] > 0 ? a - 20.0 * std::log10(threshold[j]) : std::min(before_delta, kMarginDb);
    if (delta <= kMarginDb || j + 1 == threshold.size()) {
      level.active_dbov = a;
      if (j > 0 && before_delta > delta)
        level.active_dbov =
            before_level + (a - before_level) * (before_delta - kMarginDb) / (before_delta - delta);
      break;
    }
    before_level = a;
    before_delta = delta;
  }
  if (level.active_dbov <= kSilenceDbov) return std::nullopt;
  level.activity = std::min(1.0, dbov_to_power(level.long_term_dbov - level.active_dbov));
  return level;
}

double clipped_percent(std::span<const std::int16_t> samples) {
  if (samples.empty()) return 0;
  constexpr int kRail = 32124;
  std::size_t clipped = 0;
  std::size_t run = 0;
  int sign = 0;
  const auto close_run = [&] {
    if (run >= 2) clipped += run;
    run = 0;
  };
  for (const std::int16_t s : samples) {
    const int magnitude = std::abs(static_cast<int>(s));
    const int this_sign = s < 0 ? -1 : 1;
    if (magnitude < kRail || this_sign != sign) close_run();
    if (magnitude >= kRail) ++run;
    sign = this_sign;
  }
  close_run();
  return 100.0 * static_cast<double>(clipped) / static_cast<double>(samples.size());
}

}  // namespace linecheck::media::speech
