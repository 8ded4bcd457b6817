// SPDX-License-Identifier: GPL-3.0-or-later
//
// Legs on a simulated bad line, in virtual time: what leaves and when, what the recording shows, what the
// ears hear.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/media/virtual_leg.h"

using namespace linecheck::media;
using namespace linecheck::media::test;

namespace {

LegOptions sending_over(const Impairment& impairment) {
  LegOptions options;
  options.send_line = impairment;
  return options;
}

std::vector<std::uint8_t> loud(std::size_t samples) {
  const ClipPtr tone = tone_clip(samples);
  std::vector<std::uint8_t> payload(samples);
  g711_encode(Codec::pcmu, tone->samples, payload);
  return payload;
}

int first_sound(const std::vector<RecordingRing::Frame>& recording) {
  const auto found = std::find_if(recording.begin(), recording.end(),
                                  [](const auto& frame) { return std::abs(frame.caller) > 1000; });
  return found == recording.end() ? -1 : static_cast<int>(found - recording.begin());
}

}  // namespace

TEST_CASE("a delayed packet leaves on its own millisecond, unchanged, and the pacing knows nothing of it") {
  Impairment asked;
  asked.delay_ms = 53;
  VirtualLeg leg(sending_over(asked), true);
  leg.start();
  leg.run_ms(1000);
  VirtualLeg perfect({}, true);
  perfect.start();
  perfect.run_ms(1000);
  const auto& sent = leg.wire->sent;
  REQUIRE(sent.size() >= 46);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    CHECK(sent[i].at_ns == perfect.wire->sent[i].at_ns + 53 * kNsPerMs);
    CHECK(sent[i].bytes == perfect.wire->sent[i].bytes);
  }
  const LegReport report = leg.close();
  CHECK(report.engine.late_ticks == 0);
  CHECK(report.engine.pacing.max_ms < 0.001);
  CHECK(report.send.packets == leg.wire->sent.size());
  REQUIRE(report.send_line.size() == 1);
  CHECK(report.send_line[0].asked == asked);
  CHECK(report.send_line[0].achieved.delay_mean_ms == doctest::Approx(53));
  CHECK(report.receive_line.empty());
}

TEST_CASE("the recording and the caller's times are those of the wire") {
  Impairment asked;
  asked.delay_ms = 80;
  VirtualLeg leg(sending_over(asked), true);
  leg.start();
  leg.run_ms(100);
  leg.play(tone_clip(1600), 1);
  leg.run_ms(1500);
  leg.close();
  const auto started = leg.all<PlayStarted>();
  REQUIRE(started.size() == 1);
  // The persona's own time is the old one; the recording's is later by the line.
  CHECK(started[0].second.recorded_ms == doctest::Approx(started[0].first + 80));
  CHECK(first_sound(leg.recording) == static_cast<int>(started[0].second.recorded_ms * 8));
}

