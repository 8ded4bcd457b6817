// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is kept of a result beside its runs: its row in the list of results, and result.json.
#pragma once

#include <filesystem>

#include "engine/result.h"
#include "engine/store/result_store.h"

namespace linecheck::engine {

/// As it is listed: `json` is where its result.json stands. Blocks.
void save_result(ResultStore& documents, const Result& result, const scheduler::Job& job,
                 const std::filesystem::path& json, std::optional<scheduler::Id> project = std::nullopt);

/// `<state>/results/<id>/result.json`.
[[nodiscard]] std::filesystem::path result_file(const std::filesystem::path& state, std::int64_t result_id);

}  // namespace linecheck::engine
