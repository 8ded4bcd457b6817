// SPDX-License-Identifier: GPL-3.0-or-later
//
// Legs with G.722 and Opus, end to end in virtual time.
#include <doctest/doctest.h>

#include "media/codecs/coder.h"
#include "tests/media/virtual_leg.h"

using namespace linecheck::media;
using namespace linecheck::media::test;

namespace {

constexpr int kOpusType = 96;

int type_of(Codec codec) {
  return codec == Codec::opus ? kOpusType : static_payload_type(codec);
}

struct Agent {
  Codec codec = Codec::opus;
  EncoderSettings settings;
  std::vector<std::size_t> lost;
};

// Sends 20 ms packets of `audio`, the first at 30 ms; returns the encoder's delay, ms.
double send_agent(VirtualLeg& leg, const std::vector<std::int16_t>& audio, const Agent& agent) {
  const auto encoder = make_encoder(agent.codec, kWideRate, agent.settings);
  std::uint16_t sequence = 65530;
  for (std::size_t i = 0; i < audio.size() / 320; ++i) {
    std::array<std::uint8_t, kMaxFrameSamples> room;
    const std::size_t size = encoder->encode(std::span(audio).subspan(i * 320, 320), room);
    if (size == 0) continue;
    ++sequence;
    if (std::find(agent.lost.begin(), agent.lost.end(), i) != agent.lost.end()) continue;
    const auto step = static_cast<std::uint32_t>(rtp_clock_rate(agent.codec) / 50);
    leg.arrive(30 + static_cast<double>(i) * 20, type_of(agent.codec), sequence,
               4294960000u + static_cast<std::uint32_t>(i) * step, std::span(room).first(size));
  }
  return encoder->delay() / 16.0;
}

std::vector<std::int16_t> wide_agent_audio(int total_ms, int from_ms, int to_ms) {
  std::vector<std::int16_t> audio(static_cast<std::size_t>(total_ms) * 16);
  const ClipPtr tone = tone_clip(static_cast<std::size_t>(to_ms - from_ms) * 16, 1000, 8000, kWideRate);
  std::copy(tone->samples.begin(), tone->samples.end(), audio.begin() + from_ms * 16);
  return audio;
}

LegOptions wide() {
  LegOptions options;
  options.rate = kWideRate;
  options.offered_payload_types = {0, 8, 9, kOpusType};
  options.offered_wide_telephone_event_payload_type = 102;
  return options;
}

void start(VirtualLeg& leg, Codec codec, const EncoderSettings& settings = {}) {
  Stream stream;
  stream.remote = *Address::parse("192.0.2.1", 5004);
  stream.codec = codec;
  stream.payload_type = type_of(codec);
  stream.encoder = settings;
  stream.telephone_event_payload_type = codec == Codec::opus ? 102 : 101;
  leg.worker.submit(StartStream{leg.id, stream});
}

// The first and last loud sample of a side, ms.
std::pair<double, double> loud(const std::vector<RecordingRing::Frame>& recording,
                               std::int16_t RecordingRing::Frame::*side) {
  double first = -1;
  double last = -1;
  for (std::size_t i = 0; i < recording.size(); ++i) {
    if (std::abs(recording[i].*side) < 4000) continue;
    if (first < 0) first = static_cast<double>(i) / 16;
    last = static_cast<double>(i) / 16;
  }
  return {first, last};
}

}  // namespace

TEST_CASE("G.722 and Opus: the agent is recorded, detected and counted on the leg's clock") {
  for (const Codec codec : {Codec::g722, Codec::opus}) {
    CAPTURE(std::string(codec_name(codec)));
    VirtualLeg leg(wide(), true);
    start(leg, codec);
    const double delay = send_agent(leg, wide_agent_audio(2000, 600, 1400), {codec, {}, {}});
    leg.run_ms(2700);
    const LegReport report = leg.close();
    const auto [first, last] = loud(leg.recording, &RecordingRing::Frame::agent);
    CHECK(std::abs(first - (630 + delay)) <= 1.0);
    CHECK(std::abs(last - (1430 + delay)) <= 5.0);  // Opus lets a tone ring on
    CHECK(report.receive.codec == codec_name(codec));
    CHECK(report.receive.ptime_ms == 20);
    CHECK(report.receive.packets == 100);
    CHECK(report.receive.lost == 0);
    CHECK(report.receive.jitter_max_ms < 0.01);
    CHECK(report.clock_map_restarts == 0);
    const auto started = leg.all<SpeechStarted>();
    REQUIRE(started.size() == 1);
    CHECK(std::abs(started[0].first - 630) <= 30.0);
  }
}

