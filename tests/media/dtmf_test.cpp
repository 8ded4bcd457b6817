// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "tests/media/virtual_leg.h"

using namespace linecheck::media;
using namespace linecheck::media::test;

namespace {

std::array<std::uint8_t, 4> event_payload(char digit, bool end, int volume, int duration) {
  return {static_cast<std::uint8_t>(event_of_digit(digit)),
          static_cast<std::uint8_t>((end ? 0x80 : 0) | volume), static_cast<std::uint8_t>(duration >> 8),
          static_cast<std::uint8_t>(duration)};
}

}  // namespace

TEST_CASE("digits leave as RFC 4733 wants them, byte for byte") {
  VirtualLeg leg({}, true);
  leg.start(Codec::pcmu, 101);
  leg.run_ms(40);
  leg.digits("5#", 70, 100, 9);
  leg.run_ms(600);

  std::vector<Wire::Sent> events;
  std::vector<Wire::Sent> audio;
  for (const auto& sent : leg.wire->sent) {
    (sent.rtp().payload_type == 101 ? events : audio).push_back(sent);
  }
  // 70 ms are 560 samples: 160, 320, 480 and the end at 560, three times.
  REQUIRE(events.size() == 12);
  const std::vector<std::vector<std::uint8_t>> payloads = {
      {5, 10, 0, 160},  {5, 10, 1, 64},   {5, 10, 1, 224},  {5, 138, 2, 48},
      {5, 138, 2, 48},  {5, 138, 2, 48},  {11, 10, 0, 160}, {11, 10, 1, 64},
      {11, 10, 1, 224}, {11, 138, 2, 48}, {11, 138, 2, 48}, {11, 138, 2, 48}};
  for (std::size_t i = 0; i < events.size(); ++i) {
    const RtpPacket packet = events[i].rtp();
    CHECK(std::vector<std::uint8_t>(packet.payload.begin(), packet.payload.end()) == payloads[i]);
    CHECK(packet.marker == (i % 6 == 0));
    CHECK(packet.timestamp == events[i / 6 * 6].rtp().timestamp);
    CHECK(events[i].at_ns == events[i / 6 * 6].at_ns + static_cast<std::int64_t>(i % 6) * 20 * kNsPerMs);
  }
  CHECK(events[6].rtp().timestamp - events[0].rtp().timestamp == 180 * 8);  // 70 + 100 ms, up to a frame

  // One packet a frame in all, numbered on, and audio comes back with the timestamp of its own time.
  for (std::size_t i = 1; i < leg.wire->sent.size(); ++i) {
    CHECK(leg.wire->sent[i].rtp().sequence ==
          static_cast<std::uint16_t>(leg.wire->sent[i - 1].rtp().sequence + 1));
    CHECK(leg.wire->sent[i].at_ns - leg.wire->sent[i - 1].at_ns == 20 * kNsPerMs);
  }
  for (const auto& sent : audio) {
    CHECK(sent.rtp().timestamp ==
          leg.numbers.timestamp +
              static_cast<std::uint32_t>((sent.at_ns - leg.origin_ns) / ns_per_sample(kNarrowRate)));
  }
  const auto done = leg.all<DigitsSent>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].second.tag == 9);
  CHECK(done[0].second.digits == "5#");
  CHECK_FALSE(done[0].second.stopped);

  const LegReport report = leg.close();
  REQUIRE(report.digits.size() == 2);
  CHECK(report.digits[0].digit == '5');
  CHECK(report.digits[0].sent);
  CHECK(report.digits[0].duration_ms == 70.0);
  CHECK(report.digits[0].level_dbm0 == -10.0);
  CHECK_FALSE(report.digits[0].gap_ms.has_value());
  CHECK(report.digits[1].gap_ms.value() == doctest::Approx(110.0));
  CHECK(done[0].first == doctest::Approx(report.digits[1].start_ms + 70.0));
}

TEST_CASE("digits wait for the clip before them, and a clip for the digits before it") {
  VirtualLeg leg;
  leg.start();
  leg.play(tone_clip(1000), 1);
  leg.digits("7", 100, 100, 2);
  leg.play(tone_clip(100), 3);
  leg.run_ms(600);
  const auto ended = leg.all<PlayEnded>();
  const auto started = leg.all<PlayStarted>();
  const auto digits = leg.all<DigitsSent>();
  REQUIRE(ended.size() == 2);
  REQUIRE(digits.size() == 1);
  CHECK(digits[0].first - 100.0 >= ended[0].first);
  CHECK(digits[0].first - 100.0 < ended[0].first + 20.0);
  CHECK(started[1].first == doctest::Approx(digits[0].first + 100.0));
}

