// SPDX-License-Identifier: GPL-3.0-or-later
//
// The sounds that noise beds are made of. All of them live on a ring of kRing samples at 8 kHz: they are
// periodic in it by construction (spectra whose lines fall on its frequencies, events that wrap around its
// end), which is what makes a loop without a seam. Levels are relative here; make_noise_bed sets the final
// one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numbers>
#include <random>
#include <span>
#include <vector>

#include "media/clip.h"

namespace linecheck::engine {

inline constexpr double kPi = std::numbers::pi;
inline constexpr int kSignalRate = 8000;                    ///< Hz; a telephone channel needs no more
inline constexpr std::size_t kRing = std::size_t{1} << 17;  ///< 16.384 s
using Ring = std::vector<float>;                            ///< kRing samples

/// Random numbers that are the same on every machine: the standard's engines are, its distributions need not
/// be.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  double uniform() { return static_cast<double>(engine_() >> 11U) * 0x1.0p-53; }  ///< [0, 1)
  double between(double low, double high) { return low + (high - low) * uniform(); }
  double gaussian();
  std::size_t index(std::size_t count) {
    return static_cast<std::size_t>(uniform() * static_cast<double>(count));
  }

 private:
  std::mt19937_64 engine_;
};

/// Gaussian noise whose amplitude spectrum is `amplitude(frequency in Hz)`.
Ring shaped_noise(Dice& dice, const std::function<double(double)>& amplitude);

/// What of `sound` gets through a telephone set: 300-3400 Hz whole, the rest falling off by 24 dB an octave.
void through_telephone(Ring& sound);

/// Adds `event` from `start` on, around the end of the ring if need be.
void add_event(Ring& ring, std::size_t start, std::span<const float> event, double gain);

void add(Ring& ring, const Ring& other, double gain);
double rms(std::span<const float> samples);
/// To an RMS of 1.
void normalise(Ring& ring);

Ring mains_hum(Dice& dice);
Ring keyboard(Dice& dice);
/// So many talkers at once: the given clips, or speech-like sounds where there are none.
Ring babble(Dice& dice, int talkers, const std::vector<media::ClipPtr>& voices);
Ring street(Dice& dice);
Ring cafe(Dice& dice, const std::vector<media::ClipPtr>& voices);

/// RMS of a periodic signal behind the 300-3400 Hz channel.
double rms_in_channel(std::span<const float> loop, int rate);

}  // namespace linecheck::engine
