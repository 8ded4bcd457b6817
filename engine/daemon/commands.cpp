// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/commands.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <utility>

#include "engine/call/offload.h"
#include "engine/call/time.h"
#include "engine/daemon/version.h"
#include "engine/report/json.h"
#include "scheduler/suggest.h"

namespace linecheck::engine {
namespace {

using boost::asio::awaitable;
using Json = Commands::Json;

const char* state_of(const OpenResult& result) {
  if (result.cancelled || result.stopping) return "stopping";
  if (result.paused) return "paused";
  return "running";
}

template <class T>
T required(const Json& request, const char* key) {
  const auto found = request.find(key);
  if (found == request.end()) throw CommandError(std::string("'") + key + "' is missing");
  try {
    return found->get<T>();
  } catch (const nlohmann::json::exception&) {
    throw CommandError(std::string("'") + key + "' has a wrong type");
  }
}

template <class T>
std::optional<T> optional(const Json& request, const char* key) {
  const auto found = request.find(key);
  if (found == request.end() || found->is_null()) return std::nullopt;
  return required<T>(request, key);
}

std::string random_key() {
  std::random_device device;
  std::string key = "admin:";
  for (int i = 0; i < 4; ++i) key += std::to_string(device()) + (i < 3 ? "-" : "");
  return key;
}

}  // namespace

nlohmann::ordered_json problems_json(const scheduler::Problems& problems) {
  Json list = Json::array();
  for (const auto& problem : problems) {
    Json item;
    item["file"] = problem.mark.file;
    item["line"] = problem.mark.line;
    item["column"] = problem.mark.column;
    item["field"] = problem.field;
    item["message"] = problem.message;
    list.push_back(std::move(item));
  }
  return list;
}

scheduler::Problems problems_from_json(const nlohmann::json& json) {
  scheduler::Problems problems;
  for (const auto& item : json) {
    scheduler::Problem problem;
    problem.mark.file = item.value("file", "");
    problem.mark.line = item.value("line", 0);
    problem.mark.column = item.value("column", 0);
    problem.field = item.value("field", "");
    problem.message = item.value("message", "");
    problems.push_back(std::move(problem));
  }
  return problems;
}

scheduler::Catalog catalog_of_project(const scheduler::Catalog& catalog, scheduler::Id project) {
  scheduler::Catalog seen = catalog;
  std::erase_if(seen.agents, [&](const auto& agent) { return agent.second.project != project; });
  std::erase_if(seen.scenarios, [&](const auto& item) {
    const scheduler::Scenario& scenario = item.second;
    return !seen.agents.contains(scenario.agent) || (scenario.project && scenario.project != project);
  });
  return seen;
}

std::optional<scheduler::Id> project_of(const scheduler::Job& job, const scheduler::Catalog& catalog) {
  const auto agent = catalog.agents.find(job.agent_id);
  if (agent != catalog.agents.end() && agent->second.project) return agent->second.project;
  for (const scheduler::Id id : job.scenarios) {
    const auto scenario = catalog.scenarios.find(id);
    if (scenario != catalog.scenarios.end() && scenario->second.project) return scenario->second.project;
  }
  return std::nullopt;
}

Commands::Commands(Parts parts) : parts_(std::move(parts)), started_ns_(mono_ns()), started_at_(utc_now()) {
}

awaitable<Json> Commands::execute(Json request) {
  const auto command = required<std::string>(request, "command");
  if (command == "status") co_return status();
  if (command == "results") co_return co_await results(optional<std::size_t>(request, "limit").value_or(100));
  if (command == "result") co_return co_await result(required<std::int64_t>(request, "result"));
  if (command == "show") co_return co_await run(required<std::int64_t>(request, "run"));
  if (command == "run") {
    JobRequest job;
    job.text = required<std::string>(request, "text");
    job.name = required<std::string>(request, "name");
    job.seed = optional<std::uint64_t>(request, "seed");
    job.key = optional<std::string>(request, "key").value_or("");
    const scheduler::Created created = co_await submit(std::move(job));
    Json answer;
    answer["result"] = created.result_id;
    answer["existed"] = created.existed;
    co_return answer;
  }
  if (command == "stop") {
    co_return co_await stop(required<std::int64_t>(request, "result"),
                            optional<bool>(request, "now").value_or(false));
  }
  if (command == "pause" || command == "resume") {
    co_return co_await pause(required<std::int64_t>(request, "result"), command == "pause");
  }
  if (command == "limits") {
    using Scope = scheduler::LimitScope;
    Scope scope = Scope::global;
    std::string name;
    if (const auto id = optional<std::int64_t>(request, "result")) {
      scope = Scope::result;
      name = std::to_string(*id);
    } else if (auto trunk = optional<std::string>(request, "trunk")) {
      scope = Scope::trunk;
      name = std::move(*trunk);
    }
    scheduler::Limits limits;
    limits.max_calls = optional<int>(request, "max_calls");
    limits.calls_per_second = optional<double>(request, "calls_per_second");
    co_return co_await set_limits(scope, std::move(name), limits);
  }
  if (command == "reload") co_return co_await reload();
  if (command == "log") {
    co_return set_log_level(required<std::string>(request, "part"), required<std::string>(request, "level"));
  }
  const std::vector<std::string> known{"status", "results", "result", "show",   "run", "stop",
                                       "pause",  "resume",  "limits", "reload", "log"};
  throw CommandError("there is no command '" + command + "'" + scheduler::did_you_mean(command, known));
}

// ---- what is going on ----

Json Commands::open_result(const OpenResult& result) const {
  const report::ProgressState progress = parts_.dispatcher.progress(result);
  Json item;
  item["id"] = result.id();
  item["name"] = result.job().name;
  item["state"] = state_of(result);
  item["trunk"] = result.basis().trunk().name;
  item["priority"] = result.job().priority;
  item["total"] = progress.total;
  item["done"] = progress.done();
  item["active"] = result.active;
  item["in_queue"] = progress.total - progress.done() - static_cast<std::uint64_t>(result.active);
  item["passed"] = progress.passed;
  item["failed"] = progress.failed;
  item["excused"] = progress.excused;
  item["cancelled"] = progress.cancelled;
  item["late_starts"] = result.late_starts.late();
  item["dropped_starts"] = result.dropped_starts.total();
  const auto start = result.job().start_unix_ms;
  item["waits_until"] = start && *start > unix_ms() ? Json(utc_text(*start)) : Json(nullptr);
  item["cap"] = progress.cap ? Json(*progress.cap) : Json(nullptr);
  item["created_at"] = result.created_at;
  item["notice"] = progress.notice;
  return item;
}

Json Commands::status() const {
  Json status;
  status["version"] = kVersion;
  status["commit"] = kCommit;
  status["pid"] = ::getpid();
  status["state"] = parts_.stopping ? "stopping" : parts_.dispatcher.held_back().empty() ? "running" : "held";
  status["held_back"] = parts_.dispatcher.held_back();
  status["started_at"] = started_at_;
  status["uptime_s"] = static_cast<double>(mono_ns() - started_ns_) / 1e9;
  status["active_calls"] = parts_.dispatcher.active_calls();
  status["dialled"] = parts_.dispatcher.dialled();
  status["calls_per_second"] = calls_per_second_;
  Json reload;
  reload["last_succeeded"] = parts_.reload_state.last_succeeded;
  reload["last_at"] = parts_.reload_state.last_at;
  reload["last_success_at"] = parts_.reload_state.last_success_at;
  reload["succeeded"] = parts_.reload_state.succeeded;
  reload["refused"] = parts_.reload_state.refused;
  status["reload"] = std::move(reload);
  Json store;
  store["commits"] = parts_.dispatcher.writer().batches();
  store["writes"] = parts_.dispatcher.writer().writes();
  status["store"] = std::move(store);
  for (const Part part : kParts) status["log"][to_string(part)] = to_string(parts_.log.level(part));
  status["results"] = Json::array();
  for (const auto& [id, result] : parts_.dispatcher.open()) status["results"].push_back(open_result(*result));
  return status;
}

std::string Commands::status_line() {
  const std::int64_t now = mono_ns();
  const std::uint64_t dialled = parts_.dispatcher.dialled();
  if (measured_ns_ != 0 && now > measured_ns_) {
    calls_per_second_ =
        static_cast<double>(dialled - measured_calls_) * 1e9 / static_cast<double>(now - measured_ns_);
  }
  measured_ns_ = now;
  measured_calls_ = dialled;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  for (const auto& [id, result] : parts_.dispatcher.open()) {
    const report::ProgressState progress = result->progress();
    done += progress.done();
    total += progress.total;
  }
  const std::size_t results = parts_.dispatcher.open().size();
  if (results == 0 && parts_.dispatcher.held_back().empty()) return "idle";
  char text[120];
  std::snprintf(text, sizeof text, "%zu result%s, %llu/%llu calls, %zu in progress, %.1f calls/s", results,
                results == 1 ? "" : "s", static_cast<unsigned long long>(done),
                static_cast<unsigned long long>(total), parts_.dispatcher.active_calls(), calls_per_second_);
  return parts_.dispatcher.held_back().empty() ? text : text + ("; " + parts_.dispatcher.held_back());
}

awaitable<Json> Commands::results(std::size_t limit) {
  auto read = [this, limit] { return parts_.documents.results({}, 0, std::min<std::size_t>(limit, 1000)); };
  const auto stored = co_await offload(parts_.database, std::move(read));
  Json list = Json::array();
  for (auto it = parts_.dispatcher.open().rbegin(); it != parts_.dispatcher.open().rend(); ++it) {
    const OpenResult& result = *it->second;
    Json item;
    item["id"] = result.id();
    item["name"] = result.job().name;
    item["status"] = state_of(result);
    item["success_rate"] = nullptr;
    item["created_at"] = result.created_at;
    list.push_back(std::move(item));
  }
  for (const auto& result : stored) {
    if (parts_.dispatcher.find(result.id)) continue;
    Json item;
    item["id"] = result.id;
    item["name"] = result.name;
    item["status"] = result.status;
    item["success_rate"] = result.success_rate ? Json(*result.success_rate) : Json(nullptr);
    item["created_at"] = result.created_at;
    list.push_back(std::move(item));
  }
  co_return list;
}

awaitable<Json> Commands::result(std::int64_t id) {
  if (const auto open = parts_.dispatcher.find(id)) {
    Json item = open_result(*open);
    item["over"] = false;
    item["calls"] = Json::array();
    for (const report::ActiveCall& call : parts_.dispatcher.progress(*open).active) {
      Json one;
      one["run"] = call.run_id;
      one["scenario"] = call.scenario;
      one["variant"] = call.variant;
      one["seconds"] = call.seconds;
      one["doing"] = call.doing;
      item["calls"].push_back(std::move(one));
    }
    co_return item;
  }
  auto read = [this, id] { return parts_.documents.result(id); };
  const auto stored = co_await offload(parts_.database, std::move(read));
  Json item;
  item["id"] = id;
  if (!stored) {  // its verdict is being written, or there is none
    auto known = [this, id] { return parts_.dispatcher.store().result(id).has_value(); };
    if (!co_await offload(parts_.database, std::move(known))) {
      throw CommandError("there is no result " + std::to_string(id));
    }
    item["state"] = "evaluating";
    item["over"] = false;
    co_return item;
  }
  item["name"] = stored->name;
  item["state"] = stored->status;
  item["over"] = true;
  item["success_rate"] = stored->success_rate ? Json(*stored->success_rate) : Json(nullptr);
  item["created_at"] = stored->created_at;
  item["updated_at"] = stored->updated_at;
  item["json"] = stored->json;
  co_return item;
}

awaitable<Json> Commands::run(std::int64_t run_id) {
  auto read = [this, run_id] { return parts_.documents.run(run_id); };
  const auto stored = co_await offload(parts_.database, std::move(read));
  if (!stored || stored->json.empty()) {
    throw CommandError("there is no finished run " + std::to_string(run_id));
  }
  co_return Json::parse(stored->json);
}

// ---- what is to be done ----

awaitable<scheduler::Created> Commands::submit(JobRequest request) {
  if (parts_.stopping) throw CommandError("the daemon is stopping and takes no more jobs");
  auto read = [settings = parts_.dispatcher.settings(), request] {
    scheduler::Problems problems;
    std::optional<scheduler::Job> job;
    if (request.project) {
      Settings seen = *settings;
      seen.catalog = std::make_shared<const scheduler::Catalog>(
          catalog_of_project(*settings->catalog, *request.project));
      job = read_job(request.text, request.name, seen, problems);
    } else {
      job = read_job(request.text, request.name, *settings, problems);
    }
    return std::pair(std::move(job), std::move(problems));
  };
  auto [job, problems] = co_await offload(parts_.files, std::move(read));
  if (!job) throw CommandError("the job is refused", std::move(problems));
  if (request.seed) job->seed = *request.seed;
  std::string key = request.key.empty() ? random_key() : std::move(request.key);
  co_return co_await parts_.dispatcher.submit(std::move(*job), std::move(key));
}

awaitable<Json> Commands::stop(std::int64_t result, bool now) {
  if (!parts_.dispatcher.find(result)) {
    throw CommandError("there is no result " + std::to_string(result) + " in progress");
  }
  if (now) {
    parts_.dispatcher.stop_now(result);
  } else {
    parts_.dispatcher.stop_gently(result, "Stopping: no new calls.");
  }
  parts_.log.write(Part::jobs, LogLevel::info, now ? "hanging up, as asked" : "stopping, as asked",
                   {{"RESULT_ID", std::to_string(result)}});
  Json answer;
  answer["result"] = result;
  answer["stopping"] = true;
  co_return answer;
}

awaitable<Json> Commands::pause(std::int64_t result, bool paused) {
  if (!co_await parts_.dispatcher.pause(result, paused)) {
    throw CommandError("there is no result " + std::to_string(result) + " in progress");
  }
  Json answer;
  answer["result"] = result;
  answer["paused"] = paused;
  co_return answer;
}

awaitable<Json> Commands::set_limits(scheduler::LimitScope scope, std::string name,
                                     scheduler::Limits limits) {
  if (limits.max_calls && *limits.max_calls < 0) throw CommandError("'max_calls' must be 0 or more");
  if (limits.calls_per_second && !(*limits.calls_per_second > 0)) {
    throw CommandError("'calls_per_second' must be more than 0");
  }
  if (scope == scheduler::LimitScope::trunk &&
      !parts_.dispatcher.settings()->catalog->trunks.contains(name)) {
    throw CommandError("there is no trunk '" + name + "'");
  }
  auto set = [this, scope, name, limits] {
    return parts_.dispatcher.store().set_limit(scheduler::moment_now(), scope, name, limits);
  };
  if (!co_await offload(parts_.database, std::move(set))) {
    throw CommandError("there is no result " + name + " in progress");
  }
  Json answer;
  answer["max_calls"] = limits.max_calls ? Json(*limits.max_calls) : Json(nullptr);
  answer["calls_per_second"] = limits.calls_per_second ? Json(*limits.calls_per_second) : Json(nullptr);
  co_return answer;
}

awaitable<Json> Commands::reload() {
  const std::vector<std::string> changes = co_await parts_.reload();
  Json answer;
  answer["reloaded"] = true;
  answer["changes"] = changes;
  co_return answer;
}

Json Commands::set_log_level(const std::string& part, const std::string& level) {
  const auto wanted = level_named(level);
  if (!wanted) throw CommandError("'" + level + "' is no level: debug, info, warn, error or off");
  const auto one = part_named(part);
  if (!one && part != "all") {
    std::vector<std::string> names{"all"};
    for (const Part known : kParts) names.emplace_back(to_string(known));
    throw CommandError("there is no part '" + part + "'" + scheduler::did_you_mean(part, names));
  }
  for (const Part each : kParts) {
    if (part == "all" || each == *one) parts_.log.set_level(each, *wanted);
  }
  Json answer;
  for (const Part each : kParts) answer[to_string(each)] = to_string(parts_.log.level(each));
  return answer;
}

}  // namespace linecheck::engine
