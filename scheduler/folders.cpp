// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/folders.h"

#include <algorithm>

namespace linecheck::scheduler {

std::string folder_problem(std::string_view path) {
  const std::string shown = "'" + std::string(path.substr(0, 60)) + "' ";
  if (path.find('/') != std::string_view::npos) {
    std::string dotted(path);
    std::replace(dotted.begin(), dotted.end(), '/', '.');
    return shown + "is not a folder path: names are joined by dots, as in '" + dotted + "'";
  }
  while (true) {
    const auto dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    if (name.empty() || name.front() == ' ' || name.back() == ' ') {
      return shown + "is not a folder path: expected names joined by dots, such as Sales.Inbound";
    }
    if (dot == std::string_view::npos) return {};
    path.remove_prefix(dot + 1);
  }
}

bool in_folder(std::string_view path, std::string_view folder) {
  if (!path.starts_with(folder)) return false;
  return path.size() == folder.size() || path[folder.size()] == '.';
}

}  // namespace linecheck::scheduler
