// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "sip/types.h"

namespace linecheck::sip {

inline std::uint32_t slot_of(LegId id) {
  return static_cast<std::uint32_t>(id & 0xffffffffU);
}
inline std::uint32_t generation_of(LegId id) {
  return static_cast<std::uint32_t>(id >> 32U);
}

/// Hands out leg ids: any thread may reserve one; the SIP thread gives slots back.
class LegIds {
 public:
  [[nodiscard]] LegId reserve() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return (LegId{1} << 32U) | next_slot_++;
    const LegId id = free_.back();
    free_.pop_back();
    return id;
  }
  void release(LegId id) {
    const std::lock_guard lock(mutex_);
    free_.push_back(id + (LegId{1} << 32U));
  }

 private:
  std::mutex mutex_;
  std::vector<LegId> free_;
  std::uint32_t next_slot_ = 0;
};

}  // namespace linecheck::sip
