// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/noise_signals.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>

namespace linecheck::engine {
namespace {

using Complex = std::complex<double>;
constexpr double kChannelLow = 300.0;    ///< Hz
constexpr double kChannelHigh = 3400.0;  ///< Hz

/// Without the care for infinities that the language's own product takes, which costs more than the product.
Complex product(const Complex& a, const Complex& b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

/// In place, radix 2; `sign` -1 is forward, +1 is inverse without the division.
void fft(std::vector<Complex>& values, double sign) {
  const std::size_t size = values.size();
  for (std::size_t i = 1, j = 0; i < size; ++i) {
    std::size_t bit = size >> 1U;
    for (; (j & bit) != 0; bit >>= 1U) j ^= bit;
    j |= bit;
    if (i < j) std::swap(values[i], values[j]);
  }
  for (std::size_t span = 2; span <= size; span <<= 1U) {
    const Complex step = std::polar(1.0, sign * 2.0 * kPi / static_cast<double>(span));
    for (std::size_t start = 0; start < size; start += span) {
      Complex turn = 1.0;
      for (std::size_t k = start; k < start + span / 2; ++k) {
        const Complex upper = values[k];
        const Complex lower = product(values[k + span / 2], turn);
        values[k] = upper + lower;
        values[k + span / 2] = upper - lower;
        turn = product(turn, step);
      }
    }
  }
}

double line_frequency(std::size_t line) {
  return static_cast<double>(line) * kSignalRate / static_cast<double>(kRing);
}

/// Applies gain(frequency in Hz) to every line of the spectrum.
void filter(Ring& sound, const std::function<double(double)>& gain) {
  std::vector<Complex> spectrum(sound.begin(), sound.end());
  fft(spectrum, -1);
  for (std::size_t line = 0; line < kRing; ++line) {
    spectrum[line] *= gain(line_frequency(std::min(line, kRing - line))) / static_cast<double>(kRing);
  }
  fft(spectrum, +1);
  std::transform(spectrum.begin(), spectrum.end(), sound.begin(),
                 [](const Complex& value) { return static_cast<float>(value.real()); });
}

/// A click of a key or of a spoon: noise bursts through a resonance that rings off.
std::vector<float> struck(Dice& dice, double frequency, double decay_ms, double noise_share) {
  const auto length = static_cast<std::size_t>(decay_ms * 6.0 * kSignalRate / 1000.0);
  std::vector<float> out(length);
  for (std::size_t i = 0; i < length; ++i) {
    const double t = static_cast<double>(i) / kSignalRate;
    const double envelope = std::exp(-t * 1000.0 / decay_ms) * std::min(1.0, static_cast<double>(i) / 4.0);
    const double tone = std::sin(2.0 * kPi * frequency * t);
    out[i] = static_cast<float>(envelope * ((1.0 - noise_share) * tone + noise_share * dice.gaussian()));
  }
  return out;
}

}  // namespace

double Dice::gaussian() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * kPi * uniform());
}

Ring shaped_noise(Dice& dice, const std::function<double(double)>& amplitude) {
  std::vector<Complex> spectrum(kRing);
  for (std::size_t line = 1; line < kRing / 2; ++line) {
    const double scale = amplitude(line_frequency(line));
    const double real = dice.gaussian();
    const double imaginary = dice.gaussian();
    spectrum[line] = scale * Complex(real, imaginary);
    spectrum[kRing - line] = std::conj(spectrum[line]);
  }
  fft(spectrum, +1);
  Ring ring(kRing);
  std::transform(spectrum.begin(), spectrum.end(), ring.begin(),
                 [](const Complex& value) { return static_cast<float>(value.real()); });
  normalise(ring);
  return ring;
}

void through_telephone(Ring& sound) {
  filter(sound, [](double frequency) {
    if (frequency < kChannelLow) return std::pow(frequency / kChannelLow, 4.0);
    if (frequency > kChannelHigh) return std::pow(kChannelHigh / frequency, 4.0);
    return 1.0;
  });
}

void add_event(Ring& ring, std::size_t start, std::span<const float> event, double gain) {
  for (std::size_t i = 0; i < event.size(); ++i) {
    ring[(start + i) % ring.size()] += static_cast<float>(gain * event[i]);
  }
}

void add(Ring& ring, const Ring& other, double gain) {
  add_event(ring, 0, other, gain);
}

double rms(std::span<const float> samples) {
  double power = 0;
  for (const float sample : samples) power += static_cast<double>(sample) * sample;
  return samples.empty() ? 0.0 : std::sqrt(power / static_cast<double>(samples.size()));
}

void normalise(Ring& ring) {
  const double level = rms(ring);
  if (level <= 0) return;
  for (float& sample : ring) sample = static_cast<float>(sample / level);
}

