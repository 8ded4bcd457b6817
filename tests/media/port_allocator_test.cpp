// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include <set>
#include <stdexcept>

#include "media/engine.h"
#include "media/port_allocator.h"

using namespace linecheck::media;

namespace {

constexpr std::int64_t kQuarantineNs = 2'000'000'000;

// A few pairs that nobody else has just now.
std::uint16_t free_range(std::uint16_t ports) {
  for (int first = 20000; first < 29000; first += ports) {
    bool all = true;
    for (int port = first; port < first + ports && all; port += 2) {
      int error = 0;
      all = UdpPort::bind("127.0.0.1", static_cast<std::uint16_t>(port), error) != nullptr;
    }
    if (all) return static_cast<std::uint16_t>(first);
  }
  throw std::runtime_error("no free ports for the test");
}

void send_to(std::uint16_t port) {
  int error = 0;
  std::unique_ptr<UdpPort> sender;
  for (int at = 30000; !sender; at += 2)
    sender = UdpPort::bind("127.0.0.1", static_cast<std::uint16_t>(at), error);
  const std::array<std::uint8_t, 12> packet{0x80};
  REQUIRE(sender->send(packet, *Address::parse("127.0.0.1", port)));
}

}  // namespace

TEST_CASE("pairs are even and odd, never handed out twice, and run out with a plain word") {
  ManualClock clock;
  const std::uint16_t first = free_range(8);
  PortAllocator ports(first, static_cast<std::uint16_t>(first + 7), "127.0.0.1", kQuarantineNs, clock);
  CHECK(ports.pairs() == 4);
  std::vector<std::unique_ptr<UdpPort>> taken;
  std::set<std::uint16_t> numbers;
  for (int i = 0; i < 4; ++i) {
    taken.push_back(ports.acquire());
    CHECK(taken.back()->number() % 2 == 0);
    numbers.insert(taken.back()->number());
    int error = 0;  // the odd port is held too
    CHECK(UdpPort::bind("127.0.0.1", taken.back()->number(), error) == nullptr);
  }
  CHECK(numbers.size() == 4);
  CHECK_THROWS_AS(ports.acquire(), PortsExhausted);
  try {
    ports.acquire();
  } catch (const PortsExhausted& problem) {
    CHECK(std::string(problem.what()).find(std::to_string(first)) != std::string::npos);
  }
}

TEST_CASE("a port that somebody else has is passed over") {
  ManualClock clock;
  const std::uint16_t first = free_range(4);
  int error = 0;
  const auto other = UdpPort::bind("127.0.0.1", first, error);
  REQUIRE(other != nullptr);
  PortAllocator ports(first, static_cast<std::uint16_t>(first + 3), "127.0.0.1", kQuarantineNs, clock);
  const auto mine = ports.acquire();
  CHECK(mine->number() == first + 2);
  CHECK_THROWS_AS(ports.acquire(), PortsExhausted);
}

TEST_CASE("a returned pair rests, is drained, and comes back without its stale media") {
  ManualClock clock;
  const std::uint16_t first = free_range(2);
  PortAllocator ports(first, static_cast<std::uint16_t>(first + 1), "127.0.0.1", kQuarantineNs, clock);
  auto port = ports.acquire();
  send_to(first);
  ports.release(std::move(port));
  CHECK(ports.quarantined() == 1);
  CHECK_THROWS_AS(ports.acquire(), PortsExhausted);

  clock.advance(kQuarantineNs - 1);
  send_to(first);
  ports.sweep();  // somebody still sends: the rest begins anew
  clock.advance(kQuarantineNs - 1);
  ports.sweep();
  CHECK(ports.quarantined() == 1);
  clock.advance(2);
  port = ports.acquire();
  REQUIRE(port != nullptr);
  CHECK(ports.quarantined() == 0);
  auto batch = std::make_unique<DatagramBatch>();
  port->receive(*batch);
  CHECK(batch->count == 0);
}