TEST_CASE(
    "G.722 and Opus: our timestamps run with the codec's clock, the clip is heard where it is said to be") {
  for (const Codec codec : {Codec::g722, Codec::opus}) {
    CAPTURE(std::string(codec_name(codec)));
    VirtualLeg leg(wide(), true);
    start(leg, codec);
    leg.run_ms(100);
    leg.play(tone_clip(16000, 1000, 8000, kWideRate), 1);
    leg.run_ms(2400);
    leg.close();
    const auto& sent = leg.wire->sent;
    const auto step = static_cast<std::uint32_t>(rtp_clock_rate(codec) / 50);
    const auto decoder = make_decoder(codec, kWideRate, false);
    std::vector<std::int16_t> heard;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      const RtpPacket packet = sent[i].rtp();
      CHECK(packet.payload_type == type_of(codec));
      if (i > 0) CHECK(packet.timestamp == sent[i - 1].rtp().timestamp + step);
      const std::size_t at = heard.size();
      heard.resize(at + kMaxPayloadSamples);
      heard.resize(at + decoder->decode(packet.payload, std::span(heard).subspan(at)));
    }
    const auto started = leg.all<PlayStarted>();
    REQUIRE(started.size() == 1);
    std::size_t first = 0;
    while (first < heard.size() && std::abs(heard[first]) < 4000) ++first;
    const double zero_ms = static_cast<double>(sent[0].at_ns - leg.origin_ns) / 1e6;
    CHECK(std::abs(zero_ms + static_cast<double>(first) / 16 - started[0].first) <= 1.0);
    const auto offset = started[0].second.rtp_timestamp - sent[0].rtp().timestamp;
    const double offset_ms = offset * 1000.0 / rtp_clock_rate(codec);
    CHECK(std::abs(offset_ms - static_cast<double>(first) / 16) <= 1.0);
    CHECK(std::abs(loud(leg.recording, &RecordingRing::Frame::caller).first - started[0].first) <= 0.1);
  }
}

TEST_CASE("a lost packet is silence in the recording, and none for the ears") {
  for (const Codec codec : {Codec::pcmu, Codec::g722, Codec::opus}) {
    CAPTURE(std::string(codec_name(codec)));
    VirtualLeg leg(wide(), true);
    start(leg, codec);
    std::vector<std::size_t> lost;
    for (std::size_t i = 40; i < 80; i += 4) lost.push_back(i);
    send_agent(leg, wide_agent_audio(2400, 600, 1800), {codec, {}, lost});
    leg.run_ms(3000);
    const LegReport report = leg.close();
    CHECK(report.receive.lost == lost.size());
    for (const std::size_t i : lost) {
      const std::size_t at = (30 + i * 20) * 16;
      int peak = 0;
      for (std::size_t n = at + 32; n < at + 320 - 32; ++n)
        peak = std::max<int>(peak, std::abs(leg.recording[n].agent));
      CHECK(peak == 0);
    }
    CHECK(leg.all<SpeechStarted>().size() == 1);
    CHECK(leg.all<SpeechEnded>().size() == 1);
    REQUIRE(report.agent_speech_live.size() == 1);
    CHECK(std::abs(report.agent_speech_live[0].end_ms - 1830) < 70);
  }
}

TEST_CASE("Opus that leaves silence out: nothing is lost, and the recording stays on its clock") {
  VirtualLeg leg(wide(), true);
  start(leg, Codec::opus);
  EncoderSettings settings;
  settings.silence_suppression = true;
  const double delay = send_agent(leg, wide_agent_audio(4000, 3000, 3600), {Codec::opus, settings, {}});
  leg.run_ms(4700);
  const LegReport report = leg.close();
  CHECK(report.receive.packets < 150);
  CHECK(report.receive.lost == 0);
  CHECK(std::abs(loud(leg.recording, &RecordingRing::Frame::agent).first - (3030 + delay)) <= 1.0);
}

