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
  bool standalone = false;  ///< in this process, also where a daemon runs
};
int run_job(const RunArguments& arguments);

struct ServeArguments {
  std::string config;
  std::string log_format;               ///< text, json, journal; empty: by where standard error goes
  std::vector<std::string> log_levels;  ///< LEVEL or PART=LEVEL
};
int serve(const ServeArguments& arguments);

/// What is asked of the daemon that runs with a configuration.
struct DaemonArguments {
  std::string config;
  std::int64_t result = 0;
  bool now = false;
  std::string trunk;
  std::optional<int> max_calls;
  std::optional<double> calls_per_second;
  std::string part;
  std::string level;
  bool json = false;
};
int show_status(const DaemonArguments& arguments);
int stop_result(const DaemonArguments& arguments);
int pause_result(const DaemonArguments& arguments, bool paused);
int set_limits(const DaemonArguments& arguments);
int reload(const DaemonArguments& arguments);
int set_log_level(const DaemonArguments& arguments);

/// The keys of the HTTP interface.
struct KeyArguments {
  std::string action;  ///< create, list, revoke
  std::string config;
  std::string name;
  std::optional<std::int64_t> project;
  std::string scope = "read";
  std::string expires;  ///< 90d, 12h; empty: never
  std::int64_t id = 0;
};
int manage_keys(const KeyArguments& arguments);

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
  std::string config;
  std::string out;  ///< empty: the state of the configuration that is found, else ./out
  bool ladder = false;
  bool json = false;
};
int show_run(const ShowArguments& arguments);

struct ResultsArguments {
  std::string config;
  std::string out;  ///< empty: the state of the configuration that is found, else ./out
  bool json = false;
};
int list_results(const ResultsArguments& arguments);

struct ReportArguments {
  std::string result;  ///< a result.json, or the number of a result in `out`
  std::string config;
  std::string out;  ///< empty: the state of the configuration that is found, else ./out
  std::string html;
  std::string junit;
  bool no_color = false;
};
int make_report(const ReportArguments& arguments);

}  // namespace linecheck::engine::cli