Ring mains_hum(Dice& dice) {
  // 50 Hz and its harmonics, each at the nearest line of the ring. Rectifiers make the even ones the
  // stronger.
  Ring ring(kRing, 0.0F);
  const std::size_t base =
      static_cast<std::size_t>(std::lround(50.0 * static_cast<double>(kRing) / kSignalRate));
  for (std::size_t harmonic = 1; line_frequency(harmonic * base) < 2000.0; ++harmonic) {
    const double amplitude = (harmonic % 2 == 0 ? 1.0 : 0.4) / static_cast<double>(harmonic);
    const double phase = dice.between(0, 2.0 * kPi);
    const double step = 2.0 * kPi * static_cast<double>(harmonic * base) / static_cast<double>(kRing);
    for (std::size_t i = 0; i < kRing; ++i) {
      ring[i] += static_cast<float>(amplitude * std::sin(phase + step * static_cast<double>(i)));
    }
  }
  normalise(ring);
  const Ring hiss = shaped_noise(dice, [](double) { return 1.0; });
  add(ring, hiss, 0.02);
  return ring;
}

Ring keyboard(Dice& dice) {
  Ring ring(kRing, 0.0F);
  double at = 0;
  while (at < static_cast<double>(kRing) / kSignalRate) {
    const std::size_t keys = 3 + dice.index(9);  // a word
    for (std::size_t key = 0; key < keys; ++key) {
      const auto start = static_cast<std::size_t>(at * kSignalRate);
      const double loudness = dice.between(0.5, 1.0);
      add_event(ring, start, struck(dice, dice.between(1600, 2600), dice.between(4, 8), 0.7), loudness);
      // The key coming up again.
      const auto release = start + static_cast<std::size_t>(dice.between(0.06, 0.11) * kSignalRate);
      add_event(ring, release, struck(dice, dice.between(2200, 3200), dice.between(2, 4), 0.7),
                0.4 * loudness);
      at += dice.between(0.09, 0.24);
    }
    at += dice.between(0.2, 0.9);
  }
  normalise(ring);
  const Ring room = shaped_noise(dice, [](double frequency) { return 1.0 / std::sqrt(frequency + 50.0); });
  add(ring, room, 0.05);
  return ring;
}

Ring street(Dice& dice) {
  const auto rumble = [](double frequency) { return 1.0 / (1.0 + std::pow(frequency / 250.0, 1.3)); };
  Ring ring = shaped_noise(dice, rumble);
  for (float& sample : ring) sample *= 0.5F;
  // Cars that pass: tyre noise under a bell of a few seconds.
  const auto tyres = [](double frequency) { return 1.0 / (1.0 + std::pow(frequency / 900.0, 2.0)); };
  for (int car = 0; car < 5; ++car) {
    const Ring noise = shaped_noise(dice, tyres);
    const auto length = static_cast<std::size_t>(dice.between(3.0, 7.0) * kSignalRate);
    std::vector<float> pass(length);
    for (std::size_t i = 0; i < length; ++i) {
      const double bell =
          0.5 - 0.5 * std::cos(2.0 * kPi * static_cast<double>(i) / static_cast<double>(length));
      pass[i] = static_cast<float>(bell * bell * noise[i]);
    }
    add_event(ring, dice.index(kRing), pass, dice.between(0.6, 1.3));
  }
  return ring;
}

Ring cafe(Dice& dice, const std::vector<media::ClipPtr>& voices) {
  Ring ring = babble(dice, 8, voices);
  normalise(ring);
  const Ring room = shaped_noise(dice, [](double frequency) { return 1.0 / std::sqrt(frequency + 50.0); });
  add(ring, room, 0.3);
  // Cups and spoons.
  for (int clink = 0; clink < 24; ++clink) {
    add_event(ring, dice.index(kRing), struck(dice, dice.between(1900, 3300), dice.between(12, 45), 0.08),
              dice.between(0.4, 1.6));
  }
  return ring;
}

double rms_in_channel(std::span<const float> loop, int rate) {
  // A windowed-sinc band-pass, run around the loop so that its seam is measured as it will be played.
  constexpr int kHalf = 200;
  std::array<float, 2 * kHalf + 1> taps{};
  for (std::size_t tap = 0; tap < taps.size(); ++tap) {
    const double t = static_cast<double>(tap) - kHalf;  // samples from the middle
    const auto lobe = [&](double frequency) {
      const double omega = 2.0 * frequency / rate;
      return t == 0 ? omega : std::sin(kPi * omega * t) / (kPi * t);
    };
    const double window = 0.42 + 0.5 * std::cos(kPi * t / kHalf) + 0.08 * std::cos(2.0 * kPi * t / kHalf);
    taps[tap] = static_cast<float>(window * (lobe(kChannelHigh) - lobe(kChannelLow)));
  }
  const std::size_t size = loop.size();
  if (size == 0) return 0;
  // Tap by tap over a block of outputs: that order of additions the compiler can do several at a time.
  constexpr std::size_t kBlock = 1024;
  std::vector<float> unrolled(loop.begin(), loop.end());
  for (std::size_t i = 0; i < taps.size() + kBlock; ++i) unrolled.push_back(loop[i % size]);
  double power = 0;
  for (std::size_t start = 0; start < size; start += kBlock) {
    std::array<float, kBlock> out{};
    for (std::size_t tap = 0; tap < taps.size(); ++tap) {
      const float* in = unrolled.data() + start + tap;
      for (std::size_t i = 0; i < kBlock; ++i) out[i] += taps[tap] * in[i];
    }
    const std::size_t used = std::min(kBlock, size - start);
    for (std::size_t i = 0; i < used; ++i) power += static_cast<double>(out[i]) * out[i];
  }
  return std::sqrt(power / static_cast<double>(size));
}

}  // namespace linecheck::engine