TEST_CASE(
    "silence that is left out of what we send: sequence numbers go on, the marker begins what follows") {
  VirtualLeg leg(wide());
  EncoderSettings settings;
  settings.silence_suppression = true;
  start(leg, Codec::opus, settings);
  leg.run_ms(2000);
  leg.play(tone_clip(8000, 400, 8000, kWideRate), 1);
  leg.run_ms(600);
  const LegReport report = leg.close();
  const auto& sent = leg.wire->sent;
  CHECK(sent.size() < 120);
  CHECK(report.send.packets == sent.size());
  for (std::size_t i = 1; i < sent.size(); ++i) {
    const RtpPacket before = sent[i - 1].rtp();
    const RtpPacket packet = sent[i].rtp();
    CHECK(packet.sequence == static_cast<std::uint16_t>(before.sequence + 1));
    const std::uint32_t step = packet.timestamp - before.timestamp;
    CHECK(step % 960 == 0);
    CHECK(step / 960 == static_cast<std::uint32_t>((sent[i].at_ns - sent[i - 1].at_ns) / (20 * kNsPerMs)));
    CHECK(packet.marker == (step != 960));
  }
}

TEST_CASE("digits beside Opus count in its 48 kHz, both ways; a long one goes on in a second segment") {
  VirtualLeg leg(wide());
  start(leg, Codec::opus);
  leg.digits("5", 70);
  leg.run_ms(300);
  std::vector<int> durations;
  for (const auto& sent : leg.wire->sent) {
    if (sent.rtp().payload_type != 102) continue;
    durations.push_back(parse_telephone_event(sent.rtp().payload)->duration);
  }
  CHECK(durations == std::vector<int>{960, 1920, 2880, 3360, 3360, 3360});
  leg.wire->sent.clear();
  leg.digits("1", 2000);
  leg.run_ms(2400);
  std::vector<std::uint32_t> segments;
  int last = 0;
  for (const auto& sent : leg.wire->sent) {
    const RtpPacket packet = sent.rtp();
    if (packet.payload_type != 102) continue;
    last = parse_telephone_event(packet.payload)->duration;
    if (segments.empty() || segments.back() != packet.timestamp) segments.push_back(packet.timestamp);
  }
  REQUIRE(segments.size() == 2);
  CHECK(segments[1] - segments[0] + static_cast<std::uint32_t>(last) == 96000);

  send_agent(leg, wide_agent_audio(400, 0, 1), {});
  for (int i = 1; i <= 5; ++i) {
    const std::array<std::uint8_t, 4> event{7, static_cast<std::uint8_t>(i == 5 ? 0x8A : 0x0A),
                                            static_cast<std::uint8_t>((i * 960) >> 8),
                                            static_cast<std::uint8_t>(i * 960)};
    leg.arrive(2700 + i * 20, 102, static_cast<std::uint16_t>(100 + i), 77777, event);
  }
  leg.run_ms(500);
  const LegReport report = leg.close();
  const auto pressed = leg.all<DigitReceived>();
  REQUIRE(pressed.size() == 1);
  CHECK(pressed[0].second.digit.digit == '7');
  CHECK(pressed[0].second.digit.duration_ms == doctest::Approx(100.0));
}

TEST_CASE("a codec with another clock in the middle of a call: timestamps go on from where they stood") {
  VirtualLeg leg(wide());
  start(leg, Codec::pcmu);
  leg.run_ms(1000);
  const std::size_t before = leg.wire->sent.size();
  start(leg, Codec::opus);
  leg.run_ms(500);
  leg.close();
  const auto& sent = leg.wire->sent;
  const RtpPacket last = sent[before - 1].rtp();
  const RtpPacket first = sent[before].rtp();
  CHECK(first.ssrc == last.ssrc);
  CHECK(first.sequence == static_cast<std::uint16_t>(last.sequence + 1));
  CHECK(first.timestamp == last.timestamp + 160);
  CHECK(sent[before + 1].rtp().timestamp == first.timestamp + 960);
}

TEST_CASE("early media by the numbers that were offered") {
  VirtualLeg leg(wide(), true);
  const double delay = send_agent(leg, wide_agent_audio(400, 100, 300), {});
  leg.run_ms(500);
  start(leg, Codec::opus);
  leg.run_ms(1000);
  leg.close();
  CHECK(std::abs(loud(leg.recording, &RecordingRing::Frame::agent).first - (130 + delay)) <= 1.0);
}
