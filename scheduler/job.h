// SPDX-License-Identifier: GPL-3.0-or-later
//
// The run request: the body of POST .../scenarios/run_scenarios/ and the YAML file of the watch directory,
// with the same fields. It is checked as a whole and refused as a whole.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "scheduler/model.h"
#include "scheduler/yaml.h"

namespace linecheck::scheduler {

/// What the wire says, as the whole answer, about personalities that are not enabled; our messages start with
/// it.
inline constexpr const char* kInvalidPersonalities = "Invalid personalities provided.";

/// Every rule of the request against the catalogue. Empty, with at least one Problem, if it is refused. A
/// Problem's `field` starts with the request's field (`scenarios[2]`), which is what the HTTP interface
/// groups by.
std::optional<Job> load_job(const std::filesystem::path& file, const Catalog& catalog, Problems& problems);
/// From text (YAML or JSON); `name` is what marks show as the file.
std::optional<Job> parse_job(std::string_view text, const std::string& name, const Catalog& catalog,
                             Problems& problems);
std::optional<Job> parse_job(const Node& document, const Catalog& catalog, Problems& problems);

}  // namespace linecheck::scheduler
