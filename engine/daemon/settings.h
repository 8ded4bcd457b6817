// SPDX-License-Identifier: GPL-3.0-or-later
//
// One reading of linecheck.yaml and its catalogue, and what it means for the sockets that are open.
// Immutable: a reload makes another one, and whatever is in progress keeps the one that it began with.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/call/switchboard.h"
#include "engine/daemon/config.h"
#include "engine/daemon/reload.h"
#include "scheduler/model.h"
#include "sip/endpoint.h"

namespace linecheck::engine {

struct Settings {
  Config config;
  std::shared_ptr<const scheduler::Catalog> catalog;
  Fingerprints fingerprints;
  /// For each of config.endpoints its number at the switchboard; empty until they are open.
  std::vector<std::size_t> endpoints;

  /// At the switchboard, for a trunk.
  [[nodiscard]] std::size_t endpoint_of(const scheduler::Trunk& trunk) const;
};

/// Configuration and catalogue, checked against each other. nullopt with problems.
std::optional<Settings> load_settings(const std::filesystem::path& config_file,
                                      scheduler::Problems& problems);

/// A job (text or file as `name` says) against catalogue and configuration. nullopt with problems.
std::optional<scheduler::Job> read_job(const std::string& text, const std::string& name,
                                       const Settings& settings, scheduler::Problems& problems);

/// Trunks that the endpoints of the switchboard are to watch from now on, or no longer.
struct TrunkChanges {
  std::vector<std::pair<std::size_t, sip::TrunkOptions>> watch;
  std::vector<std::pair<std::size_t, std::string>> forget;
};
/// `before`: what was in force; null: nothing was. Throws std::runtime_error where a password can't be read.
TrunkChanges trunk_changes(const Settings& now, const Settings* before = nullptr);
void apply(TrunkChanges changes, Switchboard& switchboard);

}  // namespace linecheck::engine
