// SPDX-License-Identifier: GPL-3.0-or-later
//
// A leg of 16 kHz: its clock, its recording, and G.711 in it, which is resampled each way.
#include <doctest/doctest.h>

#include "media/codecs/half_band.h"
#include "tests/media/virtual_leg.h"

using namespace linecheck::media;
using namespace linecheck::media::test;

namespace {

// Power of `samples` against a full-scale sine, dB, over whole periods of nothing in particular.
double level_db(std::span<const std::int16_t> samples) {
  double sum = 0;
  for (const std::int16_t s : samples) sum += static_cast<double>(s) * s;
  return 10 * std::log10(sum / static_cast<double>(samples.size()) / (32768.0 * 32768.0 / 2) + 1e-12);
}

std::vector<std::int16_t> sine(std::size_t samples, double hz, int rate, int amplitude = 16000) {
  return tone_clip(samples, hz, amplitude, rate)->samples;
}

std::vector<std::int16_t> down(std::span<const std::int16_t> wide) {
  HalfBandDown filter;
  std::vector<std::int16_t> narrow(wide.size() / 2);
  for (std::size_t at = 0; at < wide.size(); at += 320) {
    const std::size_t count = std::min<std::size_t>(320, wide.size() - at);
    filter.process(wide.subspan(at, count), std::span(narrow).subspan(at / 2, count / 2));
  }
  return narrow;
}

std::vector<std::int16_t> up(std::span<const std::int16_t> narrow) {
  HalfBandUp filter;
  std::vector<std::int16_t> wide(narrow.size() * 2);
  for (std::size_t at = 0; at < narrow.size(); at += 160) {
    const std::size_t count = std::min<std::size_t>(160, narrow.size() - at);
    filter.process(narrow.subspan(at, count), std::span(wide).subspan(at * 2, count * 2));
  }
  return wide;
}

}  // namespace

TEST_CASE("half-band: flat in the telephone channel, 55 dB down above it, delayed by exactly what it says") {
  for (const double hz : {100.0, 1000.0, 3000.0, 3400.0}) {
    CAPTURE(hz);
    const auto wide = sine(16000, hz, kWideRate);
    const auto narrow = down(wide);
    CHECK(std::abs(level_db(std::span(narrow).subspan(200)) - level_db(wide)) < 0.1);
    double worst_down = 0;
    for (std::size_t m = 200; m < narrow.size(); ++m) {
      worst_down = std::max(worst_down, std::abs(narrow[m] - 1.0 * wide[2 * m - HalfBandDown::kDelay]));
    }
    CHECK(worst_down < 200);  // of 16,000: the phase is exact

    const auto narrow_sine = sine(8000, hz, kNarrowRate);
    const auto back = up(narrow_sine);
    const auto expected = sine(16000, hz, kWideRate);
    double worst_up = 0;
    for (std::size_t n = 200; n < back.size(); ++n) {
      worst_up = std::max(worst_up, std::abs(back[n] - 1.0 * expected[n - HalfBandUp::kDelay]));
    }
    CHECK(worst_up < 200);
  }
  for (const double hz : {4600.0, 5000.0, 7000.0}) {
    CAPTURE(hz);
    const auto narrow = down(sine(16000, hz, kWideRate));
    CHECK(level_db(std::span(narrow).subspan(200)) < level_db(sine(16000, hz, kWideRate)) - 55);
  }
}

TEST_CASE("a wide leg sends G.711 on the 8 kHz RTP clock, and records what is heard where it is heard") {
  LegOptions options;
  options.rate = kWideRate;
  VirtualLeg leg(options, true);
  leg.start();
  leg.run_ms(100);
  const ClipPtr clip = tone_clip(16000, 1000, 8000, kWideRate);
  leg.play(clip, 1, {{0, 0}, {400, 1}});
  leg.run_ms(1300);
  const auto sent = leg.wire->sent;
  for (std::size_t i = 1; i < sent.size(); ++i) {
    CHECK(sent[i].rtp().payload.size() == 160);
    CHECK(sent[i].rtp().timestamp == sent[i - 1].rtp().timestamp + 160);
    CHECK(sent[i].at_ns == sent[i - 1].at_ns + 20 * kNsPerMs);
  }
  leg.run_ms(1100);
  leg.close();
  const auto started = leg.all<PlayStarted>();
  const auto marks = leg.all<MarkSent>();
  REQUIRE(started.size() == 1);
  REQUIRE(marks.size() == 2);
  CHECK(marks[0].second.sample_in_packet == HalfBandDown::kDelay);
  CHECK(marks[1].first - marks[0].first == doctest::Approx(25.0));

  // The receiver's side: the payloads, one after the other, decoded.
  std::vector<std::int16_t> heard;
  for (const auto& packet : sent) {
    const auto payload = packet.rtp().payload;
    const std::size_t at = heard.size();
    heard.resize(at + payload.size());
    g711_decode(Codec::pcmu, payload, std::span(heard).subspan(at));
  }
  std::size_t first = 0;
  while (first < heard.size() && std::abs(heard[first]) < 4000) ++first;
  const double first_packet_ms = static_cast<double>(sent[0].at_ns - leg.origin_ns) / 1e6;
  const double heard_ms = first_packet_ms + static_cast<double>(first) / 8.0;
  CHECK(std::abs(heard_ms - started[0].first) <= 0.25);
  const auto offset = started[0].second.rtp_timestamp - sent[0].rtp().timestamp;
  CHECK(std::abs(static_cast<double>(offset) - static_cast<double>(first)) <= 2);
  // And the recording.
  std::size_t recorded = 0;
  while (recorded < leg.recording.size() && std::abs(leg.recording[recorded].caller) < 4000) ++recorded;
  CHECK(std::abs(static_cast<double>(recorded) / 16.0 - started[0].first) <= 0.1);
  CHECK(leg.recording.size() == static_cast<std::size_t>(std::lround(leg.closed_ms * 16)));
}

