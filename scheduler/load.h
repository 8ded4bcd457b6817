// SPDX-License-Identifier: GPL-3.0-or-later
//
// Load shapes: when the calls of a job start.
//
// An arrival-rate shape has slots: start n belongs where the area under the rate is n, computed afresh for
// each n, so that nothing adds up. What answers slowly does not slow it down. A slot that cannot be used in
// time (every line busy, say) may be used late until the next one is due, and for at most a second; then it
// is dropped. Both are counted, with what kept the call back. Nothing is caught up in a burst.
//
// A calls shape has lines: as many calls at once as its level says. It makes at most one call a second for
// each line, so that an agent which refuses every call is not dialled without end.
//
// The shape's clock stands still while its result is paused and while no process works on it.
//
// Pure functions and state machines: times are nanoseconds that are handed in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/model.h"

namespace linecheck::scheduler {

/// What kept a start back.
enum class HeldBy { result_cap, trunk_cap, global_cap, caller_numbers, calls_per_second, engine };
inline constexpr std::size_t kHeldBys = 6;
/// As in results: "trunk_channels", "engine", ...
[[nodiscard]] const char* to_string(HeldBy cause);

/// How often each of them did.
struct HeldStarts {
  std::array<std::uint64_t, kHeldBys> by{};

  void count(HeldBy cause) { ++by[static_cast<std::size_t>(cause)]; }
  [[nodiscard]] std::uint64_t total() const;
  /// Those that are not 0, by name.
  [[nodiscard]] std::map<std::string, std::uint64_t> named() const;
  bool operator==(const HeldStarts&) const = default;
};

/// The arithmetic of a shape. Time counts from its beginning.
class LoadCurve {
 public:
  explicit LoadCurve(LoadShape shape);

  [[nodiscard]] const LoadShape& shape() const { return shape_; }
  [[nodiscard]] std::int64_t duration_ns() const;
  /// How many calls it starts at most, in its whole duration.
  [[nodiscard]] std::uint64_t most_starts() const;
  /// Arrival rates: the exact time of start n, n = 0, 1, ...; nullopt after the last one.
  [[nodiscard]] std::optional<std::int64_t> start_ns(std::uint64_t n) const;
  /// Calls: how many may be in progress at a time; none before the beginning and after the end.
  [[nodiscard]] int lines(std::int64_t t) const;
  /// Calls: the first time, `t` or later, at which more than `n` may be in progress.
  [[nodiscard]] std::optional<std::int64_t> more_than(int n, std::int64_t t) const;

 private:
  struct Piece {
    long double begin_s, duration_s;
    long double from, to;     ///< level at both ends
    long double area_before;  ///< of the pieces before it
    [[nodiscard]] long double area() const { return (from + to) / 2 * duration_s; }
    [[nodiscard]] long double level(long double since_s) const;
  };

  LoadShape shape_;
  std::vector<Piece> pieces_;
};

/// A shape on its way.
class LoadSchedule {
 public:
  /// A start that comes this long after its slot is not made any more.
  static constexpr std::int64_t kLatestNs = 1'000'000'000;

  /// What outlives a process.
  struct Saved {
    std::int64_t position_ns = 0;  ///< on the shape's clock
    std::uint64_t slots = 0;       ///< used or dropped
    HeldStarts dropped;
    bool operator==(const Saved&) const = default;
  };

  explicit LoadSchedule(const LoadShape& shape, const Saved& saved);

  [[nodiscard]] bool arrivals() const { return curve_.shape().arrivals(); }
  [[nodiscard]] bool running() const { return anchor_.has_value(); }
  /// The shape's clock goes on from where it stands, from `begin` on.
  void run(std::int64_t begin);
  void stand_still(std::int64_t now);

  /// While it runs: the exact time of the next start, with `in_progress` calls; may be in the past. nullopt:
  /// none is left.
  [[nodiscard]] std::optional<std::int64_t> next(std::int64_t now, int in_progress) const;
  /// Arrival rates: until when that start may be made.
  [[nodiscard]] std::int64_t deadline() const;
  /// The next start is made, or given up.
  void take() { ++saved_.slots; }
  void drop(HeldBy cause);
  /// Nothing is left to start: for good.
  [[nodiscard]] bool over(std::int64_t now) const;
  /// When it will be over at the latest; nullopt while it stands still.
  [[nodiscard]] std::optional<std::int64_t> ends_at() const;

  [[nodiscard]] Saved saved(std::int64_t now) const;

 private:
  [[nodiscard]] std::optional<std::int64_t> slot(std::uint64_t n) const;

  LoadCurve curve_;
  Saved saved_;                         ///< position_ns: while it stands still
  std::optional<std::int64_t> anchor_;  ///< the shape's zero, while it runs
};

/// One line of text and back; nullopt for what encode_load() did not write.
[[nodiscard]] std::string encode_load(const LoadShape& shape);
[[nodiscard]] std::optional<LoadShape> decode_load(const std::string& text);
[[nodiscard]] std::string encode_held(const HeldStarts& held);
[[nodiscard]] HeldStarts decode_held(const std::string& text);

}  // namespace linecheck::scheduler
