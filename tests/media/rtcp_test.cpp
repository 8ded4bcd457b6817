// SPDX-License-Identifier: GPL-3.0-or-later
//
// RTCP of a leg, in virtual time: when reports leave, what they say, and what the remote's reports mean.
#include <doctest/doctest.h>

#include <algorithm>

#include "media/rtcp_session.h"
#include "virtual_leg.h"

using namespace linecheck::media;
using linecheck::media::test::tone_clip;
using linecheck::media::test::VirtualLeg;
using linecheck::media::test::Wire;

namespace {

constexpr std::uint32_t kTheirs = 0xABCD;
constexpr std::int64_t kSecondNs = 1'000'000'000;
const std::vector<std::uint8_t> kAudio(160, 0x55);

RtcpCompound read(const Wire::Sent& sent, std::uint32_t about = kTheirs) {
  return parse_rtcp(sent.bytes, about).value();
}

Datagram control_datagram(std::int64_t arrival_ns, const RtcpWriter& packet, std::uint16_t port = 5005) {
  Datagram datagram;
  datagram.from = *Address::parse("192.0.2.1", port);
  datagram.arrival_ns = arrival_ns;
  datagram.size = static_cast<std::uint16_t>(packet.view().size());
  std::copy(packet.view().begin(), packet.view().end(), datagram.bytes.begin());
  return datagram;
}

// A report of the remote about our stream.
RtcpWriter report_about(std::uint32_t ours, std::uint8_t fraction, std::int32_t lost, std::uint32_t highest,
                        std::uint32_t jitter, std::uint32_t last = 0, std::uint32_t since = 0) {
  RtcpWriter packet;
  packet.receiver_report(kTheirs, RtcpReportBlock{ours, fraction, lost, highest, jitter, last, since});
  return packet;
}

}  // namespace

TEST_CASE("reports keep the standard's interval: 5 s in the mean, between half and one and a half of it") {
  double sum = 0;
  int count = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    RtcpSession session(1, 0, seed);
    session.start(0);
    std::int64_t last_ns = 0;
    for (std::int64_t now_ns = 0; now_ns < 200 * kSecondNs; now_ns += 20'000'000) {
      if (!session.due(now_ns)) continue;
      const double seconds = static_cast<double>(now_ns - last_ns) / 1e9;
      if (last_ns == 0) {
        CHECK(seconds >= 2.5 * 0.5 / 1.21828);
        CHECK(seconds <= 2.5 * 1.5 / 1.21828 + 0.02);
      } else {
        CHECK(seconds >= 5 * 0.5 / 1.21828);
        CHECK(seconds <= 5 * 1.5 / 1.21828 + 0.02);
        sum += seconds;
        ++count;
      }
      last_ns = now_ns;
    }
  }
  // What timer reconsideration and its compensation leave of the 5 s for two parties, who only ever wait for
  // the minimum.
  CHECK(sum / count > 4.9);
  CHECK(sum / count < 5.1);
}

