// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace linecheck::sip {

/// A token bucket for each source address, one second deep. Internal.
class SourceLimits {
 public:
  explicit SourceLimits(double calls_per_second) : rate_(calls_per_second) {}

  [[nodiscard]] bool admit(const std::string& address, std::int64_t now_ns) {
    if (rate_ <= 0) return true;
    if (buckets_.size() >= kMostSources) forget_full(now_ns);
    const double depth = std::max(1.0, rate_);
    const auto [found, fresh] = buckets_.try_emplace(address, Bucket{depth, now_ns});
    Bucket& bucket = found->second;
    if (!fresh) {
      bucket.tokens =
          std::min(depth, bucket.tokens + rate_ * static_cast<double>(now_ns - bucket.at_ns) / 1e9);
      bucket.at_ns = now_ns;
    }
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

 private:
  struct Bucket {
    double tokens;
    std::int64_t at_ns;
  };
  static constexpr std::size_t kMostSources = 10'000;

  /// Buckets that are full again say nothing; with forged addresses there may be very many of them.
  void forget_full(std::int64_t now_ns) {
    const double seconds = std::max(1.0, 1 / rate_);
    std::erase_if(buckets_, [&](const auto& entry) {
      return static_cast<double>(now_ns - entry.second.at_ns) / 1e9 > seconds;
    });
    if (buckets_.size() >= kMostSources) buckets_.clear();
  }

  double rate_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace linecheck::sip
