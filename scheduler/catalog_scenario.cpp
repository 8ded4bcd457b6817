// SPDX-License-Identifier: GPL-3.0-or-later
//
// One scenario: its fields, and the rules of its conditional actions (contract: id 0 is FIRST_MESSAGE, ids
// are unique, every followup has a parent, from which it can be reached).
#include <algorithm>
#include <map>
#include <set>

#include "scheduler/action.h"
#include "scheduler/catalog.h"
#include "scheduler/checks.h"
#include "scheduler/folders.h"
#include "scheduler/trunks.h"

namespace linecheck::scheduler {
namespace {

constexpr const char* kFirstMessage = "FIRST_MESSAGE";
const std::vector<std::string> kTools = {"TOOL_DTMF", "TOOL_END_CALL", "TOOL_END_CALL_ON_TRANSFER"};

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

/// A condition with the fields that problems are reported at.
class ConditionReader {
 public:
  explicit ConditionReader(const Field& item) : map_(item) {}

  std::optional<Condition> read() {
    condition_.mark = map_.mark();
    const auto condition = map_.field("condition");
    condition_.condition_mark = condition ? condition->mark() : condition_.mark;
    const bool identified = map_.require("id", condition_.id, at_least(0));
    condition_.fixed_message = identified && condition_.id == 0;  // where it can't be otherwise
    map_.choice(
        "type", condition_.type,
        {{"standard", Condition::Type::standard}, {"action_followup", Condition::Type::action_followup}});
    map_.read("fixed_message", condition_.fixed_message);
    if (identified) {
      condition_.id == 0 ? read_first() : read_later();
      read_action();
    }
    map_.finish();
    if (!identified) return std::nullopt;
    return condition_;
  }

 private:
  void read_first() {
    if (map_.require("condition", condition_.condition) && condition_.condition != kFirstMessage) {
      map_.problem("condition", "the condition of id 0 is FIRST_MESSAGE");
    }
    if (condition_.type != Condition::Type::standard) map_.problem("type", "the type of id 0 is standard");
    if (!condition_.fixed_message) map_.problem("fixed_message", "the first message is always fixed: true");
  }

  void read_later() {
    if (!condition_.fixed_message) {
      map_.problem("fixed_message",
                   not_available("a message that is not said word for word") + ": write fixed_message: true");
    }
    const auto field = map_.required("condition");
    if (!field || !field->get_as_written(condition_.condition)) return;
    if (condition_.condition == kFirstMessage) return field->problem("FIRST_MESSAGE is for id 0 only");
    if (condition_.type == Condition::Type::standard) {
      return map_.problem(map_.has("type") ? "type" : "condition",
                          not_available("a condition on the agent's words") +
                              ": use type: action_followup with the id of the action before");
    }
    Node number = field->node();
    number.plain = true;  // the wire writes the parent's id as a number or as text
    const auto parent = number.as_int();
    if (!parent || *parent < 0 || *parent > 1'000'000) {
      return field->problem("expected the id of the action that this one follows, found " +
                            field->node().describe());
    }
    condition_.parent_id = static_cast<int>(*parent);
  }

  void read_action() {
    const auto field = map_.field("action");
    condition_.action_mark = field ? field->mark() : condition_.mark;
    if (field && !field->get(condition_.action)) return;
    if (is_blank(condition_.action)) {
      if (condition_.id != 0) map_.problem("action", "is empty: only the first message may be");
      return;
    }
    const auto steps =
        parse_action(condition_.action, condition_.action_mark, map_.problems(), map_.path("action"));
    if (steps.empty() || !std::holds_alternative<Interruption>(steps.front())) return;
    if (condition_.type != Condition::Type::action_followup) {
      map_.problem("action",
                   "<interruption> has nothing to interrupt here: it belongs in an action_followup");
    }
    if (steps.size() == 1) map_.problem("action", "<interruption> must be followed by what is said");
  }

  Reader map_;
  Condition condition_;
};

/// Ids, parents, one followup each, everything reachable from id 0.
void check_tree(const std::vector<Condition>& conditions, const Mark& list, Problems& problems) {
  std::map<int, std::size_t> by_id;
  std::map<int, int> follower;  // parent -> the id that follows it
  const auto field = [](std::size_t i, const char* key) {
    return "conditional_actions.conditions[" + std::to_string(i) + "]." + key;
  };
  const auto report = [&](std::size_t i, std::string message) {
    problems.push_back({conditions[i].condition_mark, field(i, "condition"), std::move(message)});
  };
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const auto [first, fresh] = by_id.try_emplace(conditions[i].id, i);
    if (!fresh) {
      problems.push_back({conditions[i].mark, field(i, "id"),
                          "the id " + std::to_string(conditions[i].id) + " is already on line " +
                              std::to_string(conditions[first->second].mark.line)});
    }
  }
  if (!by_id.contains(0)) {
    problems.push_back({list, "conditional_actions.conditions",
                        "has no id 0: {id: 0, condition: FIRST_MESSAGE, fixed_message: true, action: ...}"});
  }
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const Condition& condition = conditions[i];
    if (!condition.parent_id) continue;
    if (!by_id.contains(*condition.parent_id)) {
      report(i, "there is no action with the id " + std::to_string(*condition.parent_id));
      continue;
    }
    const auto [other, fresh] = follower.try_emplace(*condition.parent_id, condition.id);
    if (!fresh && other->second != condition.id) {
      report(i, "the action " + std::to_string(other->second) + " already follows " +
                    std::to_string(*condition.parent_id) + ", and only one can");
    }
  }
  std::set<int> seen;  // whose way up is known to end
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    std::set<int> way;
    int id = conditions[i].id;
    while (!seen.contains(id) && way.insert(id).second) {
      const auto found = by_id.find(id);
      if (found == by_id.end() || !conditions[found->second].parent_id) break;
      id = *conditions[found->second].parent_id;
    }
    const auto end = by_id.find(id);
    const bool circle = way.contains(id) && !seen.contains(id) && end != by_id.end() &&
                        conditions[end->second].parent_id &&
                        by_id.contains(*conditions[end->second].parent_id);
    if (circle) report(i, "follows itself in a circle, so that it is never said");
    seen.insert(way.begin(), way.end());
  }
}

