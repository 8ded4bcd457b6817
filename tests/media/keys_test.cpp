// SPDX-License-Identifier: GPL-3.0-or-later
//
// Keys by their sound, and those whose time the leg only keeps.
#include <doctest/doctest.h>

#include <random>

#include "media/dtmf_tone.h"
#include "media/inband_keys.h"
#include "tests/media/virtual_leg.h"

using namespace linecheck::media;
using namespace linecheck::media::test;

namespace {

/// Two sines, written down here anew: dtmf_tone() is not to be judged by itself.
void add_key(std::vector<std::int16_t>& audio, char digit, int ms, int rate, double amplitude = 4000) {
  constexpr std::string_view kKeys = "123A456B789C*0#D";
  constexpr double kRows[] = {697, 770, 852, 941};
  constexpr double kColumns[] = {1209, 1336, 1477, 1633};
  const std::size_t key = kKeys.find(digit);
  for (int n = 0; n < ms * rate / 1000; ++n) {
    const double t = static_cast<double>(n) / rate;
    audio.push_back(static_cast<std::int16_t>(std::lround(
        amplitude * (std::sin(2 * M_PI * kRows[key / 4] * t) + std::sin(2 * M_PI * kColumns[key % 4] * t)))));
  }
}

void add_silence(std::vector<std::int16_t>& audio, int ms, int rate) {
  audio.resize(audio.size() + static_cast<std::size_t>(ms * rate / 1000));
}

void add_noise(std::vector<std::int16_t>& audio, double amplitude) {
  std::mt19937 random(5);
  std::normal_distribution<double> noise(0, amplitude);
  for (auto& sample : audio) sample = static_cast<std::int16_t>(sample + std::lround(noise(random)));
}

std::string text_of(const std::vector<DigitEvent>& keys) {
  std::string text;
  for (const DigitEvent& key : keys) text += key.digit;
  return text;
}

}  // namespace

TEST_CASE("keys by their sound: all of them, where they are, in noise") {
  for (const int rate : {kNarrowRate, kWideRate}) {
    CAPTURE(rate);
    for (const double noise : {0.0, 200.0, 700.0}) {  // clean, 26 and 15 dB
      CAPTURE(noise);
      std::vector<std::int16_t> audio;
      add_silence(audio, 500, rate);
      for (const char digit : std::string_view("0123456789*#ABCD")) {
        add_key(audio, digit, 80, rate);
        add_silence(audio, 70, rate);
      }
      add_silence(audio, 300, rate);
      if (noise > 0) add_noise(audio, noise);
      const auto keys = find_keys(audio, rate);
      REQUIRE(text_of(keys) == "0123456789*#ABCD");
      for (std::size_t n = 0; n < keys.size(); ++n) {
        CHECK(std::abs(keys[n].start_ms - (500.0 + 150.0 * static_cast<double>(n))) <= 3.0);
        CHECK(std::abs(keys[n].duration_ms - 80.0) <= 6.0);
        CHECK(keys[n].level_dbm0.value() ==
              doctest::Approx(20 * std::log10(4000 / 32768.0) + 3.14 + 3.01).epsilon(0.07));
        CHECK(keys[n].transport == DigitTransport::inband);
        CHECK(keys[n].gap_ms.has_value() == (n > 0));
      }
    }
  }
}

TEST_CASE("keys by their sound: short ones, one that is held, one that is down at the end; no key in noise") {
  std::vector<std::int16_t> audio;
  add_silence(audio, 100, kNarrowRate);
  for (int n = 0; n < 5; ++n) {
    add_key(audio, '7', 45, kNarrowRate);
    add_silence(audio, 45, kNarrowRate);
  }
  add_key(audio, '8', 2000, kNarrowRate);
  add_silence(audio, 100, kNarrowRate);
  add_key(audio, '9', 60, kNarrowRate);
  const auto keys = find_keys(audio, kNarrowRate);
  REQUIRE(text_of(keys) == "7777789");
  CHECK(keys[5].duration_ms == doctest::Approx(2000).epsilon(0.01));
  CHECK(keys[6].duration_ms == doctest::Approx(60).epsilon(0.1));
  std::vector<std::int16_t> noise(60 * 8000);
  add_noise(noise, 3000);
  CHECK(find_keys(noise, kNarrowRate).empty());
}

