// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace linecheck::scheduler {

[[nodiscard]] inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace linecheck::scheduler
