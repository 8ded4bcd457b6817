// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "tests/media/virtual_leg.h"

using namespace linecheck::media;
using namespace linecheck::media::test;

TEST_CASE("nothing leaves before start, then a packet every 20 ms at exact times") {
  VirtualLeg leg;
  leg.run_ms(50);
  CHECK(leg.wire->sent.empty());
  leg.start();
  leg.run_ms(200);
  const auto& sent = leg.wire->sent;
  REQUIRE(sent.size() == 10);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const RtpPacket packet = sent[i].rtp();
    CHECK(sent[i].to == *Address::parse("192.0.2.1", 5004));
    CHECK(sent[i].at_ns == sent[0].at_ns + static_cast<std::int64_t>(i) * 20 * kNsPerMs);
    CHECK(packet.payload_type == 0);
    CHECK(packet.marker == (i == 0));
    CHECK(packet.ssrc == leg.numbers.ssrc);
    CHECK(packet.sequence == static_cast<std::uint16_t>(leg.numbers.sequence + i));
    // The timestamp runs with the leg's clock: it says where in the recording the packet is.
    const auto position =
        static_cast<std::uint32_t>((sent[i].at_ns - leg.origin_ns) / ns_per_sample(kNarrowRate));
    CHECK(packet.timestamp == leg.numbers.timestamp + position);
    REQUIRE(packet.payload.size() == 160);
    CHECK(packet.payload[17] == 0xFF);
  }
}

TEST_CASE("a sequence number and a timestamp wrap") {
  LegOptions options;
  // Seeds are cheap to search: one whose stream begins shortly before both wraps does not exist, so take the
  // sequence.
  std::uint64_t seed = 1;
  while (StreamNumbers(seed).sequence < 65530) ++seed;
  options.seed = seed;
  VirtualLeg leg(options);
  leg.start();
  leg.run_ms(400);
  const auto& sent = leg.wire->sent;
  REQUIRE(sent.size() == 20);
  for (std::size_t i = 1; i < sent.size(); ++i) {
    CHECK(sent[i].rtp().sequence == static_cast<std::uint16_t>(sent[i - 1].rtp().sequence + 1));
  }
}

TEST_CASE("a clip and its marks fall on the samples that the events name") {
  VirtualLeg leg({}, true);
  leg.start(Codec::pcma);
  leg.run_ms(100);
  const ClipPtr clip = tone_clip(1000);  // ends in the middle of a frame
  leg.play(clip, 77, {{0, 0}, {333, 1}, {1000, 2}});
  leg.play(tone_clip(200, 500.0), 78);  // follows without a gap
  leg.run_ms(400);

  const auto started = leg.all<PlayStarted>();
  const auto ended = leg.all<PlayEnded>();
  const auto marks = leg.all<MarkSent>();
  REQUIRE(started.size() == 2);
  REQUIRE(ended.size() == 2);
  REQUIRE(marks.size() == 3);
  CHECK(started[0].second.tag == 77);
  CHECK(ended[0].second.samples_played == 1000);
  CHECK_FALSE(ended[0].second.stopped);
  CHECK(ended[0].first == doctest::Approx(started[0].first + 125.0));
  CHECK(started[1].first == doctest::Approx(ended[0].first));
  CHECK(marks[1].first == doctest::Approx(started[0].first + 333 / 8.0));
  CHECK(marks[2].first == doctest::Approx(ended[0].first));
  CHECK(marks[1].second.index == 1);
  CHECK(marks[1].second.ssrc == leg.numbers.ssrc);

  // The mark's timestamp and departure are those of the packet that carries the sample.
  const Wire::Sent* carrier = nullptr;
  for (const auto& sent : leg.wire->sent) {
    const std::uint32_t from = sent.rtp().timestamp;
    if (marks[1].second.rtp_timestamp - from < 160) carrier = &sent;
  }
  REQUIRE(carrier != nullptr);
  CHECK(carrier->at_ns == marks[1].second.packet_mono_ns);
  const std::size_t in_packet = marks[1].second.rtp_timestamp - carrier->rtp().timestamp;
  std::int16_t heard = 0;
  g711_decode(Codec::pcma, carrier->rtp().payload.subspan(in_packet, 1), std::span(&heard, 1));
  CHECK(heard == through(Codec::pcma, clip->samples[333]));

  // And the recording has each sample where the event says.
  leg.close();
  const auto first = static_cast<std::size_t>(std::lround(started[0].first * 8));
  for (std::size_t i = 0; i < clip->samples.size(); ++i) {
    REQUIRE(leg.recording[first + i].caller == through(Codec::pcma, clip->samples[i]));
  }
  CHECK(leg.recording[first - 1].caller == through(Codec::pcma, 0));
}

