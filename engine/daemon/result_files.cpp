// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/result_files.h"

#include "engine/report/words.h"

namespace linecheck::engine {

namespace fs = std::filesystem;

void save_result(ResultStore& documents, const Result& result, const scheduler::Job& job,
                 const fs::path& json, std::optional<scheduler::Id> project) {
  StoredResultDocument document;
  document.id = result.id;
  document.name = result.name;
  document.agent = result.agent;
  document.project = project;
  document.status = report::name_of(result.status);
  document.success_rate = result.success_rate();
  document.scenarios = job.scenarios;
  document.created_at = result.created_at;
  document.updated_at = result.updated_at;
  document.json = fs::absolute(json).string();
  documents.save_result(document);
}

fs::path result_file(const fs::path& state, std::int64_t result_id) {
  return state / "results" / std::to_string(result_id) / "result.json";
}

}  // namespace linecheck::engine
