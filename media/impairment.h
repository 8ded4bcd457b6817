// SPDX-License-Identifier: GPL-3.0-or-later
//
// A bad line: what is asked of it in one direction, and what it came to. Plain values.
//
// What the words mean, so that a capture can be held against them:
// - Loss: of each 1,000 packets exactly the asked share is missing, which ones is random. With a mean burst
//   (Gilbert-Elliott: a state in which all is lost, its lengths geometric) they go missing in rows.
// - Jitter: the interarrival jitter that a receiver measures (RFC 3550 section 6.4.1, its mean), with 20 ms
//   packets. Where the order is kept, half of the packets are held up and what is behind them waits too; with
//   reordering each packet is held up for a time of its own.
// - Delay: the mean of it, jitter included. Jitter alone cannot be had without some: where the mean of the
//   hold-ups exceeds the delay, that mean is the delay.
// - A duplicate follows its original at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace linecheck::media {

enum class Direction : std::uint8_t { send, receive };

struct Impairment {
  double loss_percent = 0;
  double mean_burst = 0;  ///< packets lost in a row, mean; 0: each packet by itself
  double jitter_ms = 0;
  std::optional<bool> reorder;  ///< absent: only where the jitter is more than the order allows
  double delay_ms = 0;
  double duplicate_percent = 0;
  double gain_db = 0;
  double low_hz = 0;   ///< what is below is cut away; 0: nothing
  double high_hz = 0;  ///< what is above is cut away; 0: nothing

  [[nodiscard]] bool touches_packets() const {
    return loss_percent > 0 || jitter_ms > 0 || delay_ms > 0 || duplicate_percent > 0;
  }
  [[nodiscard]] bool touches_audio() const { return gain_db != 0 || low_hz > 0 || high_hz > 0; }
  [[nodiscard]] bool any() const { return touches_packets() || touches_audio(); }
  [[nodiscard]] bool reorders() const { return reorder.value_or(jitter_ms > kOrderedJitterMs); }

  /// Up to here the order is kept unless reordering is asked for.
  static constexpr double kOrderedJitterMs = 20;
  /// A queue that keeps the order cannot jitter much more than the packets' length (its arrivals can only
  /// bunch up); beyond this, the asked figure is out of its reach.
  static constexpr double kMostOrderedJitterMs = 25;
  static constexpr double kMostJitterMs = 300;
  static constexpr double kMostDelayMs = 2000;

  friend bool operator==(const Impairment&, const Impairment&) = default;
};

struct LineAchieved {
  std::uint64_t packets = 0;  ///< that came to the line
  std::uint64_t lost = 0;
  std::uint64_t bursts = 0;  ///< runs of lost packets
  std::uint64_t left = 0;    ///< duplicates not among them
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;  ///< overtaken by a later one
  std::uint64_t overflow = 0;   ///< found no room to wait in, left at once
  double delay_mean_ms = 0;     ///< of those that left
  double delay_min_ms = 0;
  double delay_max_ms = 0;
  double jitter_ms = 0;  ///< RFC 3550 section 6.4.1, mean

  [[nodiscard]] double loss_percent() const { return share(lost, packets); }
  [[nodiscard]] double duplicate_percent() const { return share(duplicated, left); }
  [[nodiscard]] double mean_burst() const {
    return bursts > 0 ? static_cast<double>(lost) / static_cast<double>(bursts) : 0;
  }

 private:
  static double share(std::uint64_t part, std::uint64_t whole) {
    return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0;
  }
};

/// From one change of the line to the next.
struct LinePeriod {
  double from_ms = 0;  ///< leg clock
  Impairment asked;
  LineAchieved achieved;
};

/// How hold-ups are drawn so that they come to a jitter: found by trying, so made away from the media thread.
struct JitterShape {
  double spread_ms = 0;  ///< hold-ups are below it
  double mean_ms = 0;    ///< what they come to, those included that wait behind others
};

/// An Impairment ready for use.
struct LinePlan {
  LinePlan() = default;
  explicit LinePlan(const Impairment& impairment);

  Impairment asked;
  JitterShape shape;
  /// The shortest time that a packet takes; a receiver's clock map puts speech there.
  [[nodiscard]] double floor_ms() const {
    return asked.delay_ms > shape.mean_ms ? asked.delay_ms - shape.mean_ms : 0;
  }
  /// The longest one, but for what waits behind others.
  [[nodiscard]] double ceiling_ms() const { return floor_ms() + shape.spread_ms; }
  /// Packets that may wait at once: one each 10 ms, and some that come close behind each other (the ends of
  /// keys).
  [[nodiscard]] std::size_t room() const { return static_cast<std::size_t>(ceiling_ms() / 10) + 8; }
};

}  // namespace linecheck::media
