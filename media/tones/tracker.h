// SPDX-License-Identifier: GPL-3.0-or-later
//
// Finds stretches of steady tone: what spectrum.h calls a tone at every look, with a frequency and a level
// that stand still. Fed in order, in pieces of any length. One thread at a time; about 5 us a 10 ms of
// audio that is not quiet, so it runs over recordings, not on live legs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "media/tones/spectrum.h"

namespace linecheck::media::tones {

struct ToneRun {
  double start_ms = 0;  ///< from the first sample that was fed
  double end_ms = 0;
  int tones = 1;
  double low_hz = 0;
  double high_hz = 0;  ///< 0: one tone
  double level_dbov = 0;
};

class Tracker {
 public:
  /// `rate`: 8000 or 16000.
  explicit Tracker(int rate = Spectrum::kRate);

  /// Appends the runs that have ended.
  void feed(std::span<const std::int16_t> samples, std::vector<ToneRun>& runs);
  /// No more comes.
  void finish(std::vector<ToneRun>& runs);

 private:
  static constexpr std::size_t kHop = 80;

  void push(std::int16_t sample, std::vector<ToneRun>& runs);
  void take(const Look& look, double at_ms, std::vector<ToneRun>& runs);
  [[nodiscard]] bool fits(const Look& look) const;
  void close(std::vector<ToneRun>& runs);

  int rate_;
  Spectrum spectrum_;
  // While nothing sounds, every second look is left out, and made up for when the next one finds a tone: the
  // window reaches back by one hop more.
  std::array<std::int16_t, kHop + Spectrum::kLong> window_{};
  bool left_out_ = false;
  std::size_t fresh_ = 0;  // samples since the last look
  std::int64_t seen_ = 0;
  std::array<int, 7> history_{};  // of the decimator
  bool odd_ = false;

  // The run that goes on: sums over its looks.
  int count_ = 0;
  int tones_ = 0;
  int misses_ = 0;
  double first_ms_ = 0;
  double last_ms_ = 0;
  double low_sum_ = 0, low_squares_ = 0, high_sum_ = 0;
  double level_sum_ = 0, level_squares_ = 0;
  double low_origin_ = 0, level_origin_ = 0;  // sums are taken from here, or small variances would drown
};

}  // namespace linecheck::media::tones
