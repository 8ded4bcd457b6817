// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "media/codec.h"
#include "media/delay_line.h"
#include "media/line_filter.h"
#include "media/packet_impairer.h"

using namespace linecheck::media;

namespace {

struct Left {
  std::uint64_t serial = 0;
  std::int64_t at_ns = 0;
  std::int64_t leaves_ns = 0;
  int copies = 0;
  friend bool operator==(const Left&, const Left&) = default;
};

/// Packets every 20 ms over a line; what leaves it, in that order.
std::vector<Left> run(PacketImpairer& line, int packets, std::int64_t from_ns = 0) {
  std::vector<Left> left;
  for (int n = 0; n < packets; ++n) {
    const std::int64_t at = from_ns + n * std::int64_t{kFrameMs} * kNsPerMs;
    const auto fate = line.decide(at);
    if (fate.copies > 0) left.push_back({static_cast<std::uint64_t>(n), at, fate.leaves_ns, fate.copies});
  }
  std::stable_sort(left.begin(), left.end(),
                   [](const Left& a, const Left& b) { return a.leaves_ns < b.leaves_ns; });
  for (const Left& one : left) line.left(one.serial, one.at_ns, one.leaves_ns, one.copies);
  return left;
}

std::vector<Left> run(const Impairment& impairment, std::uint64_t seed, int packets, LineAchieved& achieved) {
  PacketImpairer line(seed);
  line.set(LinePlan(impairment));
  auto left = run(line, packets);
  achieved = line.achieved();
  return left;
}

// Counted from what left, not by the line's own account.
double jitter_of(const std::vector<Left>& left) {
  // RFC 3550 section 6.4.1, the estimator itself, and its mean over the stream.
  double jitter = 0;
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t n = 1; n < left.size(); ++n) {
    const auto transit = [&](std::size_t i) {
      return static_cast<double>(left[i].leaves_ns - left[i].at_ns) / 1e6;
    };
    jitter += (std::abs(transit(n) - transit(n - 1)) - jitter) / 16;
    if (n < 100) continue;  // it begins at 0
    sum += jitter;
    ++count;
  }
  return sum / static_cast<double>(count);
}

constexpr int kPackets = 10'000;

}  // namespace

TEST_CASE("loss: within a tenth of what is asked over 10,000 packets, for any seed") {
  for (const double percent : {0.5, 1.0, 2.5, 5.0, 20.0, 60.0}) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      CAPTURE(percent);
      CAPTURE(seed);
      Impairment asked;
      asked.loss_percent = percent;
      LineAchieved achieved;
      const auto left = run(asked, seed, kPackets, achieved);
      const double lost = 100.0 * (kPackets - static_cast<double>(left.size())) / kPackets;
      CHECK(lost == doctest::Approx(percent).epsilon(0.1));
      CHECK(achieved.loss_percent() == doctest::Approx(lost));
      CHECK(achieved.packets == kPackets);
    }
  }
}

TEST_CASE("uniform loss comes in chance runs, as independent packets would") {
  Impairment asked;
  asked.loss_percent = 10;
  LineAchieved achieved;
  run(asked, 3, 100'000, achieved);
  CHECK(achieved.mean_burst() == doctest::Approx(1 / 0.9).epsilon(0.03));
}

TEST_CASE("loss in bursts: both the share and the mean length are within a tenth, for any seed") {
  for (const auto& pair :
       std::vector<std::pair<double, double>>{{1, 2}, {2, 3}, {5, 4}, {5, 8}, {20, 5}, {40, 2}}) {
    const double percent = pair.first;
    const double burst = pair.second;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      CAPTURE(percent);
      CAPTURE(burst);
      CAPTURE(seed);
      Impairment asked;
      asked.loss_percent = percent;
      asked.mean_burst = burst;
      LineAchieved achieved;
      const auto left = run(asked, seed, kPackets, achieved);
      int bursts = 0;
      for (std::size_t n = 1; n < left.size(); ++n) bursts += left[n].serial != left[n - 1].serial + 1;
      const double lost = kPackets - static_cast<double>(left.size());
      CHECK(100 * lost / kPackets == doctest::Approx(percent).epsilon(0.1));
      CHECK(lost / bursts == doctest::Approx(burst).epsilon(0.1));
      CHECK(achieved.mean_burst() == doctest::Approx(lost / bursts).epsilon(0.02));
    }
  }
}

