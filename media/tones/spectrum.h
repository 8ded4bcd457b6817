// SPDX-License-Identifier: GPL-3.0-or-later
//
// Whether a moment of a channel is a pure tone, a pair of tones, or anything else. Two looks at each moment:
//
//   32 ms  Hann, zero-padded: one peak that holds nearly all of the energy, or two. Follows short tones.
//   64 ms  only where the first look finds the energy close together: parts pairs such as 350 + 440 Hz, and
//          tells 440 + 480 Hz, which even that does not part, from a single tone by its spread.
//
// Where what is left beside the peaks is as flat as noise is, less of the energy has to be in them: a tone at
// 10 dB over noise is still a tone, a voiced sound, whose rest is harmonics, is not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace linecheck::media::tones {

/// A moment's verdict. Frequencies rise; 0 where there is none.
struct Look {
  int tones = 0;  ///< 0: no tone, 1 or 2
  double low_hz = 0;
  double high_hz = 0;
  double level_dbov = 0;  ///< of the tones together
};

class Spectrum {
 public:
  static constexpr int kRate = 8000;
  static constexpr std::size_t kLong = 512;   ///< samples, 64 ms
  static constexpr std::size_t kShort = 256;  ///< 32 ms

  Spectrum();

  /// Looks at 64 ms; the verdict is of their middle. Quieter than `least_dbov`: no tone.
  [[nodiscard]] Look look(std::span<const std::int16_t, kLong> samples, double least_dbov) const;
  /// The strongest partial of these 64 ms, Hz; 0: there is no sound.
  [[nodiscard]] double strongest(std::span<const std::int16_t, kLong> samples) const;

 private:
  static constexpr std::size_t kBins = 512;  // of 7.8 Hz for both looks: 1,024 points
  using Powers = std::array<float, kBins>;

  void transform(std::span<const std::int16_t> samples, std::span<const float> window, Powers& powers) const;

  std::array<float, kShort> short_window_;
  std::array<float, kLong> long_window_;
  std::array<float, kBins> cos_;  // of half a turn
  std::array<float, kBins> sin_;
  std::array<std::uint16_t, kBins> reversed_;
};

}  // namespace linecheck::media::tones