ConditionalActions read_conditional_actions(Reader& map) {
  ConditionalActions actions;
  map.read("role", actions.role);
  const auto list = map.required("conditions");
  if (!list) return actions;
  const bool is_list = list->each([&](const Field& item) {
    if (auto condition = ConditionReader(item).read()) actions.conditions.push_back(std::move(*condition));
  });
  // Where an entry could not be read its indexes would be wrong, and its problems are enough.
  if (is_list && actions.conditions.size() == list->node().items.size()) {
    check_tree(actions.conditions, list->mark(), map.problems());
  }
  return actions;
}

void read_tools(Reader& map, Scenario& scenario) {
  map.each("tool_ids", [&](const Field& item) {
    std::string tool;
    if (!item.get(tool)) return;
    if (std::find(kTools.begin(), kTools.end(), tool) == kTools.end()) {
      item.problem("unknown tool '" + tool + "': expected " + join_or(kTools) + did_you_mean(tool, kTools));
    } else if (tool == "TOOL_END_CALL_ON_TRANSFER") {
      scenario.end_call_on_transfer = true;
    }
  });
}

/// Text of the format that needs a language model or a judge. Empty text asks for nothing.
void refuse_text(Reader& map, std::string_view key, const std::string& what) {
  std::string text;
  if (map.read(key, text) && !is_blank(text)) map.unavailable(key, what);
}

void read_type(Reader& map) {
  std::string type = map.has("conditional_actions") ? "conditional_actions" : "instruction";
  map.choice<std::string>("scenario_type", type,
                          {{"instruction", "instruction"}, {"conditional_actions", "conditional_actions"}});
  if (type == "instruction") {
    map.problem("scenario_type", not_available("a scenario of the type instruction") +
                                     ": use conditional_actions with fixed messages");
  } else {
    map.required("conditional_actions");
  }
}

}  // namespace

std::optional<Scenario> parse_scenario(const Node& node, Problems& problems) {
  Reader map(node, problems);
  Scenario scenario;
  scenario.mark = map.mark();
  scenario.marks = map.marks();
  const bool identified = map.require("id", scenario.id, at_least(1));
  map.require("name", scenario.name);
  map.require("agent", scenario.agent, at_least(1));
  map.read("project", scenario.project, at_least(1));
  if (map.read("folder_path", scenario.folder_path)) {
    if (const auto why = folder_problem(scenario.folder_path); !why.empty()) map.problem("folder_path", why);
  }
  map.each("tags", [&](const Field& item) {
    std::string tag;
    if (!item.get(tag)) return;
    if (is_blank(tag)) return item.problem("a tag can't be empty");
    scenario.tags.push_back(std::move(tag));
  });
  map.read("personality", scenario.personality, at_least(1));
  map.read("test_profile", scenario.test_profile, at_least(1));
  if (map.is_map()) read_type(map);
  map.object("conditional_actions",
             [&](Reader& actions) { scenario.conditional_actions = read_conditional_actions(actions); });
  refuse_text(map, "instructions", "a scenario with instructions");
  refuse_text(map, "expected_outcome_prompt", "judging an expected outcome");
  if (std::string text; map.read("first_message", text) && !is_blank(text)) {
    map.problem("first_message", "belongs to scenarios with instructions: write it as the action of id 0");
  }
  map.read("scenario_language", scenario.scenario_language);
  map.read("max_duration", scenario.max_duration, between(10, 3600));
  read_tools(map, scenario);
  map.each("metrics",
           [&](const Field& item) { item.problem(not_available("choosing metrics in a scenario")); });
  if (map.read("phone_number", scenario.phone_number) && !is_phone_number(scenario.phone_number)) {
    map.problem("phone_number", "'" + scenario.phone_number + "' is not a telephone number");
  }
  if (const auto expect = map.field("expect")) scenario.expect = parse_expect(*expect);
  map.finish();
  if (!identified) return std::nullopt;
  return scenario;
}

std::vector<ProfileProblem> profile_problems(const Scenario& scenario, const TestProfile* profile) {
  std::vector<ProfileProblem> found;
  const auto& conditions = scenario.conditional_actions.conditions;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    Problems of_the_text;  // said where the scenario was read
    const auto steps = parse_action(conditions[i].action, conditions[i].action_mark, of_the_text);
    for (std::string& message : check_variables(steps, profile)) found.push_back({i, std::move(message)});
  }
  return found;
}

}  // namespace linecheck::scheduler
