// SPDX-License-Identifier: GPL-3.0-or-later
//
// Said beside an unknown id: the ones that there are.
#pragma once

#include <map>
#include <string>

#include "scheduler/model.h"

namespace linecheck::scheduler {

/// ` (there is 1, 2, 3)`, long lists cut: made to be appended to a message.
template <class T>
std::string known_ids(const std::map<Id, T>& objects) {
  constexpr std::size_t kMostShown = 10;
  if (objects.empty()) return " (there is none at all)";
  std::string out = " (there is ";
  std::size_t shown = 0;
  for (const auto& [id, object] : objects) {
    if (shown == kMostShown) return out + ", ...)";
    out += (shown++ > 0 ? ", " : "") + std::to_string(id);
  }
  return out + ")";
}

}  // namespace linecheck::scheduler
