// SPDX-License-Identifier: GPL-3.0-or-later
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/cli/commands.h"
#include "engine/daemon/version.h"
#include "engine/persona/voices_process.h"
#include "scheduler/suggest.h"

namespace cli = linecheck::engine::cli;

namespace {

void add_run(CLI::App& app, cli::RunArguments& arguments) {
  auto* run = app.add_subcommand("run", "Run one job, in the daemon if there is one, and report on it");
  run->add_option("job", arguments.job, "The job, a YAML or JSON file")->required();
  run->add_option("-c,--config", arguments.config, "linecheck.yaml");
  run->add_option("--out", arguments.out, "Where results, recordings and the database go")
      ->capture_default_str();
  run->add_option("--json", arguments.json, "result.json (default: in --out)");
  run->add_option("--junit", arguments.junit, "JUnit XML");
  run->add_option("--html", arguments.html, "HTML report (default: report.html in --out)");
  run->add_option("--seed", arguments.seed, "Instead of the job's seed");
  run->add_option("--next-step", arguments.next_step, "A command to suggest at the end")->group("");
  run->add_flag("--dry-run", arguments.dry_run, "Print the calls that would be made");
  run->add_flag("--quiet", arguments.quiet, "No live progress");
  run->add_flag("--no-color", arguments.no_color, "No colours (also: NO_COLOR)");
  run->add_flag("--standalone", arguments.standalone,
                "Run in this process, also where a daemon runs (so does --out)");
}

/// What talks to the daemon. Each command that was given runs when its turn comes in main().
class DaemonCommands {
 public:
  explicit DaemonCommands(CLI::App& app) {
    serve_ = app.add_subcommand("serve", "The daemon: takes jobs and calls until it is told to stop");
    serve_->add_option("-c,--config", serve_arguments_.config, "linecheck.yaml");
    serve_
        ->add_option("--log-format", serve_arguments_.log_format, "Default: journal under systemd, else text")
        ->check(CLI::IsMember({"text", "json", "journal"}));
    serve_->add_option("--log-level", serve_arguments_.log_levels, "LEVEL or PART=LEVEL; may be repeated");

    add(app, "status", "What the daemon is doing", [this] { return cli::show_status(arguments_); });
    auto* stop =
        add(app, "stop", "No new calls of a result", [this] { return cli::stop_result(arguments_); });
    add_result(stop);
    stop->add_flag("--now", arguments_.now, "Hang up its calls, too");
    add_result(add(app, "pause", "No new calls of a result until it is resumed",
                   [this] { return cli::pause_result(arguments_, true); }));
    add_result(add(app, "resume", "Go on with a paused result",
                   [this] { return cli::pause_result(arguments_, false); }));
    auto* limits = add(app, "limits", "New limits for calls not yet started, until the next reload",
                       [this] { return cli::set_limits(arguments_); });
    limits->add_option("--result", arguments_.result, "Of one result");
    limits->add_option("--trunk", arguments_.trunk, "Of one trunk (neither: of everything)");
    limits->add_option("--max-calls", arguments_.max_calls, "Calls at once (absent: no limit)");
    limits->add_option("--calls-per-second", arguments_.calls_per_second,
                       "Starts a second (absent: no limit)");
    add(app, "reload", "Read configuration and catalogue again: all of it or nothing",
        [this] { return cli::reload(arguments_); });
    auto* level = add(app, "log-level", "Change what is logged, until the daemon ends",
                      [this] { return cli::set_log_level(arguments_); });
    level->add_option("part", arguments_.part, "daemon, jobs, calls, watch, admin, http or all")->required();
    level->add_option("level", arguments_.level, "debug, info, warn, error or off")->required();
  }

  /// nullopt: none of them was given.
  std::optional<int> run() const {
    if (serve_->parsed()) return cli::serve(serve_arguments_);
    for (const auto& [command, action] : commands_) {
      if (command->parsed()) return action();
    }
    return std::nullopt;
  }

 private:
  CLI::App* add(CLI::App& app, const char* name, const char* about, std::function<int()> action) {
    auto* command = app.add_subcommand(name, about);
    command->add_option("-c,--config", arguments_.config, "The daemon's linecheck.yaml");
    command->add_flag("--json", arguments_.json, "The answer as JSON");
    commands_.emplace_back(command, std::move(action));
    return command;
  }
  void add_result(CLI::App* command) {
    command->add_option("result", arguments_.result, "Its number")->required();
  }

