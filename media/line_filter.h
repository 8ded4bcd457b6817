// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a bad line does to the sound itself: louder or softer, and a narrower band.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "media/impairment.h"

namespace linecheck::media {

class LineFilter {
 public:
  /// Keeps what the filters remember, so that a change in mid-call does not click more than it must.
  void set(const Impairment& impairment, int rate);
  [[nodiscard]] bool active() const { return active_; }
  void process(std::span<std::int16_t> audio);

 private:
  // Transposed direct form II.
  struct Section {
    double b0 = 1, b1 = 0, b2 = 0, a1 = 0, a2 = 0;
    double z1 = 0, z2 = 0;
    double step(double x);
    void pass_all();
    void butterworth(bool high_pass, double hz, int rate, double q);
  };

  bool active_ = false;
  double gain_ = 1;
  std::array<Section, 4> sections_{};  // high-pass of the fourth order, low-pass of the fourth order
};

}  // namespace linecheck::media
