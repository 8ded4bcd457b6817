// SPDX-License-Identifier: GPL-3.0-or-later
//
// Speech under noise, band by band: a fading vowel lives in a band or two, where the noise has a fraction of
// its power. Looking at bands finds the ends of words 10 dB further down than the power of the whole channel
// does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "media/speech/energy.h"

namespace linecheck::media::speech {

class Bands {
 public:
  static constexpr std::size_t kCount = 8;

  /// `window_ms`: how much is averaged around each millisecond.
  Bands(std::span<const std::int16_t> samples, int rate, int window_ms);

  /// Learns the noise of each band, and how far chance alone lifts a band over it, from these runs of
  /// non-speech. False when they are too short to say.
  bool learn(const std::vector<MsRun>& quiet);

  /// Whether a band stands out of the noise at this millisecond further than chance lifts it, and what stands
  /// out has more power than `least`.
  [[nodiscard]] bool stands_out(std::ptrdiff_t at, double least) const;

 private:
  [[nodiscard]] std::array<double, kCount> powers(std::ptrdiff_t at) const;
  [[nodiscard]] double contrast(const std::array<double, kCount>& powers) const;

  int window_;
  std::ptrdiff_t size_ = 0;
  std::vector<std::array<double, kCount>> sums_;  // sums_[n][b]: energy of the first n ms of band b
  std::array<double, kCount> noise_{};
  double limit_ = 0;
};

}  // namespace linecheck::media::speech