TEST_CASE("stop fades the clip out, drops the queue, and spares what is played afterwards") {
  VirtualLeg leg({}, true);
  leg.start();
  leg.run_ms(20);
  leg.play(tone_clip(8000), 1, {{200, 0}, {7000, 1}});
  leg.play(tone_clip(800), 2);
  leg.digits("12", 100, 100, 3);
  leg.run_ms(60);
  leg.stop();
  leg.play(tone_clip(80), 4);
  leg.run_ms(300);
  const auto ended = leg.all<PlayEnded>();
  REQUIRE(ended.size() == 3);
  CHECK(ended[0].second.tag == 1);
  CHECK(ended[0].second.stopped);
  CHECK(ended[0].second.samples_played == 3 * 160 + 40);
  CHECK(ended[1].second.tag == 2);
  CHECK(ended[1].second.stopped);
  CHECK(ended[1].second.samples_played == 0);
  CHECK(ended[2].second.tag == 4);
  CHECK_FALSE(ended[2].second.stopped);
  const auto digits = leg.all<DigitsSent>();
  REQUIRE(digits.size() == 1);
  CHECK(digits[0].second.stopped);
  CHECK(digits[0].second.digits.empty());
  CHECK(leg.all<MarkSent>().size() == 1);
  CHECK(leg.all<PlayStarted>().size() == 2);

  // The fade: the last sample is nearly silent, none jumps.
  leg.close();
  const auto end = static_cast<std::size_t>(std::lround(ended[0].first * 8));
  CHECK(std::abs(leg.recording[end - 1].caller) < 400);
  CHECK(std::abs(leg.recording[end - 40].caller) > 5000);
}

TEST_CASE("the noise bed runs without a break beneath everything") {
  LegOptions options;
  auto bed = std::make_shared<Clip>();
  for (int i = 0; i < 1001; ++i) bed->samples.push_back(static_cast<std::int16_t>(i * 7 - 3000));
  options.noise_bed = bed;
  VirtualLeg leg(options, true);
  leg.start();
  leg.play(tone_clip(400), 1);
  leg.run_ms(600);
  const auto started = leg.all<PlayStarted>();
  REQUIRE(started.size() == 1);
  leg.close();
  const auto first = static_cast<std::size_t>(std::lround(started[0].first * 8));
  const ClipPtr tone = tone_clip(400);
  for (std::size_t i = first; i < 4000; ++i) {
    const std::size_t in_clip = i - first;
    const int said = in_clip < 400 ? tone->samples[in_clip] : 0;
    REQUIRE(leg.recording[i].caller ==
            through(Codec::pcmu, static_cast<std::int16_t>(bed->samples[i % 1001] + said)));
  }
}

TEST_CASE("a short stall is caught up with, a long one leaves frames out") {
  VirtualLeg leg;
  leg.start();
  leg.run_ms(100);
  leg.stall_ms(60);
  REQUIRE(leg.wire->sent.size() == 8);
  for (std::size_t i = 1; i < 8; ++i) {
    CHECK(leg.wire->sent[i].rtp().timestamp == leg.wire->sent[i - 1].rtp().timestamp + 160);
    CHECK_FALSE(leg.wire->sent[i].rtp().marker);
  }
  leg.stall_ms(500);
  CHECK(leg.wire->sent.size() == 8 + 5);
  const RtpPacket before = leg.wire->sent[7].rtp();
  const RtpPacket after = leg.wire->sent[8].rtp();
  CHECK(after.timestamp == before.timestamp + 160 * 21);
  CHECK(after.sequence == static_cast<std::uint16_t>(before.sequence + 1));
  CHECK(after.marker);
  leg.run_ms(100);
  const LegReport report = leg.close();
  CHECK(report.engine.skipped_frames == 20);
  CHECK(report.engine.late_ticks >= 6);
  CHECK(report.engine.late_tick_ms.size() == report.engine.late_ticks);
  CHECK(report.engine.pacing.max_ms > 50.0);
  CHECK(report.engine.pacing.total == report.send.packets);
  CHECK_FALSE(report.send.loss_percent().has_value());
}

TEST_CASE("start again changes remote and codec, and the stream goes on") {
  VirtualLeg leg;
  leg.start(Codec::pcmu);
  leg.run_ms(100);
  Stream stream;
  stream.remote = *Address::parse("192.0.2.9", 6000);
  stream.codec = Codec::pcma;
  stream.payload_type = 8;
  leg.worker.submit(StartStream{leg.id, stream});
  leg.run_ms(100);
  const auto& sent = leg.wire->sent;
  REQUIRE(sent.size() == 10);
  CHECK(sent[9].to == stream.remote);
  CHECK(sent[9].rtp().payload_type == 8);
  for (std::size_t i = 1; i < 10; ++i) {
    CHECK(sent[i].rtp().ssrc == sent[0].rtp().ssrc);
    CHECK(sent[i].rtp().sequence == static_cast<std::uint16_t>(sent[i - 1].rtp().sequence + 1));
    CHECK(sent[i].rtp().timestamp == sent[i - 1].rtp().timestamp + 160);
  }
}

