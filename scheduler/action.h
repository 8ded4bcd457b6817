// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a fixed message does, step by step, left to right:
//   "<interruption time=\"1s\"/>My account is {{test_profile.account}}. <dtmf digits=\"1#\"/><endcall/>"
// The text is parsed first and the profile's values go in afterwards, so that a value can never become a tag.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "scheduler/model.h"

namespace linecheck::scheduler {

/// Words for the voice; may hold {{test_profile.key}} until resolve().
struct Say {
  std::string text;
};
/// The caller is quiet, its noise bed goes on, its idle timer runs; can be interrupted.
struct Silence {
  Millis time{0};
};
/// Keys 0-9 * # A-D; may hold {{test_profile.key}} until resolve().
struct Dtmf {
  std::string digits;
};
/// Barge in that long after the agent starts to speak. Always the first step.
struct Interruption {
  Millis time{0};
};
/// The line's quality from here on: what is not named is perfect.
struct NetworkSimulation {
  bool send = true;
  bool receive = true;
  LineImpairment line;
};
/// Hang up. Always the last step.
struct EndCall {};

using ActionStep = std::variant<Say, Silence, Dtmf, Interruption, NetworkSimulation, EndCall>;
using Variables = std::map<std::string, std::string>;

/// The steps of an action. Bad or unknown tags, tags that this version can't do, and placeholders of a bad
/// form are Problems at `mark`; what can be read is still returned. Empty text gives no steps.
std::vector<ActionStep> parse_action(std::string_view text, const Mark& mark, Problems& problems,
                                     const std::string& field = {});

/// The keys of all {{test_profile.key}} in a text, each once, in order of appearance.
std::vector<std::string> placeholders(std::string_view text);

/// Puts the values in. A key that `variables` lacks stays as it was written (loading a job refuses such).
std::string substitute(std::string_view text, const Variables& variables);

/// The steps with all values in.
std::vector<ActionStep> resolve(std::vector<ActionStep> steps, const Variables& variables);

/// What is wrong with an action for one profile's values: keys that are missing, values in <dtmf> that are
/// not keys of a telephone. One message each; empty: all good.
std::vector<std::string> check_variables(const std::vector<ActionStep>& steps, const TestProfile* profile);

}  // namespace linecheck::scheduler
