// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/agent/attendant.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace linecheck::engine {
namespace {

constexpr double kNoDeadline = std::numeric_limits<double>::max();
/// A sound over our own speech that is shorter is a backchannel and wants no answer.
constexpr double kShortestTurnMs = 300;

}  // namespace

Attendant::Attendant(const Behaviour& behaviour, std::uint64_t seed) : behaviour_(behaviour), random_(seed) {
}

void Attendant::answered(double t) {
  up_ = true;
  answered_at_ = t;
  const std::string& opening = behaviour_.menu.empty() ? behaviour_.greeting : behaviour_.menu;
  if (opening.empty()) return;
  say_at_ = t + behaviour_.greeting_after_ms;
  say_text_ = opening;
}

void Attendant::caller_started(double t) {
  caller_speaking_ = true;
  caller_start_ = t;
  if (speaking_) {
    caller_overlapped_ = true;
    if (behaviour_.yield_after_ms) yield_at_ = t + *behaviour_.yield_after_ms;
    return;
  }
  if (!opened_) return;  // a greeting does not wait
  say_at_.reset();       // it goes on: what we were about to say waits for the end of its turn
  if (behaviour_.cut_in_probability > 0 && next_reply_ < behaviour_.replies.size() &&
      std::uniform_real_distribution<double>(0, 1)(random_) < behaviour_.cut_in_probability) {
    cut_in_at_ = t + behaviour_.cut_in_after_ms;
  }
}

void Attendant::caller_ended(double t) {
  caller_speaking_ = false;
  caller_end_ = t;
  cut_in_at_.reset();
  if (speaking_) {
    yield_at_.reset();
    if (t - caller_start_ < kShortestTurnMs) caller_overlapped_ = false;
    return;
  }
  schedule_reply(t);
}

void Attendant::schedule_reply(double caller_end) {
  if (!opened_ && say_at_) return;  // a sound before our greeting is not answered: the greeting comes
  const bool in_menu = !behaviour_.menu.empty() && !menu_done_;
  if (in_menu || next_reply_ >= behaviour_.replies.size()) return;
  say_at_ = caller_end + std::max(behaviour_.reply_after_ms, behaviour_.end_of_turn_ms);
  say_text_ = behaviour_.replies[next_reply_];
}

void Attendant::digit(char digit, double t) {
  const auto answer = behaviour_.menu_answers.find(digit);
  if (answer == behaviour_.menu_answers.end()) return;
  menu_again_at_.reset();
  menu_done_ = true;
  say_at_ = t + behaviour_.reply_after_ms;
  say_text_ = answer->second;
  if (speaking_) yield_at_ = t;  // pressing a key stops the menu
}

void Attendant::play_ended(double t) {
  speaking_ = false;
  yield_at_.reset();
  yielding_ = false;
  if (last_said_) return;
  if (!behaviour_.menu.empty() && !menu_done_) menu_again_at_ = t + behaviour_.menu_timeout_ms;
  if (std::exchange(caller_overlapped_, false) && !caller_speaking_) schedule_reply(std::max(t, caller_end_));
}

std::vector<AttendantAction> Attendant::poll(double now) {
  std::vector<AttendantAction> actions;
  if (!up_ || done_) return actions;
  const bool out_of_time = behaviour_.hang_up_after_ms && now >= answered_at_ + *behaviour_.hang_up_after_ms;
  if (out_of_time || (last_said_ && !speaking_)) {
    done_ = true;
    actions.emplace_back(AttendantHangUp{});
    return actions;
  }
  if (speaking_) {
    if (yield_at_ && now >= *yield_at_ && !yielding_) {
      yielding_ = true;
      actions.emplace_back(AttendantYield{});
    }
    return actions;
  }
  if (cut_in_at_ && now >= *cut_in_at_) {
    cut_in_at_.reset();
    say(behaviour_.replies[next_reply_], true, actions);
  } else if (say_at_ && now >= *say_at_) {
    say(say_text_, false, actions);
  } else if (menu_again_at_ && now >= *menu_again_at_) {
    say(behaviour_.menu, false, actions);
  }
  return actions;
}

void Attendant::say(std::string text, bool cut_in, std::vector<AttendantAction>& actions) {
  speaking_ = true;
  opened_ = true;
  say_at_.reset();
  menu_again_at_.reset();
  if (next_reply_ < behaviour_.replies.size() && text == behaviour_.replies[next_reply_]) {
    ++next_reply_;
    last_said_ = behaviour_.hang_up_after_replies && next_reply_ == behaviour_.replies.size();
  } else if (behaviour_.hang_up_after_replies && behaviour_.replies.empty() && menu_done_) {
    last_said_ = true;
  }
  AttendantSay action;
  action.text = std::move(text);
  action.cut_in = cut_in;
  actions.emplace_back(std::move(action));
}

double Attendant::deadline() const {
  if (!up_ || done_) return kNoDeadline;
  double next = kNoDeadline;
  const auto earlier = [&next](const std::optional<double>& t) {
    if (t) next = std::min(next, *t);
  };
  if (behaviour_.hang_up_after_ms) next = answered_at_ + *behaviour_.hang_up_after_ms;
  if (speaking_) {
    if (!yielding_) earlier(yield_at_);
    return next;
  }
  earlier(say_at_);
  earlier(cut_in_at_);
  earlier(menu_again_at_);
  if (last_said_) next = std::min(next, answered_at_);
  return next;
}

}  // namespace linecheck::engine
