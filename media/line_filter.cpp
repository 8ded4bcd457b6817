// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/line_filter.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace linecheck::media {
namespace {

// Quality factors of the two halves of a Butterworth filter of the fourth order: 1 / (2 cos(pi/8)) and
// 1 / (2 cos(3 pi/8)).
constexpr double kFirstQ = 0.541196100146197;
constexpr double kSecondQ = 1.306562964876377;

}  // namespace

void LineFilter::set(const Impairment& impairment, int rate) {
  gain_ = std::pow(10.0, impairment.gain_db / 20);
  const double nyquist = rate / 2.0;
  const bool low = impairment.low_hz > 0 && impairment.low_hz < nyquist;
  const bool high = impairment.high_hz > 0 && impairment.high_hz < nyquist;
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    const double q = i % 2 == 0 ? kFirstQ : kSecondQ;
    Section& section = sections_[i];
    if (i < 2 && low) {
      section.butterworth(true, impairment.low_hz, rate, q);
    } else if (i >= 2 && high) {
      section.butterworth(false, impairment.high_hz, rate, q);
    } else {
      section.pass_all();
    }
  }
  active_ = impairment.gain_db != 0 || low || high;
}

void LineFilter::process(std::span<std::int16_t> audio) {
  if (!active_) return;
  for (std::int16_t& sample : audio) {
    double x = gain_ * sample;
    for (Section& section : sections_) x = section.step(x);
    sample = static_cast<std::int16_t>(std::lround(std::clamp(x, -32768.0, 32767.0)));
  }
}

double LineFilter::Section::step(double x) {
  const double y = b0 * x + z1;
  z1 = b1 * x - a1 * y + z2;
  z2 = b2 * x - a2 * y;
  return y;
}

void LineFilter::Section::pass_all() {
  *this = Section();
}

// By the bilinear transform, with the cut-off frequency prewarped.
void LineFilter::Section::butterworth(bool high_pass, double hz, int rate, double q) {
  const double w = 2 * std::numbers::pi * hz / rate;
  const double alpha = std::sin(w) / (2 * q);
  const double a0 = 1 + alpha;
  const double edge = high_pass ? 1 + std::cos(w) : 1 - std::cos(w);
  b0 = b2 = edge / 2 / a0;
  b1 = (high_pass ? -edge : edge) / a0;
  a1 = -2 * std::cos(w) / a0;
  a2 = (1 - alpha) / a0;
}

}  // namespace linecheck::media
