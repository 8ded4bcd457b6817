// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/http/stored.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "engine/call/time.h"
#include "engine/lower_case.h"
#include "engine/report/json.h"
#include "scheduler/numbers.h"

namespace linecheck::engine::http {

namespace fs = std::filesystem;
using scheduler::Query;

namespace {

/// What a run's own answer has and a list leaves out: it is long.
constexpr const char* kDetails[] = {"sip", "turns", "timeline", "rtp"};

std::string run_url(std::int64_t id) {
  return std::string(kBase) + "/runs/" + std::to_string(id) + "/";
}

void name_recording(Json& run) {
  const auto url = run.find("voice_recording_url");
  if (url == run.end() || !url->is_string()) return;
  *url = run_url(run.value("id", std::int64_t{0})) + "recording";
}

Json slim(Json run) {
  name_recording(run);
  for (const char* key : kDetails) run.erase(key);
  return run;
}

const report::ActiveCall* active_call(const OpenView& open, std::int64_t run) {
  for (const report::ActiveCall& call : open.progress.active) {
    if (call.run_id == run) return &call;
  }
  return nullptr;
}

Json planned_json(const OpenView& open, std::int64_t id) {
  const auto index = static_cast<std::uint64_t>(id - open.first_run_id);
  Run run = open.basis.planned_run(open.id, id, index);
  const report::ActiveCall* const call = active_call(open, id);
  run.status = call != nullptr ? RunStatus::running : RunStatus::pending;
  const scheduler::CallerNumbers numbers = scheduler::caller_numbers(open.job(), open.basis.trunk());
  // The number of ours that the agent sees calling, or that it is to call.
  std::string& ours = open.job().called ? run.outbound_number : run.inbound_number;
  ours.clear();
  if (numbers.mode == scheduler::NumberMode::same_number) {
    if (!numbers.pool.empty()) ours = numbers.pool.front();
  } else if (!numbers.reuse && index < numbers.pool.size()) {
    ours = numbers.pool[index];
  }
  Json json = report::run_json(run);
  json["evaluation_status"] = nullptr;
  json["success"] = nullptr;
  json["doing"] = call != nullptr && !call->doing.empty() ? Json(call->doing) : Json(nullptr);
  return json;
}

bool matches(const OpenView& open, const ResultFilter& filter) {
  if (filter.agent && open.job().agent_id != *filter.agent) return false;
  if (filter.project && open.project != filter.project) return false;
  if (!filter.search.empty() &&
      lower_case(open.job().name).find(lower_case(filter.search)) == std::string::npos) {
    return false;
  }
  const auto& ran = open.job().scenarios;
  return filter.scenarios.empty() || std::find_first_of(ran.begin(), ran.end(), filter.scenarios.begin(),
                                                        filter.scenarios.end()) != ran.end();
}

Json listed(std::int64_t id, const std::string& name, std::int64_t agent, const std::string& status) {
  Json item;
  item["id"] = id;
  item["name"] = name;
  item["agent"] = agent;
  item["status"] = status;
  return item;
}

std::optional<Json> read_json(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  Json json = in ? Json::parse(in, nullptr, false) : Json();
  return json.is_object() ? std::optional(std::move(json)) : std::nullopt;
}

}  // namespace

void add_pages(Json& json, std::size_t count, const Page& page, const std::string& url) {
  const auto at = [&](std::size_t number) {
    const char* const joint = url.find('?') == std::string::npos ? "?" : "&";
    return Json(url + joint + "page=" + std::to_string(number) + "&page_size=" + std::to_string(page.size));
  };
  json["count"] = count;
  json["next"] = page.offset() + page.size < count ? at(page.number + 1) : Json(nullptr);
  json["previous"] = page.number > 1 ? at(page.number - 1) : Json(nullptr);
}

Json accepted_json(const OpenView& open) {
  Json json;
  json["id"] = open.id;
  json["agent"] = open.job().agent_id;
  json["name"] = open.job().name;
  json["status"] = open.status;
  json["success_rate"] = nullptr;
  json["run_as_text"] = false;
  json["created_at"] = open.created_at;
  json["runs"] = Json::array();
  const scheduler::Agent& agent = open.basis.settings->catalog->agents.at(open.job().agent_id);
  const std::uint64_t shown = std::min<std::uint64_t>(open.progress.total, kShownRuns);
  for (std::uint64_t i = 0; i < shown; ++i) {
    const std::int64_t id = open.first_run_id + static_cast<std::int64_t>(i);
    const Json planned = planned_json(open, id);
    Json run;
    run["id"] = id;
    run["status"] = "pending";
    run["scenario"] = planned.at("scenario");
    run["number"] = agent.inbound ? Json(nullptr) : planned.at("outbound_number");
    run["inbound_number"] = agent.inbound ? planned.at("inbound_number") : Json(nullptr);
    run["scenario_name"] = planned.at("scenario_name");
    const Json& profile = planned.at("test_profile_data");
    run["test_profile_data"] = profile.is_null() || profile.empty() ? Json(nullptr) : profile;
    run["outbound_dial_window_opens_at"] = nullptr;
    run["outbound_dial_window_seconds"] =
        agent.inbound ? Json(nullptr) : Json(scheduler::as_ms(agent.dial_window) / 1000);
    run["outbound_dial_window_closes_at"] = nullptr;
    json["runs"].push_back(std::move(run));
  }
  if (open.progress.total > shown) {
    json["runs_truncated"] = true;
    json["runs_url"] = std::string(kBase) + "/runs/?result_id=" + std::to_string(open.id);
  }
  return json;
}

Stored::Stored(const std::string& database_path, fs::path state)
    : state_(std::move(state)),
      documents_(database_path, scheduler::Database::Mode::read_only),
      db_(std::make_unique<scheduler::Database>(database_path, scheduler::Database::Mode::read_only)) {
}

bool Stored::visible(std::int64_t result, std::optional<std::int64_t> project) const {
  if (!project) return true;
  const auto document = documents_.result(result);
  return document && document->project == project;
}

std::optional<Json> Stored::results(const std::vector<OpenView>& open, const ResultFilter& filter,
                                    const Page& page, const std::string& url) const {
  std::vector<const OpenView*> going;
  for (const OpenView& view : open) {
    if (matches(view, filter)) going.push_back(&view);
  }
  const std::size_t count = documents_.count(filter) + going.size();
  if (page.number > 1 && page.offset() >= count) return std::nullopt;
  // Newest first over both. Those in progress are few: the stored ones are read from as far before the page
  // as there can be some of them between.
  const std::size_t skipped = page.offset() > going.size() ? page.offset() - going.size() : 0;
  std::vector<std::pair<std::int64_t, Json>> merged;
  for (const OpenView* view : going) {
    Json item = listed(view->id, view->job().name, view->job().agent_id, view->status);
    item["success_rate"] = nullptr;
    item["total_runs_count"] = view->progress.total;
    item["created_at"] = view->created_at;
    item["updated_at"] = nullptr;
    merged.emplace_back(view->id, std::move(item));
  }
  for (const auto& stored : documents_.results(filter, skipped, page.size + going.size())) {
    const bool known =
        std::any_of(going.begin(), going.end(), [&](const OpenView* view) { return view->id == stored.id; });
    if (known) continue;
    Json item = listed(stored.id, stored.name, stored.agent, stored.status);
    item["success_rate"] = stored.success_rate ? Json(*stored.success_rate) : Json(nullptr);
    item["created_at"] = stored.created_at;
    item["updated_at"] = stored.updated_at;
    merged.emplace_back(stored.id, std::move(item));
  }
  std::sort(merged.begin(), merged.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  Json json;
  add_pages(json, count, page, url);
  json["results"] = Json::array();
  const std::size_t begin = page.offset() - skipped;
  for (std::size_t i = begin; i < std::min(merged.size(), begin + page.size); ++i) {
    json["results"].push_back(std::move(merged[i].second));
  }
  return json;
}

Json Stored::open_result(const OpenView& open) const {
  const report::ProgressState& progress = open.progress;
  Json json;
  json["id"] = open.id;
  json["name"] = open.job().name;
  json["agent"] = open.job().agent_id;
  json["agent_name"] = open.basis.settings->catalog->agents.at(open.job().agent_id).name;
  json["status"] = open.status;
  json["success_rate"] = nullptr;
  json["run_as_text"] = false;
  json["total_runs_count"] = progress.total;
  json["completed_runs_count"] = progress.done();
  json["success_runs_count"] = progress.passed;
  json["failed_runs_count"] = progress.failed;
  json["excused_runs_count"] = progress.excused;
  json["cancelled_runs_count"] = progress.cancelled;
  json["run_settings"] = Json::parse(settings_of(open.job()), nullptr, false);
  json["created_at"] = open.created_at;
  json["updated_at"] = utc_now();
  const std::size_t shown = std::min<std::uint64_t>(progress.total, kShownRuns);
  std::map<std::int64_t, Json> finished;
  for (const StoredRunDocument& run : documents_.runs(open.id, 0, kShownRuns)) {
    Json one = Json::parse(run.json, nullptr, false);
    if (one.is_object()) finished.emplace(run.run_id, slim(std::move(one)));
  }
  json["runs"] = Json::object();
  for (std::size_t i = 0; i < shown; ++i) {
    const std::int64_t id = open.first_run_id + static_cast<std::int64_t>(i);
    const auto known = finished.find(id);
    json["runs"][std::to_string(id)] =
        known != finished.end() ? std::move(known->second) : slim(planned_json(open, id));
  }
  json["runs_truncated"] = progress.total > shown;
  json["runs_url"] = std::string(kBase) + "/runs/?result_id=" + std::to_string(open.id);
  return json;
}

std::optional<Json> Stored::finished_result(std::int64_t id, std::optional<std::int64_t> project) const {
  const auto document = documents_.result(id);
  if (!document || (project && document->project != project)) return std::nullopt;
  std::optional<Json> json = read_json(document->json);
  if (!json) {  // the file is gone: what the database says
    json = listed(id, document->name, document->agent, document->status);
    (*json)["success_rate"] = document->success_rate ? Json(*document->success_rate) : Json(nullptr);
    (*json)["created_at"] = document->created_at;
    (*json)["updated_at"] = document->updated_at;
    (*json)["runs"] = Json::object();
    for (const StoredRunDocument& run : documents_.runs(id, 0, kShownRuns)) {
      (*json)["runs"][std::to_string(run.run_id)] = Json::parse(run.json, nullptr, false);
    }
  }
  for (auto& [key, run] : (*json)["runs"].items()) run = slim(std::move(run));
  (*json)["runs_url"] = std::string(kBase) + "/runs/?result_id=" + std::to_string(id);
  return json;
}

std::optional<Json> Stored::finished_run(std::int64_t id, std::optional<std::int64_t> project) const {
  const auto stored = documents_.run(id);
  if (!stored || !visible(stored->result_id, project)) return std::nullopt;
  Json json = Json::parse(stored->json, nullptr, false);
  if (!json.is_object()) {  // lost, and not yet described
    json = Json::object();
    json["id"] = id;
    json["result_id"] = stored->result_id;
    json["status"] = stored->status;
    json["success"] = nullptr;
  }
  name_recording(json);
  return json;
}

Json Stored::open_run(const OpenView& open, std::int64_t id) const {
  return planned_json(open, id);
}

std::optional<Json> Stored::runs_of(std::int64_t result, const std::optional<OpenView>& open,
                                    std::optional<std::int64_t> project, const Page& page,
                                    const std::string& url) const {
  std::int64_t first = 0;
  std::size_t count = 0;
  {
    const std::lock_guard guard(lock_);
    Query row = db_->query("SELECT first_run_id, total_calls FROM results WHERE id = ?");
    row.bind(result);
    if (!row.step()) return std::nullopt;
    first = row.integer(0);
    count = static_cast<std::size_t>(row.integer(1));
  }
  if (!open && !visible(result, project)) return std::nullopt;
  if (page.number > 1 && page.offset() >= count) return std::nullopt;
  Json json;
  add_pages(json, count, page, url);
  json["results"] = Json::array();
  const std::int64_t begin = first + static_cast<std::int64_t>(page.offset());
  const std::int64_t end =
      begin + static_cast<std::int64_t>(std::min(page.size, count - std::min(count, page.offset())));
  std::map<std::int64_t, Json> finished;
  for (const StoredRunDocument& run : documents_.runs(result, begin - 1, page.size)) {
    Json one = Json::parse(run.json, nullptr, false);
    if (one.is_object() && run.run_id < end) finished.emplace(run.run_id, slim(std::move(one)));
  }
  for (std::int64_t id = begin; id < end; ++id) {
    if (const auto known = finished.find(id); known != finished.end()) {
      json["results"].push_back(std::move(known->second));
    } else if (open) {
      json["results"].push_back(slim(planned_json(*open, id)));
    }
  }
  return json;
}

std::optional<fs::path> Stored::recording(std::int64_t run, std::optional<std::int64_t> project) const {
  const auto stored = documents_.run(run);
  if (!stored || !visible(stored->result_id, project)) return std::nullopt;
  const Json json = Json::parse(stored->json, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto url = json.find("voice_recording_url");
  if (url == json.end() || !url->is_string()) return std::nullopt;
  // Our own database wrote this path; it is held to the state directory all the same.
  std::error_code error;
  const fs::path root = fs::weakly_canonical(state_ / "recordings", error);
  const fs::path file = fs::weakly_canonical(state_ / url->get<std::string>(), error);
  const auto [at, rest] = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
  if (error || at != root.end() || !fs::is_regular_file(file, error)) return std::nullopt;
  return file;
}

std::map<std::string, std::int64_t> Stored::outcomes() const {
  const std::lock_guard guard(lock_);
  Query row = db_->query(
      "SELECT total(succeeded), total(failed), total(excused), total(cancelled) FROM result_state");
  row.step();
  return {{"passed", static_cast<std::int64_t>(row.real(0))},
          {"failed", static_cast<std::int64_t>(row.real(1))},
          {"excused", static_cast<std::int64_t>(row.real(2))},
          {"cancelled", static_cast<std::int64_t>(row.real(3))}};
}

}  // namespace linecheck::engine::http