TEST_CASE("a wide leg records narrow-band audio on its clock, whole and in place, around a lost packet") {
  LegOptions options;
  options.rate = kWideRate;
  VirtualLeg leg(options, true);
  leg.start();
  const auto audio = sine(16000, 1000, kNarrowRate, 8000);  // 2 s
  for (int i = 0; i < 100; ++i) {
    std::vector<std::uint8_t> bytes(160);
    g711_encode(Codec::pcmu, std::span(audio).subspan(static_cast<std::size_t>(i) * 160, 160), bytes);
    if (i != 50) {
      leg.arrive(30 + i * 20, 0, static_cast<std::uint16_t>(i), static_cast<std::uint32_t>(i) * 160, bytes);
    }
  }
  leg.run_ms(2600);
  const LegReport report = leg.close();
  CHECK(report.receive.lost == 1);
  CHECK(report.receive.ptime_ms == 20);
  const auto expected = sine(32000, 1000, kWideRate, 8000);
  const std::size_t zero = 30 * 16;
  int wrong = 0;
  for (std::size_t i = 32; i + 32 < expected.size(); ++i) {
    const bool lost = i >= 50 * 320 - 32 && i < 51 * 320 + 32;
    if (!lost && std::abs(leg.recording[zero + i].agent - expected[i]) > 700) ++wrong;
  }
  CHECK(wrong == 0);
  for (std::size_t i = 50 * 320 + 32; i < 51 * 320 - 32; ++i) CHECK(leg.recording[zero + i].agent == 0);
}

TEST_CASE("a wide leg's digits count in the RTP clock of the audio") {
  LegOptions options;
  options.rate = kWideRate;
  VirtualLeg leg(options);
  leg.start();
  leg.digits("5", 70);
  leg.run_ms(300);
  std::vector<int> durations;
  for (const auto& sent : leg.wire->sent) {
    if (sent.rtp().payload_type != 101) continue;
    durations.push_back(parse_telephone_event(sent.rtp().payload)->duration);
  }
  CHECK(durations == std::vector<int>{160, 320, 480, 560, 560, 560});
  const LegReport report = leg.close();
  REQUIRE(report.digits.size() == 1);
  CHECK(report.digits[0].duration_ms == doctest::Approx(70.0));
}

TEST_CASE("a wide leg detects speech at its own times") {
  LegOptions options;
  options.rate = kWideRate;
  VirtualLeg leg(options);
  leg.start();
  std::vector<std::int16_t> audio(8 * 600, 0);
  const auto tone = sine(8 * 800, 1000, kNarrowRate, 8000);
  audio.insert(audio.end(), tone.begin(), tone.end());
  for (std::size_t i = 0; i < audio.size() / 160; ++i) {
    std::vector<std::uint8_t> bytes(160);
    g711_encode(Codec::pcmu, std::span(audio).subspan(i * 160, 160), bytes);
    leg.arrive(30 + static_cast<double>(i) * 20, 0, static_cast<std::uint16_t>(i),
               static_cast<std::uint32_t>(i * 160), bytes);
  }
  leg.run_ms(2600);
  const auto started = leg.all<SpeechStarted>();
  const auto ended = leg.all<SpeechEnded>();
  REQUIRE(started.size() == 1);
  REQUIRE(ended.size() == 1);
  CHECK(std::abs(started[0].first - 630.0) <= 25.0);
  CHECK(std::abs(ended[0].first - 1430.0) <= 65.0);
}
