// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/packet_impairer.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "media/codec.h"

namespace linecheck::media {
namespace {

// Of the packets of a line that keeps its order, so many are held up on their own account. With all of them
// the line would be nearly always backed up: as much jitter, but far more delay.
constexpr double kHeldUp = 0.5;

std::uint64_t mixed(std::uint64_t seed, std::uint64_t stream) {
  LineRandom random(seed ^ (stream * 0xD1B54A32D192ED03u));
  return random.next();
}

std::int64_t draw_ms(LineRandom& random, double spread_ms, bool reorder) {
  double u = random.uniform();
  if (!reorder) {
    if (u >= kHeldUp) return 0;
    u /= kHeldUp;
  }
  return static_cast<std::int64_t>(u * spread_ms);  // on the worker's grid of 1 ms
}

struct Trial {
  double jitter_ms = 0;
  double mean_ms = 0;
};

/// What a spread comes to, with packets of 20 ms.
Trial trial(double spread_ms, bool reorder) {
  constexpr int kPackets = 8192;
  LineRandom random(1);
  std::vector<std::pair<std::int64_t, std::int64_t>> leaving;  // when, and came when
  leaving.reserve(kPackets);
  std::int64_t last = 0;
  double sum = 0;
  for (std::int64_t n = 0; n < kPackets; ++n) {
    const std::int64_t at = n * kFrameMs;
    std::int64_t leaves = at + draw_ms(random, spread_ms, reorder);
    if (!reorder) last = leaves = std::max(leaves, last);
    sum += static_cast<double>(leaves - at);
    leaving.emplace_back(leaves, at);
  }
  std::sort(leaving.begin(), leaving.end());
  double jitter = 0;
  for (std::size_t n = 1; n < leaving.size(); ++n) {
    const auto transit = [&](std::size_t i) { return leaving[i].first - leaving[i].second; };
    jitter += std::abs(static_cast<double>(transit(n) - transit(n - 1)));
  }
  return {jitter / (kPackets - 1), sum / kPackets};
}

JitterShape find_shape(double jitter_ms, bool reorder) {
  double low = 0;
  double high = 8 * Impairment::kMostJitterMs;
  for (int i = 0; i < 16; ++i) {
    const double middle = (low + high) / 2;
    (trial(middle, reorder).jitter_ms < jitter_ms ? low : high) = middle;
  }
  return {high, trial(high, reorder).mean_ms};
}

// A personality's line is the same in every call: looked for once.
JitterShape shape_of(double jitter_ms, bool reorder) {
  if (jitter_ms <= 0) return {};
  static std::mutex mutex;
  static std::map<std::pair<double, bool>, JitterShape> known;
  const std::scoped_lock lock(mutex);
  constexpr std::size_t kMostKnown = 1024;
  if (known.size() > kMostKnown) known.clear();
  const auto [at, fresh] = known.try_emplace({jitter_ms, reorder});
  if (fresh) at->second = find_shape(jitter_ms, reorder);
  return at->second;
}

}  // namespace

LinePlan::LinePlan(const Impairment& impairment) : asked(impairment) {
  asked.loss_percent = std::clamp(asked.loss_percent, 0.0, 100.0);
  asked.duplicate_percent = std::clamp(asked.duplicate_percent, 0.0, 100.0);
  asked.delay_ms = std::clamp(asked.delay_ms, 0.0, Impairment::kMostDelayMs);
  const double most = asked.reorders() ? Impairment::kMostJitterMs : Impairment::kMostOrderedJitterMs;
  asked.jitter_ms = std::clamp(asked.jitter_ms, 0.0, most);
  shape = shape_of(asked.jitter_ms, asked.reorders());
}

std::uint64_t LineRandom::next() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

void ShareChooser::set(double percent, double mean_burst) {
  *this = ShareChooser();
  share_ = percent / 100;
  // Between two bursts lies at least one packet that gets through: shorter bursts could not lose so much.
  if (mean_burst > 1 && share_ < 1) mean_burst_ = std::max(mean_burst, share_ / (1 - share_));
}

bool ShareChooser::next(LineRandom& random) {
  if (share_ <= 0) return false;
  if (block_left_ == 0) {
    block_left_ = kBlock;
    quota_ += share_ * kBlock;
  }
  const int left = block_left_--;
  if (mean_burst_ <= 0) {
    const bool chosen = random.uniform() * left < quota_;
    if (chosen) quota_ -= 1;
    return chosen;
  }
  if (burst_left_ == 0) {
    if (std::exchange(breathe_, false)) return false;
    // So many bursts are left for so many packets that still get through.
    const double through = std::max(1.0, left - quota_);
    if (random.uniform() * through >= quota_ / mean_burst_) return false;
    burst_left_ = burst_length(random);
  }
  quota_ -= 1;
  if (--burst_left_ == 0) breathe_ = true;
  return true;
}

int ShareChooser::burst_length(LineRandom& random) {
  // Geometric, but what has been drawn so far is never further than one mean length from where it should be:
  // a few dozen free draws would often miss the mean by more than a tenth.
  constexpr int kTries = 16;
  const double rest = std::log1p(-1 / mean_burst_);
  for (int i = 0; i < kTries; ++i) {
    const double length = 1 + std::floor(std::log(1 - random.uniform()) / rest);
    const double error = length_error_ + length - mean_burst_;
    if (std::abs(error) > mean_burst_) continue;
    length_error_ = error;
    return static_cast<int>(length);
  }
  const double length = std::max(1.0, std::round(mean_burst_ - length_error_));
  length_error_ += length - mean_burst_;
  return static_cast<int>(length);
}

PacketImpairer::PacketImpairer(std::uint64_t seed)
    // Each its own, so that asking for more loss does not change who is late.
    : loss_random_(mixed(seed, 1)), jitter_random_(mixed(seed, 2)), duplicate_random_(mixed(seed, 3)) {
}

void PacketImpairer::set(const LinePlan& plan) {
  plan_ = plan;
  loss_.set(plan.asked.loss_percent, plan.asked.mean_burst);
  duplicate_.set(plan.asked.duplicate_percent, 0);
  achieved_ = {};
  delay_sum_ms_ = jitter_sum_ms_ = 0;
  last_lost_ = false;
}

PacketImpairer::Fate PacketImpairer::decide(std::int64_t at_ns) {
  ++achieved_.packets;
  const bool lost = loss_.next(loss_random_);
  if (lost && !last_lost_) ++achieved_.bursts;
  last_lost_ = lost;
  if (lost) {
    ++achieved_.lost;
    return {0, at_ns};
  }
  Fate fate;
  const auto floor_ms = static_cast<std::int64_t>(std::llround(plan_.floor_ms()));
  fate.leaves_ns = at_ns + (floor_ms + hold_up_ms()) * kNsPerMs;
  if (!plan_.asked.reorders()) fate.leaves_ns = std::max(fate.leaves_ns, last_leaves_ns_);
  last_leaves_ns_ = fate.leaves_ns;
  if (duplicate_.next(duplicate_random_)) fate.copies = 2;
  return fate;
}

std::int64_t PacketImpairer::hold_up_ms() {
  if (plan_.shape.spread_ms <= 0) return 0;
  return draw_ms(jitter_random_, plan_.shape.spread_ms, plan_.asked.reorders());
}

void PacketImpairer::left(std::uint64_t serial, std::int64_t at_ns, std::int64_t leaves_ns, int copies) {
  const std::int64_t transit_ns = leaves_ns - at_ns;
  const double delay_ms = static_cast<double>(transit_ns) / static_cast<double>(kNsPerMs);
  if (achieved_.left == 0) {
    achieved_.delay_min_ms = achieved_.delay_max_ms = delay_ms;
    newest_serial_ = serial;
  } else {
    jitter_sum_ms_ +=
        std::abs(static_cast<double>(transit_ns - last_transit_ns_)) / static_cast<double>(kNsPerMs);
  }
  last_transit_ns_ = transit_ns;
  if (serial < newest_serial_) ++achieved_.reordered;
  newest_serial_ = std::max(newest_serial_, serial);
  achieved_.delay_min_ms = std::min(achieved_.delay_min_ms, delay_ms);
  achieved_.delay_max_ms = std::max(achieved_.delay_max_ms, delay_ms);
  delay_sum_ms_ += delay_ms;
  ++achieved_.left;
  if (copies > 1) ++achieved_.duplicated;
}

LineAchieved PacketImpairer::achieved() const {
  LineAchieved achieved = achieved_;
  if (achieved.left > 0) achieved.delay_mean_ms = delay_sum_ms_ / static_cast<double>(achieved.left);
  if (achieved.left > 1) achieved.jitter_ms = jitter_sum_ms_ / static_cast<double>(achieved.left - 1);
  return achieved;
}

}  // namespace linecheck::media
