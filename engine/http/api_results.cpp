// SPDX-License-Identifier: GPL-3.0-or-later
//
// Results, runs, recordings.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "engine/call/offload.h"
#include "engine/http/api.h"

namespace linecheck::engine::http {
namespace {

constexpr std::size_t kLargestPage = 200;
constexpr std::size_t kMostInBulk = 100;

/// The parameters of a query; problems are collected by name.
class Parameters {
 public:
  explicit Parameters(const std::string& query) {
    auto pairs = parse_query(query);
    if (!pairs) {
      problem("non_field_errors", "A percent sign in the query is not followed by two hexadecimal digits.");
      return;
    }
    for (auto& [name, value] : *pairs) values_[name] = std::move(value);
  }

  std::optional<std::int64_t> number(const std::string& name, std::int64_t least, std::int64_t most) {
    const auto found = values_.find(name);
    if (found == values_.end() || found->second.empty()) return std::nullopt;
    return parse(name, found->second, least, most);
  }
  std::vector<std::int64_t> numbers(const std::string& name) {
    std::vector<std::int64_t> list;
    std::string_view rest = text(name);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      if (const auto one = parse(name, rest.substr(0, end), 0, INT64_MAX)) list.push_back(*one);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return list;
  }
  [[nodiscard]] std::string_view text(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::string_view() : std::string_view(found->second);
  }
  Page page() {
    Page page;
    page.number = static_cast<std::size_t>(number("page", 1, 1'000'000'000).value_or(1));
    page.size = static_cast<std::size_t>(number("page_size", 1, kLargestPage).value_or(20));
    return page;
  }
  void problem(const std::string& name, const std::string& message) {
    problems_[name] = Json::array({message});
  }
  [[nodiscard]] std::optional<Response> refused() const {
    return problems_.empty() ? std::nullopt : std::optional(json_response(400, problems_));
  }

 private:
  std::optional<std::int64_t> parse(const std::string& name, std::string_view text, std::int64_t least,
                                    std::int64_t most) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
      problem(name, most == INT64_MAX ? "A whole number is expected."
                                      : "A whole number from " + std::to_string(least) + " to " +
                                            std::to_string(most) + " is expected.");
      return std::nullopt;
    }
    return value;
  }

