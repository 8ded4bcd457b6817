// SPDX-License-Identifier: GPL-3.0-or-later
//
// The catalogue on disk: four folders of YAML files, one object to a document.
//   <dir>/agents/  <dir>/scenarios/  <dir>/personalities/  <dir>/test-profiles/
// Files end in .yaml, .yml or .json; folders within them are read too; names that start with a dot or end
// with ~ are ignored. personalities/ and test-profiles/ may be missing.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "scheduler/model.h"
#include "scheduler/reader.h"

namespace linecheck::scheduler {

/// Reads everything, checks every reference and says every problem. With problems the catalogue holds what
/// could be read, good enough for checking jobs, and must not be used for calls. `trunks` may be empty (then
/// an agent's trunk is not checked).
Catalog load_catalog(const std::filesystem::path& dir, const std::vector<Trunk>& trunks, Problems& problems);

/// What a file of the catalogue holds.
enum class ObjectKind { agent, scenario, personality, test_profile };

/// One document of a kind, checked by itself (no references to others). Empty if it lacks an id.
std::optional<Agent> parse_agent(const Node& node, Problems& problems);
std::optional<Scenario> parse_scenario(const Node& node, Problems& problems);
std::optional<Personality> parse_personality(const Node& node, Problems& problems);
std::optional<TestProfile> parse_test_profile(const Node& node, Problems& problems);

/// The references between objects: agents to trunks and personalities, scenarios to agents, personalities and
/// profiles, placeholders to the scenario's own profile.
void check_references(const Catalog& catalog, Problems& problems);

/// What is wrong with the placeholders of a scenario for one profile (null: none).
struct ProfileProblem {
  std::size_t condition;  ///< index in conditional_actions.conditions
  std::string message;
};
std::vector<ProfileProblem> profile_problems(const Scenario& scenario, const TestProfile* profile);

/// The trunk of an agent: its own, or the only one that there is. Null if neither.
const Trunk* trunk_of(const Agent& agent, const Catalog& catalog);

/// Whether the agent's calls may use a personality.
bool personality_enabled(const Agent& agent, const Personality& personality);

/// Built-in noise beds, besides `off` and sound files.
const std::vector<std::string>& noise_bed_names();

}  // namespace linecheck::scheduler
