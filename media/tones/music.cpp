// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/tones/music.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "media/full_scale.h"
#include "media/speech/level.h"
#include "media/tones/spectrum.h"

namespace linecheck::media::tones {
namespace {

constexpr double kFrameMs = 20;
constexpr std::size_t kPauseFrames = 15;   // 300 ms: where speech breathes
constexpr std::size_t kLeastFrames = 500;  // 10 s
constexpr double kLeastMusicDbov = -50;    // and not
constexpr double kUnderLoudDb = 25;        // further under the loud parts: a pause
// Of the frames of a second, how many are quieter than half its mean amplitude (Saunders 1996; Scheirer and
// Slaney 1997): of generated speech without its pauses 0.20 and more, of generated music 0.12 and less.
constexpr double kMostQuietShare = 0.16;
// Of the looks, how many have a strongest partial that stays where it was for 80 ms; and how often in 10 s it
// becomes another one. Of speech at most 0.64 (a monotonous voice without its pauses), of music 0.82 and
// more. Hum stays for ever.
constexpr double kLeastHeldShare = 0.73;
constexpr double kLeastChanges = 4;
constexpr double kHeldRatio = 0.012;  // a fifth of a semitone and a bin
constexpr std::size_t kHeldLooks = 4;

struct Frame {
  double power = 0;  // mean square, full scale 1
  double partial_hz = 0;
};

std::vector<Frame> frames_of(std::span<const std::int16_t> samples, int rate) {
  const Spectrum spectrum;
  const std::size_t step = static_cast<std::size_t>(rate / 8000);
  const std::size_t size = 160 * step;
  std::vector<Frame> frames(samples.size() / size);
  std::array<std::int16_t, Spectrum::kLong> window;
  for (std::size_t n = 0; n < frames.size(); ++n) {
    const auto frame = samples.subspan(n * size, size);
    double energy = 0;
    for (const std::int16_t s : frame) energy += static_cast<double>(s) * s;
    frames[n].power = energy / (static_cast<double>(size) * kFullScale * kFullScale);
    if (speech::power_to_dbov(frames[n].power) < kLeastMusicDbov ||
        n * size + window.size() * step > samples.size())
      continue;
    // Below 4 kHz only; at 16 kHz by the mean of two neighbours, which is filter enough for a strongest
    // partial.
    for (std::size_t k = 0; k < window.size(); ++k) {
      const std::size_t at = n * size + k * step;
      window[k] = step == 1 ? samples[at] : static_cast<std::int16_t>((samples[at] + samples[at + 1]) / 2);
    }
    frames[n].partial_hz = spectrum.strongest(window);
  }
  return frames;
}

double quiet_share(std::span<const Frame> frames) {
  constexpr std::size_t kSecond = 50;
  std::size_t quiet = 0;
  std::size_t all = 0;
  for (std::size_t n = 0; n + kSecond <= frames.size(); n += kSecond) {
    const auto second = frames.subspan(n, kSecond);
    double mean = 0;
    for (const Frame& frame : second) mean += std::sqrt(frame.power) / kSecond;
    for (const Frame& frame : second) quiet += std::sqrt(frame.power) < mean / 2 ? 1 : 0;
    all += kSecond;
  }
  return all == 0 ? 1 : static_cast<double>(quiet) / static_cast<double>(all);
}

struct Held {
  double share = 0;
  double changes_in_10_s = 0;
};

Held held_partials(std::span<const Frame> frames) {
  std::size_t held = 0;
  std::size_t changes = 0;
  double last_hz = 0;
  for (std::size_t n = 0; n < frames.size();) {
    std::size_t end = n + 1;
    const double hz = frames[n].partial_hz;
    while (end < frames.size() && hz > 0 && std::abs(frames[end].partial_hz - hz) <= kHeldRatio * hz + 4)
      ++end;
    if (hz > 0 && end - n >= kHeldLooks) {
      held += end - n;
      if (last_hz > 0 && std::abs(hz - last_hz) > 0.04 * last_hz) ++changes;
      last_hz = hz;
    }
    n = end;
  }
  const auto count = static_cast<double>(frames.size());
  return {static_cast<double>(held) / count, static_cast<double>(changes) * 500 / count};
}

bool is_music(std::span<const Frame> frames) {
  if (quiet_share(frames) > kMostQuietShare) return false;
  const Held held = held_partials(frames);
  return held.share >= kLeastHeldShare && held.changes_in_10_s >= kLeastChanges;
}

}  // namespace

std::vector<ToneEvent> find_music(std::span<const std::int16_t> samples, int rate) {
  const std::vector<Frame> frames = frames_of(samples, rate);
  std::vector<double> powers;
  for (const Frame& frame : frames) {
    if (speech::power_to_dbov(frame.power) >= kLeastMusicDbov) powers.push_back(frame.power);
  }
  std::vector<ToneEvent> events;
  if (powers.size() < kLeastFrames) return events;
  const auto loud = powers.begin() + static_cast<std::ptrdiff_t>(powers.size() * 9 / 10);
  std::nth_element(powers.begin(), loud, powers.end());
  const double least = std::max(kLeastMusicDbov, speech::power_to_dbov(*loud) - kUnderLoudDb);
  const auto sounds = [&](std::size_t n) { return speech::power_to_dbov(frames[n].power) >= least; };
  for (std::size_t n = 0; n < frames.size();) {
    if (!sounds(n)) {
      ++n;
      continue;
    }
    std::size_t end = n + 1;  // behind the last that sounds
    for (std::size_t k = end; k < frames.size() && k - end < kPauseFrames; ++k) {
      if (sounds(k)) end = k + 1;
    }
    const auto stretch = std::span(frames).subspan(n, end - n);
    if (stretch.size() >= kLeastFrames && is_music(stretch)) {
      ToneEvent event;
      event.kind = ToneEvent::Kind::music;
      event.start_ms = static_cast<double>(n) * kFrameMs;
      event.end_ms = static_cast<double>(end) * kFrameMs;
      double power = 0;
      for (const Frame& frame : stretch) power += frame.power / static_cast<double>(stretch.size());
      event.level_dbm0 = speech::power_to_dbov(power) + kDbm0OfDbov;
      events.push_back(std::move(event));
    }
    n = end;
  }
  return events;
}

}  // namespace linecheck::media::tones
