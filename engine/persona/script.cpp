// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/script.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "scheduler/action.h"

namespace linecheck::engine {
namespace {

struct IdlePrompt {
  std::string_view language;
  const char* text;
};
constexpr IdlePrompt kIdlePrompts[] = {
    {"en", "Hello? Are you still there?"},    {"de", "Hallo? Sind Sie noch da?"},
    {"fr", "Allô ? Vous êtes toujours là ?"}, {"es", "¿Hola? ¿Sigue ahí?"},
    {"it", "Pronto? È ancora lì?"},           {"pt", "Alô? Você ainda está aí?"},
    {"nl", "Hallo? Bent u er nog?"},          {"pl", "Halo? Czy jest pan tam jeszcze?"},
};

const char* idle_prompt(std::string_view language) {
  const std::string_view base = language.substr(0, language.find('-'));
  for (const IdlePrompt& prompt : kIdlePrompts) {
    if (prompt.language == base) return prompt.text;
  }
  return "Hello?";
}

class Compiler {
 public:
  std::size_t clip(const std::string& text) {
    const auto found = std::find(script_.texts.begin(), script_.texts.end(), text);
    if (found != script_.texts.end()) return static_cast<std::size_t>(found - script_.texts.begin());
    script_.texts.push_back(text);
    return script_.texts.size() - 1;
  }

  void line(const scheduler::Condition& condition, const scheduler::Variables& variables) {
    scheduler::Problems none;  // the loader has refused what is wrong
    ScriptLine line;
    line.condition_id = condition.id;
    for (const auto& step : scheduler::resolve(
             scheduler::parse_action(condition.action, condition.action_mark, none), variables)) {
      line.steps.push_back(std::visit([this](const auto& s) { return convert(s); }, step));
    }
    script_.lines.push_back(std::move(line));
  }

  Script finish(const std::string& language) {
    script_.idle_clip = clip(idle_prompt(language));
    return std::move(script_);
  }

 private:
  Step convert(const scheduler::Say& say) { return SayStep{clip(say.text)}; }
  Step convert(const scheduler::Silence& silence) { return SilenceStep{scheduler::as_ms(silence.time)}; }
  Step convert(const scheduler::Dtmf& dtmf) { return DigitsStep{dtmf.digits}; }
  Step convert(const scheduler::Interruption& cue) { return InterruptionStep{scheduler::as_ms(cue.time)}; }
  Step convert(const scheduler::NetworkSimulation& network) { return LineStep{network}; }
  Step convert(const scheduler::EndCall&) { return EndCallStep{}; }

  Script script_;
};

}  // namespace

bool Script::barges_in() const {
  return std::any_of(lines.begin(), lines.end(), [](const ScriptLine& line) {
    return !line.steps.empty() && std::holds_alternative<InterruptionStep>(line.steps.front());
  });
}

Script compile_script(const scheduler::Scenario& scenario, const scheduler::TestProfile* profile,
                      const std::string& language) {
  static const scheduler::Variables kNone;
  const scheduler::Variables& variables = profile != nullptr ? profile->testing_agent_variables : kNone;
  const auto& conditions = scenario.conditional_actions.conditions;
  Compiler compiler;
  const auto first = std::find_if(conditions.begin(), conditions.end(),
                                  [](const scheduler::Condition& c) { return !c.parent_id; });
  if (first != conditions.end()) compiler.line(*first, variables);
  // Follow-ups form a chain from FIRST_MESSAGE; of several with one parent the first as written is taken.
  for (const scheduler::Condition* parent = first != conditions.end() ? &*first : nullptr;
       parent != nullptr;) {
    const auto next = std::find_if(
        conditions.begin(), conditions.end(),
        [parent](const scheduler::Condition& c) { return c.parent_id && *c.parent_id == parent->id; });
    if (next == conditions.end()) break;
    compiler.line(*next, variables);
    parent = &*next;
  }
  return compiler.finish(language);
}

}  // namespace linecheck::engine
