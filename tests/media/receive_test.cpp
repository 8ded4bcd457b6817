// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a leg hears, end to end in virtual time: recording, live detector, timeouts, odd packets.
#include <doctest/doctest.h>

#include <random>

#include "tests/media/virtual_leg.h"

using namespace linecheck::media;
using namespace linecheck::media::test;

namespace {

std::vector<std::uint8_t> encoded(std::span<const std::int16_t> samples, Codec codec = Codec::pcmu) {
  std::vector<std::uint8_t> bytes(samples.size());
  g711_encode(codec, samples, bytes);
  return bytes;
}

// The agent: silence with a tone from `from_ms` to `to_ms` of its own clock.
std::vector<std::int16_t> agent_audio(int total_ms, int from_ms, int to_ms) {
  std::vector<std::int16_t> audio(static_cast<std::size_t>(total_ms) * 8);
  const ClipPtr tone = tone_clip(static_cast<std::size_t>(to_ms - from_ms) * 8);
  std::copy(tone->samples.begin(), tone->samples.end(), audio.begin() + from_ms * 8);
  return audio;
}

struct Line {
  double delay_ms = 30;  ///< of an idle line, from the leg's zero to the agent's first packet
  double jitter_ms = 0;
  double first_jitter_ms = 0;
  double ppm = 0;
  int ptime_ms = 20;
  Codec codec = Codec::pcmu;
  bool reorder = false;
};

void send_agent(VirtualLeg& leg, const std::vector<std::int16_t>& audio, const Line& line) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> jitter(0.0, line.jitter_ms);
  const auto size = static_cast<std::size_t>(line.ptime_ms) * 8;
  double last_ms = 0;
  for (std::size_t i = 0; i * size < audio.size(); ++i) {
    const auto chunk = std::span(audio).subspan(i * size, std::min(size, audio.size() - i * size));
    double at_ms = line.delay_ms + static_cast<double>(i) * line.ptime_ms / (1.0 + line.ppm * 1e-6);
    if (line.jitter_ms > 0) at_ms += jitter(random);
    if (i == 0) at_ms += line.first_jitter_ms;
    if (!line.reorder) at_ms = std::max(at_ms, last_ms);
    last_ms = at_ms;
    leg.arrive(at_ms, static_payload_type(line.codec), static_cast<std::uint16_t>(65500 + i),
               static_cast<std::uint32_t>(4294960000u + i * size), encoded(chunk, line.codec));
  }
}

// The first and last loud sample of the agent's channel between two times, ms.
std::pair<double, double> loud(const std::vector<RecordingRing::Frame>& recording, double from_ms = 0,
                               double to_ms = 1e9) {
  double first = -1;
  double last = -1;
  for (std::size_t i = 0; i < recording.size(); ++i) {
    const double at = static_cast<double>(i) / 8.0;
    if (at < from_ms || at > to_ms || std::abs(recording[i].agent) < 6000) continue;
    if (first < 0) first = at;
    last = at;
  }
  return {first, last};
}

}  // namespace

TEST_CASE("the agent's audio is recorded sample for sample where it came") {
  VirtualLeg leg({}, true);
  leg.start();
  const auto audio = agent_audio(2000, 500, 1500);
  send_agent(leg, audio, {});
  leg.run_ms(2600);
  const LegReport report = leg.close();
  REQUIRE(leg.recording.size() == static_cast<std::size_t>(std::lround(leg.closed_ms * 8)));
  for (std::size_t i = 0; i < audio.size(); ++i) {
    REQUIRE(leg.recording[i + 240].agent == through(Codec::pcmu, audio[i]));
  }
  CHECK(report.receive.packets == 100);
  CHECK(report.receive.lost == 0);
  CHECK(report.receive.codec == "PCMU");
  CHECK(report.receive.ptime_ms == 20);
  CHECK(report.receive.late == 0);
  CHECK(report.first_packet_ms.value() == doctest::Approx(30.0));
  CHECK(report.last_packet_ms.value() == doctest::Approx(30.0 + 99 * 20));
  CHECK(report.clock_map_restarts == 0);
}

TEST_CASE("10, 30, 40 and 60 ms packets and A-law are recorded as well") {
  for (const int ptime : {10, 30, 40, 60}) {
    CAPTURE(ptime);
    VirtualLeg leg({}, true);
    leg.start(Codec::pcma);
    const auto audio = agent_audio(1200, 400, 800);
    Line line;
    line.ptime_ms = ptime;
    line.codec = Codec::pcma;
    send_agent(leg, audio, line);
    leg.run_ms(1900);
    CHECK(leg.close().receive.ptime_ms == ptime);
    for (std::size_t i = 0; i < audio.size(); ++i) {
      REQUIRE(leg.recording[i + 240].agent == through(Codec::pcma, audio[i]));
    }
  }
}

