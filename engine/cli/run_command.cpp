// SPDX-License-Identifier: GPL-3.0-or-later
#include <filesystem>
#include <iostream>
#include <optional>

#include "engine/cli/admin_client.h"
#include "engine/cli/commands.h"
#include "engine/cli/files.h"
#include "engine/cli/run_parts.h"
#include "engine/daemon/preflight.h"
#include "scheduler/job.h"
#include "scheduler/plan.h"

namespace linecheck::engine::cli {
namespace {

namespace fs = std::filesystem;

/// The job with what the command line overrides.
std::optional<scheduler::Job> job_of(const RunArguments& arguments, const Settings& loaded,
                                     scheduler::Problems& problems) {
  auto job = scheduler::load_job(arguments.job, *loaded.catalog, problems);
  if (!job) {
    check_threshold_names(arguments.job, problems);
    return std::nullopt;
  }
  if (arguments.seed) job->seed = *arguments.seed;
  check_job(*job, *loaded.catalog, loaded.config, problems);
  return job;
}

void print_plan(const scheduler::Job& job, const Settings& loaded) {
  constexpr std::uint64_t kShown = 20;
  const scheduler::Plan plan(job, *loaded.catalog);
  std::cout << job.name << ": " << plan.size()
            << (job.called ? " calls from the agent" : " calls to " + job.dial_target) << " over the trunk "
            << job.trunk << ", seed " << job.seed << "\n";
  double longest_s = 0;
  for (std::uint64_t i = 0; i < std::min(plan.size(), kShown); ++i) {
    const auto call = plan.at(i);
    const auto& scenario = loaded.catalog->scenarios.at(call.scenario);
    const auto* profile = scheduler::test_profile_of(call, *loaded.catalog);
    std::cout << "  " << i + 1 << ". " << scenario.name << " | "
              << scheduler::personality_of(call, *loaded.catalog).name
              << (profile != nullptr ? " | " + profile->name : "") << " | #" << call.repetition + 1 << "\n";
  }
  if (plan.size() > kShown) std::cout << "  ... and " << plan.size() - kShown << " more\n";
  for (const auto id : job.scenarios) {
    const auto limit = loaded.catalog->scenarios.at(id).max_duration;
    longest_s = std::max(longest_s, static_cast<double>(limit.count()) / 1000.0);
  }
  int cap = loaded.config.limits.concurrent_calls;
  if (job.concurrency_limit) cap = std::min(cap, *job.concurrency_limit);
  const auto rounds = (plan.size() + static_cast<std::uint64_t>(cap) - 1) / static_cast<std::uint64_t>(cap);
  std::cout << "At most " << cap << " at once: " << static_cast<double>(rounds) * longest_s / 60.0
            << " minutes at the longest (every call at its max_duration).\n";
}

}  // namespace

int run_job(const RunArguments& arguments) {
  if (!arguments.standalone && !arguments.dry_run && arguments.out.empty()) {
    const fs::path socket = admin_socket(arguments.config);
    if (AdminClient::answers(socket)) return run_by_daemon(arguments, socket);
  }
  scheduler::Problems problems;
  const std::string config = find_config(arguments.config);
  if (config.empty()) {
    std::cerr << "linecheck: no configuration: name one with -c, or make ./linecheck.yaml or "
                 "/etc/linecheck/linecheck.yaml\n";
    return kExitRefused;
  }
  auto loaded = load_settings(config, problems);
  std::optional<scheduler::Job> job;
  if (loaded) job = job_of(arguments, *loaded, problems);
  if (!loaded || !job || !problems.empty()) {
    print_problems(problems);
    return kExitRefused;
  }
  if (arguments.dry_run) {
    print_plan(*job, *loaded);
    return 0;
  }
  try {
    const fs::path out = arguments.out.empty() ? loaded->config.state : fs::path(arguments.out);
    return run_in_foreground(arguments, std::move(*loaded), std::move(*job), out);
  } catch (const std::exception& error) {
    std::cerr << "linecheck: " << error.what() << "\n";
    return kExitEnvironment;
  }
}

}  // namespace linecheck::engine::cli
