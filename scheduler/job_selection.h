// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which agent and which scenarios a request means. Private to the job loader.
#pragma once

#include <vector>

#include "scheduler/model.h"
#include "scheduler/reader.h"

namespace linecheck::scheduler {

struct Selection {
  const Agent* agent = nullptr;  ///< null: not found, which has been reported
  std::vector<Id> scenarios;     ///< unique, in id order; empty: nothing, which has been reported
};

/// Reads agent_id, assistant_id, project_id, scenarios, tags and folder_path.
Selection select(Reader& request, const Catalog& catalog);

}  // namespace linecheck::scheduler
