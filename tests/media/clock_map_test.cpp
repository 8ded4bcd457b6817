// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "media/clock_map.h"
#include "media/codec.h"

using namespace linecheck::media;

namespace {

RtpPacket packet(std::uint16_t sequence, std::uint32_t timestamp, std::uint32_t ssrc = 1) {
  RtpPacket made;
  made.sequence = sequence;
  made.timestamp = timestamp;
  made.ssrc = ssrc;
  return made;
}

// Sends 20 ms packets over a line with jitter, from a clock that runs `ppm` fast, and returns how far each
// packet is laid from where it would have come over an idle line, ms. Positions are settled half a second
// after arrival.
std::vector<double> errors(double ppm, double jitter_ms, double first_jitter_ms, int packets) {
  ClockMap map;
  std::mt19937 random(42);
  std::uniform_real_distribution<double> jitter(0.0, jitter_ms);
  struct Waiting {
    ClockMap::Place place;
    double exact_ms;
    double arrival_ms;
  };
  std::vector<Waiting> waiting;
  std::vector<double> found;
  std::size_t settled = 0;
  double now_ms = 0;
  for (int i = 0; i < packets; ++i) {
    const double exact_ms = 100.0 + i * 20.0 / (1.0 + ppm * 1e-6);
    const double arrival_ms = exact_ms + (i == 0 ? first_jitter_ms : jitter(random));
    now_ms = std::max(now_ms, arrival_ms);  // in order
    const auto place =
        map.add(packet(static_cast<std::uint16_t>(i), 999u + 160u * static_cast<std::uint32_t>(i)),
                std::llround(now_ms * 1e6), 160);
    waiting.push_back({place, exact_ms, now_ms});
    while (settled < waiting.size() && waiting[settled].arrival_ms + 1000 <= now_ms) {
      const auto& packet_settled = waiting[settled++];
      found.push_back(static_cast<double>(map.settled_position(packet_settled.place)) / 8.0 -
                      packet_settled.exact_ms);
    }
  }
  CHECK(map.restarts() == 0);
  return found;
}

double worst(const std::vector<double>& values, std::size_t from = 0) {
  double most = 0;
  for (std::size_t i = from; i < values.size(); ++i) most = std::max(most, std::abs(values[i]));
  return most;
}

}  // namespace

TEST_CASE("a quiet line is mapped to the sample") {
  CHECK(worst(errors(0, 0, 0, 500)) <= 0.063);
}

TEST_CASE("the first packet's jitter moves nothing") {
  CHECK(worst(errors(0, 0, 90, 500)) <= 0.063);
}

TEST_CASE("neither jitter nor drift moves speech by more than a millisecond") {
  // In the first second fifty packets are all that the map can know; with 30 ms of jitter that is not quite
  // enough.
  const auto rough = errors(0, 30, 30, 3000);
  CHECK(worst(rough) <= 2.0);
  CHECK(worst(rough, 50) <= 1.0);
  CHECK(worst(errors(100, 20, 20, 6000)) <= 1.0);
  CHECK(worst(errors(-100, 20, 20, 6000)) <= 1.0);
  CHECK(worst(errors(100, 0, 0, 6000)) <= 1.0);
  CHECK(worst(errors(-100, 0, 0, 6000)) <= 1.0);
}

TEST_CASE("the speed of the remote's clock is measured") {
  for (const double ppm : {-80.0, 0.0, 80.0}) {
    ClockMap map;
    for (int i = 0; i < 3000; ++i) {
      const double arrival_ms = 100.0 + i * 20.0 / (1.0 + ppm * 1e-6);
      map.add(packet(static_cast<std::uint16_t>(i), 160u * static_cast<std::uint32_t>(i)),
              std::llround(arrival_ms * 1e6), 160);
    }
    REQUIRE(map.skew_ppm().has_value());
    CHECK(std::abs(*map.skew_ppm() - ppm) < 1.0);
  }
}

