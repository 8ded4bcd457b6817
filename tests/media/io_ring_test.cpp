// SPDX-License-Identifier: GPL-3.0-or-later
//
// Real sockets on 127.0.0.1, read and written through a ring and without one: the same packets either way.
#include <doctest/doctest.h>

#include <numeric>
#include <vector>

#include "media/io_ring.h"
#include "media/udp_port.h"

using namespace linecheck::media;

namespace {

std::unique_ptr<UdpPort> free_port() {
  int error = 0;
  for (std::uint16_t at = 20000; at < 60000; at = static_cast<std::uint16_t>(at + 2)) {
    if (auto port = UdpPort::bind("127.0.0.1", at, error)) return port;
  }
  return nullptr;
}

std::unique_ptr<IoRing> ring_or_null() {
  std::string why;
  auto ring = IoRing::make(why);
  if (!ring) MESSAGE("not tested here: " << why);
  return ring;
}

std::vector<std::uint8_t> packet(std::size_t size, std::uint8_t first) {
  std::vector<std::uint8_t> bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

std::vector<std::uint8_t> bytes_of(const Datagram& datagram) {
  return {datagram.view().begin(), datagram.view().end()};
}

}  // namespace

TEST_CASE("ring: what ports send and read with it arrives whole and in order") {
  const auto ring = ring_or_null();
  if (!ring) return;
  const auto a = free_port();
  const auto b = free_port();
  REQUIRE(a);
  REQUIRE(b);
  const Address to_b = *Address::parse("127.0.0.1", b->number());
  const auto batch = std::make_unique<DatagramBatch>();
  a->use(ring.get());
  b->use(ring.get());

  CHECK(a->send(packet(172, 1), to_b));
  b->expect();
  ring->submit();  // one after the other: what has just been sent is read
  b->receive(*batch);
  REQUIRE(batch->count == 1);
  CHECK(bytes_of(batch->items[0]) == packet(172, 1));
  CHECK(batch->items[0].from == *Address::parse("127.0.0.1", a->number()));
  CHECK(batch->items[0].arrival_ns > 0);

  b->expect();
  ring->submit();
  b->receive(*batch);
  CHECK(batch->count == 0);

  // More than the ring takes at once.
  for (std::uint8_t i = 0; i < 40; ++i) CHECK(a->send(packet(50, i), to_b));
  ring->submit();
  for (std::uint8_t i = 0; i < 40;) {
    b->expect();
    ring->submit();
    b->receive(*batch);
    REQUIRE(batch->count > 0);
    for (std::size_t n = 0; n < batch->count; ++n) CHECK(bytes_of(batch->items[n]) == packet(50, i++));
  }
}

TEST_CASE("ring: what the socket does not take is told, once for each packet") {
  const auto ring = ring_or_null();
  if (!ring) return;
  const auto port = free_port();
  REQUIRE(port);
  port->use(ring.get());
  const Address nowhere = *Address::parse("255.255.255.255", 9);  // EACCES without SO_BROADCAST
  const Address back = *Address::parse("127.0.0.1", port->number());
  CHECK(port->send(packet(20, 0), nowhere));
  CHECK(port->send(packet(20, 0), nowhere));
  ring->submit();
  CHECK_FALSE(port->send(packet(20, 0), back));
  CHECK_FALSE(port->send(packet(20, 0), back));
  CHECK(port->send(packet(20, 0), back));
  ring->submit();
}

TEST_CASE("ring: more sockets than it reads at once are read all the same") {
  const auto ring = ring_or_null();
  if (!ring) return;
  std::vector<std::unique_ptr<UdpPort>> ports;
  for (unsigned i = 0; i < IoRing::kReceives + 6; ++i) ports.push_back(free_port());
  const auto batch = std::make_unique<DatagramBatch>();
  for (const auto& port : ports) {
    REQUIRE(port);
    port->use(ring.get());
    CHECK(port->send(packet(20, 7), *Address::parse("127.0.0.1", port->number())));
  }
  ring->submit();
  for (const auto& port : ports) port->expect();
  ring->submit();
  for (const auto& port : ports) {
    port->receive(*batch);
    CHECK(batch->count == 1);
  }
}

TEST_CASE("a port reads one packet where one waits, and all where they have waited") {
  const auto a = free_port();
  const auto b = free_port();
  REQUIRE(a);
  REQUIRE(b);
  const Address to_b = *Address::parse("127.0.0.1", b->number());
  const auto batch = std::make_unique<DatagramBatch>();
  for (std::uint8_t i = 0; i < 30; ++i) CHECK(a->send(packet(50, i), to_b));
  std::uint8_t got = 0;
  for (int reads = 0; got < 30 && reads < 30; ++reads) {
    b->receive(*batch);
    REQUIRE(batch->count > 0);
    for (std::size_t n = 0; n < batch->count; ++n) CHECK(bytes_of(batch->items[n]) == packet(50, got++));
  }
  CHECK(got == 30);
}
