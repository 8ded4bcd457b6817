// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/settings.h"

#include <algorithm>
#include <utility>

#include "engine/daemon/preflight.h"
#include "scheduler/catalog.h"
#include "scheduler/job.h"

namespace linecheck::engine {

std::size_t Settings::endpoint_of(const scheduler::Trunk& trunk) const {
  return endpoints.at(config.endpoint_index(trunk.endpoint).value_or(0));
}

std::optional<Settings> load_settings(const std::filesystem::path& config_file,
                                      scheduler::Problems& problems) {
  const std::size_t before = problems.size();
  auto config = load_config(config_file, problems);
  if (!config) return std::nullopt;
  scheduler::Catalog catalog = scheduler::load_catalog(config->catalog, config->trunks, problems);
  check_catalog(catalog, *config, problems);
  if (problems.size() != before) return std::nullopt;
  Settings settings;
  settings.config = std::move(*config);
  settings.fingerprints = fingerprints_of(config_file, catalog);
  settings.catalog = std::make_shared<const scheduler::Catalog>(std::move(catalog));
  return settings;
}

std::optional<scheduler::Job> read_job(const std::string& text, const std::string& name,
                                       const Settings& settings, scheduler::Problems& problems) {
  const std::size_t before = problems.size();
  auto job = scheduler::parse_job(text, name, *settings.catalog, problems);
  if (job) {
    check_job(*job, *settings.catalog, settings.config, problems);
  } else {
    check_threshold_names(text, name, problems);
  }
  if (problems.size() != before) return std::nullopt;
  return job;
}

TrunkChanges trunk_changes(const Settings& now, const Settings* before) {
  TrunkChanges changes;
  const auto print = [](const Settings& settings, const std::string& trunk) {
    const auto found = settings.fingerprints.find("trunk " + trunk);
    return found == settings.fingerprints.end() ? std::size_t{0} : found->second;
  };
  for (const scheduler::Trunk& trunk : now.config.trunks) {
    if (before != nullptr && print(*before, trunk.name) == print(now, trunk.name)) continue;
    if (auto watched = watched_trunk(trunk)) {
      changes.watch.emplace_back(now.endpoint_of(trunk), std::move(*watched));
    } else if (before != nullptr) {
      changes.forget.emplace_back(now.endpoint_of(trunk), trunk.name);
    }
  }
  if (before == nullptr) return changes;
  for (const scheduler::Trunk& trunk : before->config.trunks) {
    const auto kept = std::find_if(now.config.trunks.begin(), now.config.trunks.end(),
                                   [&](const scheduler::Trunk& other) { return other.name == trunk.name; });
    const bool moved =
        kept != now.config.trunks.end() && now.endpoint_of(*kept) != before->endpoint_of(trunk);
    if (kept == now.config.trunks.end() || moved)
      changes.forget.emplace_back(before->endpoint_of(trunk), trunk.name);
  }
  return changes;
}

void apply(TrunkChanges changes, Switchboard& switchboard) {
  for (auto& [endpoint, name] : changes.forget) switchboard.forget_trunk(endpoint, std::move(name));
  for (auto& [endpoint, trunk] : changes.watch) switchboard.endpoint(endpoint).watch_trunk(std::move(trunk));
}

}  // namespace linecheck::engine
