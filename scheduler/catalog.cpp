// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/catalog.h"

#include <algorithm>
#include <system_error>

#include "scheduler/known_ids.h"

namespace linecheck::scheduler {
namespace {

namespace fs = std::filesystem;

bool is_catalog_file(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name.starts_with('.') || name.ends_with('~')) return false;
  const std::string extension = path.extension().string();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

/// The catalogue files of a folder and the folders in it, by name.
std::vector<fs::path> files_of(const fs::path& folder, Problems& problems) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator walk(folder, error);
  while (!error && walk != fs::recursive_directory_iterator()) {
    if (walk->is_directory(error) && is_hidden(walk->path())) {
      walk.disable_recursion_pending();
    } else if (is_catalog_file(walk->path()) && !walk->is_directory(error)) {
      files.push_back(walk->path());
    }
    error.clear();
    walk.increment(error);
  }
  if (error) problems.push_back({{folder.string(), 1, 1}, "", "can't be read: " + error.message()});
  std::sort(files.begin(), files.end());
  return files;
}

struct FolderRule {
  const char* name;
  const char* thing;
  bool required;
};

template <class T>
void load_folder(const fs::path& dir, FolderRule rule, std::map<Id, T>& objects,
                 std::optional<T> (*parse)(const Node&, Problems&), Problems& problems) {
  const fs::path folder = dir / rule.name;
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    if (rule.required) problems.push_back({{folder.string(), 1, 1}, "", "no such folder"});
    return;
  }
  for (const fs::path& file : files_of(folder, problems)) {
    const auto documents = load_documents(file, problems);
    const auto is_empty = [](const Node& document) { return document.kind == Node::Kind::null; };
    if (!documents.empty() && std::all_of(documents.begin(), documents.end(), is_empty)) {
      problems.push_back({{file.string(), 1, 1}, "", "is empty"});
    }
    for (const Node& document : documents) {
      if (is_empty(document)) continue;  // a last `---` makes one
      std::optional<T> object = parse(document, problems);
      if (!object) continue;
      const auto found = objects.find(object->id);
      if (found == objects.end()) {
        objects.emplace(object->id, std::move(*object));
        continue;
      }
      const Mark& first = found->second.marks["id"];
      problems.push_back({object->marks["id"], "id",
                          std::string("the ") + rule.thing + " " + std::to_string(object->id) +
                              " is already at " + first.file + ":" + std::to_string(first.line) + ":" +
                              std::to_string(first.column)});
    }
  }
  if (rule.required && objects.empty() && problems.empty()) {
    problems.push_back({{folder.string(), 1, 1}, "", std::string("holds no ") + rule.thing});
  }
}

template <class T>
Mark mark_of(const T& object, const char* key) {
  const auto found = object.marks.find(key);
  return found == object.marks.end() ? object.mark : found->second;
}

void check_agent(const Agent& agent, const Catalog& catalog, Problems& problems) {
  if (!catalog.trunks.empty()) {
    std::vector<std::string> names;
    for (const auto& [name, trunk] : catalog.trunks) names.push_back(name);
    if (!agent.trunk.empty() && !catalog.trunks.contains(agent.trunk)) {
      problems.push_back({mark_of(agent, "trunk"), "trunk",
                          "there is no trunk '" + agent.trunk + "' (there is " + join_or(names) + ")" +
                              did_you_mean(agent.trunk, names)});
    } else if (trunk_of(agent, catalog) == nullptr && agent.trunk.empty()) {
      problems.push_back({agent.mark, "trunk", "is missing, and there are several: " + join_or(names)});
    }
  }
  for (const Id id : agent.enabled_personalities) {
    if (catalog.personalities.contains(id)) continue;
    problems.push_back({mark_of(agent, "enabled_personalities"), "enabled_personalities",
                        "there is no personality " + std::to_string(id) + known_ids(catalog.personalities)});
  }
}

