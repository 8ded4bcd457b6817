// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include <vector>

#include "media/rtcp_packet.h"
#include "media/rtp_packet.h"

using namespace linecheck::media;

namespace {

constexpr std::uint32_t kOurs = 0x01020304;
constexpr std::uint32_t kPeer = 0xA0B0C0D0;

std::vector<std::uint8_t> bytes_of(const RtcpWriter& writer) {
  return {writer.view().begin(), writer.view().end()};
}

RtcpReportBlock sample_block() {
  return {kOurs, 64, -5, 0x0001FFFE, 777, 0x11223344, 65536};
}

// An RR without blocks, and a VoIP metrics block about `ssrc`.
std::vector<std::uint8_t> extended_report(std::uint8_t ssrc_last) {
  return {0x80, 201, 0,   1,  0xA0, 0xB0, 0xC0, 0xD0,                     //
          0x80, 207, 0,   10, 0xA0, 0xB0, 0xC0, 0xD0,                     //
          7,    0,   0,   8,  1,    2,    3,    ssrc_last,                //
          26,   13,  128, 0,  0,    200,  1,    44,        0, 80, 0, 60,  // loss, bursts, delays
          238,  190, 127, 16, 90,   127,  41,   39,        0, 0,  0, 40,
          0,    100, 0,   200};  // levels, quality, buffer
}

}  // namespace

TEST_CASE("an SR with SDES and BYE reads back as written") {
  RtcpWriter writer;
  writer.sender_report(kPeer, {0x1122334455667788, 0xCAFEBABE, 250, 40000}, sample_block());
  writer.canonical_name(kPeer, "abcdefghijklmnop");
  writer.bye(kPeer);
  const auto bytes = bytes_of(writer);
  CHECK(bytes.size() % 4 == 0);
  CHECK(is_rtcp(bytes));
  const auto compound = parse_rtcp(bytes, kOurs);
  REQUIRE(compound);
  CHECK(compound->sender == kPeer);
  REQUIRE(compound->sender_info);
  CHECK(compound->sender_info->ntp == 0x1122334455667788);
  CHECK(compound->sender_info->rtp_timestamp == 0xCAFEBABE);
  CHECK(compound->sender_info->packets == 250);
  CHECK(compound->sender_info->octets == 40000);
  REQUIRE(compound->about_us);
  CHECK(compound->about_us->fraction_lost == 64);
  CHECK(compound->about_us->cumulative_lost == -5);
  CHECK(compound->about_us->highest_sequence == 0x0001FFFE);
  CHECK(compound->about_us->jitter == 777);
  CHECK(compound->about_us->last_report == 0x11223344);
  CHECK(compound->about_us->since_last_report == 65536);
  CHECK(compound->bye);
  CHECK_FALSE(parse_rtcp(bytes, kOurs + 1)->about_us);
}

TEST_CASE("the canonical name ends with a zero byte, whatever its length") {
  for (std::size_t length = 0; length <= 20; ++length) {
    RtcpWriter writer;
    writer.receiver_report(kPeer, std::nullopt);
    writer.canonical_name(kPeer, std::string(length, 'x'));
    const auto bytes = bytes_of(writer);
    CHECK(bytes.size() % 4 == 0);
    CHECK(bytes.back() == 0);
    CHECK(bytes[17] == length);
    CHECK(parse_rtcp(bytes, kOurs));
  }
}

TEST_CASE("what does not add up is no RTCP") {
  RtcpWriter writer;
  writer.sender_report(kPeer, {}, sample_block());
  writer.canonical_name(kPeer, "name");
  const auto whole = bytes_of(writer);
  REQUIRE(parse_rtcp(whole, kOurs));
  CHECK_FALSE(parse_rtcp({}, kOurs));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    if (size == 52) continue;  // the SR alone is whole
    CHECK_FALSE(parse_rtcp(std::span(whole).first(size), kOurs));
  }
  auto wrong = whole;
  wrong[0] = 0x41;  // version 1
  CHECK_FALSE(parse_rtcp(wrong, kOurs));
  wrong = whole;
  wrong[0] = 0x9F;  // 31 blocks announced, one there
  CHECK_FALSE(parse_rtcp(wrong, kOurs));
  wrong = whole;
  wrong[0] |= 0x20;  // padding in a packet that is not the last
  CHECK_FALSE(parse_rtcp(wrong, kOurs));
  wrong = whole;
  wrong[1] = 96;  // not RTCP at all
  CHECK_FALSE(parse_rtcp(wrong, kOurs));
  wrong = whole;
  wrong[1] = 210;  // a type that nobody knows is passed over
  CHECK(parse_rtcp(wrong, kOurs));
}

TEST_CASE("padding at the end is taken off") {
  const std::vector<std::uint8_t> padded{0xA0, 201, 0, 2, 1, 2, 3, 4, 0, 0, 0, 4};
  CHECK(parse_rtcp(padded, kOurs));
  auto wrong = padded;
  wrong.back() = 0;
  CHECK_FALSE(parse_rtcp(wrong, kOurs));
  wrong.back() = 12;
  CHECK_FALSE(parse_rtcp(wrong, kOurs));
}

TEST_CASE("the VoIP metrics of an extended report are kept where they are about us") {
  const auto bytes = extended_report(4);
  const auto compound = parse_rtcp(bytes, kOurs);
  REQUIRE(compound);
  REQUIRE(compound->voip);
  const VoipMetrics& voip = *compound->voip;
  CHECK(voip.loss_percent == doctest::Approx(10.16).epsilon(0.01));
  CHECK(voip.discard_percent == doctest::Approx(5.08).epsilon(0.01));
  CHECK(voip.burst_density_percent == doctest::Approx(50));
  CHECK(voip.burst_ms == 200);
  CHECK(voip.gap_ms == 300);
  CHECK(voip.round_trip_ms == 80);
  CHECK(voip.end_system_delay_ms == 60);
  CHECK(voip.signal_dbm0 == -18);
  CHECK(voip.noise_dbm0 == -66);
  CHECK_FALSE(voip.echo_return_loss_db);
  CHECK(voip.r_factor == doctest::Approx(90));
  CHECK(voip.mos_lq == doctest::Approx(4.1));
  CHECK(voip.mos_cq == doctest::Approx(3.9));
  CHECK(voip.buffer_nominal_ms == 40);
  CHECK(voip.buffer_maximum_ms == 100);
  const auto other = parse_rtcp(extended_report(5), kOurs);
  REQUIRE(other);
  CHECK_FALSE(other->voip);
  auto cut = bytes;
  cut[19] = 7;  // the block says less than it needs
  CHECK_FALSE(parse_rtcp(cut, kOurs));
}

TEST_CASE("NTP time is seconds since 1900 and their fraction") {
  CHECK(ntp_of_unix(0) == std::uint64_t{2'208'988'800} << 32);
  CHECK(ntp_of_unix(1'500'000'000) == ((std::uint64_t{2'208'988'801} << 32) | 0x80000000u));
  CHECK(middle_of_ntp(0x1122334455667788) == 0x33445566);
}
