// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cli/files.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <tuple>

#include "scheduler/excerpt.h"

namespace linecheck::engine::cli {

std::string find_config(const std::string& given) {
  if (!given.empty()) return given;
  for (const char* candidate : {"linecheck.yaml", "/etc/linecheck/linecheck.yaml"}) {
    std::error_code ignored;
    if (std::filesystem::exists(candidate, ignored)) return candidate;
  }
  return {};
}

std::string find_state(const std::string& given, const std::string& config_file) {
  if (!given.empty()) return given;
  const std::string file = find_config(config_file);
  scheduler::Problems problems;
  const auto config = file.empty() ? std::nullopt : load_config(file, problems);
  return config ? config->state.string() : "out";
}

void print_problems(const scheduler::Problems& problems) {
  scheduler::Problems sorted = problems;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const scheduler::Problem& a, const scheduler::Problem& b) {
                     return std::tie(a.mark.file, a.mark.line, a.mark.column) <
                            std::tie(b.mark.file, b.mark.line, b.mark.column);
                   });
  for (const scheduler::Problem& problem : sorted) {
    std::cerr << problem.text() << '\n';
    std::cerr << scheduler::excerpt(problem.mark);
  }
  std::cerr << sorted.size() << (sorted.size() == 1 ? " problem" : " problems") << "; nothing was started.\n";
}

}  // namespace linecheck::engine::cli
