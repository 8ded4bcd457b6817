// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/hear_line.h"

#include <cmath>

namespace linecheck::media {

HearLine::HearLine(const LinePlan& plan, std::uint64_t seed)
    : next_(plan),
      history_(seed),
      waiting_(plan.asked.touches_packets() ? std::make_unique<DelayLine<Held>>(plan.room()) : nullptr) {
}

void HearLine::begin(double now_ms, int rate) {
  history_.set(next_, now_ms);
  filter_.set(next_.asked, rate);
  shift_ = std::llround(next_.floor_ms()) * rate / 1000;
}

void HearLine::change(HearLine& to, double now_ms, int rate) {
  next_ = to.next_;
  take_larger(waiting_, to.waiting_);
  begin(now_ms, rate);
}

}  // namespace linecheck::media
