// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "media/speech/annotate.h"
#include "tests/media/speech_signals.h"

using namespace linecheck::media::speech;
using namespace linecheck::tests;

TEST_CASE("annotate: an abrupt tone to the sample") {
  const auto spans = audible_spans(Line(1000).put(200.25, tone(300, 500, 5000)).samples(), 8000);
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].start_ms == doctest::Approx(200.25).epsilon(0.002));
  CHECK(spans[0].end_ms == doctest::Approx(500.25).epsilon(0.001));
}

TEST_CASE("annotate: a fade ends where it falls 30 dB under the active level") {
  // 1 s of tone, then a fade of 60 dB in 300 ms: -30 dB is half way.
  Samples clip = tone(1300, 500, 8000);
  for (std::size_t n = 8000; n < clip.size(); ++n)
    clip[n] = to_sample(clip[n] * std::pow(10.0, -60.0 / 20 * static_cast<double>(n - 8000) / 2400));
  const auto spans = audible_spans(Line(2000).put(0, clip).samples(), 8000);
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].end_ms == doctest::Approx(1150).epsilon(0.01));
}

TEST_CASE("annotate: pauses up to 80 ms are inside, longer ones part") {
  const auto count = [](double pause) {
    return audible_spans(
               Line(2000).put(100, tone(400, 300, 6000)).put(500 + pause, tone(400, 300, 6000)).samples(),
               8000)
        .size();
  };
  CHECK(count(70) == 1);
  CHECK(count(95) == 2);
}

TEST_CASE("annotate: silence, an empty clip, a single click") {
  CHECK(audible_spans({}, 8000).empty());
  CHECK(audible_spans(Samples(8000, 0), 8000).empty());
  CHECK(audible_spans(Samples(4, 12'000), 8000).empty());
}

TEST_CASE("annotate: rates that are no multiple of 1000") {
  const auto spans =
      audible_spans(Line(1000, 22'050).put(200, tone(300, 500, 5000, 22'050)).samples(), 22'050);
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].start_ms == doctest::Approx(200).epsilon(0.002));
  CHECK(spans[0].end_ms == doctest::Approx(500).epsilon(0.002));
}
