// SPDX-License-Identifier: GPL-3.0-or-later
//
// Numbers and times as the sentences of explanations say them.
#pragma once

#include <string>

namespace linecheck::engine {

[[nodiscard]] std::string number_text(double value, int decimals = 0);
[[nodiscard]] std::string seconds_text(double ms);                                 ///< "12.34 s"
[[nodiscard]] std::string ms_text(double ms);                                      ///< "712 ms"
[[nodiscard]] std::string count_text(std::size_t n, const std::string& singular);  ///< "1 turn", "3 turns"

}  // namespace linecheck::engine
