// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "media/speech/level.h"
#include "tests/media/speech_signals.h"

using namespace linecheck::media::speech;
using namespace linecheck::tests;

TEST_CASE("levels are relative to a full-scale square wave") {
  CHECK(rms_dbov(tone(1000, 1000, 32767)) == doctest::Approx(-3.01).epsilon(0.01));
  CHECK(rms_dbov(Samples(800, 32767)) == doctest::Approx(0).epsilon(0.01));
  CHECK(rms_dbov(Samples(800, 0)) == kSilenceDbov);
  CHECK(rms_dbov({}) == kSilenceDbov);
  CHECK(power_to_dbov(0) == kSilenceDbov);
  CHECK(power_to_dbov(dbov_to_power(-26)) == doctest::Approx(-26));
}

TEST_CASE("active level: steady speech has the level that it has") {
  const Samples speech = voice(8000);
  const auto level = active_level(speech, 8000);
  REQUIRE(level);
  CHECK(level->active_dbov == doctest::Approx(rms_dbov(speech)).epsilon(0.02));
  CHECK(level->activity > 0.95);
}

TEST_CASE(
    "active level: pauses do not lower it, beyond the hangover of 200 ms that the recommendation counts") {
  Line line(20'000);
  for (int n = 0; n < 5; ++n) line.put(4000 * n, tone(2000, 500, 2000));
  const double on = rms_dbov(tone(2000, 500, 2000));
  const auto level = active_level(line.samples(), 8000);
  REQUIRE(level);
  CHECK(level->long_term_dbov == doctest::Approx(on - 3.01).epsilon(0.01));
  CHECK(level->active_dbov == doctest::Approx(on - 10 * std::log10(2.26 / 2.0)).epsilon(0.01));
  CHECK(level->activity == doctest::Approx(2.26 / 4.0).epsilon(0.03));
}

TEST_CASE("active level: noise far below the speech is no activity") {
  Line line(10'000);
  line.put(1000, voice(4000)).white_noise(-66);
  const auto level = active_level(line.samples(), 8000);
  REQUIRE(level);
  CHECK(level->active_dbov == doctest::Approx(-26).epsilon(0.03));
  CHECK(level->activity == doctest::Approx(0.42).epsilon(0.1));
}

TEST_CASE("active level: silence has none") {
  CHECK_FALSE(active_level(Samples(8000, 0), 8000));
  CHECK_FALSE(active_level({}, 8000));
}

TEST_CASE("clipping is runs at the rail, single peaks are not") {
  Samples speech = voice(1000);
  CHECK(clipped_percent(speech) == 0);
  speech[100] = 32767;
  CHECK(clipped_percent(speech) == 0);
  for (std::size_t n = 200; n < 280; ++n) speech[n] = -32768;
  CHECK(clipped_percent(speech) == doctest::Approx(1.0));
  CHECK(clipped_percent({}) == 0);
}