TEST_CASE("bursts have many lengths: a geometric distribution, not a fixed row") {
  Impairment asked;
  asked.loss_percent = 10;
  asked.mean_burst = 4;
  LineAchieved achieved;
  const auto left = run(asked, 11, 100'000, achieved);
  std::vector<int> lengths(40);
  for (std::size_t n = 1; n < left.size(); ++n) {
    const auto gap = left[n].serial - left[n - 1].serial - 1;
    if (gap > 0) ++lengths[std::min<std::size_t>(gap, 39)];
  }
  CHECK(lengths[1] > lengths[3]);
  CHECK(lengths[3] > lengths[6]);
  CHECK(lengths[8] > 0);
}

TEST_CASE("jitter is what a receiver measures by RFC 3550, with and without reordering") {
  for (const auto& pair : std::vector<std::pair<double, bool>>{{1, false},
                                                               {5, false},
                                                               {10, false},
                                                               {20, false},
                                                               {25, false},
                                                               {5, true},
                                                               {20, true},
                                                               {30, true},
                                                               {50, true},
                                                               {150, true}}) {
    const double jitter = pair.first;
    const bool reorder = pair.second;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      CAPTURE(jitter);
      CAPTURE(reorder);
      CAPTURE(seed);
      Impairment asked;
      asked.jitter_ms = jitter;
      asked.reorder = reorder;
      asked.delay_ms = 400;
      LineAchieved achieved;
      const auto left = run(asked, seed, kPackets, achieved);
      CHECK(jitter_of(left) == doctest::Approx(jitter).epsilon(0.1));
      CHECK(achieved.jitter_ms == doctest::Approx(jitter).epsilon(0.1));
      CHECK(achieved.delay_mean_ms == doctest::Approx(400).epsilon(0.1));
      const auto out_of_order = std::count_if(left.begin(), left.end(), [&](const Left& one) {
        return &one != &left.front() && one.serial < (&one)[-1].serial;
      });
      if (!reorder || jitter <= 5) {
        CHECK(out_of_order == 0);
        CHECK(achieved.reordered == 0);
      } else {
        CHECK(out_of_order > 0);
        CHECK(achieved.reordered > 0);
      }
    }
  }
}

TEST_CASE("the order is kept by default as long as the jitter allows it") {
  Impairment asked;
  asked.jitter_ms = 20;
  CHECK_FALSE(asked.reorders());
  asked.jitter_ms = 21;
  CHECK(asked.reorders());
  asked.reorder = false;
  CHECK_FALSE(asked.reorders());
}

TEST_CASE("the shape of the contract's example: 1 % loss, 20 ms of jitter, 50 ms of delay, all at once") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    Impairment asked;
    asked.loss_percent = 1;
    asked.jitter_ms = 20;
    asked.delay_ms = 50;
    LineAchieved achieved;
    const auto left = run(asked, seed, kPackets, achieved);
    CHECK(achieved.loss_percent() == doctest::Approx(1).epsilon(0.1));
    CHECK(jitter_of(left) == doctest::Approx(20).epsilon(0.1));
    CHECK(achieved.delay_mean_ms == doctest::Approx(50).epsilon(0.1));
    CHECK(achieved.delay_min_ms >= 0);
  }
}

TEST_CASE("a delay alone is exact, and jitter without delay has no packet leave before it came") {
  Impairment asked;
  asked.delay_ms = 120;
  LineAchieved achieved;
  for (const Left& one : run(asked, 1, 500, achieved)) CHECK(one.leaves_ns - one.at_ns == 120 * kNsPerMs);
  asked.delay_ms = 0;
  asked.jitter_ms = 30;
  for (const Left& one : run(asked, 1, 500, achieved)) CHECK(one.leaves_ns >= one.at_ns);
}

