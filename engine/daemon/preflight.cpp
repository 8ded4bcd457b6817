// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/preflight.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "engine/evaluation/metric_value.h"
#include "engine/persona/noise.h"
#include "engine/persona/script.h"
#include "engine/persona/voice_choice.h"
#include "scheduler/numbers.h"
#include "scheduler/plan.h"
#include "scheduler/suggest.h"
#include "scheduler/trunks.h"
#include "scheduler/yaml.h"
#include "sip/allow_list.h"
#include "sip/headers.h"

namespace linecheck::engine {
namespace {

using scheduler::Problems;

void check_metric(const scheduler::MetricBound& bound, MetricScope scope, const std::string& field,
                  Problems& problems) {
  if (is_known_metric(bound.metric, scope)) return;
  std::string message = "there is no metric '" + bound.metric + "'";
  const std::string key = bound.metric.substr(0, bound.metric.find('.'));
  if (is_known_metric(key, scope)) {
    message = "'" + key + "' has no statistic of that name in '" + bound.metric + "'";
  } else {
    message += scheduler::did_you_mean(key, known_metric_keys());
  }
  problems.push_back({bound.mark, field, std::move(message)});
}

void check_voice(const scheduler::Personality& personality, const Config& config, Problems& problems) {
  if (const auto problem = voice_problem(personality, config.voices)) {
    problems.push_back({personality.mark, "voice_id", *problem});
  }
  if (personality.background_noise.empty() || personality.background_noise == "off") return;
  if (const auto problem = noise_problem(personality.background_noise, personality.background_snr_db)) {
    problems.push_back({personality.mark, "background_noise", *problem});
  }
}

void check_scenario(const scheduler::Scenario& scenario, const scheduler::Catalog& catalog,
                    Problems& problems) {
  for (const scheduler::Check& check : scenario.expect) {
    if (const auto* bound = std::get_if<scheduler::MetricBound>(&check.what)) {
      check_metric(*bound, MetricScope::run, "expect", problems);
    }
  }
  const scheduler::TestProfile* profile = nullptr;
  if (scenario.test_profile) {
    const auto found = catalog.test_profiles.find(*scenario.test_profile);
    if (found != catalog.test_profiles.end()) profile = &found->second;
  }
  for (const std::string& text : compile_script(scenario, profile, scenario.scenario_language).texts) {
    if (const auto problem = spoken_text_problem(text)) {
      problems.push_back({scenario.mark, "conditional_actions", "'" + text.substr(0, 40) + "': " + *problem});
    }
  }
}

void check_profile(const scheduler::TestProfile& profile, Problems& problems) {
  for (const auto& [name, value] : profile.main_agent_variables) {
    if (!name.starts_with("X-") && !name.starts_with("x-")) continue;
    if (const auto problem = sip::header_problem(sip::Header{name, value})) {
      problems.push_back({profile.mark, "information.main_agent_variables." + name, *problem});
    }
  }
}

void check_numbers(const scheduler::Job& job, const scheduler::Catalog& catalog,
                   const scheduler::Trunk& trunk, Problems& problems) {
  const auto numbers = scheduler::caller_numbers(job, trunk);
  const scheduler::Plan plan(job, catalog);
  if (const auto problem = scheduler::numbers_problem(numbers, plan.size(), trunk.name)) {
    problems.push_back({{}, "mode", *problem});
  }
}

}  // namespace

std::string host_of_uri(const std::string& uri) {
  const auto colon = uri.find(':');
  if (colon == std::string::npos) return {};
  std::string rest = uri.substr(colon + 1);
  rest = rest.substr(0, rest.find_first_of(";?"));
  const auto at = rest.rfind('@');
  if (at != std::string::npos) rest = rest.substr(at + 1);
  if (!rest.empty() && rest.front() == '[') return rest.substr(1, rest.find(']') - 1);
  return rest.substr(0, rest.find(':'));
}

std::string address_of_uri(const std::string& uri) {
  std::string rest = uri.substr(uri.find(':') + 1);
  rest = rest.substr(0, rest.find_first_of(";?"));
  const auto at = rest.rfind('@');
  return at == std::string::npos ? rest : rest.substr(at + 1);
}

namespace {

bool is_uri(const std::string& target) {
  return target.starts_with("sip:") || target.starts_with("sips:");
}

}  // namespace

std::optional<Destination> destination_of(const std::string& dial_target, const scheduler::Trunk& trunk) {
  if (is_uri(dial_target)) return Destination{dial_target, trunk.proxy};
  if (trunk.proxy.empty()) return std::nullopt;
  return Destination{"sip:" + sip::escape_user(scheduler::with_rules(trunk.called_format, dial_target)) +
                         "@" + address_of_uri(trunk.proxy),
                     trunk.proxy};
}

/// A pattern of numbers as the numbers leave, after the trunk's rules. Where a rule only fits some of what
/// the pattern means (`+*` and a rule for `+1`), both forms are permitted.
std::vector<std::string> written_patterns(const std::string& pattern, const scheduler::Trunk& trunk) {
  if (!pattern.ends_with('*')) return {scheduler::with_rules(trunk.called_format, pattern)};
  const std::string begin = pattern.substr(0, pattern.size() - 1);
  std::vector<std::string> out;
  for (const scheduler::PrefixRule& rule : trunk.called_format) {
    if (begin.starts_with(rule.prefix)) {
      out.push_back(rule.replace + begin.substr(rule.prefix.size()) + "*");
      return out;
    }
    if (rule.prefix.starts_with(begin)) out.push_back(rule.replace + "*");
  }
  out.push_back(pattern);
  return out;
}

std::vector<std::string> endpoint_allow_list(const Config& config, const std::string& endpoint) {
  std::vector<std::string> patterns;
  for (const scheduler::Trunk& trunk : config.trunks) {
    if (config.endpoint_index(trunk.endpoint) != config.endpoint_index(endpoint)) continue;
    for (const std::string& pattern : trunk.allow) {
      if (is_uri(pattern)) {
        patterns.push_back(pattern);
      } else if (!trunk.proxy.empty()) {
        for (const std::string& written : written_patterns(pattern, trunk))
          patterns.push_back("sip:" + written + "@" + address_of_uri(trunk.proxy));
      }
    }
  }
  return patterns;
}

void check_catalog(const scheduler::Catalog& catalog, const Config& config, Problems& problems) {
  for (const auto& [id, personality] : catalog.personalities) check_voice(personality, config, problems);
  for (const auto& [id, scenario] : catalog.scenarios) check_scenario(scenario, catalog, problems);
  for (const auto& [id, profile] : catalog.test_profiles) check_profile(profile, problems);
}

namespace {

void check_threshold_names_in(const std::optional<scheduler::Node>& document, Problems& problems) {
  const scheduler::Node* thresholds = document ? document->find("thresholds") : nullptr;
  if (thresholds == nullptr) return;
  for (const scheduler::Node& item : thresholds->items) {
    const scheduler::Node* metric = item.find("metric");
    if (metric == nullptr || metric->kind != scheduler::Node::Kind::scalar) continue;
    scheduler::MetricBound bound;
    bound.metric = metric->text;
    bound.mark = item.mark();
    check_metric(bound, MetricScope::result, "thresholds", problems);
  }
}

}  // namespace

void check_threshold_names(const std::filesystem::path& job_file, Problems& problems) {
  Problems told;
  check_threshold_names_in(scheduler::load_document(job_file, told), problems);
}

void check_threshold_names(const std::string& job_text, const std::string& name, Problems& problems) {
  Problems told;
  check_threshold_names_in(scheduler::parse_document(job_text, name, told), problems);
}

namespace {

/// A job whose agent calls us.
void check_called(const scheduler::Job& job, const scheduler::Catalog& catalog, const Config& config,
                  const scheduler::Trunk& trunk, Problems& problems) {
  const scheduler::Agent& agent = catalog.agents.at(job.agent_id);
  const auto index = config.endpoint_index(trunk.endpoint);
  if (index && config.endpoints[*index].callers.empty()) {
    problems.push_back({agent.mark, "inbound",
                        "agent " + std::to_string(agent.id) + " is to call us, but the endpoint '" +
                            config.endpoints[*index].name +
                            "' lets nobody in: name the networks under its incoming.from"});
  }
  if ((agent.trigger == scheduler::Trigger::message || agent.trigger == scheduler::Trigger::refer) &&
      !sip::AllowList(endpoint_allow_list(config, trunk.endpoint))
           .permits_at(agent.trigger_url, trunk.proxy)) {
    problems.push_back({agent.mark, "trigger_url",
                        "the trunk '" + trunk.name + "' does not allow sending to '" + agent.trigger_url +
                            "': add it to its allow list"});
  }
}

}  // namespace

void check_job(const scheduler::Job& job, const scheduler::Catalog& catalog, const Config& config,
               Problems& problems) {
  for (const scheduler::MetricBound& bound : job.thresholds) {
    check_metric(bound, MetricScope::result, "thresholds", problems);
  }
  const auto found = catalog.trunks.find(job.trunk);
  if (found == catalog.trunks.end()) {
    problems.push_back({{}, "agent_id", "the agent names no trunk, and there is not exactly one to take"});
    return;
  }
  const scheduler::Trunk& trunk = found->second;
  if (job.called) {
    check_called(job, catalog, config, trunk, problems);
    return check_numbers(job, catalog, trunk, problems);
  }
  if (!sip::AllowList(trunk.allow).permits(job.dial_target)) {
    problems.push_back(
        {trunk.mark, "allow",
         "the trunk '" + trunk.name + "' does not allow dialling '" + job.dial_target +
             "': add it, or a pattern such as \"sip:*@host\" or \"+1555*\", to its allow list"});
  }
  if (!destination_of(job.dial_target, trunk)) {
    problems.push_back({trunk.mark, "proxy",
                        "the trunk '" + trunk.name + "' has no proxy, so the number '" + job.dial_target +
                            "' can't be dialled over it: name a proxy, or give the agent a sip_endpoint"});
  }
  check_numbers(job, catalog, trunk, problems);
}

}  // namespace linecheck::engine
