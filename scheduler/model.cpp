// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/model.h"

#include <algorithm>
#include <tuple>

namespace linecheck::scheduler {

std::string Problem::text() const {
  const std::string path = field.empty() ? "" : field + ": ";
  if (mark.line <= 0) return (mark.file.empty() ? "" : mark.file + ": ") + path + message;
  return mark.file + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column) + ": " + path +
         message;
}

void sort_problems(Problems& problems) {
  const auto place = [](const Problem& p) { return std::tie(p.mark.file, p.mark.line, p.mark.column); };
  std::stable_sort(problems.begin(), problems.end(),
                   [&](const Problem& a, const Problem& b) { return place(a) < place(b); });
  const auto same = [&](const Problem& a, const Problem& b) {
    return place(a) == place(b) && a.field == b.field && a.message == b.message;
  };
  problems.erase(std::unique(problems.begin(), problems.end(), same), problems.end());
}

}  // namespace linecheck::scheduler
