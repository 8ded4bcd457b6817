// SPDX-License-Identifier: GPL-3.0-or-later
//
// The runs that wait for an agent's call, and which of them a call from outside belongs to: decided by the
// number that it called, the number that it came from and its X-Run-Id. Pure logic: no clock, no network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <vector>

#include "engine/call/switchboard.h"

namespace linecheck::engine {

/// The call that a run waits for.
struct ExpectedCall {
  std::int64_t run_id = 0;
  std::int64_t result_id = 0;
  std::size_t endpoint = 0;
  std::string number;                     ///< of ours, as configured
  std::vector<std::string> number_forms;  ///< as it may be written on the wire
  std::string caller;                     ///< whom it must come from, as configured; empty: anybody
  std::vector<std::string> caller_forms;
  bool by_header = false;  ///< the agent sends X-Run-Id, so several runs may share the number at once
};

/// `number`, and what a trunk's rules make of it, as they are compared: without what is only punctuation.
[[nodiscard]] std::vector<std::string> number_forms(const std::string& number, const std::string& as_written);

class WaitingRuns {
 public:
  enum class State {
    in_line,  ///< somebody else has its number
    holding,  ///< it has its number, and has not asked for its call yet
    open,     ///< its call is let in
    taken,    ///< it has its call
  };
  struct Entry {
    ExpectedCall call;
    CallInbox* inbox = nullptr;
    State state = State::in_line;
    std::uint64_t refused = 0;  ///< calls that were near to it
    std::string last_refusal;
  };
  using Entries = std::list<Entry>;

  /// What a call is told that fits nobody.
  struct Refusal {
    int status = 0;
    std::string reason;
    std::int64_t run_id = 0;  ///< that it was nearest to; 0: none
    std::int64_t result_id = 0;
  };

  Entries::iterator enter(ExpectedCall call, CallInbox* inbox);
  void leave(Entries::iterator entry);
  /// Those whose turn has come: they hold their numbers from now on. First come, first served: nobody
  /// overtakes who waits for the same number.
  std::vector<Entry*> admit();

  /// The run that the call belongs to, which has it from now on; nullptr: `refusal` says why not.
  Entry* take(std::size_t endpoint, const sip::Incoming& incoming, Refusal& refusal);

 private:
  struct Past {
    ExpectedCall call;
    bool had_its_call;
  };

  Entry* match(std::size_t endpoint, const sip::Incoming& incoming, Refusal& refusal);
  Entry* match_run(std::size_t endpoint, std::int64_t run_id, const sip::Incoming& incoming,
                   Refusal& refusal);
  [[nodiscard]] Refusal wrong_number(std::size_t endpoint, const sip::Incoming& incoming) const;

  Entries entries_;
  std::deque<Past> past_;  ///< the latest, so that who comes too late is told so
};

}  // namespace linecheck::engine
