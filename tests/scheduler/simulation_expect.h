// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/scheduler/simulation_books.h"

namespace linecheck::tests {

// Cheaper than doctest's CHECK, and ends the simulation at the first thing that is wrong.
inline void expect(bool good, const char* what) {
  if (!good) throw SimulationFailed(what);
}

}  // namespace linecheck::tests
