// SPDX-License-Identifier: GPL-3.0-or-later
//
// The synthetic caller's turn-taking, as a state machine without a clock, a thread or a socket of its own: it
// is told what was heard and what was played, with times on the call's clock, and says what to do next and
// when it wants to be asked again. The call coroutine drives it; tests drive it in virtual time.
//
//   agent:  |== greeting ==|            |===== reply =====|
//   caller:                |wait|delay|== line 1 ==|      |wait|delay|== line 2 ...
//
// `wait` (start_speaking_plan) decides that the agent's turn is over, `delay` (response_delay) is the
// caller's own reaction. A line that begins with an interruption starts that long after the agent began,
// without waiting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/call/call_record.h"
#include "engine/persona/script.h"

namespace linecheck::engine {

/// A personality's habits in ms, ready for arithmetic.
struct Habits {
  double wait_ms = 500;
  double response_delay_ms = 250;
  double stop_voice_ms = 400;
  double backoff_ms = 1000;
  double idle_timeout_ms = 10'000;
  int idle_messages = 3;
  double max_duration_ms = 600'000;

  static Habits of(const scheduler::Personality& personality, const scheduler::Scenario& scenario);
};

struct SayAction {
  std::size_t clip = 0;
  std::uint64_t tag = 0;
  bool barge_in = false;
  bool idle_prompt = false;
  double intended_ms = 0;  ///< when it should begin
};
struct StopTalkingAction {};
struct DigitsAction {
  std::string digits;
  std::uint64_t tag = 0;
};
struct LineAction {
  scheduler::NetworkSimulation network;
};
struct HangUpAction {
  std::string reason;  ///< caller-ended-call, script-finished, agent-silent, max-duration
};
using PersonaAction = std::variant<SayAction, StopTalkingAction, DigitsAction, LineAction, HangUpAction>;

class Persona {
 public:
  Persona(const Script& script, Habits habits);

  // What happened; times in ms on the call's clock.
  void answered(double t);
  void agent_started(double t);
  void agent_ended(double t);
  void play_ended(std::uint64_t tag, double t);
  void digits_sent(std::uint64_t tag, double t);

  /// What to do now. Call after every event and at the deadline.
  std::vector<PersonaAction> poll(double now);

  /// When poll has something to decide without a further event.
  [[nodiscard]] double deadline() const;

  /// The utterance with that tag was cut short because the agent spoke.
  [[nodiscard]] bool was_interrupted(std::uint64_t tag) const { return interrupted_tag_ == tag; }

 private:
  enum class State {
    idle,       ///< not answered yet
    listening,  ///< the agent's turn, or nobody's
    due,        ///< a turn is decided, starts at due_at_
    talking,
    pressing,
    pausing,
    done,
  };

  [[nodiscard]] bool finished() const { return line_ >= script_.lines.size(); }
  [[nodiscard]] const InterruptionStep* leading_interruption() const;
  void listen(double now, std::vector<PersonaAction>& actions);
  void watch_for_interruption(double now, std::vector<PersonaAction>& actions);
  void advance_line(double now, std::vector<PersonaAction>& actions);
  void line_done(double now);
  void hang_up(std::string reason, std::vector<PersonaAction>& actions);
  void became_quiet(double t);

  const Script& script_;
  Habits habits_;
  State state_ = State::idle;
  std::size_t line_ = 0;
  std::size_t step_ = 0;
  std::uint64_t next_tag_ = 1;
  std::uint64_t current_tag_ = 0;
  std::uint64_t interrupted_tag_ = 0;
  bool stopping_ = false;     ///< StopTalking was given, its play_ended is awaited
  bool skip_speech_ = false;  ///< the rest of this line is cut to what is not speech
  bool barging_in_ = false;
  bool idle_talk_ = false;  ///< what plays is an idle prompt
  bool agent_speaking_ = false;
  bool heard_reply_ = false;  ///< the agent has spoken since our last line
  double agent_start_ = 0;
  double agent_end_ = 0;
  double answered_at_ = 0;
  double talk_started_ = 0;
  double quiet_since_ = 0;  ///< both silent since
  double due_at_ = 0;
  double pause_until_ = 0;
  double backoff_until_ = 0;
  int idle_messages_said_ = 0;
};

}  // namespace linecheck::engine
