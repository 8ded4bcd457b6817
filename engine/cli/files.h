// SPDX-License-Identifier: GPL-3.0-or-later
//
// What several subcommands begin with: find the configuration, read it and its catalogue, say every problem.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/daemon/settings.h"
#include "scheduler/model.h"

namespace linecheck::engine::cli {

/// `given`, else ./linecheck.yaml, else /etc/linecheck/linecheck.yaml; empty when there is none.
std::string find_config(const std::string& given);

/// Where a command that looks at results finds them: `given`, else the state of the configuration that is
/// found, else
/// ./out.
std::string find_state(const std::string& given, const std::string& config);

/// One line each on standard error, in file order.
void print_problems(const scheduler::Problems& problems);

}  // namespace linecheck::engine::cli
