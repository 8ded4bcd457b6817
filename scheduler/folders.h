// SPDX-License-Identifier: GPL-3.0-or-later
//
// Folders of scenarios: dotted paths such as `Sales.Inbound`.
#pragma once

#include <string>
#include <string_view>

namespace linecheck::scheduler {

/// Why a text is not a dotted path, or empty.
std::string folder_problem(std::string_view path);

/// Whether `path` is `folder` or stands under it: `Sales.Inbound.New` is in `Sales.Inbound`, `Sales.Inbounds`
/// isn't.
bool in_folder(std::string_view path, std::string_view folder);

}  // namespace linecheck::scheduler
