// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a remote may do to a stream, and what hold does to ours, on a leg in virtual time.
#include <doctest/doctest.h>

#include <algorithm>

#include "virtual_leg.h"

using namespace linecheck::media;
using linecheck::media::test::through;
using linecheck::media::test::tone_clip;
using linecheck::media::test::VirtualLeg;
using linecheck::media::test::Wire;

namespace {

constexpr int kComfortNoise = 13;
const std::vector<std::uint8_t> kSilence(160, 0xFF);

std::vector<std::uint8_t> tone(int samples) {
  const ClipPtr clip = tone_clip(static_cast<std::size_t>(samples));
  std::vector<std::uint8_t> bytes(clip->samples.size());
  g711_encode(Codec::pcmu, clip->samples, bytes);
  return bytes;
}

/// Where the agent's channel is loud first at or after `from`; -1: nowhere.
std::int64_t loud_from(const VirtualLeg& leg, std::size_t from) {
  for (std::size_t i = from; i < leg.recording.size(); ++i) {
    if (std::abs(leg.recording[i].agent) > 4000) return static_cast<std::int64_t>(i);
  }
  return -1;
}

}  // namespace

TEST_CASE("comfort noise is counted, is no audio, and holds up nothing") {
  VirtualLeg leg({}, true);
  leg.start();
  std::uint16_t sequence = 0;
  for (int i = 0; i < 50; ++i)
    leg.arrive(100 + 20.0 * i, 0, sequence++, 160u * static_cast<unsigned>(i), kSilence);
  const std::vector<std::uint8_t> level{70};
  leg.arrive(1100, kComfortNoise, sequence++, 160u * 50, level);
  leg.arrive(1600, kComfortNoise, sequence++, 160u * 75, level);
  // Speech again two seconds after the talk ended: the timestamp has run on.
  const auto loud = tone(160);
  for (int i = 150; i < 200; ++i)
    leg.arrive(100 + 20.0 * i, 0, sequence++, 160u * static_cast<unsigned>(i), loud);
  leg.run_ms(6'000);
  const LegReport report = leg.close();
  CHECK(report.receive.comfort_noise == 2);
  CHECK(report.receive.unknown_payload == 0);
  CHECK(report.receive.lost == 0);
  CHECK(report.clock_map_restarts == 0);
  CHECK(loud_from(leg, 0) == 8 * (100 + 20 * 150));
}

TEST_CASE("what comes over 40 ms late is no more for a jitter buffer, but is recorded") {
  VirtualLeg leg;
  leg.start();
  for (int i = 0; i < 200; ++i) {
    const double late = i % 20 == 10 ? 50 : i % 20 == 5 ? 39 : 0;
    leg.arrive(100 + 20.0 * i + late, 0, static_cast<std::uint16_t>(i), 160u * static_cast<unsigned>(i),
               kSilence);
  }
  leg.run_ms(5'000);
  const LegReport report = leg.close();
  CHECK(report.receive.discarded == 10);
  CHECK(report.receive.late == 0);
  CHECK(report.receive.lost == 0);
}

TEST_CASE("packets from elsewhere than SDP said are heard, counted, and answered there") {
  VirtualLeg leg;
  leg.start();
  for (int i = 0; i < 100; ++i)
    leg.arrive(100 + 20.0 * i, 0, static_cast<std::uint16_t>(i), 160u * static_cast<unsigned>(i), kSilence);
  const Address elsewhere = *Address::parse("192.0.2.9", 7000);
  for (Datagram& datagram : leg.wire->incoming) datagram.from = elsewhere;
  leg.run_ms(3'000);
  CHECK(leg.wire->sent.front().to == *Address::parse("192.0.2.1", 5004));
  CHECK(leg.wire->sent.back().to == elsewhere);
  const LegReport report = leg.close();
  CHECK(report.receive.other_source == 100);
  CHECK(report.receive.packets == 100);
}

TEST_CASE("on hold nothing leaves; behind it a talk spurt begins in the same stream") {
  VirtualLeg leg;
  Stream stream;
  stream.remote = *Address::parse("192.0.2.1", 5004);
  leg.start(stream);
  leg.run_ms(1'000);
  stream.may_send = false;
  leg.start(stream);
  leg.run_ms(20);
  const std::size_t before = leg.wire->sent.size();
  leg.run_ms(1'000);
  CHECK(leg.wire->sent.size() == before);
  stream.may_send = true;
  leg.start(stream);
  leg.run_ms(1'000);
  REQUIRE(leg.wire->sent.size() > before + 40);
  const RtpPacket last = leg.wire->sent[before - 1].rtp();
  const RtpPacket first = leg.wire->sent[before].rtp();
  CHECK(first.ssrc == last.ssrc);
  CHECK(first.sequence == static_cast<std::uint16_t>(last.sequence + 1));
  CHECK(first.marker);
  CHECK_FALSE(leg.wire->sent[before + 1].rtp().marker);
  const auto gap_ns = leg.wire->sent[before].at_ns - leg.wire->sent[before - 1].at_ns;
  CHECK(first.timestamp - last.timestamp == static_cast<std::uint32_t>(gap_ns / 125'000));
  const LegReport report = leg.close();
  const auto& seconds = report.send.seconds;
  REQUIRE(seconds.size() >= 3);
  CHECK(seconds[0].packets >= 49);
  CHECK(seconds[1].packets <= 2);
}

TEST_CASE("an RTP and an RTCP flood of nonsense is counted and harms nothing") {
  VirtualLeg leg({}, true);
  leg.start();
  std::uint64_t state = 1;
  const auto next = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint8_t>(state >> 56);
  };
  for (int i = 0; i < 4000; ++i) {
    Datagram datagram;
    datagram.from = *Address::parse("192.0.2.1", 5004);
    datagram.arrival_ns = leg.origin_ns + std::int64_t{i} * 1'000'000;
    datagram.size = next();
    for (std::size_t n = 0; n < datagram.size; ++n) datagram.bytes[n] = next();
    if (i % 2 == 0) datagram.bytes[0] = 0x80;
    if (i % 4 == 0) datagram.bytes[1] = static_cast<std::uint8_t>(200 + i / 4 % 8);
    leg.wire->incoming.push_back(datagram);
    leg.wire->control_incoming.push_back(datagram);
  }
  leg.run_ms(6'000);
  const LegReport report = leg.close();
  CHECK(report.receive.malformed > 0);
  CHECK(report.rtcp.malformed > 0);
  CHECK(report.receive.packets + report.receive.malformed + report.rtcp.malformed + report.rtcp.received >=
        4000);
}
