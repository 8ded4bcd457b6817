// SPDX-License-Identifier: GPL-3.0-or-later
//
// People talking at once: made of clips of real utterances, or of syllables that only have speech's rhythm
// and formants.
#include <algorithm>
#include <array>
#include <cmath>

#include "engine/persona/noise_signals.h"

namespace linecheck::engine {
namespace {

using Formants = std::array<double, 3>;  // Hz
/// Mean formants of American English vowels of men, after Peterson and Barney (1952): /i I E ae a O U u/.
constexpr std::array<Formants, 8> kVowels = {{{270, 2290, 3010},
                                              {390, 1990, 2550},
                                              {530, 1840, 2480},
                                              {660, 1720, 2410},
                                              {730, 1090, 2440},
                                              {570, 840, 2410},
                                              {440, 1020, 2240},
                                              {300, 870, 2240}}};
constexpr Formants kBandwidths = {80, 110, 160};  // Hz

/// A two-pole resonance, as in a formant synthesiser.
class Resonance {
 public:
  double process(double input, double frequency, double bandwidth) {
    const double radius = std::exp(-std::numbers::pi * bandwidth / kSignalRate);
    const double b = 2.0 * radius * std::cos(2.0 * std::numbers::pi * frequency / kSignalRate);
    const double c = -radius * radius;
    const double output = (1.0 - b - c) * input + b * last_ + c * before_;
    before_ = last_;
    last_ = output;
    return output;
  }

 private:
  double last_ = 0;
  double before_ = 0;
};

/// One voice, who says syllables and pauses until the ring is full.
class Talker {
 public:
  explicit Talker(Dice& dice)
      : dice_(dice), pitch_(dice.between(95, 230)), tract_(pitch_ > 160 ? 1.15 : 1.0) {}

  void talk(Ring& ring, double gain) {
    std::size_t at = dice_.index(kRing);
    std::size_t left = kRing;
    while (left > 0) {
      for (std::size_t syllables = 4 + dice_.index(10); syllables > 0 && left > 0; --syllables) {
        const std::size_t length = std::min(left, seconds(dice_.between(0.13, 0.28)));
        add_event(ring, at, syllable(length), gain);
        at += length;
        left -= length;
      }
      const std::size_t pause = std::min(left, seconds(dice_.between(0.15, 0.7)));
      at += pause;
      left -= pause;
    }
  }

 private:
  static std::size_t seconds(double value) { return static_cast<std::size_t>(value * kSignalRate); }

  std::vector<float> syllable(std::size_t length) {
    const Formants& from = kVowels[dice_.index(kVowels.size())];
    const Formants& to = kVowels[dice_.index(kVowels.size())];
    const double glide = dice_.between(-0.15, 0.1);
    const double stress = dice_.between(0.5, 1.0);
    const std::size_t consonant = std::min(length / 2, seconds(dice_.between(0.02, 0.07)));
    std::array<Resonance, 3> formants;
    double phase = 0;
    std::vector<float> out(length);
    for (std::size_t i = 0; i < length; ++i) {
      const double x = static_cast<double>(i) / static_cast<double>(length);
      phase += pitch_ * (1.0 + glide * x) / kSignalRate;
      const bool pulse = phase >= 1.0;
      if (pulse) phase -= 1.0;
      const double breath = 0.03 * dice_.gaussian();
      const double source = i < consonant ? 0.25 * dice_.gaussian() : (pulse ? 1.0 : 0.0) + breath;
      double sample = source;
      for (std::size_t f = 0; f < formants.size(); ++f) {
        sample = formants[f].process(sample, tract_ * ((1.0 - x) * from[f] + x * to[f]), kBandwidths[f]);
      }
      out[i] = static_cast<float>(stress * std::sin(std::numbers::pi * x) * sample);
    }
    return out;
  }

  Dice& dice_;
  double pitch_;
  double tract_;
};

/// The clip at another pace and pitch, so that few clips make many talkers.
std::vector<float> at_ratio(const media::Clip& clip, double ratio) {
  const auto length = static_cast<std::size_t>(static_cast<double>(clip.samples.size()) / ratio);
  std::vector<float> out(length);
  for (std::size_t i = 0; i < length; ++i) {
    const double position = static_cast<double>(i) * ratio;
    const auto index = static_cast<std::size_t>(position);
    const double fraction = position - static_cast<double>(index);
    const double here = clip.samples[index];
    const double next = index + 1 < clip.samples.size() ? clip.samples[index + 1] : 0.0;
    out[i] = static_cast<float>(here + fraction * (next - here));
  }
  return out;
}

void talk_with_clips(Ring& ring, Dice& dice, double gain, const std::vector<media::ClipPtr>& voices) {
  const double ratio = dice.between(0.88, 1.14);
  std::size_t at = dice.index(kRing);
  std::size_t left = kRing;
  while (left > 0) {
    std::vector<float> utterance = at_ratio(*voices[dice.index(voices.size())], ratio);
    if (utterance.size() > left) {
      // The last one is cut where the first began, softly.
      utterance.resize(left);
      const std::size_t fade = std::min<std::size_t>(left, kSignalRate / 10);
      for (std::size_t i = 0; i < fade; ++i) {
        utterance[left - 1 - i] *= static_cast<float>(i) / static_cast<float>(fade);
      }
    }
    add_event(ring, at, utterance, gain);
    const std::size_t pause = static_cast<std::size_t>(dice.between(0.1, 0.8) * kSignalRate);
    at += utterance.size() + pause;
    left -= std::min(left, utterance.size() + pause);
  }
}

}  // namespace

Ring babble(Dice& dice, int talkers, const std::vector<media::ClipPtr>& voices) {
  std::vector<media::ClipPtr> usable;
  std::copy_if(voices.begin(), voices.end(), std::back_inserter(usable), [](const media::ClipPtr& clip) {
    return clip && !clip->samples.empty() && clip->rate == kSignalRate;
  });
  Ring ring(kRing, 0.0F);
  for (int talker = 0; talker < talkers; ++talker) {
    const double gain = std::pow(10.0, dice.between(-6, 2) / 20.0);  // some sit nearer than others
    Ring alone(kRing, 0.0F);
    if (usable.empty()) {
      Talker(dice).talk(alone, 1.0);
    } else {
      talk_with_clips(alone, dice, 1.0, usable);
    }
    normalise(alone);
    add(ring, alone, gain);
  }
  return ring;
}

}  // namespace linecheck::engine
