// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/job_selection.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "scheduler/folders.h"
#include "scheduler/known_ids.h"

namespace linecheck::scheduler {
namespace {

/// The project of a scenario: its own, else its agent's.
std::optional<Id> project_of(const Scenario& scenario, const Catalog& catalog) {
  if (scenario.project) return scenario.project;
  const auto agent = catalog.agents.find(scenario.agent);
  return agent == catalog.agents.end() ? std::nullopt : agent->second.project;
}

class Selector {
 public:
  Selector(Reader& request, const Catalog& catalog) : request_(request), catalog_(catalog) {}

  Selection run() {
    before_ = request_.problems().size();
    read_agent();
    read_project();
    const bool folder = request_.has("folder_path");
    const bool scenarios = request_.has("scenarios");
    const bool tags = request_.has("tags");
    if (folder && (scenarios || tags)) {
      request_.problem("folder_path", std::string("can't be combined with ") +
                                          (scenarios ? "scenarios" : "tags") + ": give one or the other");
    } else if (folder) {
      select_folder(*request_.field("folder_path"));
    }
    if (scenarios) select_scenarios(*request_.field("scenarios"));
    if (tags) select_tags(*request_.field("tags"));
    if (!folder && !scenarios && !tags) {
      request_.problem("scenarios", "is missing: give scenarios, tags or folder_path");
    } else if (chosen_.empty() && request_.problems().size() == before_) {
      request_.problem(scenarios ? "scenarios" : "tags", "selects nothing");
    }
    settle_agent();
    return {agent_, std::vector<Id>(chosen_.begin(), chosen_.end())};
  }

 private:
  void read_agent() {
    const Agent* by_id = nullptr;
    Id id = 0;
    agent_named_ = request_.has("agent_id") || request_.has("assistant_id");
    if (request_.read("agent_id", id)) {
      const auto found = catalog_.agents.find(id);
      if (found == catalog_.agents.end()) {
        request_.problem("agent_id", "there is no agent " + std::to_string(id) + known_ids(catalog_.agents));
      } else {
        by_id = &found->second;
      }
    }
    const Agent* by_assistant = read_assistant();
    if (by_id != nullptr && by_assistant != nullptr && by_id != by_assistant) {
      request_.problem("assistant_id", "is agent " + std::to_string(by_assistant->id) +
                                           ", and agent_id says " + std::to_string(by_id->id));
    }
    agent_ = by_id != nullptr ? by_id : by_assistant;
  }

  const Agent* read_assistant() {
    std::string assistant;
    if (!request_.read("assistant_id", assistant)) return nullptr;
    std::vector<std::string> names;
    for (const auto& [id, agent] : catalog_.agents) {
      if (agent.assistant_id == assistant && !assistant.empty()) return &agent;
      if (!agent.assistant_id.empty()) names.push_back(agent.assistant_id);
    }
    request_.problem("assistant_id", "there is no agent with the assistant_id '" + assistant + "'" +
                                         did_you_mean(assistant, names));
    return nullptr;
  }

  void read_project() {
    if (!request_.read("project_id", project_)) return;
    std::set<Id> projects;
    for (const auto& [id, agent] : catalog_.agents) {
      if (agent.project) projects.insert(*agent.project);
    }
    for (const auto& [id, scenario] : catalog_.scenarios) {
      if (scenario.project) projects.insert(*scenario.project);
    }
    if (!projects.contains(*project_)) {
      std::vector<std::string> known;
      for (const Id id : projects) known.push_back(std::to_string(id));
      request_.problem("project_id", "there is no project " + std::to_string(*project_) + " (there is " +
                                         (known.empty() ? "none at all" : join_or(known)) + ")");
    } else if (agent_ != nullptr && agent_->project && *agent_->project != *project_) {
      request_.problem("project_id", "agent " + std::to_string(agent_->id) + " belongs to project " +
                                         std::to_string(*agent_->project));
    }
  }

  [[nodiscard]] bool of_agent(const Scenario& scenario) const {
    return agent_ == nullptr || scenario.agent == agent_->id;
  }

  void select_scenarios(const Field& field) {
    const Node& node = field.node();
    if (node.kind == Node::Kind::sequence) {
      field.each([&](const Field& item) { select_id(item); });
      if (node.items.empty() && !request_.has("tags")) field.problem("selects nothing: the list is empty");
    } else if (node.as_int()) {
      std::int64_t count = 0;
      if (field.get(count, at_least(1)) && need_agent("scenarios: " + node.text)) select_first(field, count);
    } else if (node.is_text() && node.text == "all") {
      if (need_agent("scenarios: all")) select_first(field, std::numeric_limits<std::int64_t>::max());
    } else if (node.is_text()) {
      select_folder(field);
    } else {
      field.problem("expected a list of ids, a number, all, or a folder path, found " + node.describe());
    }
  }

