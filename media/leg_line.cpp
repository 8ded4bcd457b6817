// SPDX-License-Identifier: GPL-3.0-or-later
//
// A leg on a simulated bad line. Without one none of this runs.
#include <utility>

#include "media/leg.h"

namespace linecheck::media {

void Leg::impair(std::unique_ptr<SendLine> line, std::int64_t now_ns) {
  if (send_line_) {
    send_line_->change(*line, ms_of(now_ns), rate_);
    return;
  }
  if (stream_) send_gathered();  // it takes packets of one frame
  send_line_ = std::move(line);
  send_line_->attach(*setup_.port, setup_.ring.get(), report_.send);
  send_line_->begin(ms_of(now_ns), rate_);
  session_.use(*send_line_);
}

void Leg::impair(std::unique_ptr<HearLine> line, std::int64_t now_ns) {
  if (hear_line_) {
    hear_line_->change(*line, ms_of(now_ns), rate_);
    return;
  }
  hear_line_ = std::move(line);
  hear_line_->begin(ms_of(now_ns), rate_);
}

void Leg::listen_to_line(std::int64_t now_ns, Outlet& outlet) {
  hear_line_->release(now_ns, [&](Codec codec, ClockMap::Place place, auto payload) {
    listen(codec, place, payload, outlet);
  });
}

}  // namespace linecheck::media
