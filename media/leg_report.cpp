// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/leg_report.h"

#include <algorithm>
#include <cmath>

namespace linecheck::media {

void PacingHistogram::add(double deviation_ms) {
  const double ms = std::abs(deviation_ms);
  const double us = ms * 1000.0;
  int bucket = 0;
  if (us > 1.0) bucket = std::min(kBuckets - 1, static_cast<int>(std::floor(2.0 * std::log2(us))));
  ++counts[static_cast<std::size_t>(bucket)];
  ++total;
  max_ms = std::max(max_ms, ms);
}

void PacingHistogram::merge(const PacingHistogram& other) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  total += other.total;
  max_ms = std::max(max_ms, other.max_ms);
}

std::optional<double> PacingHistogram::quantile(double q) const {
  if (total == 0) return std::nullopt;
  const double clamped = std::clamp(q, 0.0, 1.0);
  const auto wanted =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(clamped * static_cast<double>(total))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    seen += counts[i];
    // The edge is no better than the largest value that was seen.
    if (seen >= wanted) return std::min(max_ms, std::exp2(static_cast<double>(i + 1) / 2.0) / 1000.0);
  }
  return max_ms;
}

void BurstHistogram::add(std::uint64_t length) {
  if (length == 0) return;
  constexpr std::array<std::uint64_t, kBuckets - 1> kUpTo{1, 2, 3, 4, 8, 16, 32};
  const auto bucket = std::lower_bound(kUpTo.begin(), kUpTo.end(), length) - kUpTo.begin();
  ++counts[static_cast<std::size_t>(bucket)];
  longest = std::max(longest, length);
}

void RtpStatistics::count_departure(double leg_ms, double late_ms) {
  const auto second = static_cast<std::size_t>(std::max(0.0, leg_ms) / 1000.0);
  if (second >= kMostSeconds) return;
  if (second >= seconds.size()) seconds.resize(second + 1);
  RtpSecond& of = seconds[second];
  if (of.packets < 255) ++of.packets;
  if (late_ms > kLateMs && of.lost < 255) ++of.lost;
  const double worst = std::clamp(std::abs(late_ms) * 100.0, static_cast<double>(of.jitter_10us), 65535.0);
  of.jitter_10us = static_cast<std::uint16_t>(worst);
}

std::optional<double> RtpStatistics::loss_percent() const {
  if (!loss_known || packets == 0) return std::nullopt;
  // Duplicates are not among the expected packets (RFC 3550 A.3 would let them hide losses).
  const std::uint64_t unique = packets > duplicate ? packets - duplicate : 0;
  const auto of = static_cast<double>(expected > 0 ? expected : unique + lost);
  return of > 0 ? std::optional(100.0 * static_cast<double>(lost) / of) : std::nullopt;
}

}  // namespace linecheck::media
