// SPDX-License-Identifier: GPL-3.0-or-later
//
// Speech-like signals with known boundaries, so that tests of detectors need no voice: harmonics of a
// wandering pitch under a syllabic envelope, with an attack and a fading end.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numbers>
#include <random>
#include <span>
#include <vector>

#include "media/speech/level.h"

namespace linecheck::tests {

using Samples = std::vector<std::int16_t>;

struct VoiceOptions {
  double level_dbov = -26;
  double attack_ms = 15;
  double release_ms = 40;
  double pitch_hz = 120;
  unsigned seed = 1;
};

inline std::int16_t to_sample(double x) {
  return static_cast<std::int16_t>(std::clamp(std::lround(x), -32768L, 32767L));
}

inline std::size_t samples_of(double ms, int rate = 8000) {
  return static_cast<std::size_t>(std::lround(ms * rate / 1000));
}

inline void set_level(Samples& samples, double dbov) {
  const double gain = std::pow(10.0, (dbov - media::speech::rms_dbov(samples)) / 20);
  for (auto& s : samples) s = to_sample(s * gain);
}

/// `ms` of voice: audible from its first to about its last sample, no pause longer than 60 ms inside.
inline Samples voice(double ms, VoiceOptions options = {}, int rate = 8000) {
  std::mt19937 random(options.seed);
  std::uniform_real_distribution<double> uniform(0.8, 1.2);
  const std::size_t n = samples_of(ms, rate);
  Samples out(n);
  double phase = 0;
  double syllable = 0;
  double speed = uniform(random);
  for (std::size_t i = 0; i < n; ++i) {
    const double t = 1000.0 * static_cast<double>(i) / rate;
    syllable += 4.0 * speed / rate;  // about four a second
    if (syllable >= 1) {
      syllable -= 1;
      speed = uniform(random);
    }
    const double pitch = options.pitch_hz * (1 + 0.08 * std::sin(2 * std::numbers::pi * 0.7 * t / 1000));
    phase += pitch / rate;
    double x = 0;
    for (int k = 1; k <= 20 && k * pitch < 0.45 * rate; ++k)
      x += std::sin(2 * std::numbers::pi * k * phase) / (1 + 0.25 * k);
    const double swing = std::sin(std::numbers::pi * syllable);
    double envelope = 0.08 + 0.92 * swing * swing;
    envelope *= std::min(1.0, (t + 0.2) / options.attack_ms);
    envelope *= std::pow(10.0, std::min(0.0, -(t - (ms - options.release_ms)) / options.release_ms * 1.7));
    out[i] = to_sample(3000 * x * envelope);
  }
  set_level(out, options.level_dbov);
  return out;
}

inline Samples tone(double ms, double hz, double amplitude, int rate = 8000) {
  Samples out(samples_of(ms, rate));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] =
        to_sample(amplitude * std::sin(2 * std::numbers::pi * hz * (static_cast<double>(i) + 0.5) / rate));
  return out;
}

/// A line: clips placed at their times, silence elsewhere.
class Line {
 public:
  explicit Line(double ms, int rate = 8000) : rate_(rate), samples_(samples_of(ms, rate)) {}

  Line& put(double at_ms, const Samples& clip) {
    const std::size_t at = samples_of(at_ms, rate_);
    for (std::size_t i = 0; i < clip.size() && at + i < samples_.size(); ++i)
      samples_[at + i] = to_sample(static_cast<double>(samples_[at + i]) + clip[i]);
    return *this;
  }

  Line& white_noise(double dbov, unsigned seed = 7) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(0, 32768 * std::pow(10.0, dbov / 20));
    for (auto& s : samples_) s = to_sample(s + normal(random));
    return *this;
  }

  Line& offset(int by) {
    for (auto& s : samples_) s = to_sample(static_cast<double>(s) + by);
    return *this;
  }

  /// Through G.711 mu-law and back.
  Line& mu_law() {
    for (auto& s : samples_) {
      const int magnitude = std::min(std::abs(static_cast<int>(s)), 32635) + 132;
      int exponent = 7;
      for (int mask = 0x4000; exponent > 0 && !(magnitude & mask); mask >>= 1) --exponent;
      const int mantissa = (magnitude >> (exponent + 3)) & 15;
      const int decoded = (((mantissa << 3) + 132) << exponent) - 132;
      s = static_cast<std::int16_t>(s < 0 ? -decoded : decoded);
    }
    return *this;
  }

  [[nodiscard]] const Samples& samples() const { return samples_; }

 private:
  int rate_;
  Samples samples_;
};

}  // namespace linecheck::tests
