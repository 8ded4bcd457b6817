// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/tones/tracker.h"

#include <algorithm>
#include <cmath>

namespace linecheck::media::tones {
namespace {

constexpr double kLeastDbov = -50;
constexpr double kHopMs = 10;
constexpr double kFrequencyStepHz = 14;  // a look further off the run's mean is not of it
constexpr double kLevelStepDb = 3;
constexpr double kFrequencySdHz = 6;
constexpr double kLevelSdDb = 1.3;
constexpr double kShortestMs = 90;
constexpr int kMostMisses = 2;

double standard_deviation(double sum, double squares, int count) {
  const double mean = sum / count;
  return std::sqrt(std::max(0.0, squares / count - mean * mean));
}

}  // namespace

Tracker::Tracker(int rate) : rate_(rate) {
}

void Tracker::feed(std::span<const std::int16_t> samples, std::vector<ToneRun>& runs) {
  if (rate_ == Spectrum::kRate) {
    for (const std::int16_t sample : samples) push(sample, runs);
    return;
  }
  // Every second sample behind a half-band filter of seven coefficients.
  for (const std::int16_t sample : samples) {
    std::copy(history_.begin() + 1, history_.end(), history_.begin());
    history_.back() = sample;
    odd_ = !odd_;
    if (odd_) continue;
    const int sum = -history_[0] + 9 * history_[2] + 16 * history_[3] + 9 * history_[4] - history_[6];
    push(static_cast<std::int16_t>(std::clamp(sum / 32, -32768, 32767)), runs);
  }
}

void Tracker::push(std::int16_t sample, std::vector<ToneRun>& runs) {
  // The window is moved as a whole before each look; until then what is new waits at its end.
  window_[Spectrum::kLong + fresh_] = sample;
  ++seen_;
  if (++fresh_ < kHop) return;
  fresh_ = 0;
  const double middle_ms = 1000.0 * (static_cast<double>(seen_) - Spectrum::kLong / 2.0) / Spectrum::kRate;
  left_out_ = count_ == 0 && !left_out_;
  if (!left_out_) {
    const auto window = std::span<const std::int16_t>(window_);
    const Look now = spectrum_.look(window.last<Spectrum::kLong>(), kLeastDbov);
    if (count_ == 0 && now.tones > 0) {
      take(spectrum_.look(window.first<Spectrum::kLong>(), kLeastDbov), middle_ms - kHopMs, runs);
    }
    take(now, middle_ms, runs);
  }
  std::copy(window_.begin() + kHop, window_.end(), window_.begin());
}

bool Tracker::fits(const Look& look) const {
  if (look.tones != tones_) return false;
  return std::abs(look.low_hz - (low_origin_ + low_sum_ / count_)) <= kFrequencyStepHz &&
         std::abs(look.high_hz - high_sum_ / count_) <= kFrequencyStepHz &&
         std::abs(look.level_dbov - (level_origin_ + level_sum_ / count_)) <= kLevelStepDb;
}

void Tracker::take(const Look& look, double at_ms, std::vector<ToneRun>& runs) {
  const bool tone = look.tones > 0;
  if (count_ > 0 && (!tone || !fits(look))) {
    // A look or two that noise has spoilt do not end a run that stands; one that has just begun is given up.
    if (count_ >= 3 && ++misses_ <= kMostMisses) return;
    close(runs);
  }
  if (!tone) return;
  if (count_ == 0) {
    tones_ = look.tones;
    first_ms_ = at_ms;
    low_origin_ = look.low_hz;
    level_origin_ = look.level_dbov;
    low_sum_ = low_squares_ = high_sum_ = level_sum_ = level_squares_ = 0;
  }
  ++count_;
  misses_ = 0;
  last_ms_ = at_ms;
  const double low = look.low_hz - low_origin_;
  const double level = look.level_dbov - level_origin_;
  low_sum_ += low;
  low_squares_ += low * low;
  high_sum_ += look.high_hz;
  level_sum_ += level;
  level_squares_ += level * level;
}

void Tracker::close(std::vector<ToneRun>& runs) {
  const int count = count_;
  count_ = 0;
  misses_ = 0;
  if (count == 0) return;
  ToneRun run;
  // A look's window is half in the tone where the tone begins.
  run.start_ms = std::max(0.0, first_ms_ - kHopMs / 2);
  run.end_ms = last_ms_ + kHopMs / 2;
  if (run.end_ms - run.start_ms < kShortestMs) return;
  if (standard_deviation(low_sum_, low_squares_, count) > kFrequencySdHz ||
      standard_deviation(level_sum_, level_squares_, count) > kLevelSdDb)
    return;
  run.tones = tones_;
  run.low_hz = low_origin_ + low_sum_ / count;
  run.high_hz = high_sum_ / count;
  run.level_dbov = level_origin_ + level_sum_ / count;
  runs.push_back(run);
}

void Tracker::finish(std::vector<ToneRun>& runs) {
  // What has not been in the middle of a window yet.
  for (std::size_t n = 0; n < Spectrum::kLong / 2 + kHop; ++n) push(0, runs);
  close(runs);
}

}  // namespace linecheck::media::tones