void check_scenario_personality(const Scenario& scenario, const Agent* agent, const Catalog& catalog,
                                Problems& problems) {
  if (!scenario.personality) return;
  const auto report = [&](const std::string& message) {
    problems.push_back({mark_of(scenario, "personality"), "personality", message});
  };
  const std::string id = std::to_string(*scenario.personality);
  const auto personality = catalog.personalities.find(*scenario.personality);
  if (personality == catalog.personalities.end()) {
    report("there is no personality " + id + known_ids(catalog.personalities));
  } else if (agent != nullptr && !personality_enabled(*agent, personality->second)) {
    report("the personality " + id + " is not enabled for agent " + std::to_string(agent->id));
  }
}

void check_scenario(const Scenario& scenario, const Catalog& catalog, Problems& problems) {
  const auto agent = catalog.agents.find(scenario.agent);
  if (agent == catalog.agents.end()) {
    if (scenario.agent > 0) {
      problems.push_back({mark_of(scenario, "agent"), "agent",
                          "there is no agent " + std::to_string(scenario.agent) + known_ids(catalog.agents)});
    }
  } else if (scenario.project && agent->second.project && *scenario.project != *agent->second.project) {
    problems.push_back({mark_of(scenario, "project"), "project",
                        "agent " + std::to_string(scenario.agent) + " belongs to project " +
                            std::to_string(*agent->second.project)});
  }
  check_scenario_personality(scenario, agent == catalog.agents.end() ? nullptr : &agent->second, catalog,
                             problems);
  if (!scenario.test_profile) return;  // a job may bring one, and is checked then
  const auto profile = catalog.test_profiles.find(*scenario.test_profile);
  if (profile == catalog.test_profiles.end()) {
    problems.push_back({mark_of(scenario, "test_profile"), "test_profile",
                        "there is no test profile " + std::to_string(*scenario.test_profile) +
                            known_ids(catalog.test_profiles)});
    return;
  }
  for (const ProfileProblem& problem : profile_problems(scenario, &profile->second)) {
    problems.push_back({scenario.conditional_actions.conditions[problem.condition].action_mark,
                        "conditional_actions.conditions[" + std::to_string(problem.condition) + "].action",
                        problem.message});
  }
}

}  // namespace

Catalog load_catalog(const fs::path& dir, const std::vector<Trunk>& trunks, Problems& problems) {
  Catalog catalog;
  Problems found;
  for (const Trunk& trunk : trunks) catalog.trunks.emplace(trunk.name, trunk);
  std::error_code error;
  if (!fs::is_directory(dir, error)) {
    problems.push_back({{dir.string(), 1, 1}, "", "there is no catalogue here: no such folder"});
    return catalog;
  }
  load_folder(dir, {"agents", "agent", true}, catalog.agents, parse_agent, found);
  load_folder(dir, {"scenarios", "scenario", true}, catalog.scenarios, parse_scenario, found);
  load_folder(dir, {"personalities", "personality", false}, catalog.personalities, parse_personality, found);
  load_folder(dir, {"test-profiles", "test profile", false}, catalog.test_profiles, parse_test_profile,
              found);
  check_references(catalog, found);
  sort_problems(found);
  problems.insert(problems.end(), found.begin(), found.end());
  return catalog;
}

void check_references(const Catalog& catalog, Problems& problems) {
  std::map<std::string, Id> assistants;
  for (const auto& [id, agent] : catalog.agents) {
    check_agent(agent, catalog, problems);
    if (agent.assistant_id.empty()) continue;
    const auto [other, fresh] = assistants.try_emplace(agent.assistant_id, id);
    if (!fresh) {
      problems.push_back({mark_of(agent, "assistant_id"), "assistant_id",
                          "agent " + std::to_string(other->second) + " has the same assistant_id"});
    }
  }
  for (const auto& [id, scenario] : catalog.scenarios) check_scenario(scenario, catalog, problems);
}

const Trunk* trunk_of(const Agent& agent, const Catalog& catalog) {
  if (agent.trunk.empty()) return catalog.trunks.size() == 1 ? &catalog.trunks.begin()->second : nullptr;
  const auto found = catalog.trunks.find(agent.trunk);
  return found == catalog.trunks.end() ? nullptr : &found->second;
}

bool personality_enabled(const Agent& agent, const Personality& personality) {
  const auto& enabled = agent.enabled_personalities;
  return personality.enabled &&
         (enabled.empty() || std::find(enabled.begin(), enabled.end(), personality.id) != enabled.end());
}

}  // namespace linecheck::scheduler
