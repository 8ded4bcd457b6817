// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/job.h"

#include <algorithm>
#include <limits>
#include <random>

#include "scheduler/catalog.h"
#include "scheduler/checks.h"
#include "scheduler/job_selection.h"
#include "scheduler/known_ids.h"
#include "scheduler/load.h"
#include "scheduler/load_file.h"
#include "scheduler/plan.h"
#include "scheduler/reader.h"
#include "scheduler/recording.h"
#include "scheduler/trunks.h"

namespace linecheck::scheduler {
namespace {

constexpr std::size_t kMostProfileProblems = 50;

/// A seed that survives JSON, whose numbers are exact up to 2^53.
std::uint64_t random_seed() {
  std::random_device device;
  return ((std::uint64_t{device()} << 32U) | device()) >> 11U;
}

/// Contract section 2. An inbound agent: what to dial, which is agent_number or outbound_phone_number, the
/// request's sip_endpoint, the agent's, the agent's contact_number. An outbound one: the number that it is
/// told to dial, and the one that it calls from.
void read_target(Reader& map, const Agent* agent, Job& job) {
  std::string agent_number;
  std::string outbound_number;
  std::string sip_endpoint;
  read_phone_number(map, "agent_number", agent_number);
  read_phone_number(map, "outbound_phone_number", outbound_number);
  if (map.read("sip_endpoint", sip_endpoint)) {
    if (const auto why = sip_uri_problem(sip_endpoint); !why.empty()) {
      map.problem("sip_endpoint", why);
      sip_endpoint.clear();
    }
  }
  if (agent == nullptr) return;
  if (!agent->inbound) {
    if (!sip_endpoint.empty()) {
      map.problem("sip_endpoint",
                  "agent " + std::to_string(agent->id) + " dials out itself: there is nothing to dial");
    }
    job.called = true;
    job.own_number = outbound_number;
    job.accepted_caller = agent_number.empty() ? agent->contact_number : agent_number;
    return;
  }
  if (!agent_number.empty() && !outbound_number.empty() && agent_number != outbound_number) {
    map.problem("outbound_phone_number", "differs from agent_number (" + agent_number + "): agent " +
                                             std::to_string(agent->id) +
                                             " is inbound, and both are the number that is dialled");
  }
  // A target that is none has been named: what would be dialled without it is no news.
  if ((map.has("agent_number") && agent_number.empty()) ||
      (map.has("outbound_phone_number") && outbound_number.empty()) ||
      (map.has("sip_endpoint") && sip_endpoint.empty())) {
    return;
  }
  for (const std::string& target :
       {agent_number, outbound_number, sip_endpoint, agent->sip_endpoint, agent->contact_number}) {
    if (target.empty()) continue;
    job.dial_target = target;
    return;
  }
  map.problem("agent_id", "agent " + std::to_string(agent->id) +
                              " can't be reached: give it a contact_number or a sip_endpoint, or the job an "
                              "agent_number or a sip_endpoint");
}

/// The number that an outbound agent is told to dial is one of ours.
void check_own_number(Reader& map, const Job& job, const Catalog& catalog) {
  const auto trunk = catalog.trunks.find(job.trunk);
  if (job.own_number.empty() || trunk == catalog.trunks.end()) return;
  const auto& numbers = trunk->second.caller_numbers;
  if (std::find(numbers.begin(), numbers.end(), job.own_number) != numbers.end()) return;
  map.problem("outbound_phone_number", job.own_number + " is not among the caller_numbers of the trunk '" +
                                           job.trunk + "', and the agent is to call one of ours");
}

/// The trunk that carries the calls to the target.
std::string choose_trunk(Reader& map, const Agent& agent, const std::string& target, const Catalog& catalog) {
  if (catalog.trunks.empty()) return agent.trunk;
  const Trunk* const trunk = trunk_of(agent, catalog);
  if (trunk == nullptr) {
    map.problem("agent_id", "agent " + std::to_string(agent.id) + " has no trunk to be called over");
    return {};
  }
  if (!target.empty() && !target.starts_with("sip:") && trunk->proxy.empty()) {
    map.problem("agent_id", "the number " + target + " can't be dialled: the trunk '" + trunk->name +
                                "' has no proxy to send it to");
  }
  return trunk->name;
}

/// A plural field with its singular, merged: unique, in id order. `check` is told each id with its place.
std::vector<Id> read_ids(Reader& map, std::string_view plural, std::string_view singular,
                         const std::function<void(const Field&, Id)>& check) {
  std::vector<Id> ids;
  const auto add = [&](const Field& item) {
    Id id = 0;
    if (!item.get(id)) return;
    check(item, id);
    ids.push_back(id);
  };
  map.each(plural, add);
  if (const auto one = map.field(singular)) add(*one);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

void read_overrides(Reader& map, const Agent* agent, const Catalog& catalog, Job& job) {
  job.personality_overrides =
      read_ids(map, "personality_ids", "personality_id", [&](const Field& item, Id id) {
        const auto found = catalog.personalities.find(id);
        const std::string number = std::to_string(id);
        if (found == catalog.personalities.end()) {
          item.problem("there is no personality " + number + known_ids(catalog.personalities));
        } else if (agent != nullptr && !personality_enabled(*agent, found->second)) {
          item.problem(std::string(kInvalidPersonalities) + " The personality " + number +
                       " is not enabled for agent " + std::to_string(agent->id) + ".");
        }
      });
  job.test_profile_overrides =
      read_ids(map, "test_profile_ids", "test_profile_id", [&](const Field& item, Id id) {
        if (catalog.test_profiles.contains(id)) return;
        item.problem("there is no test profile " + std::to_string(id) + known_ids(catalog.test_profiles));
      });
}

/// Every placeholder of every scenario against every profile that it will be called with.
void check_profiles(Reader& map, const Job& job, const Catalog& catalog) {
  std::size_t reported = 0;
  const auto profile_of = [&](Id id) {
    const auto found = catalog.test_profiles.find(id);
    return found == catalog.test_profiles.end() ? nullptr : &found->second;
  };
  const char* const key = map.has("test_profile_ids")  ? "test_profile_ids"
                          : map.has("test_profile_id") ? "test_profile_id"
                          : map.has("folder_path")     ? "folder_path"
                          : map.has("scenarios")       ? "scenarios"
                                                       : "tags";
  for (const Id id : job.scenarios) {
    const Scenario& scenario = catalog.scenarios.at(id);
    std::vector<const TestProfile*> profiles;
    for (const Id profile : job.test_profile_overrides) {
      if (const auto* const found = profile_of(profile)) profiles.push_back(found);
    }
    if (job.test_profile_overrides.empty()) {
      profiles.push_back(scenario.test_profile ? profile_of(*scenario.test_profile) : nullptr);
    }
    for (const TestProfile* const profile : profiles) {
      for (const ProfileProblem& problem : profile_problems(scenario, profile)) {
        if (++reported > kMostProfileProblems) return;
        map.problem(key, "scenario " + std::to_string(id) + ", action " +
                             std::to_string(scenario.conditional_actions.conditions[problem.condition].id) +
                             ": " + problem.message);
      }
    }
  }
}

void read_pace(Reader& map, Job& job) {
  map.read("frequency", job.frequency, at_least(1));
  map.choice(
      "mode", job.mode,
      {{"same_number", NumberMode::same_number}, {"different_numbers", NumberMode::different_numbers}});
  map.read("reuse_numbers", job.reuse_numbers);
  map.read("concurrency_limit", job.concurrency_limit, at_least(1));
  map.read("calls_per_second", job.calls_per_second, more_than(0));
  map.read("graceful_stop", job.graceful_stop, between(0, 3600));
  map.read("priority", job.priority);
  map.read("retries", job.retries, between(0, 100));
  map.read("retry_after_dial", job.retry_after_dial);
  read_start_at(map, job);
}

/// After the selection: where nothing says how often, a load shape goes round until it is over.
void read_load_shape(Reader& map, Job& job) {
  if (!read_load(map, job)) return;
  job.most_calls = LoadCurve(*job.load).most_starts();
  if (!map.has("frequency")) job.frequency = std::numeric_limits<int>::max();
}

std::string generated_name(const Agent& agent, std::size_t scenarios) {
  return agent.name + ", " + std::to_string(scenarios) + (scenarios == 1 ? " scenario" : " scenarios");
}

/// The job's own, else the agent's, else the trunk's.
void choose_dtmf(Reader& map, const Agent* agent, const Catalog& catalog, Job& job) {
  std::optional<KeysBy> dtmf;
  read_dtmf(map, dtmf);
  if (!dtmf && agent != nullptr) dtmf = agent->dtmf;
  if (const auto trunk = catalog.trunks.find(job.trunk); !dtmf && trunk != catalog.trunks.end()) {
    dtmf = trunk->second.dtmf;
  }
  job.dtmf = dtmf.value_or(job.dtmf);
}

Job read_job(Reader& map, const Catalog& catalog) {
  Job job;
  Selection selection = select(map, catalog);
  const Agent* const agent = selection.agent;
  job.scenarios = std::move(selection.scenarios);
  map.read("name", job.name);
  read_pace(map, job);
  read_target(map, agent, job);
  if (agent != nullptr) {
    job.agent_id = agent->id;
    job.trunk = choose_trunk(map, *agent, job.dial_target, catalog);
    check_own_number(map, job, catalog);
    // Runs that wait at one number, and are told apart by nothing, take their calls one after the other.
    if (job.called && job.mode == NumberMode::same_number && !agent->sends_run_id) job.concurrency_limit = 1;
    if (job.name.empty()) job.name = generated_name(*agent, job.scenarios.size());
  }
  read_overrides(map, agent, catalog, job);
  map.each("codecs", [&](const Field& item) { read_codec(item, job.codecs); });
  if (job.codecs.empty() && agent != nullptr) job.codecs = agent->codecs;
  if (const auto trunk = catalog.trunks.find(job.trunk);
      job.codecs.empty() && trunk != catalog.trunks.end()) {
    job.codecs = trunk->second.codecs;
  }
  choose_dtmf(map, agent, catalog, job);
  map.object("recording", [&](Reader& recording) { read_recording(recording, job.recording); });
  if (const auto thresholds = map.field("thresholds")) job.thresholds = parse_thresholds(*thresholds);
  std::vector<std::string> mock_tool_names;  // recorded with the request, otherwise without effect
  map.read("mock_tool_names", mock_tool_names);
  if (!map.read("seed", job.seed)) job.seed = random_seed();
  read_load_shape(map, job);
  map.finish();
  check_profiles(map, job, catalog);
  if (!count_calls(job)) map.problem("frequency", "makes more calls than can be counted");
  return job;
}

}  // namespace

std::optional<Job> parse_job(const Node& document, const Catalog& catalog, Problems& problems) {
  Problems found;
  Reader map(document, found);
  std::optional<Job> job;
  if (map.is_map()) {
    job = read_job(map, catalog);
    job->requested_json = document.json();
  }
  if (found.empty()) return job;
  sort_problems(found);
  problems.insert(problems.end(), found.begin(), found.end());
  return std::nullopt;
}

std::optional<Job> parse_job(std::string_view text, const std::string& name, const Catalog& catalog,
                             Problems& problems) {
  const std::size_t before = problems.size();
  const auto document = parse_document(text, name, problems);
  if (!document) return std::nullopt;
  auto job = parse_job(*document, catalog, problems);
  return problems.size() == before ? job : std::nullopt;
}

std::optional<Job> load_job(const std::filesystem::path& file, const Catalog& catalog, Problems& problems) {
  const std::size_t before = problems.size();
  const auto document = load_document(file, problems);
  if (!document) return std::nullopt;
  auto job = parse_job(*document, catalog, problems);
  return problems.size() == before ? job : std::nullopt;
}

}  // namespace linecheck::scheduler
