// SPDX-License-Identifier: GPL-3.0-or-later
//
// Decides what becomes of each packet on a bad line, and keeps the account of it. Deterministic: the same
// seed, plan and times give the same fates. It has no clock, keeps no packets and allocates nothing.
#pragma once

#include <cstdint>

#include "media/impairment.h"

namespace linecheck::media {

/// SplitMix64 (Steele, Lea, Flood 2014).
class LineRandom {
 public:
  explicit LineRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }  ///< [0, 1)

 private:
  std::uint64_t state_;
};

/// Picks a share of a row of packets: of every 1,000 exactly that share, so that a short campaign gets what
/// it asked for; which ones is random (selection sampling, Knuth volume 2, 3.4.2 S).
class ShareChooser {
 public:
  void set(double percent, double mean_burst);
  bool next(LineRandom& random);

 private:
  static constexpr int kBlock = 1000;

  int burst_length(LineRandom& random);

  double share_ = 0;
  double mean_burst_ = 0;    // 0: no bursts
  double quota_ = 0;         // still to be picked in this block, and what the blocks before left over
  double length_error_ = 0;  // sum of the burst lengths so far, less what it should be
  int block_left_ = 0;
  int burst_left_ = 0;
  bool breathe_ = false;  // the packet after a burst gets through, or it would be one burst
};

class PacketImpairer {
 public:
  struct Fate {
    int copies = 1;              ///< 0: lost
    std::int64_t leaves_ns = 0;  ///< on the 1 ms grid of the packet's own time
  };

  explicit PacketImpairer(std::uint64_t seed);

  /// From the next packet on; the account begins anew.
  void set(const LinePlan& plan);
  [[nodiscard]] const LinePlan& plan() const { return plan_; }

  /// A packet comes to the line. Times do not go backwards.
  Fate decide(std::int64_t at_ns);
  /// It leaves (called in the order of leaving, once for all copies). `serial` counts the packets that came.
  void left(std::uint64_t serial, std::int64_t at_ns, std::int64_t leaves_ns, int copies);
  void overflowed() { ++achieved_.overflow; }

  [[nodiscard]] LineAchieved achieved() const;

 private:
  [[nodiscard]] std::int64_t hold_up_ms();

  LinePlan plan_;
  LineRandom loss_random_;
  LineRandom jitter_random_;
  LineRandom duplicate_random_;
  ShareChooser loss_;
  ShareChooser duplicate_;
  std::int64_t last_leaves_ns_ = 0;
  bool last_lost_ = false;

  LineAchieved achieved_;
  double delay_sum_ms_ = 0;
  double jitter_sum_ms_ = 0;
  std::uint64_t newest_serial_ = 0;
  std::int64_t last_transit_ns_ = 0;
};

}  // namespace linecheck::media
