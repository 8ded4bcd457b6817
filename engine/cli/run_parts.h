// SPDX-License-Identifier: GPL-3.0-or-later
//
// The pieces of `linecheck run`: in this process or through the daemon, with the same reports at the end.
#pragma once

#include <filesystem>

#include "engine/cli/commands.h"
#include "engine/daemon/settings.h"
#include "engine/result.h"

namespace linecheck::engine::cli {

/// Runs the job in this process, with its own ports and its own state directory. Returns the exit code.
int run_in_foreground(const RunArguments& arguments, Settings settings, scheduler::Job job,
                      const std::filesystem::path& out);

/// Hands the job to the daemon behind `socket`, shows its progress, and reports when it is over.
int run_by_daemon(const RunArguments& arguments, const std::filesystem::path& socket);

struct RunPlaces {
  std::filesystem::path json;  ///< empty: not written again
  std::filesystem::path html;
  std::filesystem::path recordings;
};
/// Writes the reports and prints the summary. Returns the exit code.
int report_run(const RunArguments& arguments, const Result& result, const RunPlaces& places);

}  // namespace linecheck::engine::cli
