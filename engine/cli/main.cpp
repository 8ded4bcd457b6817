// SPDX-License-Identifier: GPL-3.0-or-later
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "engine/cli/commands.h"
#include "engine/daemon/version.h"
#include "engine/persona/voices_process.h"
#include "scheduler/suggest.h"

namespace cli = linecheck::engine::cli;

namespace {

void add_run(CLI::App& app, cli::RunArguments& arguments) {
  auto* run = app.add_subcommand("run", "Run one job in the foreground and report on it");
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
  run->add_flag("--standalone", arguments.standalone, "Run in this process, whether or not a daemon runs");
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
  results_command->add_flag("--json", results.json, "As JSON");

  cli::ShowArguments show;
  auto* show_command = app.add_subcommand("show", "Show one run");
  show_command->add_option("id", show.run, "Its number")->required();
  show_command->add_option(
      "--out", show.out,
      "Where they are (default: the state of ./linecheck.yaml or /etc/linecheck/linecheck.yaml, else ./out)");
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
  if (check_command->parsed()) return cli::check(check);
  if (agent_command->parsed()) return cli::serve_reference_agent(agent);
  if (results_command->parsed()) return cli::list_results(results);
  if (show_command->parsed()) return cli::show_run(show);
  if (report_command->parsed()) return cli::make_report(report);
  return cli::run_job(run);
}
