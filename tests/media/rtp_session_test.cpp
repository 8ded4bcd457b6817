// SPDX-License-Identifier: GPL-3.0-or-later
//
// RTP packets made by us in place and by an oRTP session: the same bytes.
#include <doctest/doctest.h>

#include "media/rtp_session.h"
#include "tests/media/virtual_leg.h"

using namespace linecheck::media;
using namespace linecheck::media::test;

TEST_CASE("packets made in place are those that oRTP makes") {
  ManualClock clock;
  const auto ours = std::make_shared<Wire>();
  const auto theirs = std::make_shared<Wire>();
  MemoryPort our_port(ours, clock);
  MemoryPort their_port(theirs, clock);
  RtpSessionHandle direct(our_port, 0x89ABCDEF, 65534);  // the sequence number wraps
  RtpSessionHandle ortp(their_port, 0x89ABCDEF, 65534, RtpPath::ortp);
  const Address to = *Address::parse("192.0.2.1", 5004);
  std::vector<std::uint8_t> payload(160);
  for (std::uint32_t i = 0; i < 5; ++i) {
    payload[0] = static_cast<std::uint8_t>(i);
    const std::uint32_t timestamp = 0xFFFFFF00u + 160 * i;  // and so does the timestamp
    CHECK(direct.send(payload, i == 3 ? 101 : 8, i == 0, timestamp, to));
    CHECK(ortp.send(payload, i == 3 ? 101 : 8, i == 0, timestamp, to));
  }
  REQUIRE(ours->sent.size() == 5);
  REQUIRE(theirs->sent.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(ours->sent[i].bytes == theirs->sent[i].bytes);
  CHECK(ours->sent[2].rtp().sequence == 0);
  CHECK(ours->sent[0].rtp().marker);
  CHECK(ours->sent[4].rtp().ssrc == 0x89ABCDEF);
}

TEST_CASE("a payload that fits no datagram is refused") {
  ManualClock clock;
  MemoryPort port(std::make_shared<Wire>(), clock);
  RtpSessionHandle session(port, 1, 1);
  const std::vector<std::uint8_t> payload(kMaxDatagram);
  CHECK_FALSE(session.send(payload, 0, false, 0, *Address::parse("192.0.2.1", 5004)));
}