  cli::ServeArguments serve_arguments_;
  cli::DaemonArguments arguments_;
  CLI::App* serve_ = nullptr;
  std::vector<std::pair<CLI::App*, std::function<int()>>> commands_;
};

void add_keys(CLI::App& app, cli::KeyArguments& arguments) {
  auto* key = app.add_subcommand("key", "Keys of the HTTP interface");
  key->require_subcommand(1);
  const auto add = [&](const char* action, const char* about) {
    auto* command = key->add_subcommand(action, about);
    command->add_option("-c,--config", arguments.config, "The daemon's linecheck.yaml");
    command->callback([&arguments, action] { arguments.action = action; });
    return command;
  };
  auto* create = add("create", "Make one; it is shown once");
  create->add_option("--name", arguments.name, "Whose it is; two active keys of a name at most")->required();
  create->add_option("--project", arguments.project, "It sees nothing of other projects");
  create->add_option("--scope", arguments.scope, "Each may what those before it may")
      ->check(CLI::IsMember({"read", "run", "admin"}))
      ->capture_default_str();
  create->add_option("--expires", arguments.expires, "After 90d, 12h, ... (default: never)");
  add("list", "All of them, without their secrets");
  add("revoke", "End one at once")->add_option("id", arguments.id, "Its number")->required();
}

/// `linecheck rnu`: what was meant?
std::string suggestion(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  return linecheck::scheduler::did_you_mean(word, names);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("linecheck tests AI voice agents with real phone calls.", "linecheck");
  app.set_version_flag("--version", std::string("linecheck ") + linecheck::engine::kVersion + " (" +
                                        linecheck::engine::kCommit + ")");
  app.require_subcommand(1);

  cli::RunArguments run;
  add_run(app, run);

  const DaemonCommands daemon(app);

  cli::KeyArguments keys;
  add_keys(app, keys);

  cli::CheckArguments check;
  auto* check_command = app.add_subcommand("check", "Check configuration, catalogue, jobs and agent files");
  check_command->add_option("path", check.paths, "Files and folders")->required();
  check_command->add_option("-c,--config", check.config, "linecheck.yaml that jobs are checked against");
  check_command->add_flag("--json", check.json, "Problems as JSON");

  cli::AgentArguments agent;
  auto* agent_command = app.add_subcommand("agent", "The built-in reference agent: something to call");
  agent_command->add_option("-c,--config", agent.config, "agent.yaml")->required();

  cli::ResultsArguments results;
  auto* results_command = app.add_subcommand("results", "List stored results");
  results_command->add_option("--out", results.out, "The folder that was given to run")
      ->capture_default_str();
  results_command->add_option("-c,--config", results.config, "linecheck.yaml, the daemon's as a rule");
  results_command->add_flag("--json", results.json, "As JSON");

  cli::ShowArguments show;
  auto* show_command = app.add_subcommand("show", "Show one run");
  show_command->add_option("id", show.run, "Its number")->required();
  show_command->add_option(
      "--out", show.out,
      "Where they are (default: the state of ./linecheck.yaml or /etc/linecheck/linecheck.yaml, else ./out)");
  show_command->add_option("-c,--config", show.config, "linecheck.yaml, the daemon's as a rule");
  show_command->add_flag("--ladder", show.ladder, "Its SIP messages, drawn as a ladder");
  show_command->add_flag("--json", show.json, "All of it, as JSON");

  cli::ReportArguments report;
  auto* report_command = app.add_subcommand("report", "Make reports again from a stored result");
  report_command->add_option("result", report.result, "Its number, or a result.json")->required();
  report_command->add_option(
      "--out", report.out,
      "Where they are (default: the state of ./linecheck.yaml or /etc/linecheck/linecheck.yaml, else ./out)");
  report_command->add_option("--html", report.html, "Write an HTML report");
  report_command->add_option("--junit", report.junit, "Write JUnit XML");
  report_command->add_option("-c,--config", report.config, "linecheck.yaml, the daemon's as a rule");
  report_command->add_flag("--no-color", report.no_color, "No colours");

  int voices_fd = -1;
  auto* voices_command =
      app.add_subcommand("voices", "The voices process (started by linecheck itself)")->group("");
  voices_command->add_option("--fd", voices_fd)->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, std::cout, std::cerr);
    if (code != 0 && argc > 1 && argv[1][0] != '-') {
      const std::string close = suggestion(app, argv[1]);
      if (!app.got_subcommand("run") && !close.empty())
        std::cerr << "linecheck: '" << argv[1] << "'" << close << "\n";
    }
    return code == 0 ? 0 : cli::kExitRefused;
  }

  if (voices_command->parsed()) return linecheck::engine::serve_voices(voices_fd);
  if (!keys.action.empty()) return cli::manage_keys(keys);
  if (check_command->parsed()) return cli::check(check);
  if (agent_command->parsed()) return cli::serve_reference_agent(agent);
  if (results_command->parsed()) return cli::list_results(results);
  if (show_command->parsed()) return cli::show_run(show);
  if (report_command->parsed()) return cli::make_report(report);
  if (const auto code = daemon.run()) return *code;
  return cli::run_job(run);
}
