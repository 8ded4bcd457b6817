// SPDX-License-Identifier: GPL-3.0-or-later
//
// Energy of a channel by the millisecond: what annotate.cpp and refine.cpp search for boundaries, so that
// both apply one definition in one way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace linecheck::media::speech {

/// A run of milliseconds, first included, last excluded.
struct MsRun {
  std::ptrdiff_t first = 0;
  std::ptrdiff_t last = 0;
};

/// Makes runs of a yes-or-no for each millisecond: runs shorter than `min_run` are dropped, gaps up to
/// `bridge` closed.
class RunCollector {
 public:
  RunCollector(double min_run, double bridge) : min_run_(min_run), bridge_(bridge) {}
  void add(std::ptrdiff_t ms, bool inside);
  [[nodiscard]] std::vector<MsRun> finish(std::ptrdiff_t end);

 private:
  void close(std::ptrdiff_t end);

  double min_run_;
  double bridge_;
  std::ptrdiff_t start_ = -1;
  std::vector<MsRun> runs_;
};

class Energy {
 public:
  /// `offset` (a DC offset, in sample units) is taken off each sample.
  Energy(std::span<const std::int16_t> samples, int rate, double offset = 0);

  [[nodiscard]] std::ptrdiff_t size() const { return static_cast<std::ptrdiff_t>(sums_.size()) - 1; }
  [[nodiscard]] int rate() const { return rate_; }

  /// Mean power (full scale = 1) of [first, last) ms, clipped to the signal; 0 when nothing is left.
  [[nodiscard]] double power(std::ptrdiff_t first, std::ptrdiff_t last) const;

  /// Mean power of the `width` ms around millisecond `at`.
  [[nodiscard]] double power_around(std::ptrdiff_t at, int width) const {
    return power(at - width / 2, at - width / 2 + width);
  }

  /// Where the first / last sample above `amplitude` (full scale = 1) lies in [first, last) ms; a negative
  /// number when there is none. This takes a boundary from the millisecond grid to the sample.
  [[nodiscard]] double first_sample_above(std::ptrdiff_t first, std::ptrdiff_t last, double amplitude) const;
  [[nodiscard]] double last_sample_above(std::ptrdiff_t first, std::ptrdiff_t last, double amplitude) const;

 private:
  [[nodiscard]] std::size_t sample_at(std::ptrdiff_t ms) const;

  std::span<const std::int16_t> samples_;
  int rate_;
  double offset_;
  std::vector<double> sums_;  // sums_[n]: energy of the first n ms
};

/// Runs of windows of `width` ms in [first, last) whose power is above `threshold`: runs shorter than
/// `min_run` are dropped, gaps up to `bridge` closed. A run names the centres of its windows.
[[nodiscard]] std::vector<MsRun> runs_above(const Energy& energy, std::ptrdiff_t first, std::ptrdiff_t last,
                                            int width, double threshold, double min_run, double bridge);

}  // namespace linecheck::media::speech
