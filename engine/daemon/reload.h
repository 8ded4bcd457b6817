// SPDX-License-Identifier: GPL-3.0-or-later
//
// Two readings of the configuration compared, by what is written in them.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "scheduler/model.h"

namespace linecheck::engine {

/// What was written, part by part: "trunk carrier", "scenario 12", "limits" to a hash of the value.
using Fingerprints = std::map<std::string, std::size_t>;

/// Reads the files again; they were found to be good.
[[nodiscard]] Fingerprints fingerprints_of(const std::filesystem::path& config_file,
                                           const scheduler::Catalog& catalog);

/// Parts that differ and that only a new process can take up.
[[nodiscard]] std::vector<std::string> what_takes_a_restart(const Fingerprints& old, const Fingerprints& now);

/// One line each: "trunk carrier changed", "scenario 12 added", "personality 3 removed".
[[nodiscard]] std::vector<std::string> differences(const Fingerprints& old, const Fingerprints& now);

}  // namespace linecheck::engine
