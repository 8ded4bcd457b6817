// SPDX-License-Identifier: GPL-3.0-or-later
//
// Who may ask, and the run request.
#include "engine/http/api.h"

#include <charconv>
#include <utility>

#include "engine/call/offload.h"
#include "engine/call/time.h"
#include "engine/http/body.h"

namespace linecheck::engine::http {
namespace {

constexpr double kFailuresPerSecond = 10.0 / 60;  ///< wrong keys from one address, and ten at once
constexpr double kFailuresAtOnce = 10;
constexpr std::size_t kLongestIdempotencyKey = 200;

/// Under any of the names that clients use.
std::string_view key_of(const Request& request) {
  for (const std::string_view name : {"x-cekura-api-key", "x-vocera-api-key", "x-api-key"}) {
    if (const auto key = request.header(name); !key.empty()) return key;
  }
  std::string_view bearer = request.header("authorization");
  if (bearer.size() < 7 || (!bearer.starts_with("Bearer ") && !bearer.starts_with("bearer "))) return {};
  bearer.remove_prefix(7);
  return bearer;
}

Response unauthorized(const std::string& message) {
  Response response = detail(401, message);
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace

Api::Api(ApiParts parts)
    : parts_(std::move(parts)),
      keys_(parts_.state.database().string()),
      stored_(parts_.state.database().string(), parts_.state.root()),
      requests_(parts_.requests_per_second, std::max(1.0, 2 * parts_.requests_per_second)),
      failures_(kFailuresPerSecond, kFailuresAtOnce) {
  add_routes();
}

Api::~Api() {
  reads_.join();
}

void Api::add_routes() {
  const auto add = [this](const char* method, const std::string& pattern, KeyScope scope,
                          Answer (Api::*action)(Call), bool open = false) {
    Route route;
    route.method = method;
    route.pattern = pattern;
    route.open = open;
    route.scope = scope;
    route.action = [this, action](Call call) { return (this->*action)(std::move(call)); };
    router_.add(std::move(route));
  };
  const std::string base = kBase;
  add("GET", "/healthz", KeyScope::read, &Api::health, true);
  add("GET", "/readyz", KeyScope::read, &Api::ready, true);
  add("GET", "/version", KeyScope::read, &Api::version);
  add("GET", "/metrics", KeyScope::read, &Api::metrics);
  for (const char* version : {"/test_framework/v1", "/test_framework/v2"}) {
    for (const char* name : {"/scenarios/run_scenarios", "/scenarios/run_scenarios_sip"}) {
      add("POST", version + std::string(name), KeyScope::run, &Api::run_scenarios);
    }
  }
  add("GET", base + "/results", KeyScope::read, &Api::results);
  add("GET", base + "/results/{id}", KeyScope::read, &Api::result);
  add("POST", base + "/results/{id}/end_calls", KeyScope::run, &Api::end_calls);
  add("GET", base + "/runs", KeyScope::read, &Api::runs);
  add("GET", base + "/runs/bulk", KeyScope::read, &Api::runs_in_bulk);
  add("GET", base + "/runs/{id}", KeyScope::read, &Api::run);
  add("POST", base + "/runs/{id}/end_call", KeyScope::run, &Api::end_call);
  add("GET", base + "/runs/{id}/recording", KeyScope::read, &Api::recording);
}

Api::Answer Api::answer(Request request) {
  Router::Match match = router_.match(request.method, request.path);
  if (match.route == nullptr && match.allowed.empty()) co_return detail(404, "Not found.");
  if (match.route == nullptr) {
    Response response = detail(405, "Method \"" + request.method + "\" not allowed.");
    response.headers.emplace_back("Allow", match.allowed);
    co_return response;
  }
  co_return co_await admitted(std::move(match), std::move(request));
}

Api::Answer Api::admitted(Router::Match match, Request request) {
  Call call;
  call.ids = std::move(match.ids);
  if (!match.route->open) {
    const std::string secret(key_of(request));
    if (secret.empty()) co_return unauthorized("Authentication credentials were not provided.");
    auto look = [this, secret] { return keys_.check(secret, unix_ms()); };
    auto key = co_await offload(reads_, std::move(look));
    if (!key) {
      // A good key is never kept waiting by the wrong ones of its neighbours behind the same address.
      const int wait = failures_.take(request.peer, mono_ns());
      if (wait > 0) co_return try_again(429, "Too many wrong keys from this address.", wait);
      parts_.log.write(Part::http, LogLevel::warn, "a wrong, expired or revoked key",
                       {{"PEER", request.peer}});
      co_return unauthorized("Invalid API key.");
    }
    if (key->scope < match.route->scope) {
      co_return detail(403, std::string("This key may not do that: it has the scope '") +
                                to_string(key->scope) + "', and '" + to_string(match.route->scope) +
                                "' is needed.");
    }
    const int wait = requests_.take(key->prefix, mono_ns());
    if (wait > 0) co_return try_again(429, "Request was throttled.", wait);
    call.key = std::move(*key);
  }
  call.request = std::move(request);
  co_return co_await match.route->action(std::move(call));
}

// ---- the run request ----

Api::Answer Api::run_scenarios(Call call) {
  Body body = read_body(call.request);
  if (body.refused) co_return std::move(*body.refused);
  JobRequest job;
  job.name = "request";
  job.text = body.json->dump();
  job.project = call.key.project;
  const std::string idempotency(call.request.header("idempotency-key"));
  if (idempotency.size() > kLongestIdempotencyKey) {
    co_return detail(400, "The Idempotency-Key is longer than 200 characters.");
  }
  // Of this key only: nobody learns of another's results by guessing.
  if (!idempotency.empty()) job.key = "http:" + std::to_string(call.key.id) + ":" + idempotency;
  std::optional<Response> refused;
  scheduler::Created created;
  try {
    created = co_await by_daemon(parts_.commands.submit(std::move(job)));
  } catch (const CommandError& error) {
    refused = error.problems().empty() ? try_again(503, error.what(), 5)
                                       : json_response(400, problems_by_field(error.problems()));
  } catch (const scheduler::StoreError& error) {
    refused = try_again(503, std::string("The job can't be stored: ") + error.what(), 5);
  }
  if (refused) co_return std::move(*refused);
  if (created.existed && !co_await same_request(created.result_id, *body.json)) {
    co_return detail(409, "This Idempotency-Key was used for another request: result " +
                              std::to_string(created.result_id) + ".");
  }
  co_return json_response(201, co_await accepted(created, call.key));
}

/// Whether a result came from such a request.
boost::asio::awaitable<bool> Api::same_request(std::int64_t result, Json body) {
  auto look = [this, result] { return parts_.dispatcher.store().result(result); };
  const auto stored = co_await offload(reads_, std::move(look));
  if (!stored) co_return false;
  nlohmann::json before = nlohmann::json::parse(stored->spec.settings_json, nullptr, false);
  nlohmann::json now = nlohmann::json::parse(body.dump());
  if (before.is_object() && !now.contains("seed")) before.erase("seed");
  co_return before == now;
}

boost::asio::awaitable<Json> Api::accepted(scheduler::Created created, ApiKey key) {
  const std::vector<OpenView> open = co_await open_results(key, created.result_id);
  if (!open.empty()) {
    auto make = [&open, existed = created.existed] {
      Json json = accepted_json(open.front());
      if (!existed) json["status"] = "pending";  // whatever has begun in the meantime
      return json;
    };
    co_return co_await offload(reads_, std::move(make));
  }
  auto look = [this, id = created.result_id, project = key.project] {
    return stored_.finished_result(id, project);
  };
  auto finished = co_await offload(reads_, std::move(look));
  if (finished) co_return std::move(*finished);
  Json json;
  json["id"] = created.result_id;
  json["status"] = "evaluating";
  co_return json;
}

boost::asio::awaitable<std::vector<OpenView>> Api::open_results(ApiKey key, std::optional<std::int64_t> id) {
  auto look = [this, project = key.project, id] {
    std::vector<OpenView> views;
    // Until its verdict can be read, a result is shown as one in progress.
    auto results = parts_.dispatcher.open();
    results.insert(parts_.dispatcher.concluding().begin(), parts_.dispatcher.concluding().end());
    for (const auto& [number, result] : results) {
      if (id && number != *id) continue;
      OpenView view;
      view.project = project_of(result->job(), *result->basis().settings->catalog);
      if (project && view.project != project) continue;
      view.id = number;
      view.first_run_id = result->first_run_id();
      view.basis = result->basis();
      view.created_at = result->created_at;
      view.progress = parts_.dispatcher.progress(*result);
      const bool begun = result->active > 0 || view.progress.done() > 0;
      view.status = result->over ? "evaluating" : result->paused ? "paused" : begun ? "running" : "pending";
      views.push_back(std::move(view));
    }
    return views;
  };
  co_return co_await in_daemon(std::move(look));
}

}  // namespace linecheck::engine::http
