// SPDX-License-Identifier: GPL-3.0-or-later
//
// Commands that only look at what is stored: results, show, report.
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "engine/cli/admin_client.h"
#include "engine/cli/commands.h"
#include "engine/cli/files.h"
#include "engine/report/console.h"
#include "engine/report/html.h"
#include "engine/report/json.h"
#include "engine/report/junit.h"
#include "engine/report/ladder.h"
#include "engine/store/result_store.h"
#include "engine/store/state_directory.h"

namespace linecheck::engine::cli {
namespace {

namespace fs = std::filesystem;

ResultStore open_store(const std::string& out) {
  const fs::path database = fs::path(out) / "linecheck.db";
  if (!fs::exists(database))
    throw std::runtime_error("there are no results in '" + out + "' (no linecheck.db)");
  return ResultStore(database.string(), scheduler::Database::Mode::read_only);
}

/// A result.json by path, or by the number of its result.
fs::path find_result(const std::string& given, const std::string& out) {
  std::int64_t id = 0;
  const char* end = given.data() + given.size();
  if (std::from_chars(given.data(), end, id).ptr != end) return given;
  const auto stored = open_store(out).result(id);
  if (!stored) throw std::runtime_error("there is no result " + given + " in '" + out + "'");
  return stored->json;
}

template <class Work>
int guarded(const Work& work) {
  try {
    work();
    return 0;
  } catch (const StateError& error) {  // a disk, not what was asked
    std::cerr << "linecheck: " << error.what() << "\n";
    return kExitEnvironment;
  } catch (const std::exception& error) {
    std::cerr << "linecheck: " << error.what() << "\n";
    return kExitRefused;
  }
}

}  // namespace

int show_run(const ShowArguments& arguments) {
  const std::string out = find_state(arguments.out, arguments.config);
  return guarded([&] {
    const auto stored = open_store(out).run(arguments.run);
    if (!stored || stored->json.empty()) {
      throw std::runtime_error("there is no finished run " + std::to_string(arguments.run) + " in '" + out +
                               "'");
    }
    const auto json = nlohmann::json::parse(stored->json);
    if (arguments.json) {
      std::cout << json.dump(2) << "\n";
    } else if (arguments.ladder) {
      std::cout << report::text_ladder(report::run_from_json(json, out));
    } else {
      Result one;
      one.runs.push_back(report::run_from_json(json, out));
      const Run& run = one.runs.front();
      std::cout << "Run " << run.id << ": " << run.scenario_name << " | " << run.personality_name << " | #"
                << run.repetition << "\n";
      if (!run.error_message.empty()) std::cout << run.error_message << "\n";
      for (const TranscriptLine& line : run.evaluation.transcript) {
        std::cout << "[" << std::fixed << std::setprecision(2) << line.start_ms / 1000 << "] "
                  << (line.who == Party::caller ? "Testing Agent: " : "Main Agent: ") << line.content << "\n";
      }
      for (const CheckResult& check : run.evaluation.checks) {
        std::cout << (check.passed ? "passed  " : "FAILED  ") << check.check << ": " << check.explanation
                  << "\n";
      }
    }
  });
}

namespace {

/// From the daemon where one runs, which also knows what is in progress; else from the database.
nlohmann::ordered_json listed(const ResultsArguments& arguments) {
  if (arguments.out.empty()) {
    const fs::path socket = admin_socket(arguments.config);
    if (AdminClient::answers(socket)) {
      AdminClient::Json request;
      request["command"] = "results";
      return AdminClient(socket).ask(request);
    }
  }
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& result : open_store(find_state(arguments.out, arguments.config)).results({}, 0, 100)) {
    nlohmann::ordered_json item;
    item["id"] = result.id;
    item["name"] = result.name;
    item["status"] = result.status;
    item["success_rate"] = result.success_rate ? nlohmann::ordered_json(*result.success_rate) : nullptr;
    item["created_at"] = result.created_at;
    list.push_back(std::move(item));
  }
  return list;
}

}  // namespace

int list_results(const ResultsArguments& arguments) {
  return guarded([&] {
    const auto list = listed(arguments);
    if (arguments.json) {
      std::cout << list.dump(2) << "\n";
      return;
    }
    for (const auto& result : list) {
      std::cout << std::setw(6) << result.value("id", std::int64_t{0}) << "  " << std::left << std::setw(10)
                << result.value("status", "") << std::right << "  ";
      if (result["success_rate"].is_number()) {
        std::cout << std::setw(4) << static_cast<int>(result["success_rate"].get<double>() * 100 + 0.5)
                  << " %";
      } else {
        std::cout << "     -";
      }
      std::cout << "  " << result.value("created_at", "") << "  " << result.value("name", "") << "\n";
    }
  });
}

int make_report(const ReportArguments& arguments) {
  return guarded([&] {
    const fs::path file = find_result(arguments.result, find_state(arguments.out, arguments.config));
    const Result result = report::read_result_json(file);
    if (!arguments.html.empty()) {
      report::HtmlOptions options;
      options.relative_to = fs::absolute(arguments.html).parent_path();
      write_file_atomically(arguments.html, report::html_report(result, options));
    }
    if (!arguments.junit.empty()) {
      report::JunitOptions options;
      options.relative_to = fs::absolute(arguments.junit).parent_path();
      write_file_atomically(arguments.junit, report::junit_xml(result, options));
    }
    report::SummaryOptions summary;
    summary.terminal = report::Terminal::of(STDOUT_FILENO, arguments.no_color);
    std::cout << report::summary(result, summary);
  });
}

}  // namespace linecheck::engine::cli
