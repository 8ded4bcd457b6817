// SPDX-License-Identifier: GPL-3.0-or-later
//
// Boundaries against truth: the clip's own annotation, moved to where the clip was put on the line.
#include <doctest/doctest.h>

#include <ctime>

#include "media/speech/annotate.h"
#include "media/speech/refine.h"
#include "tests/media/speech_signals.h"

using namespace linecheck::media::speech;
using namespace linecheck::tests;

namespace {

/// Spans with their pauses of up to 500 ms bridged, as turns are.
std::vector<RefinedSpan> turns(const std::vector<RefinedSpan>& spans) {
  std::vector<RefinedSpan> merged;
  for (const RefinedSpan& span : spans) {
    if (!merged.empty() && span.start_ms - merged.back().end_ms <= 500)
      merged.back().end_ms = span.end_ms;
    else
      merged.push_back(span);
  }
  return merged;
}

struct Errors {
  std::vector<double> start;
  std::vector<double> end;
  std::size_t missed = 0;
  std::size_t spurious = 0;
};

double worst(const std::vector<double>& errors) {
  double most = 0;
  for (const double e : errors) most = std::max(most, std::abs(e));
  return most;
}

/// Twelve utterances of different voices on one line.
template <typename Spoil>
Errors measure(Spoil spoil, int rate = 8000) {
  Line line(40'000, rate);
  std::vector<linecheck::media::Span> truth;
  double at = 1234.5;
  for (unsigned n = 0; n < 12; ++n) {
    VoiceOptions options;
    options.seed = n + 1;
    options.pitch_hz = 90 + 12 * n;
    options.attack_ms = 4 + 3 * n;
    options.release_ms = 20 + 8 * n;
    const Samples clip = voice(500 + 90 * n, options, rate);
    const auto audible = audible_spans(clip, rate);
    REQUIRE_FALSE(audible.empty());
    truth.push_back({at + audible.front().start_ms, at + audible.back().end_ms});
    line.put(at, clip);
    at += 1700 + 111.125 * n;
  }
  spoil(line);
  const auto found = turns(refine(line.samples(), rate));
  Errors errors;
  std::vector<bool> used(found.size());
  for (const auto& t : truth) {
    bool hit = false;
    for (std::size_t n = 0; n < found.size(); ++n) {
      if (found[n].end_ms < t.start_ms || found[n].start_ms > t.end_ms) continue;
      hit = used[n] = true;
      errors.start.push_back(found[n].start_ms - t.start_ms);
      errors.end.push_back(found[n].end_ms - t.end_ms);
      break;
    }
    if (!hit) ++errors.missed;
  }
  errors.spurious = static_cast<std::size_t>(std::count(used.begin(), used.end(), false));
  return errors;
}

}  // namespace

TEST_CASE("refine: clean through G.711 to a few milliseconds") {
  const Errors errors = measure([](Line& line) { line.mu_law(); });
  CHECK(errors.missed == 0);
  CHECK(errors.spurious == 0);
  CHECK(worst(errors.start) <= 5);
  CHECK(worst(errors.end) <= 10);
}

TEST_CASE("refine: as good at 16 kHz") {
  const Errors clean = measure([](Line& line) { line.white_noise(-75); }, 16'000);
  CHECK(clean.missed + clean.spurious == 0);
  CHECK(worst(clean.start) <= 5);
  CHECK(worst(clean.end) <= 10);
  const Errors noisy = measure([](Line& line) { line.white_noise(-46); }, 16'000);
  CHECK(noisy.missed + noisy.spurious == 0);
  CHECK(worst(noisy.start) <= 25);
  CHECK(worst(noisy.end) <= 60);
}

TEST_CASE("refine: a DC offset and a quiet line's hiss change nothing to speak of") {
  const Errors offset = measure([](Line& line) { line.offset(300); });
  CHECK(worst(offset.start) <= 5);
  CHECK(worst(offset.end) <= 10);
  const Errors hiss = measure([](Line& line) { line.white_noise(-68).mu_law(); });
  CHECK(hiss.missed + hiss.spurious == 0);
  CHECK(worst(hiss.start) <= 5);
  CHECK(worst(hiss.end) <= 10);
}

TEST_CASE("refine: at 20 and 10 dB nothing is missed or invented") {
  const Errors mild = measure([](Line& line) { line.white_noise(-46).mu_law(); });
  CHECK(mild.missed + mild.spurious == 0);
  CHECK(worst(mild.start) <= 25);
  CHECK(worst(mild.end) <= 60);
  const Errors harsh = measure([](Line& line) { line.white_noise(-36).mu_law(); });
  CHECK(harsh.missed + harsh.spurious == 0);
  CHECK(worst(harsh.start) <= 60);
  CHECK(worst(harsh.end) <= 180);
}

TEST_CASE("refine: an abrupt tone is found to the sample, and its uncertainty is small") {
  const auto spans = refine(Line(3000).put(1000.125, tone(500, 440, 4000)).samples(), 8000);
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].start_ms == doctest::Approx(1000.125).epsilon(0.0005));
  CHECK(spans[0].end_ms == doctest::Approx(1500.125).epsilon(0.0005));
  CHECK(spans[0].uncertainty_ms <= 2);
}

TEST_CASE("refine: uncertainty grows with the noise") {
  const auto uncertainty = [](double noise_dbov) {
    VoiceOptions fading;
    fading.release_ms = 120;
    const auto spans =
        refine(Line(6000).put(2000, voice(1500, fading)).white_noise(noise_dbov).samples(), 8000);
    REQUIRE_FALSE(spans.empty());
    return spans.back().end_uncertainty_ms;
  };
  CHECK(uncertainty(-75) <= 3);
  CHECK(uncertainty(-46) > uncertainty(-75));
  CHECK(uncertainty(-36) > uncertainty(-46));
}

TEST_CASE("refine: pauses over 80 ms part spans, shorter ones do not") {
  VoiceOptions sharp;
  sharp.attack_ms = 1;
  sharp.release_ms = 1;
  const auto count = [&](double pause) {
    return refine(Line(5000).put(1000, voice(800, sharp)).put(1800 + pause, voice(800, sharp)).samples(),
                  8000)
        .size();
  };
  CHECK(count(60) == 1);
  CHECK(count(110) == 2);
}

TEST_CASE("refine: nothing to find") {
  CHECK(refine({}, 8000).empty());
  CHECK(refine(Samples(3, 100), 8000).empty());
  CHECK(refine(Samples(40'000, 0), 8000).empty());
  CHECK(refine(Samples(40'000, 8), 8000).empty());  // A-law's idle code
  CHECK(refine(Line(10'000).white_noise(-72).samples(), 8000).empty());
}

TEST_CASE("refine: speech that begins with the first and ends with the last sample") {
  const auto spans = turns(refine(voice(2000), 8000));
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].start_ms <= 10);
  CHECK(spans[0].end_ms >= 1970);
}

TEST_CASE("refine: levels of speech and noise") {
  const Line line = Line(12'000).put(2000, voice(3000)).put(7000, voice(3000)).white_noise(-50);
  const auto spans = refine(line.samples(), 8000);
  const auto levels = channel_levels(line.samples(), 8000, spans);
  REQUIRE(levels.has_speech);
  REQUIRE(levels.has_noise);
  CHECK(levels.speech_dbov == doctest::Approx(-26).epsilon(0.03));
  CHECK(levels.noise_dbov == doctest::Approx(-50).epsilon(0.01));
  const auto silent = channel_levels(Samples(16'000, 0), 8000, {});
  CHECK_FALSE(silent.has_speech);
  CHECK(silent.noise_dbov == kSilenceDbov);
}

TEST_CASE("refine: a minute costs far less than 50 ms of CPU") {
  Line line(60'000);
  for (int n = 0; n < 12; ++n) line.put(5000 * n + 500, voice(2500));
  line.white_noise(-60).mu_law();
  const std::clock_t before = std::clock();
  const auto spans = refine(line.samples(), 8000);
  const double ms = 1000.0 * static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  CHECK(turns(spans).size() == 12);
  MESSAGE("refine: ", ms, " ms of CPU for a minute");
#ifdef NDEBUG  // sanitizers need more
  CHECK(ms < 50);
#endif
}
