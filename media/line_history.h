// SPDX-License-Identifier: GPL-3.0-or-later
//
// One direction of a bad line over a call: its present settings and what each stretch of them came to.
#pragma once

#include <vector>

#include "media/packet_impairer.h"

namespace linecheck::media {

class LineHistory {
 public:
  /// Changes that are listed; from then on the last one's account goes on.
  static constexpr std::size_t kMostPeriods = 32;

  explicit LineHistory(std::uint64_t seed) : impairer_(seed) { periods_.reserve(kMostPeriods); }

  void set(const LinePlan& plan, double now_ms) {
    close();
    if (periods_.size() < kMostPeriods) {
      periods_.push_back({now_ms, plan.asked, {}});
    } else {
      periods_.back().asked = plan.asked;
    }
    impairer_.set(plan);
  }
  [[nodiscard]] PacketImpairer& impairer() { return impairer_; }
  [[nodiscard]] const LinePlan& plan() const { return impairer_.plan(); }

  /// At the end of the leg.
  [[nodiscard]] std::vector<LinePeriod> take() {
    close();
    return periods_;
  }

 private:
  void close() {
    if (!periods_.empty()) periods_.back().achieved = impairer_.achieved();
  }

  PacketImpairer impairer_;
  std::vector<LinePeriod> periods_;
};

}  // namespace linecheck::media
