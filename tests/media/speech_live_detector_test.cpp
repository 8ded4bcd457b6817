// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "media/speech/live_detector.h"
#include "tests/media/speech_signals.h"

using namespace linecheck::media::speech;
using namespace linecheck::tests;

namespace {

struct Heard {
  double start_ms = 0;
  double end_ms = -1;
  double start_decided_ms = 0;
  double end_decided_ms = 0;
};

std::vector<Heard> listen(const Samples& samples, LiveOptions options = {}) {
  LiveDetector detector(options);
  const auto ms = [&](std::int64_t n) { return static_cast<double>(n) * 1000 / options.rate; };
  const auto frame = static_cast<std::size_t>(options.rate / 100);
  std::vector<Heard> heard;
  for (std::size_t at = 0; at + frame <= samples.size(); at += frame) {
    const auto event = detector.process(std::span(samples).subspan(at, frame));
    if (!event) continue;
    if (event->kind == linecheck::media::speech::LiveEvent::Kind::started) {
      heard.push_back({ms(event->at_sample), -1, ms(event->decided_sample), 0});
    } else {
      heard.back().end_ms = ms(event->at_sample);
      heard.back().end_decided_ms = ms(event->decided_sample);
    }
  }
  return heard;
}

}  // namespace

TEST_CASE("live detector: back-dates both ends and says when it knew") {
  const auto heard = listen(Line(5000).put(1000, voice(1500)).mu_law().samples());
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].start_ms == doctest::Approx(1000).epsilon(0.022));
  CHECK(heard[0].end_ms == doctest::Approx(2500).epsilon(0.024));
  CHECK(heard[0].start_decided_ms - heard[0].start_ms >= 30);
  CHECK(heard[0].start_decided_ms - heard[0].start_ms <= 60);
  CHECK(heard[0].end_decided_ms - heard[0].end_ms == doctest::Approx(300).epsilon(0.04));
}

TEST_CASE("live detector: silence and steady noise are no speech") {
  CHECK(listen(Samples(80'000, 0)).empty());
  CHECK(listen(Line(10'000).white_noise(-70).samples()).empty());
  // Nor noise that is there from the first sample, at any level.
  for (const double dbov : {-60.0, -50.0, -46.0, -40.0, -36.0, -30.0}) {
    CAPTURE(dbov);
    CHECK(listen(Line(10'000).white_noise(dbov).samples()).empty());
    CHECK(listen(Line(10'000).white_noise(dbov, 11).mu_law().samples()).empty());
  }
}

TEST_CASE("live detector: speech over noise that was there first, from its beginning on") {
  for (const double at : {300.0, 700.0, 2000.0}) {
    CAPTURE(at);
    const auto heard = listen(Line(6000).put(at, voice(2000)).white_noise(-46).mu_law().samples());
    REQUIRE(heard.size() == 1);
    CHECK(std::abs(heard[0].start_ms - at) <= 200);
    CHECK(std::abs(heard[0].end_ms - (at + 2000)) <= 100);
  }
}

TEST_CASE("live detector: speech in the very first frame, and a line that ends while it speaks") {
  const auto first = listen(Line(3000).put(0, voice(1000)).samples());
  REQUIRE(first.size() == 1);
  CHECK(first[0].start_ms <= 30);
  const auto last = listen(voice(1000));
  REQUIRE(last.size() == 1);
  CHECK(last[0].end_ms == -1);
}

TEST_CASE("live detector: a quiet speaker on a silent line, speech over noise, a click") {
  VoiceOptions quiet;
  quiet.level_dbov = -45;
  CHECK(listen(Line(4000).put(1000, voice(1000, quiet)).mu_law().samples()).size() == 1);

  const auto noisy = listen(Line(10'000).put(4000, voice(2000)).white_noise(-46).mu_law().samples());
  std::size_t late = 0;
  for (const Heard& h : noisy) {
    if (h.start_ms < 1500) continue;
    ++late;
    CHECK(h.start_ms == doctest::Approx(4000).epsilon(0.02));
    CHECK(h.end_ms == doctest::Approx(6000).epsilon(0.02));
  }
  CHECK(late == 1);

  CHECK(listen(Line(3000).put(1000, tone(15, 700, 9000)).samples()).empty());
}

TEST_CASE("live detector: pauses of 200 ms do not end a segment, pauses of 400 ms do") {
  const auto pause = [](double ms) {
    VoiceOptions sharp;
    sharp.release_ms = 5;
    return listen(Line(6000).put(1000, voice(1000, sharp)).put(2000 + ms, voice(1000, sharp)).samples())
        .size();
  };
  CHECK(pause(200) == 1);
  CHECK(pause(400) == 2);
}

TEST_CASE("live detector: works at 16 kHz") {
  LiveOptions options;
  options.rate = 16'000;
  const auto heard = listen(Line(4000, 16'000).put(1000, voice(1000, {}, 16'000)).samples(), options);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].start_ms == doctest::Approx(1000).epsilon(0.025));
}
