// SPDX-License-Identifier: GPL-3.0-or-later
//
// The SIP messages of a call as a ladder: one column a host, one arrow a message, in text (`linecheck show ID
// --ladder`) and as data for the page.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/result.h"

namespace linecheck::engine::report {

struct LadderStep {
  double t_ms = 0;
  double delta_ms = 0;   ///< since the message before it
  std::size_t from = 0;  ///< column
  std::size_t to = 0;
  std::string label;            ///< "INVITE (SDP)", "200 OK (INVITE)"
  bool retransmission = false;  ///< same start line, CSeq and Via branch as an earlier one the same way
  std::size_t message = 0;      ///< index in CallRecord::sip
};

struct Ladder {
  std::vector<std::string> columns;  ///< address:port, ours first
  std::vector<LadderStep> steps;     ///< in order of time
};

[[nodiscard]] Ladder ladder_of(const CallRecord& call);

struct LadderOptions {
  bool unicode = true;
  int column_width = 34;
};

/// Ends with a newline. A call without messages gives a line that says so.
[[nodiscard]] std::string text_ladder(const Run& run, const LadderOptions& options = {});

}  // namespace linecheck::engine::report
