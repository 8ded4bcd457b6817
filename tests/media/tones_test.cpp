// SPDX-License-Identifier: GPL-3.0-or-later
//
// Tones made here, by the frequencies and cadences of ITU-T E.180 and T.30, clean and in noise, at both
// rates.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "media/tones/music.h"
#include "media/tones/plan.h"

using namespace linecheck::media;
using namespace linecheck::media::tones;

namespace {

using Samples = std::vector<std::int16_t>;

struct Burst {
  double hz[2];
  int on_ms;
  int off_ms;
};

/// 700 ms of silence, then the bursts over and over.
Samples cadence(const std::vector<Burst>& bursts, int times, int rate, double amplitude = 3000) {
  Samples audio(static_cast<std::size_t>(rate * 7 / 10));
  for (int n = 0; n < times; ++n) {
    for (const Burst& burst : bursts) {
      for (int i = 0; i < burst.on_ms * rate / 1000; ++i) {
        const double t = static_cast<double>(i) / rate;
        double sample = std::sin(2 * M_PI * burst.hz[0] * t);
        if (burst.hz[1] > 0) sample += std::sin(2 * M_PI * burst.hz[1] * t);
        audio.push_back(static_cast<std::int16_t>(std::lround(amplitude * sample)));
      }
      audio.resize(audio.size() + static_cast<std::size_t>(burst.off_ms * rate / 1000));
    }
  }
  return audio;
}

void add_noise(Samples& audio, double amplitude, unsigned seed = 3) {
  std::mt19937 random(seed);
  std::normal_distribution<double> noise(0, amplitude);
  for (auto& sample : audio)
    sample = static_cast<std::int16_t>(std::clamp(sample + std::lround(noise(random)), -32768L, 32767L));
}

/// Chords and a melody, whose notes are five partials each.
Samples organ(int seconds, int rate) {
  constexpr double kScale[] = {220, 246.9, 277.2, 293.7, 329.6, 370, 415.3, 440, 493.9, 554.4, 587.3};
  std::mt19937 random(4);
  std::vector<double> sum(static_cast<std::size_t>(seconds * rate));
  const auto note = [&](double hz, std::size_t at, std::size_t length, double loud) {
    for (std::size_t i = 0; i < length && at + i < sum.size(); ++i) {
      const double t = static_cast<double>(i) / rate;
      const double left = static_cast<double>(length - i) / rate;
      for (int partial = 1; partial < 6; ++partial)
        sum[at + i] +=
            loud * std::min({1.0, t / 0.02, left / 0.05}) * std::sin(2 * M_PI * hz * partial * t) / partial;
    }
  };
  const auto beat = static_cast<std::size_t>(rate) * 2 / 5;
  for (std::size_t at = 0; at < sum.size(); at += 2 * beat) {
    const std::size_t root = random() % 6;
    for (const std::size_t step : {0U, 2U, 4U}) note(kScale[root + step] / 2, at, 2 * beat, 0.5);
    note(kScale[3 + random() % 8], at, beat, 1);
    note(kScale[3 + random() % 8], at + beat, beat, 1);
  }
  Samples audio;
  for (const double sample : sum) audio.push_back(static_cast<std::int16_t>(std::lround(2000 * sample)));
  return audio;
}

struct Case {
  const char* name;
  ToneEvent::Kind kind;
  std::vector<Burst> bursts;
  int times;
  const char* country;  // among those that are named
};

const std::vector<Case>& cases() {
  using enum ToneEvent::Kind;
  static const std::vector<Case> kCases = {
      {"us ringback", ringback, {{{440, 480}, 2000, 4000}}, 2, "us"},
      {"us busy", busy, {{{480, 620}, 500, 500}}, 5, "us"},
      {"us congestion", congestion, {{{480, 620}, 250, 250}}, 8, "us"},
      {"us dial", dial, {{{350, 440}, 3000, 300}}, 1, "us"},
      {"gb ringback", ringback, {{{400, 450}, 400, 200}, {{400, 450}, 400, 2000}}, 3, "gb"},
      {"gb busy", busy, {{{400, 0}, 375, 375}}, 5, "gb"},
      {"de ringback", ringback, {{{425, 0}, 1000, 4000}}, 2, "de"},
      {"de busy", busy, {{{425, 0}, 480, 480}}, 5, "de"},
      {"de dial", dial, {{{425, 0}, 3000, 300}}, 1, "de"},
      {"fr busy", busy, {{{440, 0}, 500, 500}}, 5, "fr"},
      {"sit", sit, {{{914, 0}, 380, 0}, {{1371, 0}, 276, 0}, {{1777, 0}, 380, 500}}, 1, ""},
      {"cng", fax_calling, {{{1100, 0}, 500, 3000}}, 3, ""},
      {"ced", fax_answering, {{{2100, 0}, 2800, 500}}, 1, ""},
      {"beep 1000", beep, {{{1000, 0}, 400, 600}}, 1, ""},
      {"beep 440", beep, {{{440, 0}, 800, 600}}, 1, ""},
      {"beep 1400", beep, {{{1400, 0}, 200, 600}}, 1, ""},
  };
  return kCases;
}

}  // namespace