  std::map<std::string, std::string> values_;
  Json problems_ = Json::object();
};

Response not_found() {
  return detail(404, "Not found.");
}

/// The filters of a list, to go on with in `next` and `previous`.
std::string list_url(const std::string& path, const Parameters& parameters,
                     std::initializer_list<const char*> kept) {
  std::string url = path;
  for (const char* name : kept) {
    const std::string_view value = parameters.text(name);
    if (value.empty()) continue;
    url += (url == path ? "?" : "&") + std::string(name) + "=";
    for (const char c : value) {
      const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         c == '-' || c == '_' || c == '.';
      char coded[4];
      std::snprintf(coded, sizeof coded, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
      url += plain ? std::string(1, c) : std::string(coded);
    }
  }
  return url;
}

std::string type_of(const std::filesystem::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".flac") return "audio/flac";
  if (extension == ".opus" || extension == ".ogg") return "audio/ogg";
  return "audio/wav";
}

}  // namespace

Api::Answer Api::results(Call call) {
  Parameters parameters(call.request.query);
  const Page page = parameters.page();
  ResultFilter filter;
  filter.agent = parameters.number("agent_id", 0, INT64_MAX);
  filter.project = parameters.number("project_id", 0, INT64_MAX);
  filter.search = parameters.text("search");
  filter.scenarios = parameters.numbers("scenarios");
  if (auto refused = parameters.refused()) co_return std::move(*refused);
  if (call.key.project) {
    if (filter.project && filter.project != call.key.project) {
      co_return detail(403, "This key belongs to another project.");
    }
    filter.project = call.key.project;
  }
  const std::string url = list_url(std::string(kBase) + "/results/", parameters,
                                   {"agent_id", "project_id", "search", "scenarios"});
  const std::vector<OpenView> open = co_await open_results(call.key, std::nullopt);
  auto read = [this, &open, filter, page, url] { return stored_.results(open, filter, page, url); };
  const auto list = co_await offload(reads_, std::move(read));
  co_return list ? json_response(200, *list) : detail(404, "Invalid page.");
}

Api::Answer Api::result(Call call) {
  const std::int64_t id = call.ids.front();
  const std::vector<OpenView> open = co_await open_results(call.key, id);
  auto read = [this, &open, id, project = call.key.project]() -> std::optional<Response> {
    const auto json = open.empty() ? stored_.finished_result(id, project)
                                   : std::optional(stored_.open_result(open.front()));
    return json ? std::optional(json_response(200, *json)) : std::nullopt;
  };
  auto response = co_await offload(reads_, std::move(read));
  co_return response ? std::move(*response) : not_found();
}

Api::Answer Api::end_calls(Call call) {
  const std::int64_t id = call.ids.front();
  const std::vector<OpenView> open = co_await open_results(call.key, id);
  if (open.empty()) {
    auto known = [this, id, project = call.key.project] {
      return stored_.finished_result(id, project).has_value();
    };
    const bool over = co_await offload(reads_, std::move(known));
    co_return over ? detail(400, "Result " + std::to_string(id) + " is over.") : not_found();
  }
  bool stopped = true;
  try {
    co_await by_daemon(parts_.commands.stop(id, true));
  } catch (const CommandError&) {  // over in the meantime
    stopped = false;
  }
  if (!stopped) co_return detail(400, "Result " + std::to_string(id) + " is over.");
  Json json;
  json["id"] = id;
  json["detail"] = "No new calls; those in progress are being hung up.";
  co_return json_response(200, json);
}

// ---- runs ----

boost::asio::awaitable<std::optional<Json>> Api::find_run(ApiKey key, std::int64_t id) {
  auto read = [this, id, project = key.project] { return stored_.finished_run(id, project); };
  auto finished = co_await offload(reads_, std::move(read));
  if (finished) co_return finished;
  const std::vector<OpenView> open = co_await open_results(key, std::nullopt);
  for (const OpenView& view : open) {
    const auto index = static_cast<std::uint64_t>(id - view.first_run_id);
    if (id < view.first_run_id || index >= view.progress.total) continue;
    auto make = [this, &view, id] { return stored_.open_run(view, id); };
    co_return co_await offload(reads_, std::move(make));
  }
  co_return std::nullopt;
}

Api::Answer Api::runs(Call call) {
  Parameters parameters(call.request.query);
  const Page page = parameters.page();
  const auto result = parameters.number("result_id", 0, INT64_MAX);
  if (!result && parameters.text("result_id").empty()) {
    parameters.problem("result_id", "This parameter is required.");
  }
  if (auto refused = parameters.refused()) co_return std::move(*refused);
  std::vector<OpenView> views = co_await open_results(call.key, result);
  std::optional<OpenView> open;
  if (!views.empty()) open = std::move(views.front());
  const std::string url = list_url(std::string(kBase) + "/runs/", parameters, {"result_id"});
  auto read = [this, &open, id = *result, project = call.key.project, page, url] {
    return stored_.runs_of(id, open, project, page, url);
  };
  const auto list = co_await offload(reads_, std::move(read));
  co_return list ? json_response(200, *list) : not_found();
}

Api::Answer Api::run(Call call) {
  const auto json = co_await find_run(call.key, call.ids.front());
  co_return json ? json_response(200, *json) : not_found();
}

Api::Answer Api::runs_in_bulk(Call call) {
  Parameters parameters(call.request.query);
  const std::vector<std::int64_t> ids = parameters.numbers("run_ids");
  if (ids.empty()) parameters.problem("run_ids", "A list of ids is expected: run_ids=1,2.");
  if (ids.size() > kMostInBulk) parameters.problem("run_ids", "At most 100 ids at a time.");
  if (auto refused = parameters.refused()) co_return std::move(*refused);
  Json list = Json::array();
  for (const std::int64_t id : ids) {
    auto json = co_await find_run(call.key, id);
    if (json) list.push_back(std::move(*json));
  }
  co_return json_response(200, list);
}

Api::Answer Api::end_call(Call call) {
  const std::int64_t id = call.ids.front();
  const auto known = co_await find_run(call.key, id);  // also: may the key see it
  if (!known) co_return not_found();
  auto hang_up = [this, id] { return parts_.dispatcher.hang_up(id); };
  if (!co_await in_daemon(std::move(hang_up))) {
    co_return detail(400, "Run " + std::to_string(id) + " has no call in progress.");
  }
  Json json;
  json["id"] = id;
  json["detail"] = "The call is being hung up.";
  co_return json_response(200, json);
}

Api::Answer Api::recording(Call call) {
  auto open = [this, id = call.ids.front(), project = call.key.project,
               range = std::string(call.request.header("range")),
               if_range = std::string(call.request.header("if-range"))]() -> Response {
    const auto path = stored_.recording(id, project);
    if (!path) return not_found();
    auto file = std::make_shared<UniqueFd>(::open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat about {};
    if (!*file || ::fstat(file->get(), &about) != 0) return not_found();
    const auto size = static_cast<std::uint64_t>(about.st_size);
    const std::string tag = "\"" + std::to_string(size) + "-" + std::to_string(about.st_mtim.tv_sec) + "-" +
                            std::to_string(about.st_mtim.tv_nsec) + "\"";
    const bool changed = !if_range.empty() && if_range != tag;
    const Range part = parse_range(changed ? std::string() : range, size);
    Response response;
    response.type = type_of(*path);
    response.headers.emplace_back("Accept-Ranges", "bytes");
    if (part.kind == Range::Kind::unsatisfiable) {
      Response refused = detail(416, "The file has " + std::to_string(size) + " bytes.");
      refused.headers.emplace_back("Content-Range", "bytes */" + std::to_string(size));
      return refused;
    }
    response.headers.emplace_back("ETag", tag);
    if (part.kind == Range::Kind::part) {
      response.status = 206;
      response.headers.emplace_back("Content-Range", "bytes " + std::to_string(part.first) + "-" +
                                                         std::to_string(part.first + part.length - 1) + "/" +
                                                         std::to_string(size));
    }
    response.file = FilePart{file, part.first, part.length};
    return response;
  };
  co_return co_await offload(reads_, std::move(open));
}

}  // namespace linecheck::engine::http