TEST_CASE("lost packets are missing on the wire and silent on the recording, sequence numbers go on") {
  Impairment asked;
  asked.loss_percent = 20;
  VirtualLeg leg(sending_over(asked), true);
  leg.start();
  leg.play(tone_clip(8 * 20'000), 1);
  leg.run_ms(20'000);
  const LegReport report = leg.close();
  std::set<std::uint16_t> sequences;
  for (const auto& sent : leg.wire->sent) sequences.insert(sent.rtp().sequence);
  const auto& achieved = report.send_line.at(0).achieved;
  CHECK(sequences.size() == leg.wire->sent.size());
  CHECK(achieved.packets == leg.wire->sent.size() + achieved.lost);
  CHECK(report.send.packets == leg.wire->sent.size());
  CHECK(achieved.loss_percent() == doctest::Approx(20).epsilon(0.1));
  // Each packet of the wire is on the recording at its timestamp, and nothing else is.
  std::size_t sounding = 0;
  for (std::size_t at = 0; at + 160 <= leg.recording.size(); at += 8) {
    bool silent = true;
    for (std::size_t n = at; n < at + 8; ++n) silent = silent && leg.recording[n].caller == 0;
    if (!silent) ++sounding;
  }
  std::size_t with_tone = 0;
  for (const auto& sent : leg.wire->sent) {
    const auto payload = sent.rtp().payload;
    const auto position = static_cast<std::size_t>(sent.rtp().timestamp - leg.numbers.timestamp);
    if (payload[40] == 0xFF && payload[44] == 0xFF) continue;
    ++with_tone;
    REQUIRE(position + 160 <= leg.recording.size());
    std::array<std::int16_t, 160> heard;
    g711_decode(Codec::pcmu, payload, heard);
    CHECK(heard[17] == leg.recording[position + 17].caller);
  }
  CHECK(sounding == doctest::Approx(static_cast<double>(with_tone * 20)).epsilon(0.01));
}

TEST_CASE("duplicates leave twice and are recorded once; jitter bunches and, if asked, overtakes") {
  Impairment asked;
  asked.duplicate_percent = 10;
  asked.jitter_ms = 30;
  asked.delay_ms = 60;
  VirtualLeg leg(sending_over(asked), true);
  leg.start();
  leg.run_ms(30'000);
  const LegReport report = leg.close();
  const auto& achieved = report.send_line.at(0).achieved;
  CHECK(achieved.duplicate_percent() == doctest::Approx(10).epsilon(0.1));
  CHECK(leg.wire->sent.size() == achieved.left + achieved.duplicated);
  CHECK(achieved.jitter_ms == doctest::Approx(30).epsilon(0.1));
  CHECK(achieved.delay_mean_ms == doctest::Approx(60).epsilon(0.1));
  CHECK(achieved.reordered > 0);
  CHECK(achieved.overflow == 0);
  bool overtaken = false;
  for (std::size_t i = 1; i < leg.wire->sent.size(); ++i) {
    const auto step =
        static_cast<std::int16_t>(leg.wire->sent[i].rtp().sequence - leg.wire->sent[i - 1].rtp().sequence);
    overtaken = overtaken || step < 0;
  }
  CHECK(overtaken);
}

TEST_CASE("keys go over the line too") {
  Impairment asked;
  asked.delay_ms = 100;
  VirtualLeg leg(sending_over(asked));
  leg.start();
  leg.digits("1");
  leg.run_ms(1000);
  const LegReport report = leg.close();
  const auto first = std::find_if(leg.wire->sent.begin(), leg.wire->sent.end(),
                                  [](const auto& sent) { return sent.rtp().payload_type == 101; });
  REQUIRE(first != leg.wire->sent.end());
  REQUIRE(report.digits.size() == 1);
  CHECK(report.digits[0].start_ms ==
        doctest::Approx(static_cast<double>(first->at_ns - leg.origin_ns) / 1e6));
}

TEST_CASE("the line changes in mid-call, from perfect to bad and back, and each stretch has its account") {
  VirtualLeg leg({}, true);
  leg.start();
  leg.run_ms(1000);
  const auto impair = [&](const Impairment& impairment) {
    ImpairLine command;
    command.leg = leg.id;
    command.send = std::make_unique<SendLine>(LinePlan(impairment), 5);
    leg.worker.submit(std::move(command));
  };
  Impairment bad;
  bad.loss_percent = 50;
  bad.delay_ms = 40;
  impair(bad);
  leg.run_ms(4000);
  Impairment worse;
  worse.delay_ms = 900;  // more room than before
  impair(worse);
  leg.run_ms(2000);
  impair({});
  leg.run_ms(2000);
  const LegReport report = leg.close();
  REQUIRE(report.send_line.size() == 3);
  CHECK(report.send_line[0].from_ms == doctest::Approx(1001).epsilon(0.01));
  CHECK(report.send_line[0].achieved.packets == doctest::Approx(200).epsilon(0.02));
  CHECK(report.send_line[0].achieved.loss_percent() == doctest::Approx(50).epsilon(0.15));
  CHECK(report.send_line[1].achieved.lost == 0);
  CHECK(report.send_line[1].achieved.delay_max_ms == doctest::Approx(900));
  CHECK_FALSE(report.send_line[2].asked.any());
  CHECK(report.send_line[2].achieved.overflow == 0);
  // In order, until the end.
  for (std::size_t i = 1; i < leg.wire->sent.size(); ++i) {
    const auto step =
        static_cast<std::int16_t>(leg.wire->sent[i].rtp().sequence - leg.wire->sent[i - 1].rtp().sequence);
    CHECK(step > 0);
  }
}

TEST_CASE("what comes is counted and recorded on the wire; only the ears hear it late") {
  const auto run = [](const Impairment& impairment) {
    LegOptions options;
    options.receive_line = impairment;
    auto leg = std::make_unique<VirtualLeg>(options, true);
    leg->start();
    const auto speech = loud(160);
    const std::vector<std::uint8_t> silence(160, 0xFF);
    for (int n = 0; n < 150; ++n) {
      const bool speaks = n >= 50 && n < 100;
      leg->arrive(100 + 20.0 * n, 0, static_cast<std::uint16_t>(n), static_cast<std::uint32_t>(160 * n),
                  speaks ? speech : silence);
    }
    leg->run_ms(4500);
    return leg;
  };
  const auto plain = run({});
  Impairment late;
  late.delay_ms = 300;
  const auto delayed = run(late);
  const auto heard_at = [](const VirtualLeg& leg) {
    const auto started = leg.all<SpeechStarted>();
    REQUIRE(started.size() == 1);
    return started[0].first;
  };
  CHECK(heard_at(*delayed) == doctest::Approx(heard_at(*plain) + 300).epsilon(0.001));
  const LegReport on_time = plain->close();
  const LegReport report = delayed->close();
  CHECK(report.receive.packets == on_time.receive.packets);
  CHECK(report.receive.jitter_max_ms == on_time.receive.jitter_max_ms);
  REQUIRE(delayed->recording.size() == plain->recording.size());
  bool same = true;
  for (std::size_t n = 0; n < plain->recording.size(); ++n) {
    same = same && plain->recording[n].agent == delayed->recording[n].agent;
  }
  CHECK(same);
  REQUIRE(report.receive_line.size() == 1);
  CHECK(report.receive_line[0].achieved.delay_mean_ms == doctest::Approx(300));

  Impairment deaf;
  deaf.loss_percent = 100;
  const auto nothing = run(deaf);
  CHECK(nothing->all<SpeechStarted>().empty());
  CHECK(nothing->close().receive.lost == 0);
}

TEST_CASE("the same seed sends the same packets at the same times") {
  Impairment asked;
  asked.loss_percent = 5;
  asked.mean_burst = 2;
  asked.jitter_ms = 40;
  asked.delay_ms = 80;
  const auto times = [&](std::uint64_t seed) {
    LegOptions options = sending_over(asked);
    options.seed = seed;
    VirtualLeg leg(options);
    leg.start();
    leg.run_ms(5000);
    std::vector<std::pair<std::int64_t, std::vector<std::uint8_t>>> out;
    for (const auto& sent : leg.wire->sent) out.emplace_back(sent.at_ns, sent.bytes);
    return out;
  };
  CHECK(times(11) == times(11));
  CHECK(times(11) != times(12));
}
