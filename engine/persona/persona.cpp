// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/persona.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace linecheck::engine {
namespace {

constexpr double kNever = std::numeric_limits<double>::max();

}  // namespace

Habits Habits::of(const scheduler::Personality& personality, const scheduler::Scenario& scenario) {
  Habits habits;
  habits.wait_ms = scheduler::as_ms(personality.start_speaking_plan.wait);
  habits.stop_voice_ms = scheduler::as_ms(personality.stop_speaking_plan.voice);
  habits.backoff_ms = scheduler::as_ms(personality.stop_speaking_plan.backoff);
  habits.response_delay_ms = scheduler::as_ms(personality.response_delay);
  habits.idle_timeout_ms = scheduler::as_ms(personality.message_plan.idle_timeout);
  habits.idle_messages = personality.message_plan.idle_message_max_spoken_count;
  habits.max_duration_ms = scheduler::as_ms(scenario.max_duration);
  return habits;
}

Persona::Persona(const Script& script, Habits habits) : script_(script), habits_(habits) {
}

void Persona::answered(double t) {
  answered_at_ = t;
  quiet_since_ = t;
  agent_end_ = t;
  state_ = State::listening;
  if (script_.lines.empty()) return;
  if (script_.lines.front().steps.empty()) {
    line_ = 1;  // the agent greets first; its greeting is what the first follow-up answers
  } else {
    state_ = State::due;
    due_at_ = t + habits_.response_delay_ms;
  }
}

void Persona::agent_started(double t) {
  agent_speaking_ = true;
  agent_start_ = t;
  heard_reply_ = true;
  if (state_ == State::due && !barging_in_) state_ = State::listening;  // it had not finished after all
}

void Persona::agent_ended(double t) {
  agent_speaking_ = false;
  heard_reply_ = true;
  agent_end_ = t;
  became_quiet(t);
  idle_messages_said_ = 0;
}

void Persona::play_ended(std::uint64_t tag, double t) {
  if (tag != current_tag_ || state_ != State::talking) return;
  became_quiet(t);
  if (std::exchange(idle_talk_, false)) {
    state_ = State::listening;
    stopping_ = false;
    return;
  }
  if (std::exchange(stopping_, false)) {
    skip_speech_ = true;
    backoff_until_ = t + habits_.backoff_ms;
    heard_reply_ = true;
    ++step_;
    state_ = State::listening;
    const auto& steps = script_.lines[line_].steps;
    const bool more =
        std::any_of(steps.begin() + static_cast<std::ptrdiff_t>(step_), steps.end(), [](const Step& s) {
          return std::holds_alternative<DigitsStep>(s) || std::holds_alternative<LineStep>(s) ||
                 std::holds_alternative<EndCallStep>(s);
        });
    if (!more) line_done(t);
    heard_reply_ = true;  // what interrupted us is the agent's reply
    return;
  }
  ++step_;
  state_ = State::due;
  due_at_ = t;
}

void Persona::digits_sent(std::uint64_t tag, double t) {
  if (tag != current_tag_ || state_ != State::pressing) return;
  became_quiet(t);
  ++step_;
  state_ = State::due;
  due_at_ = t;
}

std::vector<PersonaAction> Persona::poll(double now) {
  std::vector<PersonaAction> actions;
  if (state_ == State::idle || state_ == State::done) return actions;
  if (now >= answered_at_ + habits_.max_duration_ms) {
    hang_up("max-duration", actions);
    return actions;
  }
  if (state_ == State::listening) listen(now, actions);
  if (state_ == State::talking) watch_for_interruption(now, actions);
  if (state_ == State::pausing && now >= pause_until_) {
    ++step_;
    due_at_ = now;
    state_ = State::due;
    if (agent_speaking_) {  // it took the floor in the pause: the line goes on after its turn
      heard_reply_ = true;
      state_ = State::listening;
    }
  }
  if (state_ == State::due && now >= due_at_) advance_line(now, actions);
  return actions;
}

double Persona::deadline() const {
  if (state_ == State::idle || state_ == State::done) return kNever;
  double next = answered_at_ + habits_.max_duration_ms;
  if (state_ == State::due) next = std::min(next, due_at_);
  if (state_ == State::pausing) next = std::min(next, pause_until_);
  if (state_ == State::talking && agent_speaking_ && !barging_in_ && !stopping_) {
    next = std::min(next, std::max(agent_start_, talk_started_) + habits_.stop_voice_ms);
  }
  if (state_ == State::listening) {
    if (agent_speaking_) {
      if (const auto* cue = leading_interruption()) next = std::min(next, agent_start_ + cue->after_ms);
    } else if (heard_reply_) {
      next = std::min(next, std::max(agent_end_ + habits_.wait_ms, backoff_until_));
    } else {
      next = std::min(next, quiet_since_ + habits_.idle_timeout_ms);
    }
  }
  return next;
}

