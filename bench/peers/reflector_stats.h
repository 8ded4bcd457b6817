// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the reflector sees of every stream that comes to it: gaps between packets by the kernel's receive
// timestamps, and losses by sequence number. It shares no code with what it measures.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <unordered_map>
#include <vector>

namespace linecheck::bench {

/// One stream, told apart by the port that it comes from and its SSRC (all of SIPp's calls share a port).
struct Stream {
  bool seen = false;  ///< in this window
  std::uint16_t sequence = 0;
  std::int64_t arrival_ns = 0;
  std::uint64_t expected = 0;
  std::uint64_t received = 0;
  std::uint16_t out_sequence = 0;
  std::uint32_t out_timestamp = 0;
};

class Statistics {
 public:
  Statistics() : off_by_us_(kMostUs + 1) { streams_.reserve(16384); }

  Stream& stream(std::uint16_t port, std::uint32_t ssrc) {
    return streams_[(std::uint64_t{port} << 32) | ssrc];
  }

  /// A new window: what came before is forgotten, but how the streams' own halves go on.
  void begin() {
    for (auto& [key, s] : streams_) s.seen = false;
    off_by_us_.assign(kMostUs + 1, 0);
    gaps_ = over_30_ms_ = 0;
  }

  /// One RTP packet that the kernel got at `arrival_ns`.
  void add(Stream& s, std::uint16_t sequence, std::int64_t arrival_ns) {
    if (!s.seen) {
      s.seen = true;
      s.expected = s.received = 1;
    } else {
      const int step = static_cast<std::int16_t>(sequence - s.sequence);
      ++s.received;
      if (step <= 0) return;  // late or twice: the one before it stays the reference
      s.expected += static_cast<std::uint64_t>(step);
      if (step == 1) add_gap(arrival_ns - s.arrival_ns);
    }
    s.sequence = sequence;
    s.arrival_ns = arrival_ns;
  }

  /// How far the gap that `share` of all gaps stay under is off 20 ms, in ms.
  [[nodiscard]] double off_by_ms(double share) const {
    const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(gaps_)));
    std::uint64_t count = 0;
    for (std::size_t us = 0; us <= kMostUs; ++us) {
      count += off_by_us_[us];
      if (count >= rank && count > 0) return static_cast<double>(us) / 1000.0;
    }
    return 0;
  }

  struct Totals {
    std::uint64_t streams = 0;
    std::uint64_t received = 0;
    std::uint64_t lost = 0;
  };
  [[nodiscard]] Totals totals() const {
    Totals sum;
    for (const auto& [key, s] : streams_) {
      if (!s.seen) continue;
      ++sum.streams;
      sum.received += s.received;
      if (s.expected > s.received) sum.lost += s.expected - s.received;
    }
    return sum;
  }
  [[nodiscard]] std::uint64_t gaps() const { return gaps_; }
  [[nodiscard]] std::uint64_t over_30_ms() const { return over_30_ms_; }

 private:
  static constexpr std::size_t kMostUs = 200'000;

  void add_gap(std::int64_t gap_ns) {
    const std::int64_t off_us = std::llabs(gap_ns - 20'000'000) / 1000;
    ++off_by_us_[static_cast<std::size_t>(std::min<std::int64_t>(off_us, kMostUs))];
    ++gaps_;
    if (gap_ns > 30'000'000) ++over_30_ms_;
  }

  std::unordered_map<std::uint64_t, Stream> streams_;
  std::vector<std::uint32_t> off_by_us_;
  std::uint64_t gaps_ = 0;
  std::uint64_t over_30_ms_ = 0;
};

}  // namespace linecheck::bench