TEST_CASE("jitter, drift and a late first packet do not move speech by more than a millisecond") {
  for (const double ppm : {-100.0, 0.0, 100.0}) {
    CAPTURE(ppm);
    VirtualLeg leg({}, true);
    leg.start();
    Line line;
    line.jitter_ms = 30;
    line.first_jitter_ms = 80;
    line.ppm = ppm;
    send_agent(leg, agent_audio(20000, 19000, 19500), line);
    leg.run_ms(21000);
    const LegReport report = leg.close();
    CHECK(report.receive.late == 0);
    const auto [first, last] = loud(leg.recording);
    CHECK(std::abs(first - (30.0 + 19000.0 / (1.0 + ppm * 1e-6))) <= 1.0);
    CHECK(std::abs(last - (30.0 + 19500.0 / (1.0 + ppm * 1e-6))) <= 1.3);  // the last loud sample is no peak
    CHECK(report.receive.jitter_max_ms > 5.0);
    CHECK(report.receive.clock_skew_ppm.value() == doctest::Approx(ppm).scale(1.0).epsilon(60.0));
  }
}

TEST_CASE("reordered packets stand in their place, lost ones leave silence") {
  VirtualLeg leg({}, true);
  leg.start();
  const auto audio = agent_audio(1000, 0, 1000);
  Line line;
  line.jitter_ms = 60;
  line.reorder = true;
  send_agent(leg, audio, line);
  leg.wire->incoming.erase(leg.wire->incoming.begin() + 20);
  leg.run_ms(1800);
  const LegReport report = leg.close();
  CHECK(report.receive.lost == 1);
  CHECK(report.receive.reordered > 5);
  int silent = 0;
  const auto [first, last] = loud(leg.recording);
  for (double at = first; at < last - 20; at += 1.0) {
    int peak = 0;
    for (int i = 0; i < 8; ++i)
      peak = std::max(
          peak,
          std::abs(int{leg.recording[static_cast<std::size_t>(at * 8) + static_cast<std::size_t>(i)].agent}));
    if (peak < 6000) ++silent;
  }
  CHECK(silent >= 19);
  CHECK(silent <= 21);
}

TEST_CASE("a new SSRC with another clock stays on the leg's clock") {
  VirtualLeg leg({}, true);
  leg.start();
  const ClipPtr tone = tone_clip(160);
  const auto loud_packet = encoded(tone->samples);
  const auto silent_packet = encoded(std::vector<std::int16_t>(160, 0));
  for (int i = 0; i < 50; ++i) {
    leg.arrive(10 + i * 20, 0, static_cast<std::uint16_t>(i), 5000 + static_cast<std::uint32_t>(i) * 160,
               i == 40 ? loud_packet : silent_packet, 0x1111);
  }
  for (int i = 0; i < 50; ++i) {
    leg.arrive(1010 + i * 20, 0, static_cast<std::uint16_t>(9000 + i),
               3000000000u + static_cast<std::uint32_t>(i) * 160, i == 10 ? loud_packet : silent_packet,
               0x2222);
  }
  leg.run_ms(2700);
  const LegReport report = leg.close();
  CHECK(report.receive.ssrc_changes == 1);
  CHECK(report.receive.ssrc == 0x2222);
  CHECK(report.clock_map_restarts == 1);
  CHECK(report.receive.lost == 0);
  CHECK(std::abs(loud(leg.recording, 0, 1000).first - 810.0) <= 1.0);
  CHECK(std::abs(loud(leg.recording, 1000).first - 1210.0) <= 1.0);
}

TEST_CASE("early media is heard before start, by the static payload types") {
  VirtualLeg leg({}, true);
  const auto audio = agent_audio(400, 100, 300);
  send_agent(leg, audio, {});
  leg.run_ms(500);
  CHECK(leg.wire->sent.empty());
  CHECK(leg.all<FirstPacket>().size() == 1);
  leg.start();
  leg.run_ms(600);
  leg.close();
  CHECK(std::abs(loud(leg.recording).first - 130.0) <= 0.2);
}

