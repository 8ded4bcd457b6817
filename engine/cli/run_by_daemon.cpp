// SPDX-License-Identifier: GPL-3.0-or-later
//
// `linecheck run` with a daemon: the job goes there, the progress and the reports come back here.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>

#include "engine/cli/admin_client.h"
#include "engine/cli/files.h"
#include "engine/cli/run_parts.h"
#include "engine/report/console.h"
#include "engine/report/json.h"

namespace linecheck::engine::cli {
namespace {

namespace fs = std::filesystem;
using Json = AdminClient::Json;

constexpr std::chrono::milliseconds kLook{200};

volatile sig_atomic_t interrupts = 0;

void count_interrupt(int) {
  interrupts = interrupts + 1;
}

std::chrono::milliseconds since_boot() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
}

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in) throw std::runtime_error("can't read " + file.string());
  return text.str();
}

report::ProgressState progress_of(const Json& result) {
  report::ProgressState state;
  state.name = result.value("name", "");
  state.total = result.value("total", std::uint64_t{0});
  state.passed = result.value("passed", std::uint64_t{0});
  state.failed = result.value("failed", std::uint64_t{0});
  state.excused = result.value("excused", std::uint64_t{0});
  state.cancelled = result.value("cancelled", std::uint64_t{0});
  state.notice = result.value("notice", "");
  if (result.contains("cap") && !result["cap"].is_null()) state.cap = result["cap"].get<int>();
  for (const Json& call : result.value("calls", Json::array())) {
    report::ActiveCall shown;
    shown.run_id = call.value("run", std::int64_t{0});
    shown.scenario = call.value("scenario", "");
    shown.variant = call.value("variant", "");
    shown.seconds = call.value("seconds", 0.0);
    shown.doing = call.value("doing", "");
    state.active.push_back(std::move(shown));
  }
  return state;
}

Json question(const char* command, std::int64_t result) {
  Json request;
  request["command"] = command;
  request["result"] = result;
  return request;
}

/// Until the result is over. Returns its last state.
Json follow(AdminClient& daemon, std::int64_t id, report::Progress& progress) {
  report::ProgressState last;
  int told = 0;
  for (;;) {
    Json result = daemon.ask(question("result", id));
    if (result.value("over", false)) {
      progress.finish(last, since_boot());
      return result;
    }
    if (result.contains("total")) last = progress_of(result);
    progress.update(last, since_boot());
    if (told < interrupts) {
      told = interrupts;
      Json stop = question("stop", id);
      stop["now"] = told > 1;
      try {
        daemon.ask(stop);
      } catch (const Refused&) {  // over already
      }
    }
    timespec pause{0, static_cast<long>(std::chrono::nanoseconds(kLook).count())};
    ::nanosleep(&pause, nullptr);  // a signal ends it early
  }
}

}  // namespace

int run_by_daemon(const RunArguments& arguments, const fs::path& socket) {
  try {
    struct sigaction on_interrupt {};
    on_interrupt.sa_handler = count_interrupt;
    ::sigaction(SIGINT, &on_interrupt, nullptr);
    ::sigaction(SIGTERM, &on_interrupt, nullptr);
    AdminClient daemon(socket);
    Json request;
    request["command"] = "run";
    request["name"] = arguments.job;
    request["text"] = content_of(arguments.job);
    if (arguments.seed) request["seed"] = *arguments.seed;
    const auto id = daemon.ask(request).at("result").get<std::int64_t>();
    report::ProgressOptions options;
    options.terminal = report::Terminal::of(STDERR_FILENO, arguments.no_color);
    options.quiet = arguments.quiet;
    report::Progress progress(std::cerr, options, since_boot());
    const Json over = follow(daemon, id, progress);
    const fs::path file = over.at("json").get<std::string>();
    const Result result = report::read_result_json(file);
    RunPlaces places;
    places.html = arguments.html;
    places.recordings = socket.parent_path() / "recordings";
    places.json = arguments.json;
    return report_run(arguments, result, places);
  } catch (const Refused& refused) {
    std::cerr << "linecheck: " << refused.what() << "\n";
    if (!refused.problems().empty()) print_problems(refused.problems());
    return kExitRefused;
  } catch (const std::exception& error) {
    std::cerr << "linecheck: " << error.what() << "\n";
    return kExitEnvironment;
  }
}

}  // namespace linecheck::engine::cli
