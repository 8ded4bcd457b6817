// SPDX-License-Identifier: GPL-3.0-or-later
//
// The subcommands of `linecheck`. Each returns the process's exit code (contract 2a and 5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linecheck::engine::cli {

inline constexpr int kExitRefused = 2;      ///< configuration, catalogue, job
inline constexpr int kExitEnvironment = 3;  ///< a port in use, a full disk: nothing wrong with what was asked

struct RunArguments {
  std::string job;
  std::string config;  ///< empty: ./linecheck.yaml, then /etc/linecheck/linecheck.yaml
  std::string out;     ///< empty: the configuration's state
  std::string json;
  std::string junit;
  std::string html;
  std::optional<std::uint64_t> seed;
  std::string next_step;  ///< a command that the summary ends with; for scripts/demo
  bool dry_run = false;
  bool quiet = false;
  bool no_color = false;
  bool standalone = true;  ///< there is no daemon to hand a job to in this version
};
int run_job(const RunArguments& arguments);

struct CheckArguments {
  std::vector<std::string> paths;
  std::string config;
  bool json = false;
};
int check(const CheckArguments& arguments);

struct AgentArguments {
  std::string config;
};
int serve_reference_agent(const AgentArguments& arguments);

struct ShowArguments {
  std::int64_t run = 0;
  std::string out;  ///< empty: the state of the configuration that is found, else ./out
  bool ladder = false;
  bool json = false;
};
int show_run(const ShowArguments& arguments);

struct ResultsArguments {
  std::string out;  ///< empty: the state of the configuration that is found, else ./out
  bool json = false;
};
int list_results(const ResultsArguments& arguments);

struct ReportArguments {
  std::string result;  ///< a result.json, or the number of a result in `out`
  std::string out;     ///< empty: the state of the configuration that is found, else ./out
  std::string html;
  std::string junit;
  bool no_color = false;
};
int make_report(const ReportArguments& arguments);

}  // namespace linecheck::engine::cli
