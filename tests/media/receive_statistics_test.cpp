// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include <array>
#include <random>
#include <vector>

#include "media/codec.h"
#include "media/receive_statistics.h"

using namespace linecheck::media;

namespace {

const std::array<std::uint8_t, 160> kPayload{};

RtpPacket numbered(std::uint16_t sequence, std::uint32_t ssrc = 1) {
  RtpPacket made;
  made.sequence = sequence;
  made.timestamp = 160u * sequence;
  made.ssrc = ssrc;
  made.payload = kPayload;
  return made;
}

RtpStatistics after(const std::vector<int>& sequences) {
  ReceiveStatistics statistics;
  for (const int sequence : sequences) statistics.add(numbered(static_cast<std::uint16_t>(sequence)));
  return statistics.report();
}

}  // namespace

TEST_CASE("loss, reordering and duplicates are told apart") {
  const RtpStatistics report = after({10, 11, 13, 12, 12, 16, 17, 20});
  CHECK(report.packets == 8);
  CHECK(report.bytes == 8 * 160);
  CHECK(report.lost == 4);  // 14 15, 18 19
  CHECK(report.mean_burst_length == 2.0);
  CHECK(report.reordered == 1);
  CHECK(report.duplicate == 1);
  CHECK(report.loss_percent().value() == doctest::Approx(100.0 * 4 / 11));
}

TEST_CASE("nothing came: no loss can be said") {
  CHECK_FALSE(after({}).loss_percent().has_value());
}

TEST_CASE("packets from before the first one count as reordered, and their gaps as lost") {
  const RtpStatistics report = after({10, 7, 11});
  CHECK(report.reordered == 1);
  CHECK(report.lost == 2);
}

TEST_CASE("the sequence number wraps without a loss") {
  std::vector<int> sequences;
  for (int i = 65000; i < 66500; ++i) sequences.push_back(i & 0xFFFF);
  const RtpStatistics report = after(sequences);
  CHECK(report.lost == 0);
  CHECK(report.reordered == 0);
}

TEST_CASE("a sender that restarts its sequence loses nothing; a stray packet restarts nothing") {
  CHECK(after({100, 101, 102, 30000, 30001, 30002}).lost == 0);
  const RtpStatistics stray = after({100, 101, 30000, 102, 103});
  CHECK(stray.lost == 0);
  CHECK(stray.packets == 5);
}

TEST_CASE("counters match a random channel") {
  std::mt19937 random(1);
  std::vector<int> sequences;
  std::uint64_t lost = 0;
  std::uint64_t runs = 0;
  bool in_run = false;
  std::uint64_t duplicates = 0;
  for (int i = 0; i < 20000; ++i) {
    // The first and the last are kept: nobody can miss what he does not know of.
    const bool lose = i > 0 && i < 19999 && random() % 100 < 5;
    if (lose) {
      ++lost;
      if (!in_run) ++runs;
    } else {
      sequences.push_back(i & 0xFFFF);
      if (random() % 100 < 2) {
        sequences.push_back(i & 0xFFFF);
        ++duplicates;
      }
    }
    in_run = lose;
  }
  const RtpStatistics report = after(sequences);
  CHECK(report.lost == lost);
  CHECK(report.duplicate == duplicates);
  CHECK(report.mean_burst_length == doctest::Approx(static_cast<double>(lost) / static_cast<double>(runs)));
}

TEST_CASE("a new SSRC begins anew and is counted") {
  ReceiveStatistics statistics;
  statistics.add(numbered(10, 1));
  statistics.add(numbered(12, 1));
  statistics.add(numbered(40000, 2));
  statistics.add(numbered(40001, 2));
  const RtpStatistics report = statistics.report();
  CHECK(report.ssrc_changes == 1);
  CHECK(report.ssrc == 2);
  CHECK(report.lost == 1);
}

TEST_CASE("jitter is that of RFC 3550") {
  // Arrivals alternate between 0 and 8 ms of delay: |D| is 8 ms each time, J goes to 8 ms as 1 - (15/16)^n.
  ReceiveStatistics statistics;
  double expected = 0;
  double sum = 0;
  for (int i = 0; i < 100; ++i) {
    const std::int64_t delay_ns = i % 2 == 0 ? 0 : 8 * kNsPerMs;
    const auto p = numbered(static_cast<std::uint16_t>(i));
    statistics.add(p);
    statistics.add_transit(p, i * 20 * kNsPerMs + delay_ns, false);
    if (i > 0) {
      expected += (8.0 - expected) / 16.0;
      sum += expected;
    }
  }
  CHECK(statistics.report().jitter_max_ms == doctest::Approx(expected));
  CHECK(statistics.report().jitter_mean_ms == doctest::Approx(sum / 99));
}

TEST_CASE("runs of losses are told apart by their length") {
  std::vector<int> sequences;
  // Lost: 1, then 2, then 6, then 40 in a row.
  for (int i = 0; i < 400; ++i) {
    if (i == 20 || (i >= 50 && i < 52) || (i >= 100 && i < 106) || (i >= 200 && i < 240)) continue;
    sequences.push_back(i);
  }
  const RtpStatistics report = after(sequences);
  CHECK(report.lost == 49);
  CHECK(report.bursts.counts == std::array<std::uint32_t, BurstHistogram::kBuckets>{1, 1, 0, 0, 1, 0, 0, 1});
  CHECK(report.bursts.longest == 40);
  CHECK(report.mean_burst_length == doctest::Approx(49.0 / 4));
}

TEST_CASE("the series has packets, losses and jitter of each second; what comes late is lost in none") {
  ReceiveStatistics statistics;
  const auto at = [&](int i, std::int64_t arrival_ms) {
    statistics.pass(arrival_ms * kNsPerMs);
    statistics.add(numbered(static_cast<std::uint16_t>(i)));
    statistics.add_transit(numbered(static_cast<std::uint16_t>(i)), arrival_ms * kNsPerMs, false);
  };
  // A second of silence, then 3 s of packets; the second one of them loses five, and its last packet comes
  // 40 ms late, in the third.
  for (int i = 0; i < 150; ++i) {
    if (i >= 60 && i < 65) continue;
    if (i == 99) continue;
    at(i, 1000 + 20 * i);
    if (i == 100) at(99, 1000 + 20 * i + 5);
  }
  statistics.pass(4000 * kNsPerMs);
  const RtpStatistics report = statistics.report();
  REQUIRE(report.seconds.size() == 5);  // the last one has just begun
  const auto packets = [&](std::size_t i) { return int{report.seconds[i].packets}; };
  const auto lost = [&](std::size_t i) { return int{report.seconds[i].lost}; };
  CHECK(packets(0) == 0);
  CHECK(packets(1) == 50);
  CHECK(packets(2) == 44);
  CHECK(packets(3) == 51);
  CHECK(lost(0) + lost(1) + lost(3) + lost(4) == 0);
  CHECK(lost(2) == 5);
  CHECK(report.lost == 5);
  CHECK(report.seconds[1].jitter_ms() == 0);
  CHECK(report.seconds[3].jitter_ms() > 0.1);
}

TEST_CASE("the series ends after an hour, the counters do not") {
  ReceiveStatistics statistics;
  statistics.add(numbered(1));
  statistics.pass(std::int64_t{10'000} * 1'000'000'000);
  statistics.add(numbered(2));
  const RtpStatistics report = statistics.report();
  CHECK(report.seconds.size() == RtpStatistics::kMostSeconds);
  CHECK(report.packets == 2);
}
