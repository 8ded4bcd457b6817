// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include <vector>

#include "media/g711.h"
#include "media/leg_report.h"
#include "media/rtp_packet.h"

using namespace linecheck::media;

TEST_CASE("RTP is read with CSRCs, extension and padding left out") {
  const std::vector<std::uint8_t> bytes = {
      0xB1, 0x88, 0x12, 0x34, 0x00, 0x00, 0x01, 0x00, 0xDE, 0xAD, 0xBE, 0xEF,  // V2 P X CC=1, M, PT 8
      0x00, 0x00, 0x00, 0x01,                                                  // CSRC
      0xBE, 0xDE, 0x00, 0x01, 0x01, 0x02, 0x03, 0x04,                          // extension, one word
      0xAA, 0xBB, 0x00, 0x02};  // payload, two bytes of padding
  const auto packet = parse_rtp(bytes);
  REQUIRE(packet.has_value());
  CHECK(packet->marker);
  CHECK(packet->payload_type == 8);
  CHECK(packet->sequence == 0x1234);
  CHECK(packet->timestamp == 256);
  CHECK(packet->ssrc == 0xDEADBEEF);
  REQUIRE(packet->payload.size() == 2);
  CHECK(packet->payload[1] == 0xBB);
}

TEST_CASE("what is no RTP is refused") {
  CHECK_FALSE(parse_rtp({}).has_value());
  std::vector<std::uint8_t> bytes(12, 0);
  CHECK_FALSE(parse_rtp(bytes).has_value());  // version 0: STUN begins like this
  bytes[0] = 0x80;
  CHECK(parse_rtp(bytes).has_value());
  CHECK_FALSE(parse_rtp(std::span(bytes).first(11)).has_value());
  bytes[1] = 200;  // an RTCP sender report
  CHECK_FALSE(parse_rtp(bytes).has_value());
  bytes[1] = 0;
  bytes[0] = 0x8F;  // 15 CSRCs that are not there
  CHECK_FALSE(parse_rtp(bytes).has_value());
  bytes[0] = 0x90;  // an extension that is not there
  CHECK_FALSE(parse_rtp(bytes).has_value());
  bytes[0] = 0xA0;  // padding, longer than the packet
  bytes.push_back(7);
  CHECK_FALSE(parse_rtp(bytes).has_value());
}

TEST_CASE("digits and events") {
  for (const char digit : {'0', '9', '*', '#', 'A', 'D'})
    CHECK(digit_of_event(event_of_digit(digit)) == digit);
  CHECK(event_of_digit('c') == 14);
  CHECK(event_of_digit('x') == -1);
  CHECK(digit_of_event(16) == '?');
}

TEST_CASE("G.711 decodes what it encodes, and silence is silence") {
  for (const Codec codec : {Codec::pcmu, Codec::pcma}) {
    for (int sample = -32000; sample <= 32000; sample += 97) {
      const auto in = static_cast<std::int16_t>(sample);
      std::uint8_t byte = 0;
      std::int16_t out = 0;
      g711_encode(codec, std::span(&in, 1), std::span(&byte, 1));
      g711_decode(codec, std::span<const std::uint8_t>(&byte, 1), std::span(&out, 1));
      CHECK(std::abs(out - in) <= std::max(16, std::abs(sample) / 25));
    }
    const std::int16_t zero = 0;
    std::uint8_t byte = 0;
    g711_encode(codec, std::span(&zero, 1), std::span(&byte, 1));
    CHECK(byte == g711_silence(codec));
  }
}

TEST_CASE("the pacing histogram knows its quantiles to half an octave, and merges") {
  PacingHistogram histogram;
  CHECK_FALSE(histogram.quantile(0.5).has_value());
  for (int i = 0; i < 990; ++i) histogram.add(0.010);
  for (int i = 0; i < 10; ++i) histogram.add(-5.0);  // early counts as late does
  CHECK(histogram.quantile(0.5).value() == doctest::Approx(0.010).epsilon(0.5));
  CHECK(histogram.quantile(0.99).value() < 0.02);
  CHECK(histogram.quantile(0.999).value() == doctest::Approx(5.0).epsilon(0.5));
  CHECK(histogram.max_ms == 5.0);
  PacingHistogram other;
  other.add(100.0);
  histogram.merge(other);
  CHECK(histogram.total == 1001);
  CHECK(histogram.max_ms == 100.0);
  CHECK(histogram.quantile(1.0).value() == 100.0);
}
