// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/clock.h"

#include <time.h>

namespace linecheck::media {

std::int64_t SteadyClock::now_ns() const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace linecheck::media
