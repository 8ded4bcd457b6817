// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/detector_feed.h"

namespace linecheck::media {

std::int64_t DetectorFeed::missing(const ClockMap& map, ClockMap::Place place) {
  const std::int64_t position = map.live_position(place);
  if (!started_) {
    started_ = true;
    epoch_ = place.epoch;
    next_offset_ = place.offset;
    fed_ = position;
    ahead_ = position;
    return 0;
  }
  if (place.epoch != epoch_) {
    const std::int64_t missing = position - fed_;
    epoch_ = place.epoch;
    next_offset_ = place.offset - missing;
    return missing;
  }
  const std::int64_t missing = place.offset - next_offset_;
  // The map has learnt since: what was fed lies a little elsewhere. Nothing is fed for that, only the count
  // is moved.
  const std::int64_t moved = position - (fed_ + missing);
  fed_ += moved;
  ahead_ += moved;
  return missing;
}

}  // namespace linecheck::media
