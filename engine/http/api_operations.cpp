// SPDX-License-Identifier: GPL-3.0-or-later
//
// What operators and their tools ask: alive, ready, which version, Prometheus' text.
#include <cstdio>
#include <utility>

#include "engine/call/offload.h"
#include "engine/daemon/version.h"
#include "engine/http/api.h"

namespace linecheck::engine::http {
namespace {

/// The text format 0.0.4. Names and labels are ours and few: nothing that grows with calls.
class MetricsText {
 public:
  void family(const char* name, const char* type, const char* help) {
    text_ += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
    name_ = name;
  }
  void sample(double value, const std::string& labels = {}) {
    char number[40];
    std::snprintf(number, sizeof number, "%.15g", value);
    text_ += name_ + (labels.empty() ? "" : "{" + labels + "}") + " " + number + "\n";
  }
  void one(const char* name, const char* type, const char* help, double value) {
    family(name, type, help);
    sample(value);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::string name_;
};

std::string label(const char* name, const std::string& value) {
  std::string text = std::string(name) + "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    text += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return text + "\"";
}

/// What the daemon's thread says.
struct DaemonView {
  bool stopping = false;
  std::string held_back;
  std::size_t results = 0;
  std::uint64_t waiting = 0;
  std::size_t active = 0;
  std::uint64_t dialled = 0;
  std::uint64_t commits = 0;
  std::uint64_t writes = 0;
  media::EngineStatus media;
  std::vector<std::pair<std::string, sip::TrunkState>> trunks;
};

DaemonView view_of(Dispatcher& dispatcher, Switchboard& switchboard, bool stopping) {
  DaemonView view;
  view.stopping = stopping;
  view.held_back = dispatcher.held_back();
  view.results = dispatcher.open().size();
  for (const auto& [id, result] : dispatcher.open()) {
    const report::ProgressState progress = result->progress();
    const std::uint64_t begun = progress.done() + static_cast<std::uint64_t>(result->active);
    view.waiting += progress.total > begun ? progress.total - begun : 0;
  }
  view.active = dispatcher.active_calls();
  view.dialled = dispatcher.dialled();
  view.commits = dispatcher.writer().batches();
  view.writes = dispatcher.writer().writes();
  view.media = switchboard.media().status();
  for (const auto& [name, trunk] : dispatcher.settings()->catalog->trunks) {
    view.trunks.emplace_back(name, switchboard.trunk(name).state);
  }
  return view;
}

}  // namespace

Api::Answer Api::health(Call) {
  Json json;
  json["status"] = "ok";
  co_return json_response(200, json);
}

Api::Answer Api::version(Call) {
  Json json;
  json["version"] = kVersion;
  json["commit"] = kCommit;
  co_return json_response(200, json);
}

/// Whether a job that came now could be called: the daemon takes jobs, the database answers, nothing holds
/// calls back (a full disk among it), and some trunk is not known to be down.
Api::Answer Api::ready(Call) {
  auto look = [this] { return view_of(parts_.dispatcher, parts_.switchboard, parts_.stopping); };
  const DaemonView view = co_await in_daemon(std::move(look));
  auto ask = [this]() -> std::string {
    try {
      (void)stored_.outcomes();
      return "ok";
    } catch (const std::exception&) {
      return "fails";
    }
  };
  const std::string database = co_await offload(reads_, std::move(ask));
  bool reachable = view.trunks.empty();
  for (const auto& [name, state] : view.trunks) reachable = reachable || state != sip::TrunkState::down;
  Json checks;
  checks["jobs"] = view.stopping ? "stopping" : "ok";
  checks["database"] = database;
  checks["calls"] = view.held_back.empty() ? "ok" : "held back";
  checks["trunks"] = reachable ? "ok" : "all down";
  const bool good = !view.stopping && database == "ok" && view.held_back.empty() && reachable;
  Json json;
  json["ready"] = good;
  json["checks"] = std::move(checks);
  co_return json_response(good ? 200 : 503, json);
}

Api::Answer Api::metrics(Call) {
  auto look = [this] { return view_of(parts_.dispatcher, parts_.switchboard, parts_.stopping); };
  const DaemonView view = co_await in_daemon(std::move(look));
  auto read = [this] { return std::pair(stored_.outcomes(), parts_.state.free_bytes()); };
  const auto [outcomes, free_bytes] = co_await offload(reads_, std::move(read));
  MetricsText text;
  text.family("linecheck_build_info", "gauge", "Version and commit, in labels.");
  text.sample(1, label("version", kVersion) + "," + label("commit", kCommit));
  text.one("linecheck_results_open", "gauge", "Results that are not over.",
           static_cast<double>(view.results));
  text.one("linecheck_calls_waiting", "gauge", "Calls of open results that have not been claimed.",
           static_cast<double>(view.waiting));
  text.one("linecheck_calls_active", "gauge", "Calls being prepared, in progress or being judged.",
           static_cast<double>(view.active));
  text.one("linecheck_calls_dialled_total", "counter", "Calls dialled since the start.",
           static_cast<double>(view.dialled));
  text.family("linecheck_runs_total", "counter", "Runs that are over, in the database, by outcome.");
  for (const auto& [outcome, count] : outcomes) {
    text.sample(static_cast<double>(count), label("outcome", outcome));
  }
  text.one("linecheck_held_back", "gauge", "1: something keeps new calls from starting.",
           view.held_back.empty() ? 0 : 1);
  text.one("linecheck_media_legs", "gauge", "Media legs open.", static_cast<double>(view.media.open_legs));
  text.one("linecheck_media_dropped_events_total", "counter", "Media events that found their queue full.",
           static_cast<double>(view.media.dropped_events));
  text.one("linecheck_media_dropped_commands_total", "counter", "Media commands that found their queue full.",
           static_cast<double>(view.media.dropped_commands));
  text.family("linecheck_trunk_state", "gauge", "1 for the state that a trunk is in.");
  for (const auto& [name, state] : view.trunks) {
    text.sample(1, label("trunk", name) + "," + label("state", std::string(sip::name(state))));
  }
  text.one("linecheck_store_commits_total", "counter", "Commits of calls' outcomes.",
           static_cast<double>(view.commits));
  text.one("linecheck_store_writes_total", "counter", "Writes in those commits.",
           static_cast<double>(view.writes));
  text.one("linecheck_state_free_bytes", "gauge", "Free space of the state directory.",
           static_cast<double>(free_bytes));
  if (counts_) {
    const ServerCounts counts = counts_();
    text.one("linecheck_http_connections", "gauge", "HTTP connections open.",
             static_cast<double>(counts.connections));
    text.family("linecheck_http_answers_total", "counter", "HTTP answers by status code.");
    for (const auto& [status, count] : counts.answers) {
      text.sample(static_cast<double>(count), label("code", std::to_string(status)));
    }
  }
  Response response;
  response.type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = text.take();
  co_return response;
}

}  // namespace linecheck::engine::http
