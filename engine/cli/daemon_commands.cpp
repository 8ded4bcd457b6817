// SPDX-License-Identifier: GPL-3.0-or-later
//
// serve, and what talks to it: status, stop, pause, resume, limits, reload, log-level.
#include <iomanip>
#include <iostream>

#include "engine/cli/admin_client.h"
#include "engine/cli/commands.h"
#include "engine/cli/files.h"
#include "engine/daemon/daemon.h"

namespace linecheck::engine::cli {
namespace {

using Json = AdminClient::Json;

/// Asks the daemon; `show` prints the answer for people.
template <class Show>
int asked(const DaemonArguments& arguments, const Json& request, const Show& show) {
  try {
    AdminClient daemon(admin_socket(arguments.config));
    const Json answer = daemon.ask(request);
    if (arguments.json) {
      std::cout << answer.dump(2) << "\n";
    } else {
      show(answer);
    }
    return 0;
  } catch (const Refused& refused) {
    std::cerr << "linecheck: " << refused.what() << "\n";
    if (!refused.problems().empty()) print_problems(refused.problems());
    return kExitRefused;
  } catch (const std::exception& error) {
    std::cerr << "linecheck: " << error.what() << "\n";
    return kExitEnvironment;
  }
}

void show_status(const Json& status) {
  std::cout << "linecheck " << status.value("version", "") << " (" << status.value("commit", "") << "), "
            << status.value("state", "") << " for " << static_cast<long>(status.value("uptime_s", 0.0))
            << " s, " << status.value("active_calls", 0) << " calls in progress, "
            << status.value("dialled", 0) << " dialled\n";
  if (const std::string why = status.value("held_back", ""); !why.empty()) {
    std::cout << "no call starts: " << why << "\n";
  }
  const Json reload = status.value("reload", Json::object());
  if (!reload.value("last_succeeded", true)) {
    std::cout << "the last reload, at " << reload.value("last_at", "")
              << ", was refused: the log says why; in use is the configuration of "
              << reload.value("last_success_at", "") << "\n";
  }
  for (const Json& result : status.value("results", Json::array())) {
    std::cout << std::setw(6) << result.value("id", 0) << "  " << std::left << std::setw(9)
              << result.value("state", "") << std::right << std::setw(8) << result.value("done", 0) << "/"
              << std::left << std::setw(8) << result.value("total", 0) << std::right << " "
              << result.value("active", 0) << " active, " << result.value("passed", 0) << " passed, "
              << result.value("failed", 0) << " failed, " << result.value("excused", 0) << " excused  "
              << result.value("name", "") << "\n";
  }
}

}  // namespace

int serve(const ServeArguments& arguments) {
  const std::string config = find_config(arguments.config);
  if (config.empty()) {
    std::cerr << "linecheck: no configuration: name one with -c\n";
    return kExitRefused;
  }
  scheduler::Problems problems;
  auto settings = load_settings(config, problems);
  if (!settings) {
    print_problems(problems);
    return kExitRefused;
  }
  LogFormat format = LogFormat::automatic;
  if (arguments.log_format == "text") format = LogFormat::text;
  if (arguments.log_format == "json") format = LogFormat::json;
  if (arguments.log_format == "journal") format = LogFormat::journal;
  Log log(format);
  for (const std::string& level : arguments.log_levels) {
    const auto colon = level.find('=');
    const auto part = colon == std::string::npos ? std::nullopt : part_named(level.substr(0, colon));
    const auto wanted = level_named(colon == std::string::npos ? level : level.substr(colon + 1));
    if (!wanted || (colon != std::string::npos && !part)) {
      std::cerr << "linecheck: --log-level " << level << ": LEVEL or PART=LEVEL is expected\n";
      return kExitRefused;
    }
    for (const Part each : kParts) {
      if (!part || each == *part) log.set_level(each, *wanted);
    }
  }
  try {
    Daemon daemon(config, std::move(*settings), log);
    daemon.run();
    return 0;
  } catch (const std::exception& error) {
    log.write(Part::daemon, LogLevel::error, error.what());
    return kExitEnvironment;
  }
}

int show_status(const DaemonArguments& arguments) {
  Json request;
  request["command"] = "status";
  return asked(arguments, request, [](const Json& status) { show_status(status); });
}

int stop_result(const DaemonArguments& arguments) {
  Json request;
  request["command"] = "stop";
  request["result"] = arguments.result;
  request["now"] = arguments.now;
  return asked(arguments, request, [&](const Json&) {
    std::cout << "result " << arguments.result
              << (arguments.now ? ": hanging up\n" : ": no new calls; those in progress may finish\n");
  });
}

int pause_result(const DaemonArguments& arguments, bool paused) {
  Json request;
  request["command"] = paused ? "pause" : "resume";
  request["result"] = arguments.result;
  return asked(arguments, request, [&](const Json&) {
    std::cout << "result " << arguments.result << (paused ? " is paused\n" : " goes on\n");
  });
}

int set_limits(const DaemonArguments& arguments) {
  Json request;
  request["command"] = "limits";
  if (arguments.result != 0) request["result"] = arguments.result;
  if (!arguments.trunk.empty()) request["trunk"] = arguments.trunk;
  if (arguments.max_calls) request["max_calls"] = *arguments.max_calls;
  if (arguments.calls_per_second) request["calls_per_second"] = *arguments.calls_per_second;
  return asked(arguments, request, [](const Json& limits) {
    std::cout << "calls at once: " << limits["max_calls"]
              << ", calls per second: " << limits["calls_per_second"] << " (null: no limit)\n";
  });
}

int reload(const DaemonArguments& arguments) {
  Json request;
  request["command"] = "reload";
  return asked(arguments, request, [](const Json& answer) {
    const Json changes = answer.value("changes", Json::array());
    std::cout << (changes.empty() ? "reloaded: nothing has changed\n" : "reloaded\n");
    for (const Json& change : changes) std::cout << "  " << change.get<std::string>() << "\n";
  });
}

int set_log_level(const DaemonArguments& arguments) {
  Json request;
  request["command"] = "log";
  request["part"] = arguments.part;
  request["level"] = arguments.level;
  return asked(arguments, request, [](const Json& levels) {
    for (const auto& [part, level] : levels.items())
      std::cout << part << " " << level.get<std::string>() << "\n";
  });
}

}  // namespace linecheck::engine::cli