const InterruptionStep* Persona::leading_interruption() const {
  if (finished() || step_ != 0) return nullptr;
  const auto& steps = script_.lines[line_].steps;
  return steps.empty() ? nullptr : std::get_if<InterruptionStep>(&steps.front());
}

void Persona::listen(double now, std::vector<PersonaAction>& actions) {
  if (agent_speaking_) {
    const auto* cue = leading_interruption();
    if (cue != nullptr && now >= agent_start_ + cue->after_ms) {
      barging_in_ = true;
      due_at_ = agent_start_ + cue->after_ms;
      state_ = State::due;
    }
    return;
  }
  if (heard_reply_) {
    const double decided = std::max(agent_end_ + habits_.wait_ms, backoff_until_);
    if (now < decided) return;
    if (finished()) {
      hang_up("script-finished", actions);
      return;
    }
    state_ = State::due;
    due_at_ = decided + habits_.response_delay_ms;
    return;
  }
  if (now < quiet_since_ + habits_.idle_timeout_ms) return;
  if (finished()) {
    hang_up("script-finished", actions);
  } else if (idle_messages_said_ >= habits_.idle_messages) {
    hang_up("agent-silent", actions);
  } else {
    ++idle_messages_said_;
    idle_talk_ = true;
    barging_in_ = false;
    state_ = State::talking;
    talk_started_ = now;
    current_tag_ = next_tag_++;
    SayAction prompt;
    prompt.clip = script_.idle_clip;
    prompt.tag = current_tag_;
    prompt.idle_prompt = true;
    prompt.intended_ms = quiet_since_ + habits_.idle_timeout_ms;
    actions.emplace_back(prompt);
  }
}

void Persona::watch_for_interruption(double now, std::vector<PersonaAction>& actions) {
  if (!agent_speaking_ || barging_in_ || stopping_) return;
  if (now < std::max(agent_start_, talk_started_) + habits_.stop_voice_ms) return;
  stopping_ = true;
  interrupted_tag_ = current_tag_;
  actions.emplace_back(StopTalkingAction{});
}

void Persona::advance_line(double now, std::vector<PersonaAction>& actions) {
  const auto& steps = script_.lines[line_].steps;
  for (; step_ < steps.size(); ++step_) {
    const Step& step = steps[step_];
    if (std::holds_alternative<InterruptionStep>(step))
      continue;  // it has decided when; here the line begins
    if (const auto* say = std::get_if<SayStep>(&step)) {
      if (skip_speech_) continue;
      state_ = State::talking;
      talk_started_ = now;
      current_tag_ = next_tag_++;
      SayAction action;
      action.clip = say->clip;
      action.tag = current_tag_;
      action.barge_in = barging_in_ && agent_speaking_;
      action.intended_ms = due_at_;
      actions.emplace_back(action);
      return;
    }
    if (const auto* silence = std::get_if<SilenceStep>(&step)) {
      if (skip_speech_) continue;
      state_ = State::pausing;
      pause_until_ = now + silence->ms;
      return;
    }
    if (const auto* line = std::get_if<LineStep>(&step)) {
      actions.emplace_back(LineAction{line->network});
      continue;
    }
    if (const auto* press = std::get_if<DigitsStep>(&step)) {
      state_ = State::pressing;
      current_tag_ = next_tag_++;
      DigitsAction action;
      action.digits = press->digits;
      action.tag = current_tag_;
      actions.emplace_back(action);
      return;
    }
    hang_up("caller-ended-call", actions);
    return;
  }
  line_done(now);
}

void Persona::line_done(double now) {
  ++line_;
  step_ = 0;
  skip_speech_ = false;
  barging_in_ = false;
  heard_reply_ = agent_speaking_;  // an agent that speaks on after our last word is replying
  became_quiet(now);
  state_ = State::listening;
}

void Persona::hang_up(std::string reason, std::vector<PersonaAction>& actions) {
  state_ = State::done;
  HangUpAction action;
  action.reason = std::move(reason);
  actions.emplace_back(std::move(action));
}

void Persona::became_quiet(double t) {
  quiet_since_ = std::max(quiet_since_, t);
}

}  // namespace linecheck::engine