TEST_CASE("a timestamp that wraps is no jump") {
  ClockMap map;
  const std::uint32_t begin = 0xFFFFFFFFu - 400;
  ClockMap::Place last;
  for (int i = 0; i < 10; ++i) {
    last = map.add(packet(static_cast<std::uint16_t>(i), begin + 160u * static_cast<std::uint32_t>(i)),
                   i * 20 * kNsPerMs, 160);
  }
  CHECK(map.restarts() == 0);
  CHECK(map.live_position(last) == 9 * 160);
}

TEST_CASE("silence suppression, where the timestamp goes on, is no jump") {
  ClockMap map;
  map.add(packet(1, 0), 0, 160);
  map.add(packet(2, 160), 20 * kNsPerMs, 160);
  const auto place = map.add(packet(3, 160 + 8 * 3000), 3020 * kNsPerMs, 160);
  CHECK(map.restarts() == 0);
  CHECK(map.live_position(place) == 3020 * 8);
}

TEST_CASE("a timestamp jump and a new SSRC start a new map, and leave what is held of the old one") {
  ClockMap map;
  ClockMap::Place old_place;
  for (int i = 0; i < 20; ++i) {
    old_place = map.add(packet(static_cast<std::uint16_t>(i), 160u * static_cast<std::uint32_t>(i)),
                        i * 20 * kNsPerMs, 160);
  }
  // Forward by ten minutes, backward by an hour, then another source.
  auto place = map.add(packet(20, 160u * 20 + 600u * 8000), 400 * kNsPerMs, 160);
  CHECK(map.restarts() == 1);
  CHECK(map.restarted());
  CHECK(map.live_position(place) == 3200);
  CHECK(map.live_position(old_place) == 19 * 160);
  place = map.add(packet(21, 160u * 21 - 3600u * 8000), 420 * kNsPerMs, 160);
  CHECK(map.live_position(place) == 3360);
  place = map.add(packet(999, 77, 2), 440 * kNsPerMs, 160);
  CHECK(map.restarts() == 3);
  CHECK(map.live_position(place) == 3520);
}

TEST_CASE("a remote whose timestamps stand still while it is silent is laid where it comes") {
  ClockMap map;
  map.add(packet(1, 0), 0, 160);
  map.add(packet(2, 160), 20 * kNsPerMs, 160);
  const auto place = map.add(packet(3, 320), 5000 * kNsPerMs, 160);
  CHECK(map.restarts() == 1);
  CHECK(map.live_position(place) == 5000 * 8);
}

TEST_CASE("a network that stalls and then delivers everything moves nothing") {
  ClockMap map;
  for (int i = 0; i < 20; ++i) {
    map.add(packet(static_cast<std::uint16_t>(i), 160u * static_cast<std::uint32_t>(i)), i * 20 * kNsPerMs,
            160);
  }
  // 400 ms of packets come at once, each late by less than the one before.
  ClockMap::Place first;
  ClockMap::Place last;
  for (int i = 20; i < 40; ++i) {
    last = map.add(packet(static_cast<std::uint16_t>(i), 160u * static_cast<std::uint32_t>(i)),
                   (39 * 20 + 1) * kNsPerMs, 160);
    if (i == 20) first = last;
  }
  for (int i = 40; i < 50; ++i) {
    map.add(packet(static_cast<std::uint16_t>(i), 160u * static_cast<std::uint32_t>(i)), i * 20 * kNsPerMs,
            160);
  }
  CHECK(map.settled_position(first) == 20 * 160);
  CHECK(map.settled_position(last) == 39 * 160);
}

TEST_CASE("reordered packets are laid in their place") {
  ClockMap map;
  map.add(packet(1, 0), 0, 160);
  map.add(packet(3, 320), 40 * kNsPerMs, 160);
  const auto place = map.add(packet(2, 160), 45 * kNsPerMs, 160);
  CHECK(map.live_position(place) == 160);
  CHECK(map.restarts() == 0);
}