TEST_CASE("a full event queue loses events, and says so") {
  VirtualLeg leg({}, false, 4);
  leg.start();
  for (std::uint64_t i = 0; i < 10; ++i) leg.play(tone_clip(16), i);
  for (int i = 0; i < 100; ++i) {
    leg.clock.advance(kNsPerMs);
    leg.worker.run();
  }
  CHECK(leg.outlet.dropped() == 16);
  leg.collect();
  CHECK(leg.events.size() == 4);
  CHECK(leg.close().engine.dropped_events == 16);
}

TEST_CASE("packets hold as much audio as the remote likes") {
  for (const int ptime : {40, 60}) {
    CAPTURE(ptime);
    VirtualLeg leg({}, true);
    Stream stream;
    stream.remote = *Address::parse("192.0.2.1", 5004);
    stream.codec = Codec::pcma;
    stream.payload_type = 8;
    stream.telephone_event_payload_type = 101;
    stream.ptime_ms = ptime;
    leg.start(stream);
    leg.play(tone_clip(4000), 1);
    leg.run_ms(600);
    leg.digits("5", 100, 100, 2);
    leg.run_ms(600);
    std::int64_t audio = 0;
    const RtpPacket* before = nullptr;
    RtpPacket last;
    std::size_t short_ones = 0;
    for (const auto& sent : leg.wire->sent) {
      const RtpPacket packet = sent.rtp();
      if (before != nullptr) CHECK(packet.sequence == static_cast<std::uint16_t>(last.sequence + 1));
      if (packet.payload_type == 8) {
        const auto samples = static_cast<std::int64_t>(packet.payload.size());
        short_ones += samples != ptime * 8;
        audio += samples;
        // The last of its samples is encoded when it leaves, and not a frame later.
        const auto at = (sent.at_ns - leg.origin_ns) / ns_per_sample(kNarrowRate) + 160;
        CHECK(packet.timestamp == leg.numbers.timestamp + static_cast<std::uint32_t>(at - samples));
        CHECK(packet.marker == (before == nullptr));
      }
      last = packet;
      before = &last;
    }
    CHECK(short_ones <= 1);  // the one that the key's first packet cut short
    CHECK(audio >= (1200 - 160 - 2 * ptime) * 8);
    // What is heard begins with the packet that holds it, though that leaves later.
    const auto started = leg.all<PlayStarted>();
    REQUIRE(started.size() == 1);
    CHECK(started[0].second.mono_ns - leg.origin_ns >=
          static_cast<std::int64_t>(started[0].first * 1e6) + (ptime - 20) * kNsPerMs);
    const LegReport report = leg.close();
    CHECK(report.send.ptime_ms == ptime);
    CHECK(report.send.packets == leg.wire->sent.size());
    CHECK(report.engine.late_ticks == 0);
    std::int64_t recorded = 0;
    for (const auto& frame : leg.recording) recorded += frame.caller != 0 && std::abs(frame.caller) > 100;
    CHECK(recorded == 3000);  // of 4,000: every fourth sample of the cosine is 0
  }
}

TEST_CASE(
    "another wish, or a hold, finds half a packet: it leaves, and nothing is said twice or out of order") {
  for (const bool hold : {false, true}) {
    CAPTURE(hold);
    VirtualLeg leg({}, true);
    Stream stream;
    stream.remote = *Address::parse("192.0.2.1", 5004);
    stream.ptime_ms = 60;
    leg.start(stream);
    leg.run_ms(100);  // a packet of three frames, and two frames or one
    stream.ptime_ms = 20;
    stream.may_send = !hold;
    leg.start(stream);
    leg.run_ms(200);
    if (hold) {
      stream.may_send = true;
      leg.start(stream);
      leg.run_ms(200);
    }
    std::uint32_t due = leg.wire->sent.front().rtp().timestamp;
    std::size_t jumps = 0;
    for (const auto& sent : leg.wire->sent) {
      const RtpPacket packet = sent.rtp();
      if (packet.timestamp != due) {
        ++jumps;
        CHECK(packet.marker);
        CHECK(static_cast<std::int32_t>(packet.timestamp - due) > 0);
      }
      due = packet.timestamp + static_cast<std::uint32_t>(packet.payload.size());
    }
    CHECK(jumps == (hold ? 1 : 0));
    CHECK(leg.wire->sent.size() >= 12);
    const LegReport report = leg.close();
    CHECK(report.send.packets == leg.wire->sent.size());
  }
}

TEST_CASE("a wish for packets that we do not make is a wish for 20 ms") {
  for (const int ptime : {0, 5, 10, 20, 30, 39}) {
    VirtualLeg leg;
    Stream stream;
    stream.remote = *Address::parse("192.0.2.1", 5004);
    stream.ptime_ms = ptime;
    leg.start(stream);
    leg.run_ms(200);
    for (const auto& sent : leg.wire->sent) CHECK(sent.rtp().payload.size() == 160);
    CHECK(leg.close().send.ptime_ms == 20);
  }
}
