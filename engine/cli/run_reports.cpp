// SPDX-License-Identifier: GPL-3.0-or-later
#include <unistd.h>

#include <iostream>

#include "engine/cli/run_parts.h"
#include "engine/report/console.h"
#include "engine/report/html.h"
#include "engine/report/json.h"
#include "engine/report/junit.h"
#include "engine/store/state_directory.h"

namespace linecheck::engine::cli {

namespace fs = std::filesystem;

int report_run(const RunArguments& arguments, const Result& result, const RunPlaces& places) {
  report::SummaryOptions summary;
  summary.terminal = report::Terminal::of(STDOUT_FILENO, arguments.no_color);
  std::string trouble;
  const auto write = [&](const char* what, const fs::path& path, const auto& writer) {
    if (path.empty()) return;
    try {
      writer();
      summary.files.emplace_back(what, path.string());
    } catch (const std::exception& error) {
      trouble += std::string(error.what()) + "\n";
    }
  };
  write("report", places.html, [&] {
    report::HtmlOptions options;
    options.relative_to = fs::absolute(places.html).parent_path();
    write_file_atomically(places.html, report::html_report(result, options));
  });
  write("result", places.json, [&] { report::write_result_json(result, places.json); });
  write("junit", arguments.junit, [&] {
    report::JunitOptions options;
    options.relative_to = fs::absolute(fs::path(arguments.junit)).parent_path();
    write_file_atomically(arguments.junit, report::junit_xml(result, options));
  });
  summary.files.emplace_back("recordings", places.recordings.string());
  if (!arguments.next_step.empty()) {
    summary.next_title = "A first job of your own";
    summary.next_commands = {arguments.next_step};
  }
  std::cout << report::summary(result, summary) << std::flush;
  std::cerr << trouble;
  const int code = result.exit_code();
  return trouble.empty() || code == 130 || code == kExitRefused ? code : kExitEnvironment;
}

}  // namespace linecheck::engine::cli
