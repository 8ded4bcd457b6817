// SPDX-License-Identifier: GPL-3.0-or-later
//
// JUnit XML for CI: a suite for each scenario, a case for each run ("personality / profile / #n"), metrics as
// properties, the recording as an `[[ATTACHMENT|path]]` line in system-out (read by Jenkins, GitLab and
// others). What the agent did wrong is a <failure>; what the network, a provider or we did wrong is an
// <error>; a run that was cancelled or never ran is <skipped>. Always well-formed, whatever an agent puts
// into its strings.
#pragma once

#include <filesystem>
#include <string>

#include "engine/result.h"

namespace linecheck::engine::report {

struct JunitOptions {
  std::filesystem::path relative_to =
      {};  ///< attachments are named relative to this folder; empty: as recorded
};

[[nodiscard]] std::string junit_xml(const Result& result, const JunitOptions& options = {});

}  // namespace linecheck::engine::report
