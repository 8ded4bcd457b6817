// SPDX-License-Identifier: GPL-3.0-or-later
//
// The page's style and program: the files in engine/report/assets, put into the binary by sources.cmake.
#pragma once

#include <string_view>

namespace linecheck::engine::report {

extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace linecheck::engine::report
