// SPDX-License-Identifier: GPL-3.0-or-later
//
// Between 8 and 16 kHz, by a linear-phase half-band filter: flat to 3.4 kHz, 60 dB down from 4.6 kHz on. Its
// delay is a whole number of samples, the same at every frequency, so that it can be taken out of every time
// exactly.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace linecheck::media {

// 47 taps. Every other one is zero but for the middle, which is 1/2; the rest are symmetrical.
inline constexpr std::size_t kHalfBandPairs = 12;

/// 16 kHz to 8 kHz: y[m] stands for x at time 2m - kDelay.
class HalfBandDown {
 public:
  static constexpr int kDelay = 23;  ///< samples at 16 kHz
  /// `in` has an even length, at most 320; `out` half of it.
  void process(std::span<const std::int16_t> in, std::span<std::int16_t> out) noexcept;

 private:
  static constexpr std::size_t kHistory = 2 * kDelay;
  std::array<std::int16_t, kHistory> history_{};
};

/// 8 kHz to 16 kHz: y[n] stands for x at time (n - kDelay) / 2.
class HalfBandUp {
 public:
  static constexpr int kDelay = 23;  ///< samples at 16 kHz
  /// `in` has a length of at most 160; `out` twice that.
  void process(std::span<const std::int16_t> in, std::span<std::int16_t> out) noexcept;

 private:
  static constexpr std::size_t kHistory = kDelay;
  std::array<std::int16_t, kHistory> history_{};
};

}  // namespace linecheck::media