TEST_CASE("keys leave as sound, exactly where the report says, and the noise bed stays away") {
  for (const int rate : {kNarrowRate, kWideRate}) {
    CAPTURE(rate);
    LegOptions options;
    options.rate = rate;
    options.noise_bed = tone_clip(static_cast<std::size_t>(rate), 1000, 300, rate);
    VirtualLeg leg(options, true);
    leg.start();
    leg.run_ms(100);
    leg.digits("11#", 90, 70, 4, DigitTransport::inband);
    leg.run_ms(700);
    for (const auto& sent : leg.wire->sent) CHECK(sent.rtp().payload_type == 0);
    const auto done = leg.all<DigitsSent>();
    REQUIRE(done.size() == 1);
    CHECK(done[0].second.digits == "11#");
    CHECK(done[0].second.transport == DigitTransport::inband);
    const LegReport report = leg.close();
    REQUIRE(report.digits.size() == 3);
    std::vector<std::int16_t> caller;
    for (const auto& frame : leg.recording) caller.push_back(frame.caller);
    const auto heard = find_keys(caller, rate);  // spandsp's opinion
    REQUIRE(text_of(heard) == "11#");
    for (std::size_t n = 0; n < 3; ++n) {
      CHECK(report.digits[n].transport == DigitTransport::inband);
      CHECK(report.digits[n].sent);
      CHECK(report.digits[n].duration_ms == 90.0);
      CHECK(std::abs(heard[n].start_ms - report.digits[n].start_ms) <= 3.0);
      CHECK(std::abs(heard[n].duration_ms - 90.0) <= 6.0);
      CHECK(heard[n].level_dbm0.value() == doctest::Approx(-10.0).epsilon(0.05));
    }
    CHECK(done[0].first == doctest::Approx(report.digits[2].start_ms + 90.0));
  }
}

TEST_CASE("a key's sound that is stopped ends with its frame; on hold there is none") {
  VirtualLeg leg;
  leg.start();
  leg.digits("12", 1000, 100, 2, DigitTransport::inband);
  leg.run_ms(100);
  leg.stop();
  leg.run_ms(100);
  const auto digits = leg.all<DigitsSent>();
  REQUIRE(digits.size() == 1);
  CHECK(digits[0].second.stopped);
  CHECK(digits[0].second.digits == "1");
  leg.hold(true);
  leg.digits("3", 100, 100, 3, DigitTransport::inband);
  leg.run_ms(60);
  REQUIRE(leg.all<DigitsSent>().size() == 2);
  CHECK(leg.all<DigitsSent>()[1].second.stopped);
  const LegReport report = leg.close();
  REQUIRE(report.digits.size() == 1);
  CHECK(report.digits[0].duration_ms == 120.0);
}

TEST_CASE("keys that travel elsewhere have their turn among what is played") {
  VirtualLeg leg;
  leg.start(Codec::pcmu, -1);
  leg.play(tone_clip(1600), 1);
  leg.digits("12", 100, 100, 2, DigitTransport::info);
  leg.play(tone_clip(800), 3);
  leg.run_ms(1000);
  const auto due = leg.all<DigitDue>();
  REQUIRE(due.size() == 2);
  CHECK(due[0].second.digit == '1');
  CHECK(due[1].second.digit == '2');
  CHECK(due[0].second.duration_ms == 100.0);
  CHECK(due[0].first >= leg.all<PlayEnded>()[0].first);
  CHECK(due[1].first == doctest::Approx(due[0].first + 200.0));
  CHECK(leg.all<DigitsSent>()[0].first == doctest::Approx(due[1].first + 100.0));
  CHECK(leg.all<PlayStarted>()[1].first == doctest::Approx(due[1].first + 200.0));
  const LegReport report = leg.close();
  REQUIRE(report.digits.size() == 2);
  CHECK(report.digits[0].transport == DigitTransport::info);
  CHECK_FALSE(report.digits[0].level_dbm0.has_value());
  CHECK(report.digits[0].start_ms == doctest::Approx(due[0].first));
}

TEST_CASE("keys by their sound are heard while the call runs, where that is asked for") {
  for (const bool asked : {true, false}) {
    CAPTURE(asked);
    LegOptions options;
    options.hear_inband_keys = asked;
    VirtualLeg leg(options);
    leg.start();
    std::vector<std::int16_t> audio;
    add_silence(audio, 200, kNarrowRate);
    add_key(audio, '4', 100, kNarrowRate);
    add_silence(audio, 100, kNarrowRate);
    add_key(audio, '4', 100, kNarrowRate);
    add_silence(audio, 500, kNarrowRate);
    std::vector<std::uint8_t> coded(audio.size());
    g711_encode(Codec::pcmu, audio, coded);
    for (std::size_t n = 0; n + 160 <= coded.size(); n += 160) {
      leg.arrive(20.0 + static_cast<double>(n) / 8, 0, static_cast<std::uint16_t>(n / 160),
                 static_cast<std::uint32_t>(5000 + n), std::span(coded).subspan(n, 160));
    }
    leg.run_ms(1200);
    const auto heard = leg.all<DigitReceived>();
    const LegReport report = leg.close();
    REQUIRE(heard.size() == (asked ? 2 : 0));
    CHECK(report.digits.size() == heard.size());
    for (std::size_t n = 0; n < heard.size(); ++n) {
      CHECK(heard[n].second.digit.digit == '4');
      CHECK(std::abs(heard[n].first - (220.0 + 200.0 * static_cast<double>(n))) <= 24.0);
      CHECK(std::abs(heard[n].second.digit.duration_ms - 100.0) <= 6.0);
    }
  }
}