TEST_CASE("a codec that was not agreed on is counted and not heard") {
  VirtualLeg leg({}, true);
  leg.start(Codec::pcmu);
  const auto bytes = encoded(tone_clip(160)->samples, Codec::pcma);
  for (int i = 0; i < 20; ++i) {
    leg.arrive(10 + i * 20, i < 10 ? 8 : 96, static_cast<std::uint16_t>(i),
               static_cast<std::uint32_t>(i) * 160, bytes);
  }
  Datagram junk = rtp_datagram(leg.origin_ns + 405 * kNsPerMs, 0, 1, 1, 1, {});
  junk.size = 5;
  leg.wire->incoming.push_back(junk);
  leg.run_ms(1000);
  const LegReport report = leg.close();
  CHECK(report.receive.unknown_payload == 20);
  CHECK(report.receive.malformed == 1);
  CHECK(report.receive.packets == 20);
  CHECK(loud(leg.recording).first < 0);
}

TEST_CASE("the live detector's times are on the leg's clock, also when packets stop") {
  VirtualLeg leg;
  leg.start();
  // Speech-like: a tone at 600 ms for 800 ms; then nothing is sent at all.
  send_agent(leg, agent_audio(1400, 600, 1400), {});
  leg.run_ms(2600);
  const auto started = leg.all<SpeechStarted>();
  const auto ended = leg.all<SpeechEnded>();
  REQUIRE(started.size() == 1);
  REQUIRE(ended.size() == 1);
  CHECK(std::abs(started[0].first - 630.0) <= 25.0);
  CHECK(std::abs(ended[0].first - 1430.0) <= 65.0);
  CHECK(started[0].second.decided_ms > started[0].first);
  CHECK(ended[0].second.decided_ms >= ended[0].first + 250.0);
  const LegReport report = leg.close();
  REQUIRE(report.agent_speech_live.size() == 1);
  CHECK(report.agent_speech_live[0].start_ms == started[0].first);
  CHECK(report.agent_speech_live[0].end_ms == ended[0].first);
}

TEST_CASE("no RTP times out once, and comes back") {
  LegOptions options;
  options.rtp_timeout = std::chrono::milliseconds(500);
  VirtualLeg leg(options);
  leg.run_ms(1000);
  CHECK(leg.all<RtpTimeout>().empty());  // nothing is owed before start
  leg.start();
  leg.run_ms(1000);
  auto timeouts = leg.all<RtpTimeout>();
  REQUIRE(timeouts.size() == 1);
  CHECK(timeouts[0].first == doctest::Approx(1501.0).epsilon(0.001));
  const auto bytes = encoded(std::vector<std::int16_t>(160, 0));
  leg.arrive(2200, 0, 1, 0, bytes);
  leg.run_ms(1000);
  const auto resumed = leg.all<RtpResumed>();
  REQUIRE(resumed.size() == 1);
  CHECK(resumed[0].first == doctest::Approx(2200.0));
  timeouts = leg.all<RtpTimeout>();
  REQUIRE(timeouts.size() == 2);
  CHECK(timeouts[1].first == doctest::Approx(2700.0));
}

TEST_CASE("symmetric RTP follows three packets from elsewhere, but never against the announced address") {
  const auto announced = *Address::parse("192.0.2.1", 5004);
  const auto elsewhere = *Address::parse("198.51.100.7", 9000);
  Remote remote;
  remote.announce(announced, true);
  remote.heard(elsewhere);
  remote.heard(elsewhere);
  CHECK(remote.destination() == announced);
  remote.heard(elsewhere);
  CHECK(remote.destination() == elsewhere);
  remote.heard(announced);
  CHECK(remote.destination() == announced);
  for (int i = 0; i < 10; ++i) remote.heard(elsewhere);
  CHECK(remote.destination() == announced);
  remote.announce(elsewhere, false);
  CHECK(remote.destination() == elsewhere);
  for (int i = 0; i < 10; ++i) remote.heard(announced);
  CHECK(remote.destination() == elsewhere);
}

TEST_CASE("audio that comes after its place was written is late, not lost and not misplaced") {
  VirtualLeg leg({}, true);
  leg.start();
  const auto silent = encoded(std::vector<std::int16_t>(160, 0));
  const auto tone = encoded(tone_clip(160)->samples);
  for (int i = 0; i < 100; ++i) {
    const double at = 10 + i * 20;
    leg.arrive(i == 10 ? at + 1500 : at, 0, static_cast<std::uint16_t>(i),
               static_cast<std::uint32_t>(i) * 160, i == 10 ? tone : silent);
  }
  leg.run_ms(3500);
  const LegReport report = leg.close();
  CHECK(report.receive.late == 1);
  CHECK(report.receive.lost == 0);
  CHECK(loud(leg.recording).first < 0);
}
