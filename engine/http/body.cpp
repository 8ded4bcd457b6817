// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/http/body.h"

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/lower_case.h"
#include "scheduler/job.h"

namespace linecheck::engine::http {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr int kDeepest = 32;  ///< objects and lists within each other
constexpr std::size_t kMostParts = 200;
constexpr std::array<std::string_view, 6> kLists{
    "scenarios", "tags", "personality_ids", "test_profile_ids", "mock_tool_names", "codecs"};
constexpr std::array<std::string_view, 3> kTextLists{"tags", "mock_tool_names", "codecs"};
/// What a form's text stands for itself, however much it looks like a number.
constexpr std::array<std::string_view, 8> kTexts{
    "name",         "assistant_id", "folder_path", "outbound_phone_number",
    "agent_number", "sip_endpoint", "start_at",    "mode"};

template <std::size_t N>
bool one_of(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class TooOdd : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// JSON whose keys are unique and whose depth is bounded: both before anything is made of it.
Json strict_json(const std::string& text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '{' || c == '[')) {
      if (++depth > kDeepest) throw TooOdd("it is nested too deeply");
    } else if (!quoted && (c == '}' || c == ']')) {
      --depth;
    }
  }
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw TooOdd("the key '" + parsed.get<std::string>() + "' is there twice");
    }
    return true;
  };
  return Json::parse(text, watch);
}

/// A number, true or false as JSON has them; else the text.
Json scalar_of(const std::string& text) {
  const Json value = Json::parse(text, nullptr, false);
  if (value.is_number() || value.is_boolean()) return value;
  return text;
}

void add_to_list(Json& list, std::string_view name, const std::string& text) {
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string item = text.substr(begin, end - begin);
    const std::size_t first = item.find_first_not_of(' ');
    item = first == std::string::npos ? "" : item.substr(first, item.find_last_not_of(' ') - first + 1);
    if (!item.empty()) list.push_back(one_of(kTextLists, name) ? Json(item) : scalar_of(item));
    begin = end + 1;
  }
}

/// `scenarios=1&scenarios=2`, `scenarios=1,2`, `scenarios=[1,2]`; alone, `scenarios=5` is the first five, as
/// 5 is in JSON.
Json form_value(const std::string& name, const std::vector<std::string>& values) {
  const std::string& first = values.front();
  if (values.size() == 1 && !first.empty() && (first.front() == '[' || first.front() == '{') &&
      !one_of(kTexts, name)) {
    return strict_json(first);
  }
  if (one_of(kLists, name)) {
    if (name == "scenarios" && values.size() == 1 && first.find(',') == std::string::npos) {
      return scalar_of(first);
    }
    Json list = Json::array();
    for (const std::string& value : values) add_to_list(list, name, value);
    return list;
  }
  if (values.size() > 1) throw TooOdd("the field '" + name + "' is there twice");
  return one_of(kTexts, name) ? Json(first) : scalar_of(first);
}

Json json_of_form(const Fields& fields) {
  std::vector<std::pair<std::string, std::vector<std::string>>> grouped;
  for (const auto& [name, value] : fields) {
    const auto known = std::find_if(grouped.begin(), grouped.end(),
                                    [&name = name](const auto& group) { return group.first == name; });
    if (known != grouped.end()) {
      known->second.push_back(value);
    } else {
      grouped.emplace_back(name, std::vector<std::string>{value});
    }
  }
  Json json = Json::object();
  for (const auto& [name, values] : grouped) json[name] = form_value(name, values);
  return json;
}

/// `name="value"` or `name=value` behind a semicolon.
std::string parameter(std::string_view header, std::string_view name) {
  std::size_t at = 0;
  while ((at = header.find(';', at)) != std::string_view::npos) {
    ++at;
    while (at < header.size() && header[at] == ' ') ++at;
    const std::string_view rest = header.substr(at);
    if (lower_case(std::string(rest.substr(0, name.size()))) != name || rest.substr(name.size(), 1) != "=") {
      continue;
    }
    std::string_view value = rest.substr(name.size() + 1);
    if (value.starts_with('"')) {
      value.remove_prefix(1);
      return std::string(value.substr(0, value.find('"')));
    }
    value = value.substr(0, value.find(';'));
    while (value.ends_with(' ')) value.remove_suffix(1);
    return std::string(value);
  }
  return {};
}

