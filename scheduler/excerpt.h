// SPDX-License-Identifier: GPL-3.0-or-later
//
// The line that a Problem is about, for people who read it on a terminal.
#pragma once

#include <string>

#include "scheduler/model.h"

namespace linecheck::scheduler {

/// The line of the file with a caret under the place, two lines that each end with a line feed:
///     frequncy: 3
///     ^
/// A long line is cut around the place. Empty when the file can't be read or has no such line.
std::string excerpt(const Mark& mark);

}  // namespace linecheck::scheduler
