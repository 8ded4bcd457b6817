// SPDX-License-Identifier: GPL-3.0-or-later
//
// The reference agent on one call: when it greets, replies, cuts in, yields, answers digits and hangs up. A
// state machine without a clock of its own, driven by the agent's call coroutine and by tests in virtual
// time.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "engine/agent/behaviour.h"

namespace linecheck::engine {

struct AttendantSay {
  std::string text;
  bool cut_in = false;
};
struct AttendantYield {};
struct AttendantHangUp {};
using AttendantAction = std::variant<AttendantSay, AttendantYield, AttendantHangUp>;

class Attendant {
 public:
  Attendant(const Behaviour& behaviour, std::uint64_t seed);

  // Times in ms on the call's clock; caller_* are what the live detector heard.
  void answered(double t);
  void caller_started(double t);
  void caller_ended(double t);
  void digit(char digit, double t);
  void play_ended(double t);

  std::vector<AttendantAction> poll(double now);
  [[nodiscard]] double deadline() const;

 private:
  void say(std::string text, bool cut_in, std::vector<AttendantAction>& actions);
  void schedule_reply(double caller_end);

  const Behaviour& behaviour_;
  std::mt19937_64 random_;
  bool up_ = false;
  bool done_ = false;
  bool speaking_ = false;
  bool opened_ = false;  ///< has said its greeting, or anything
  bool yielding_ = false;
  bool caller_speaking_ = false;
  bool caller_overlapped_ =
      false;  ///< the caller began while we spoke, so it wants an answer when we are done
  bool last_said_ = false;
  bool menu_done_ = false;  ///< a key was answered
  double answered_at_ = 0;
  double caller_start_ = 0;
  double caller_end_ = 0;
  std::size_t next_reply_ = 0;
  std::optional<double> say_at_;
  std::string say_text_;
  std::optional<double> cut_in_at_;
  std::optional<double> yield_at_;
  std::optional<double> menu_again_at_;
};

}  // namespace linecheck::engine
