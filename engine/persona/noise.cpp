// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/noise.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <utility>

#include "engine/persona/clip_shaping.h"
#include "engine/persona/noise_signals.h"
#include "engine/persona/sound_file.h"

namespace linecheck::engine {
namespace {

constexpr double kLowestSnrDb = -10;
constexpr double kHighestSnrDb = 60;
constexpr double kFullScale = 32768.0;
constexpr double kQuietest = 1e-6;  ///< RMS of a file that counts as silent
constexpr std::size_t kShortestLoopSeconds = 10;
constexpr std::size_t kOverlap = 512;  ///< more than the resampler looks to either side

Ring synthesise(const std::string& name, Dice& dice, const std::vector<media::ClipPtr>& voices) {
  if (name == "white") return shaped_noise(dice, [](double) { return 1.0; });
  if (name == "pink") return shaped_noise(dice, [](double frequency) { return 1.0 / std::sqrt(frequency); });
  if (name == "brown") return shaped_noise(dice, [](double frequency) { return 1.0 / frequency; });
  if (name == "car") {
    // Engine and road fill 20-300 Hz; above that the cabin swallows 12 dB an octave.
    return shaped_noise(dice, [](double frequency) {
      if (frequency < 20) return frequency / 20.0;
      return frequency <= 300 ? 1.0 : std::pow(300.0 / frequency, 2.0);
    });
  }
  if (name == "hum") return mains_hum(dice);
  if (name == "keyboard") return keyboard(dice);
  if (name == "babble") return babble(dice, 6 + static_cast<int>(dice.index(5)), voices);
  if (name == "street") return street(dice);
  return cafe(dice, voices);
}

/// Whatever a file holds, as a loop: repeated until it is long enough, each end blended into the next
/// beginning at equal power.
std::vector<float> loop_of(const std::vector<float>& sound, int rate) {
  const std::size_t shortest = kShortestLoopSeconds * static_cast<std::size_t>(rate);
  const std::size_t fade = std::min(static_cast<std::size_t>(rate / 4), sound.size() / 2);
  const std::size_t step = sound.size() - fade;
  const std::size_t repeats = (shortest + step - 1) / step;
  std::vector<float> loop(repeats * step, 0.0F);
  for (std::size_t repeat = 0; repeat < repeats; ++repeat) {
    for (std::size_t i = 0; i < sound.size(); ++i) {
      double gain = 1.0;
      const auto ramp = [&](std::size_t n) {
        return std::sin(std::numbers::pi / 2.0 * (static_cast<double>(n) + 0.5) / static_cast<double>(fade));
      };
      if (i < fade) gain = ramp(i);
      if (i >= step) gain = ramp(sound.size() - 1 - i);
      loop[(repeat * step + i) % loop.size()] += static_cast<float>(gain * sound[i]);
    }
  }
  return loop;
}

/// A loop at another rate, still without a seam: it is resampled with its ends around it.
std::vector<float> loop_at(const std::vector<float>& loop, int from, int to) {
  if (from == to) return loop;
  std::vector<float> unrolled;
  for (std::size_t i = 0; i < loop.size() + 2 * kOverlap; ++i) {
    unrolled.push_back(loop[(i + loop.size() - kOverlap) % loop.size()]);
  }
  const std::vector<float> resampled = resample(unrolled, from, to);
  const auto scaled = [&](std::size_t samples) {
    return static_cast<std::ptrdiff_t>(samples * static_cast<std::size_t>(to) /
                                       static_cast<std::size_t>(from));
  };
  return {resampled.begin() + scaled(kOverlap), resampled.begin() + scaled(kOverlap + loop.size())};
}

}  // namespace

const std::vector<std::string>& noise_names() {
  static const std::vector<std::string> names = {"off", "white",    "pink",   "brown",  "car",
                                                 "hum", "keyboard", "babble", "street", "cafe"};
  return names;
}

std::optional<std::string> noise_problem(const std::string& name, double snr_db) {
  if (name == "off") return std::nullopt;
  if (!(snr_db >= kLowestSnrDb && snr_db <= kHighestSnrDb)) {
    return "a signal-to-noise ratio of " + std::to_string(snr_db) + " dB is outside -10 .. 60 dB";
  }
  const std::vector<std::string>& names = noise_names();
  if (std::find(names.begin(), names.end(), name) != names.end()) return std::nullopt;
  try {
    sound_file_seconds(name);
    return std::nullopt;
  } catch (const std::exception& error) {
    std::string known;
    for (const std::string& one : names) known += (known.empty() ? "" : ", ") + one;
    return "background noise \"" + name + "\" is none of " + known + ", nor a sound file that can be read (" +
           error.what() + ")";
  }
}

NoiseBed make_noise_bed(const std::string& name, double snr_db, std::uint64_t seed,
                        const std::vector<media::ClipPtr>& voices, int rate) {
  if (const auto problem = noise_problem(name, snr_db)) throw std::invalid_argument(*problem);
  if (name == "off") return {};

  std::vector<float> loop;
  const std::vector<std::string>& names = noise_names();
  if (std::find(names.begin(), names.end(), name) != names.end()) {
    Dice dice(seed);
    loop = synthesise(name, dice, voices);
    through_telephone(loop);
    loop = loop_at(loop, kSignalRate, rate);
  } else {
    std::vector<float> sound;
    try {
      sound = read_sound_file(name, kLongestSoundSeconds, rate);
    } catch (const std::runtime_error& error) {
      throw std::invalid_argument(error.what());
    }
    loop = loop_of(sound, rate);
  }

  const double raw = rms_in_channel(loop, rate);
  if (raw < kQuietest) throw std::invalid_argument(name + ": nothing of it is left between 300 and 3400 Hz");
  const double wanted = kFullScale * std::pow(10.0, (kSpeechLevelDbov - snr_db) / 20.0);
  for (float& sample : loop) sample = static_cast<float>(sample * wanted / raw);

  auto clip = std::make_shared<media::Clip>();
  clip->rate = rate;
  clip->samples = to_s16(loop);
  const double level = rms_in_channel(to_float(clip->samples), rate) / kFullScale;
  NoiseBed bed;
  bed.level_dbov = level > 0 ? 20.0 * std::log10(level) : -100.0;
  bed.snr_db = kSpeechLevelDbov - bed.level_dbov;
  bed.clip = std::move(clip);
  return bed;
}

}  // namespace linecheck::engine
