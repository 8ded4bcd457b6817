// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/trunk.h"

#include <algorithm>
#include <utility>

namespace linecheck::sip {

std::string_view name(TrunkState state) {
  switch (state) {
    case TrunkState::up:
      return "up";
    case TrunkState::degraded:
      return "degraded";
    case TrunkState::down:
      return "down";
    case TrunkState::unknown:
      break;
  }
  return "unknown";
}

void TrunkHealth::registered() {
  registration_ = TrunkState::up;
  registration_reason_.clear();
}

void TrunkHealth::registration_failed(std::string reason) {
  registration_ = TrunkState::down;
  registration_reason_ = std::move(reason);
}

void TrunkHealth::answered() {
  misses_ = 0;
  probe_ = TrunkState::up;
  probe_reason_.clear();
}

void TrunkHealth::missed(std::string reason) {
  probe_ = ++misses_ < kMissesToDown ? TrunkState::degraded : TrunkState::down;
  probe_reason_ = std::move(reason) + ", " + std::to_string(misses_) + " in a row";
}

TrunkState TrunkHealth::state() const {
  if (!registers_) return probes_ ? probe_ : TrunkState::up;
  if (!probes_ || registration_ != TrunkState::up) return registration_;
  // Registered: an OPTIONS that has not been answered yet takes nothing from that.
  return std::max(registration_, probe_);
}

std::string TrunkHealth::reason() const {
  if (registers_ && registration_ == TrunkState::down) return registration_reason_;
  return probe_reason_;
}

}  // namespace linecheck::sip