TEST_CASE("somebody who never stops does not hold a port for ever") {
  ManualClock clock;
  const std::uint16_t first = free_range(2);
  PortAllocator ports(first, static_cast<std::uint16_t>(first + 1), "127.0.0.1", kQuarantineNs, clock);
  ports.release(ports.acquire());
  for (int i = 0; i < 11; ++i) {
    send_to(first);
    clock.advance(kQuarantineNs);
    ports.sweep();
  }
  CHECK(ports.quarantined() == 0);
}

TEST_CASE("a bad range or address is refused at once") {
  ManualClock clock;
  CHECK_THROWS_AS(PortAllocator(0, 100, "127.0.0.1", 0, clock), std::runtime_error);
  CHECK_THROWS_AS(PortAllocator(10001, 10002, "127.0.0.1", 0, clock), std::runtime_error);
  CHECK_THROWS_AS(PortAllocator(10000, 10010, "localhost", 0, clock), std::runtime_error);
  PortAllocator elsewhere(10000, 10010, "192.0.2.200", 0, clock);  // an address of nobody here
  CHECK_THROWS_AS(elsewhere.acquire(), PortsExhausted);
}

TEST_CASE("arrival times are the kernel's, on CLOCK_MONOTONIC") {
  const SteadyClock clock;
  const std::uint16_t first = free_range(2);
  int error = 0;
  const auto port = UdpPort::bind("127.0.0.1", first, error);
  REQUIRE(port != nullptr);
  auto batch = std::make_unique<DatagramBatch>();
  // The kernel begins to stamp a moment after the machine's first socket has asked for it: until then a
  // packet's stamp is the time of the read.
  bool stamped = false;
  for (int tries = 0; tries < 200 && !stamped; ++tries) {
    const std::int64_t before = clock.now_ns();
    send_to(first);
    const std::int64_t after = clock.now_ns();
    // However late it is read, the arrival lies where it was sent.
    while (clock.now_ns() < after + 5'000'000) {
    }
    port->receive(*batch);
    REQUIRE(batch->count == 1);
    CHECK(batch->items[0].size == 12);
    CHECK(batch->items[0].arrival_ns >= before - 100'000);
    stamped = batch->items[0].arrival_ns <= after + 100'000;
  }
  CHECK(stamped);
}

TEST_CASE("addresses") {
  CHECK(Address::parse("127.0.0.1", 80)->to_string() == "127.0.0.1:80");
  CHECK(Address::parse("::1", 80)->to_string() == "[::1]:80");
  CHECK_FALSE(Address::parse("example.net", 80).has_value());
  CHECK(*Address::parse("::1", 80) == *Address::parse("::1", 80));
  CHECK_FALSE(*Address::parse("::1", 80) == *Address::parse("::1", 81));
  CHECK_FALSE(*Address::parse("::1", 80) == *Address::parse("127.0.0.1", 80));
}

TEST_CASE("a pair's odd port sends and receives RTCP by itself") {
  const std::uint16_t first = free_range(4);
  int error = 0;
  const auto one = UdpPort::bind("127.0.0.1", first, error);
  const auto other = UdpPort::bind("127.0.0.1", static_cast<std::uint16_t>(first + 2), error);
  REQUIRE(one);
  REQUIRE(other);
  const std::array<std::uint8_t, 8> report{0x80, 201, 0, 1};
  const auto odd = static_cast<std::uint16_t>(first + 3);
  REQUIRE(one->send_control(report, *Address::parse("127.0.0.1", odd)));
  auto batch = std::make_unique<DatagramBatch>();
  other->receive(*batch);
  CHECK(batch->count == 0);
  other->receive_control(*batch);  // loopback delivers before sendto returns
  REQUIRE(batch->count == 1);
  CHECK(batch->items[0].size == report.size());
  CHECK(batch->items[0].from.port() == first + 1);
  CHECK(batch->items[0].arrival_ns > 0);
}
