// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "media/capture_ring.h"
#include "media/pcap_writer.h"
#include "media/tap_port.h"
#include "tests/media/virtual_leg.h"

using namespace linecheck::media;
using namespace linecheck::media::test;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::uint32_t le32(const Bytes& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(bytes[at + i]) << 8 * i;
  return value;
}

}  // namespace

TEST_CASE("a UDP record is the packet as it crosses the wire, with right checksums") {
  Bytes out;
  const Bytes payload{'h', 'i', '!'};
  append_udp_record(out, 1'700'000'000'123'456'789, *Address::parse("192.0.2.1", 5004),
                    *Address::parse("198.51.100.7", 40000), payload);
  REQUIRE(out.size() == 16 + 20 + 8 + 3);
  CHECK(le32(out, 0) == 1'700'000'000);
  CHECK(le32(out, 4) == 123'456'789);
  CHECK(le32(out, 8) == 31);
  CHECK(le32(out, 12) == 31);
  CHECK(out[16] == 0x45);
  CHECK(out[16 + 9] == 17);
  CHECK(out[16 + 12] == 192);
  CHECK(out[16 + 19] == 7);
  // A receiver's check (RFC 1071): with the checksum in it, the sum is all ones.
  const auto sum = [](const Bytes& bytes, std::size_t from, std::size_t to, std::uint32_t more) {
    std::uint32_t total = more;
    for (std::size_t i = from; i < to; i += 2) {
      total += static_cast<std::uint32_t>(bytes[i] << 8 | (i + 1 < to ? bytes[i + 1] : 0));
    }
    while (total >> 16 != 0) total = (total & 0xFFFF) + (total >> 16);
    return total;
  };
  CHECK(sum(out, 16, 36, 0) == 0xFFFF);
  CHECK(sum(out, 28, out.size(), 17 + 11) ==
        0xFFFF);  // from the addresses on: the pseudo header and the rest
}

TEST_CASE("IPv6 and TCP have their headers too; families that do not mix are left out") {
  Bytes out;
  const Bytes payload(100, 'x');
  append_tcp_record(out, 0, *Address::parse("2001:db8::1", 5060), *Address::parse("2001:db8::2", 5061),
                    {7, 9}, payload);
  REQUIRE(out.size() == 16 + 40 + 20 + 100);
  CHECK(out[16] == 0x60);
  CHECK(out[16 + 6] == 6);
  CHECK(out[16 + 40 + 7] == 7);
  const std::size_t before = out.size();
  append_udp_record(out, 0, *Address::parse("2001:db8::1", 1), *Address::parse("192.0.2.1", 1), payload);
  CHECK(out.size() == before);
}

TEST_CASE("the file begins with its header, is its owner's only, and says what is wrong") {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("linecheck-pcap-" + std::to_string(::getpid()) + ".pcap"))
          .string();
  {
    PcapWriter writer(path);
    CHECK(writer.error().empty());
    writer.append(Bytes{1, 2, 3});
  }
  const Bytes bytes = file_bytes(path);
  REQUIRE(bytes.size() == 24 + 3);
  CHECK(le32(bytes, 0) == 0xA1B23C4D);
  CHECK(le32(bytes, 20) == 101);
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::mask) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  std::filesystem::remove(path);
  CHECK(PcapWriter("/nonexistent/call.pcap").error().find("No such file") != std::string::npos);
}

TEST_CASE("the ring gives packets back as they came, round after round, and counts what finds no room") {
  CaptureRing ring;
  CapturedPacket packet;
  Bytes bytes;
  CHECK_FALSE(ring.pop(packet, bytes));
  for (int round = 0; round < 1000; ++round) {
    const Bytes sent(static_cast<std::size_t>(100 + round), static_cast<std::uint8_t>(round));
    packet.mono_ns = round;
    packet.sent = round % 2 == 0;
    packet.remote = *Address::parse("192.0.2.9", static_cast<std::uint16_t>(1000 + round));
    REQUIRE(ring.push(packet, sent));
    CapturedPacket back;
    REQUIRE(ring.pop(back, bytes));
    CHECK(back.mono_ns == round);
    CHECK(back.sent == packet.sent);
    CHECK(back.remote == packet.remote);
    CHECK(bytes == sent);
  }
  int pushed = 0;
  while (ring.push(packet, Bytes(200, 1))) ++pushed;
  CHECK(pushed > 450);
  CHECK(ring.dropped() == 1);
  int popped = 0;
  while (ring.pop(packet, bytes)) ++popped;
  CHECK(popped == pushed);
}

TEST_CASE("a tap notes both directions, and gives its port up") {
  ManualClock clock{7'000'000'000};
  auto wire = std::make_shared<Wire>();
  auto ring = std::make_shared<CaptureRing>();
  TapPort tap(std::make_unique<MemoryPort>(wire, clock), ring, clock);
  const auto remote = *Address::parse("192.0.2.1", 5004);
  CHECK(tap.send(Bytes{1, 2, 3}, remote));
  wire->incoming.push_back(rtp_datagram(clock.now_ns() - 5, 0, 1, 2, 3, Bytes{9}));
  DatagramBatch batch;
  tap.receive(batch);
  CHECK(batch.count == 1);
  CapturedPacket packet;
  Bytes bytes;
  REQUIRE(ring->pop(packet, bytes));
  CHECK(packet.sent);
  CHECK(packet.mono_ns == clock.now_ns());
  CHECK(bytes == Bytes{1, 2, 3});
  REQUIRE(ring->pop(packet, bytes));
  CHECK_FALSE(packet.sent);
  CHECK(packet.remote == remote);
  CHECK(packet.mono_ns == clock.now_ns() - 5);
  CHECK(bytes.size() == 13);
  CHECK_FALSE(ring->pop(packet, bytes));
  CHECK(tap.take_inner() != nullptr);
  CHECK(tap.take_inner() == nullptr);
}