TEST_CASE("a sender report carries the wall clock and the RTP clock of one instant") {
  VirtualLeg leg;
  leg.start();
  leg.run_ms(20'000);
  REQUIRE(leg.wire->control_sent.size() >= 3);
  for (const Wire::Sent& sent : leg.wire->control_sent) {
    CHECK(sent.to == *Address::parse("192.0.2.1", 5005));
    const RtcpCompound compound = read(sent);
    REQUIRE(compound.sender_info);
    CHECK(compound.sender == leg.numbers.ssrc);
    const std::int64_t leg_ns = sent.at_ns - leg.origin_ns;
    CHECK(compound.sender_info->ntp == ntp_of_unix(VirtualLeg::kOriginWallNs + leg_ns));
    CHECK(compound.sender_info->rtp_timestamp ==
          leg.numbers.timestamp + static_cast<std::uint32_t>(leg_ns / 125'000));
    const auto packets = static_cast<std::size_t>(
        std::count_if(leg.wire->sent.begin(), leg.wire->sent.end(),
                      [&](const Wire::Sent& rtp) { return rtp.at_ns <= sent.at_ns; }));
    CHECK(compound.sender_info->packets == packets);
    CHECK(compound.sender_info->octets == 160 * packets);
    CHECK_FALSE(compound.bye);
  }
}

TEST_CASE("a report block says what was lost, how far the stream is, how it shakes, and when its SR came") {
  VirtualLeg leg;
  leg.start();
  // Every tenth packet is lost; each second one comes 10 ms late. The sequence wraps.
  std::uint16_t sequence = 65500;
  for (int i = 0; i < 250; ++i, ++sequence) {
    if (i % 10 == 5) continue;
    leg.arrive(100 + 20.0 * i + (i % 2) * 10.0, 0, sequence, 1000u + 160u * static_cast<unsigned>(i), kAudio,
               kTheirs);
  }
  RtcpWriter theirs;
  const std::uint64_t ntp = 0x1234567890ABCDEF;
  theirs.sender_report(kTheirs, {ntp, 0, 1, 160}, std::nullopt);
  leg.wire->control_incoming.push_back(control_datagram(leg.origin_ns + 300'000'000, theirs));
  leg.run_ms(8'000);
  REQUIRE(!leg.wire->control_sent.empty());
  const Wire::Sent& first = leg.wire->control_sent.front();
  const auto block = read(first).about_us;
  REQUIRE(block);
  CHECK(block->fraction_lost == doctest::Approx(25.6).epsilon(0.1));
  const auto packets = (static_cast<double>(first.at_ns - leg.origin_ns) / 1e6 - 100) / 20;
  CHECK(block->cumulative_lost == doctest::Approx(packets / 10).epsilon(0.1));
  CHECK(block->highest_sequence == doctest::Approx(65500 + packets).epsilon(0.001));
  CHECK(block->jitter > 60);  // towards 80 timestamp units: 10 ms at every step
  CHECK(block->jitter <= 90);
  CHECK(block->last_report == middle_of_ntp(ntp));
  const double since_s = static_cast<double>(first.at_ns - leg.origin_ns) / 1e9 - 0.3;
  CHECK(block->since_last_report / 65536.0 == doctest::Approx(since_s).epsilon(0.001));
}

TEST_CASE("the remote's reports tell the loss, jitter and round trip of our stream") {
  VirtualLeg leg;
  leg.start();
  leg.run_ms(4'000);
  REQUIRE(!leg.wire->control_sent.empty());
  const Wire::Sent asked = leg.wire->control_sent.back();
  const std::uint32_t last = middle_of_ntp(read(asked).sender_info->ntp);
  const std::uint64_t sent = leg.wire->sent.size();
  // It took 100 ms there, was answered after half a second, and 100 ms back.
  const std::int64_t answered_ns = asked.at_ns + 700'000'000;
  leg.wire->control_incoming.push_back(control_datagram(
      answered_ns, report_about(leg.numbers.ssrc, 26, 15,
                                std::uint32_t{leg.numbers.sequence} + static_cast<std::uint32_t>(sent) - 1,
                                40, last, 32768)));
  // Of a stream that is not ours, and about an SR that we never sent: neither counts.
  leg.wire->control_incoming.push_back(
      control_datagram(answered_ns, report_about(leg.numbers.ssrc + 1, 200, 5000, 0, 4000)));
  leg.run_ms(2'000);
  RtcpWriter bye;
  bye.receiver_report(kTheirs, std::nullopt);
  bye.bye(kTheirs);
  leg.wire->control_incoming.push_back(control_datagram(leg.clock.now_ns(), bye));
  Datagram broken = control_datagram(leg.clock.now_ns(), bye);
  broken.size = 7;
  leg.wire->control_incoming.push_back(broken);
  const LegReport report = leg.close();
  CHECK(report.send.loss_known);
  CHECK(report.send.lost == 15);
  CHECK(report.send.expected == sent);
  CHECK(*report.send.loss_percent() == doctest::Approx(100.0 * 15 / static_cast<double>(sent)));
  CHECK(report.send.jitter_mean_ms == doctest::Approx(5));
  CHECK(*report.send.round_trip_ms == doctest::Approx(200).epsilon(0.001));
  CHECK(*report.receive.round_trip_ms == doctest::Approx(200).epsilon(0.001));
  CHECK(report.rtcp.received == 3);
  CHECK(report.rtcp.malformed == 1);
  REQUIRE(report.rtcp.reports.size() == 1);
  CHECK(report.rtcp.reports[0].loss_percent == doctest::Approx(100.0 * 26 / 256));
  CHECK(report.rtcp.bye_ms);
  CHECK(report.rtcp.sent == leg.wire->control_sent.size());
  // Ours ends with BYE too.
  CHECK(read(leg.wire->control_sent.back()).bye);
}

TEST_CASE("without reports of the remote nobody knows what was lost") {
  VirtualLeg leg;
  leg.start();
  leg.run_ms(1'000);
  const LegReport report = leg.close();
  CHECK_FALSE(report.send.loss_known);
  CHECK_FALSE(report.send.round_trip_ms);
  // A call shorter than the first interval still says BYE: it has sent RTP.
  REQUIRE(report.rtcp.sent == 1);
  const RtcpCompound compound = read(leg.wire->control_sent.front());
  CHECK(compound.bye);
  CHECK(compound.sender_info);
}

TEST_CASE("muxed, RTCP shares RTP's port both ways and is no RTP") {
  VirtualLeg leg;
  Stream stream;
  stream.remote = *Address::parse("192.0.2.1", 5004);
  stream.rtcp = true;
  stream.rtcp_mux = true;
  leg.start(stream);
  for (int i = 0; i < 100; ++i)
    leg.arrive(20.0 * i, 0, static_cast<std::uint16_t>(i), 160u * static_cast<unsigned>(i), kAudio);
  leg.wire->incoming.push_back(
      control_datagram(leg.origin_ns + 3'000'000'000, report_about(leg.numbers.ssrc, 0, 0, 0, 8), 5004));
  leg.run_ms(7'000);
  const LegReport report = leg.close();
  CHECK(leg.wire->control_sent.empty());
  CHECK(std::any_of(leg.wire->sent.begin(), leg.wire->sent.end(),
                    [](const Wire::Sent& sent) { return is_rtcp(sent.bytes); }));
  CHECK(report.rtcp.muxed);
  CHECK(report.rtcp.received == 1);
  CHECK(report.receive.packets == 100);
  CHECK(report.receive.malformed == 0);
  CHECK(report.send.jitter_max_ms == doctest::Approx(1));
}

TEST_CASE("where RTCP is off, none is sent") {
  VirtualLeg leg;
  Stream stream;
  stream.remote = *Address::parse("192.0.2.1", 5004);
  stream.rtcp = false;
  leg.start(stream);
  leg.run_ms(10'000);
  const LegReport report = leg.close();
  CHECK(leg.wire->control_sent.empty());
  CHECK(report.rtcp.sent == 0);
}
