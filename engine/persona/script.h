// SPDX-License-Identifier: GPL-3.0-or-later
//
// A scenario's conditional actions as the lines of one call: placeholders filled in from the test profile,
// tags taken apart, every text that will be spoken listed once so that it can be synthesised before the call
// is dialled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "scheduler/action.h"
#include "scheduler/model.h"

namespace linecheck::engine {

/// What a line does, left to right. `clip` indexes Script::texts.
struct SayStep {
  std::size_t clip = 0;
};
struct SilenceStep {
  double ms = 0;
};
struct DigitsStep {
  std::string digits;
};
/// Barge in `after_ms` after the agent starts to speak. Stands first in its line.
struct InterruptionStep {
  double after_ms = 0;
};
/// The line is like this from here on.
struct LineStep {
  scheduler::NetworkSimulation network;
};
struct EndCallStep {};
using Step = std::variant<SayStep, SilenceStep, DigitsStep, InterruptionStep, LineStep, EndCallStep>;

struct ScriptLine {
  int condition_id = 0;
  std::vector<Step> steps;
};

struct Script {
  /// lines[0] is FIRST_MESSAGE, without steps where the agent speaks first; each further line is the
  /// follow-up of the one before it.
  std::vector<ScriptLine> lines;
  std::vector<std::string> texts;
  std::size_t idle_clip = 0;  ///< "Are you still there?", in the scenario's language

  [[nodiscard]] bool barges_in() const;
};

/// The scenario was checked when it was loaded, so this cannot fail.
Script compile_script(const scheduler::Scenario& scenario, const scheduler::TestProfile* profile,
                      const std::string& language);

}  // namespace linecheck::engine
