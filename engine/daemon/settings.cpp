// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/settings.h"

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

sip::EndpointOptions endpoint_options(const Config& config, const SipEndpointConfig& endpoint) {
  sip::EndpointOptions options;
  options.name = endpoint.name;
  options.listen = endpoint.listen;
  options.allow = sip::AllowList(endpoint_allow_list(config, endpoint.name));
  return options;
}

}  // namespace linecheck::engine
