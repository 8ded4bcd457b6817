// SPDX-License-Identifier: GPL-3.0-or-later
//
// Problems as one text, so that a test can compare all of them at once.
#pragma once

#include <string>

#include "scheduler/model.h"

namespace linecheck::scheduler {

inline std::string problems_text(const Problems& problems) {
  std::string out;
  for (const Problem& problem : problems) out += problem.text() + "\n";
  return out;
}

}  // namespace linecheck::scheduler