TEST_CASE("a tone that is stopped still ends properly") {
  VirtualLeg leg;
  leg.start();
  leg.digits("123", 1000, 100, 2);
  leg.run_ms(100);
  leg.stop();
  leg.run_ms(300);
  std::vector<TelephoneEvent> events;
  for (const auto& sent : leg.wire->sent) {
    if (sent.rtp().payload_type == 101) events.push_back(parse_telephone_event(sent.rtp().payload).value());
  }
  REQUIRE(events.size() == 8);
  CHECK(std::count_if(events.begin(), events.end(), [](const TelephoneEvent& e) { return e.end; }) == 3);
  CHECK(events.back().duration == 960);
  const auto digits = leg.all<DigitsSent>();
  REQUIRE(digits.size() == 1);
  CHECK(digits[0].second.stopped);
  CHECK(digits[0].second.digits == "1");
}

TEST_CASE("a remote that takes no digits ends them at once") {
  VirtualLeg leg;
  leg.start(Codec::pcmu, -1);
  leg.digits("12", 100, 100, 5);
  leg.run_ms(40);
  const auto digits = leg.all<DigitsSent>();
  REQUIRE(digits.size() == 1);
  CHECK(digits[0].second.stopped);
  CHECK(digits[0].second.digits.empty());
}

TEST_CASE("digits are heard: lost ends survived, repeats told apart, gap and level known") {
  VirtualLeg leg;
  leg.start();
  std::uint16_t sequence = 100;
  const std::array<std::uint8_t, 160> silence{};
  // Audio first, so that the map is known: timestamp 1000 came at 20 ms.
  for (int i = 0; i < 10; ++i) {
    leg.arrive(20.0 + i * 20, 0, sequence++, 1000 + static_cast<std::uint32_t>(i) * 160, silence);
  }
  const auto press = [&](char digit, double at_ms, int packets, int ends, bool lose_first = false) {
    const auto timestamp = static_cast<std::uint32_t>(1000 + (at_ms - 20) * 8);
    for (int i = 1; i <= packets; ++i, ++sequence) {
      if (i == 1 && lose_first) continue;
      leg.arrive(at_ms + i * 20, 101, sequence, timestamp, event_payload(digit, false, 13, i * 160));
    }
    for (int i = 0; i < ends; ++i) {
      leg.arrive(at_ms + (packets + 1 + i) * 20, 101, sequence++, timestamp,
                 event_payload(digit, true, 13, (packets + 1) * 160));
    }
  };
  press('1', 220, 4, 3);
  press('1', 400, 4, 3, true);  // the same key again, its first packet (the marker's) lost
  press('2', 600, 4, 0);        // all ends lost, the next key follows
  press('3', 740, 4, 0);        // all ends lost, nothing follows
  leg.run_ms(1200);

  const auto heard = leg.all<DigitReceived>();
  REQUIRE(heard.size() == 4);
  CHECK(heard[0].second.digit.digit == '1');
  CHECK(heard[1].second.digit.digit == '1');
  CHECK(heard[2].second.digit.digit == '2');
  CHECK(heard[3].second.digit.digit == '3');
  CHECK(heard[0].first == doctest::Approx(220.0));
  CHECK(heard[0].second.digit.duration_ms == doctest::Approx(100.0));
  CHECK(heard[0].second.digit.level_dbm0 == -13.0);
  CHECK_FALSE(heard[0].second.digit.sent);
  CHECK(heard[1].first == doctest::Approx(400.0));  // by the timestamp, not by the packet that was lost
  CHECK(heard[1].second.digit.gap_ms.value() == doctest::Approx(80.0));
  CHECK(heard[2].second.digit.duration_ms == doctest::Approx(80.0));
  const LegReport report = leg.close();
  CHECK(report.digits.size() == 4);
  CHECK(report.receive.unknown_payload == 0);
}

TEST_CASE("an end packet that comes late, or twice, presses no key again") {
  VirtualLeg leg;
  leg.start();
  leg.arrive(20, 101, 1, 500, event_payload('9', false, 10, 160));
  leg.arrive(40, 101, 4, 2000, event_payload('8', false, 10, 160));
  leg.arrive(41, 101, 2, 500, event_payload('9', true, 10, 320));
  leg.arrive(42, 101, 2, 500, event_payload('9', true, 10, 320));
  leg.arrive(60, 101, 5, 2000, event_payload('8', true, 10, 320));
  leg.arrive(80, 101, 6, 2000, event_payload('8', true, 10, 320));
  leg.run_ms(400);
  const auto heard = leg.all<DigitReceived>();
  REQUIRE(heard.size() == 2);
  CHECK(heard[0].second.digit.digit == '9');
  CHECK(heard[1].second.digit.digit == '8');
}