/// RFC 7578 over RFC 2046 section 5.1.
Fields parse_multipart(std::string_view body, const std::string& boundary) {
  if (boundary.empty() || boundary.size() > 70) throw TooOdd("its boundary is missing or too long");
  const std::string delimiter = "\r\n--" + boundary;
  Fields fields;
  std::size_t at = 0;
  if (body.starts_with("--" + boundary)) {
    at = delimiter.size() - 2;
  } else if ((at = body.find(delimiter)) != std::string_view::npos) {
    at += delimiter.size();
  } else {
    throw TooOdd("its boundary does not occur in it");
  }
  while (!body.substr(at).starts_with("--")) {
    const std::size_t line = body.find("\r\n", at);
    const std::size_t head_end = line == std::string_view::npos ? line : body.find("\r\n\r\n", line);
    const std::size_t end =
        head_end == std::string_view::npos ? head_end : body.find(delimiter, head_end + 2);
    if (end == std::string_view::npos || fields.size() >= kMostParts) throw TooOdd("a part of it has no end");
    const std::string_view head = body.substr(line, head_end - line);
    const std::string lowered = lower_case(std::string(head));
    const std::size_t disposition = lowered.find("content-disposition:");
    const std::string name =
        disposition == std::string::npos
            ? ""
            : parameter(head.substr(disposition, head.find("\r\n", disposition) - disposition), "name");
    if (name.empty()) throw TooOdd("a part of it has no name");
    const std::size_t begin = head_end + 4;
    fields.emplace_back(name, std::string(body.substr(begin, end > begin ? end - begin : 0)));
    at = end + delimiter.size();
  }
  return fields;
}

}  // namespace

Body read_body(const Request& request) {
  const std::string header(request.header("content-type"));
  std::string type = lower_case(header.substr(0, header.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  try {
    Json json;
    if (type.empty() || type == "application/json") {
      if (request.body.empty()) return {Json::object()};
      json = strict_json(request.body);
    } else if (type == "application/x-www-form-urlencoded") {
      const auto fields = parse_query(request.body);
      if (!fields) throw TooOdd("a percent sign in it is not followed by two hexadecimal digits");
      json = json_of_form(*fields);
    } else if (type == "multipart/form-data") {
      json = json_of_form(parse_multipart(request.body, parameter(header, "boundary")));
    } else {
      return {std::nullopt, detail(415, "Unsupported media type \"" + type + "\" in request.")};
    }
    if (!json.is_object()) return {std::nullopt, detail(400, "An object is expected as the body.")};
    // Bytes that are not UTF-8 are found when it is written again.
    (void)json.dump();
    return {std::move(json)};
  } catch (const TooOdd& odd) {
    return {std::nullopt, detail(400, std::string("The body can't be read: ") + odd.what() + ".")};
  } catch (const Json::exception& error) {
    return {std::nullopt, detail(400, std::string("JSON parse error - ") + error.what())};
  }
}

Json problems_by_field(const scheduler::Problems& problems) {
  const auto is_personality = [](const scheduler::Problem& problem) {
    return problem.message.starts_with(scheduler::kInvalidPersonalities);
  };
  if (!problems.empty() && std::all_of(problems.begin(), problems.end(), is_personality)) {
    return Json::array({scheduler::kInvalidPersonalities});
  }
  Json fields = Json::object();
  for (const scheduler::Problem& problem : problems) {
    const std::size_t end = std::min(problem.field.find_first_of(".["), problem.field.size());
    const std::string field = end == 0 ? "non_field_errors" : problem.field.substr(0, end);
    std::string place = problem.field.substr(end);
    // The message names an item of a plain list itself; a path into something larger is needed.
    if (place.find_first_of(".", 1) == std::string::npos && place.starts_with('[')) place.clear();
    if (place.starts_with('.')) place.erase(0, 1);
    fields[field].push_back(place.empty() ? problem.message : place + ": " + problem.message);
  }
  return fields;
}

}  // namespace linecheck::engine::http