TEST_CASE("duplicates: within a tenth for any seed, and only of what leaves") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Impairment asked;
    asked.duplicate_percent = 3;
    asked.loss_percent = 10;
    LineAchieved achieved;
    const auto left = run(asked, seed, kPackets, achieved);
    const auto twice =
        std::count_if(left.begin(), left.end(), [](const Left& one) { return one.copies == 2; });
    CHECK(100.0 * static_cast<double>(twice) / static_cast<double>(left.size()) ==
          doctest::Approx(3).epsilon(0.1));
    CHECK(achieved.duplicated == static_cast<std::uint64_t>(twice));
  }
}

TEST_CASE("the same seed gives the same packets, another seed others; loss does not disturb jitter") {
  Impairment asked;
  asked.loss_percent = 5;
  asked.mean_burst = 3;
  asked.jitter_ms = 40;
  asked.delay_ms = 100;
  asked.duplicate_percent = 2;
  LineAchieved achieved;
  const auto first = run(asked, 42, 2000, achieved);
  CHECK(first == run(asked, 42, 2000, achieved));
  CHECK(first != run(asked, 43, 2000, achieved));
}

TEST_CASE("a line can change in mid-call: the account begins anew, the order is kept") {
  PacketImpairer line(5);
  Impairment bad;
  bad.delay_ms = 200;
  line.set(LinePlan(bad));
  auto left = run(line, 100);
  CHECK(line.achieved().delay_mean_ms == doctest::Approx(200));
  Impairment good;
  good.delay_ms = 150;
  line.set(LinePlan(good));
  const auto later = run(line, 100, 100 * kFrameMs * kNsPerMs);
  CHECK(line.achieved().packets == 100);
  CHECK(later.front().leaves_ns >= left.back().leaves_ns);
  CHECK(later.back().leaves_ns - later.back().at_ns == 150 * kNsPerMs);
  line.set(LinePlan());
  CHECK(run(line, 10, 300 * kFrameMs * kNsPerMs).size() == 10);
}

TEST_CASE("everything lost, and nothing") {
  Impairment asked;
  asked.loss_percent = 100;
  LineAchieved achieved;
  CHECK(run(asked, 1, 3000, achieved).empty());
  CHECK(achieved.bursts == 1);
  CHECK(run(Impairment{}, 1, 3000, achieved).size() == 3000);
  CHECK(achieved.delay_max_ms == 0);
}

TEST_CASE("what waits comes out by its time, equals in the order of coming, and room is bounded") {
  DelayLine<int> line(3);
  CHECK(line.next_due_ns() == DelayLine<int>::kNever);
  *line.push(30) = 1;
  *line.push(10) = 2;
  *line.push(30) = 3;
  CHECK(line.push(5) == nullptr);
  CHECK(line.next_due_ns() == 10);
  std::vector<int> out;
  while (line.waiting() > 0) {
    out.push_back(line.front());
    line.pop();
  }
  CHECK(out == std::vector<int>{2, 1, 3});
  CHECK(line.push(1) != nullptr);
}

TEST_CASE("gain and band: a tone inside is as loud as asked, one outside is gone") {
  const auto level_after = [](const Impairment& asked, double hz) {
    LineFilter filter;
    filter.set(asked, kNarrowRate);
    std::vector<std::int16_t> tone(kNarrowRate);
    for (std::size_t n = 0; n < tone.size(); ++n) {
      tone[n] = static_cast<std::int16_t>(
          std::lround(8000 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(n) / kNarrowRate)));
    }
    filter.process(tone);
    double sum = 0;
    for (std::size_t n = tone.size() / 2; n < tone.size(); ++n) sum += static_cast<double>(tone[n]) * tone[n];
    return 20 * std::log10(std::sqrt(2 * sum / (static_cast<double>(tone.size()) / 2)) / 8000);
  };
  Impairment asked;
  asked.gain_db = -12;
  CHECK(level_after(asked, 1000) == doctest::Approx(-12).epsilon(0.01));
  asked.low_hz = 500;
  asked.high_hz = 2000;
  CHECK(level_after(asked, 1000) == doctest::Approx(-12).epsilon(0.05));
  CHECK(level_after(asked, 100) < -60);
  CHECK(level_after(asked, 3800) < -50);
  asked = Impairment{};
  asked.gain_db = 20;  // clips, does not wrap
  CHECK(level_after(asked, 1000) > 9);
  CHECK_FALSE(LineFilter().active());
}