  void select_id(const Field& item) {
    Id id = 0;
    if (!item.get(id)) return;
    const auto found = catalog_.scenarios.find(id);
    if (found == catalog_.scenarios.end()) {
      item.problem("there is no scenario " + std::to_string(id) + known_ids(catalog_.scenarios));
    } else if (!of_agent(found->second)) {
      item.problem("scenario " + std::to_string(id) + " belongs to agent " +
                   std::to_string(found->second.agent) + ", not to agent " + std::to_string(agent_->id));
    } else {
      chosen_.insert(id);
    }
  }

  bool need_agent(const std::string& what) {
    if (!agent_named_)
      request_.problem("agent_id", "is missing: " + what + " needs agent_id or assistant_id");
    return agent_ != nullptr;
  }

  void select_first(const Field& field, std::int64_t count) {
    std::int64_t taken = 0;
    for (const auto& [id, scenario] : catalog_.scenarios) {
      if (taken == count) break;
      if (scenario.agent != agent_->id) continue;
      chosen_.insert(id);
      ++taken;
    }
    if (taken == 0)
      field.problem("selects nothing: agent " + std::to_string(agent_->id) + " has no scenarios");
  }

  void select_folder(const Field& field) {
    std::string folder;
    if (!field.get(folder)) return;
    if (const auto why = folder_problem(folder); !why.empty()) return field.problem(why);
    if (!request_.has("project_id")) {
      return request_.problem("project_id", "is missing: a folder path needs it");
    }
    std::size_t taken = 0;
    std::set<std::string> folders;
    for (const auto& [id, scenario] : catalog_.scenarios) {
      if (!of_agent(scenario) || project_of(scenario, catalog_) != project_) continue;
      if (!scenario.folder_path.empty()) folders.insert(scenario.folder_path);
      if (!in_folder(scenario.folder_path, folder)) continue;
      chosen_.insert(id);
      ++taken;
    }
    if (taken > 0 || !project_) return;
    field.problem("selects nothing: there is no scenario" + of_the_agent() + " in the folder '" + folder +
                  "' of project " + std::to_string(*project_) +
                  did_you_mean(folder, std::vector<std::string>(folders.begin(), folders.end())));
  }

  void select_tags(const Field& field) {
    std::vector<std::string> tags;
    if (!field.get(tags)) return;
    std::size_t taken = 0;
    std::set<std::string> known;
    for (const auto& [id, scenario] : catalog_.scenarios) {
      if (!of_agent(scenario) || (project_ && project_of(scenario, catalog_) != project_)) continue;
      known.insert(scenario.tags.begin(), scenario.tags.end());
      const bool bears = std::find_first_of(tags.begin(), tags.end(), scenario.tags.begin(),
                                            scenario.tags.end()) != tags.end();
      if (!bears) continue;
      chosen_.insert(id);
      ++taken;
    }
    if (taken > 0 || request_.has("scenarios")) return;
    const std::vector<std::string> known_list(known.begin(), known.end());
    const std::string hint = tags.empty() ? "" : did_you_mean(tags.front(), known_list);
    field.problem(tags.empty()
                      ? "selects nothing: the list is empty"
                      : "selects nothing: no scenario" + of_the_agent() + " bears " + join_or(tags) + hint);
  }

  [[nodiscard]] std::string of_the_agent() const {
    return agent_ == nullptr ? "" : " of agent " + std::to_string(agent_->id);
  }

  /// A request that names no agent means the one whose scenarios it selects.
  void settle_agent() {
    if (agent_ != nullptr || agent_named_ || chosen_.empty()) return;
    std::set<Id> agents;
    for (const Id id : chosen_) agents.insert(catalog_.scenarios.at(id).agent);
    if (agents.size() > 1) {
      std::vector<std::string> names;
      for (const Id id : agents) names.push_back(std::to_string(id));
      request_.problem("agent_id",
                       "is missing, and the scenarios belong to several agents: " + join_or(names));
      return;
    }
    const auto found = catalog_.agents.find(*agents.begin());
    if (found != catalog_.agents.end()) {
      agent_ = &found->second;
    } else {
      request_.problem("agent_id",
                       "there is no agent " + std::to_string(*agents.begin()) + known_ids(catalog_.agents));
    }
  }

  Reader& request_;
  const Catalog& catalog_;
  std::size_t before_ = 0;
  const Agent* agent_ = nullptr;
  bool agent_named_ = false;
  std::optional<Id> project_;
  std::set<Id> chosen_;
};

}  // namespace

Selection select(Reader& request, const Catalog& catalog) {
  return Selector(request, catalog).run();
}

}  // namespace linecheck::scheduler