TEST_CASE("tones: each is one event of its kind, where it is, clean and down to 10 dB over noise") {
  for (const Case& one : cases()) {
    for (const int rate : {8000, 16000}) {
      for (const double noise : {0.0, 200.0, 670.0}) {
        Samples audio = cadence(one.bursts, one.times, rate);
        if (noise > 0) add_noise(audio, noise);
        const auto events = find_tones(audio, rate);
        CAPTURE(one.name);
        CAPTURE(rate);
        CAPTURE(noise);
        REQUIRE(events.size() == 1);
        const ToneEvent& event = events[0];
        CHECK(tone_name(event.kind) == tone_name(one.kind));
        CHECK(std::abs(event.start_ms - 700) <= 20);
        double end = 700;
        for (const Burst& burst : one.bursts) end += (burst.on_ms + burst.off_ms) * one.times;
        CHECK(std::abs(event.end_ms - (end - one.bursts.back().off_ms)) <= 20);
        CHECK(std::abs(event.low_hz - one.bursts[0].hz[0]) <= 8);
        CHECK(std::abs(event.high_hz - one.bursts[0].hz[1]) <= 8);
        CHECK(event.countries.find(one.country) != std::string::npos);
        CHECK(event.bursts == static_cast<int>(one.bursts.size()) * one.times);
      }
    }
  }
}

TEST_CASE("tones: the cadence as it was heard; the level") {
  const auto events = find_tones(cadence({{{480, 620}, 500, 500}}, 4, 8000), 8000);
  REQUIRE(events.size() == 1);
  CHECK((events[0].cadence == "500 on, 500 off" || events[0].cadence == "490 on, 510 off"));
  CHECK(events[0].level_dbm0 == doctest::Approx(20 * std::log10(3000 / 32768.0) + 3.14 + 3.01).epsilon(0.05));
}

TEST_CASE("tones: noise, hum, keys and a tone that means nothing are none") {
  for (const int rate : {8000, 16000}) {
    CAPTURE(rate);
    Samples noise(static_cast<std::size_t>(60 * rate));
    add_noise(noise, 2000);
    CHECK(find_tones(noise, rate).empty());
    CHECK(find_music(noise, rate).empty());
    Samples hum = cadence({{{50, 100}, 20000, 0}}, 1, rate);
    add_noise(hum, 50);
    CHECK(find_tones(hum, rate).empty());
    CHECK(find_music(hum, rate).empty());
    CHECK(find_tones(cadence({{{697, 1209}, 150, 150}}, 6, rate), rate).empty());
    CHECK(find_tones(cadence({{{1000, 0}, 5000, 1000}}, 1, rate), rate).empty());  // too long for a beep
    CHECK(find_music(cadence({{{440, 480}, 12000, 1000}}, 1, rate), rate).empty());
  }
}

TEST_CASE("tones: two in a row are two; silence and nothing are nothing") {
  Samples audio = cadence({{{440, 480}, 2000, 4000}}, 2, 8000);
  const Samples then = cadence({{{480, 620}, 500, 500}}, 4, 8000);
  audio.insert(audio.end(), then.begin(), then.end());
  const auto events = find_tones(audio, 8000);
  REQUIRE(events.size() == 2);
  CHECK(events[0].kind == ToneEvent::Kind::ringback);
  CHECK(events[1].kind == ToneEvent::Kind::busy);
  CHECK(find_tones({}, 8000).empty());
  CHECK(find_music({}, 8000).empty());
  CHECK(find_tones(Samples(100), 16000).empty());
  CHECK(find_music(Samples(200'000), 16000).empty());
}

TEST_CASE("music on hold is one event") {
  for (const int rate : {8000, 16000}) {
    CAPTURE(rate);
    Samples audio(static_cast<std::size_t>(2 * rate));
    const Samples music = organ(15, rate);
    audio.insert(audio.end(), music.begin(), music.end());
    audio.resize(audio.size() + static_cast<std::size_t>(2 * rate));
    const auto events = find_music(audio, rate);
    REQUIRE(events.size() == 1);
    CHECK(events[0].kind == ToneEvent::Kind::music);
    CHECK(std::abs(events[0].start_ms - 2000) <= 60);
    CHECK(std::abs(events[0].end_ms - 17000) <= 100);
    Samples noisy = audio;
    add_noise(noisy, 100);
    CHECK(find_music(noisy, rate).size() == 1);
    CHECK(find_music(organ(8, rate), rate).empty());  // too short to be called so
  }
}

TEST_CASE("tones: names") {
  for (const Case& one : cases()) CHECK(tone_named(tone_name(one.kind)) == one.kind);
  CHECK(tone_named("music") == ToneEvent::Kind::music);
  CHECK_FALSE(tone_named("hiss").has_value());
}
