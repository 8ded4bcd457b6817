// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the built-in reference agent does, as its agent.yaml says it. Times in ms.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/model.h"
#include "sip/sdp.h"

namespace linecheck::engine {

struct Behaviour {
  // Which calls: both must hold where both are given; the first behaviour that matches takes the call.
  std::string match_user;                      ///< request-URI user; empty: any
  std::optional<std::int64_t> match_scenario;  ///< X-Scenario-Id

  double answer_after_ms = 0;
  int reject_status = 0;      ///< instead of answering: 486, 503, ...
  bool never_answer = false;  ///< rings until the caller gives up
  std::string greeting;
  double greeting_after_ms = 300;

  /// From the end of the caller's turn to the agent's first sample, as this agent decides that end: corrected
  /// for the `end_of_turn` that it had to wait, and so never below it.
  double reply_after_ms = 700;
  std::vector<std::string> replies;
  bool hang_up_after_replies = false;
  double end_of_turn_ms = 400;  ///< silence that it takes for the caller's end of turn

  std::optional<double> yield_after_ms =
      250.0;  ///< how fast it stops when talked over; nullopt: does not stop
  double cut_in_probability = 0;
  double cut_in_after_ms = 600;  ///< after the caller's first sound

  std::string menu;  ///< said instead of the greeting
  std::map<char, std::string> menu_answers;
  double menu_timeout_ms = 5000;  ///< without a digit the menu is said again

  std::optional<double> hang_up_after_ms;  ///< after the answer, whatever goes on
  std::string voice = "flite:rms";         ///< engine:voice
};

/// How the agent calls somebody who asks it to (order_listener.h).
struct OutboundConfig {
  std::string listen;  ///< address:port, for HTTP
  std::string target;  ///< sip:host[:port]: where its calls go, whatever number is asked for
  std::string number;  ///< its own, where the order names none
  double dial_after_ms = 0;
};

struct ReferenceAgentConfig {
  std::string listen = "udp:127.0.0.1:5080";
  std::string truth_log;  ///< empty: none; relative to the working directory
  std::uint64_t seed = 1;
  std::uint16_t port_first = 20000;
  std::uint16_t port_last = 29999;
  std::vector<scheduler::Codec> codecs{scheduler::Codec::pcmu, scheduler::Codec::pcma};
  /// off: encrypted offers are refused; offer: they are answered; require: others are refused.
  sip::Srtp srtp = sip::Srtp::offer;
  std::vector<Behaviour> behaviours;
  std::optional<OutboundConfig> outbound;

  [[nodiscard]] const Behaviour* find(const std::string& user, std::optional<std::int64_t> scenario) const;
  /// Every text that it may have to say, once each.
  [[nodiscard]] std::vector<std::string> texts(const Behaviour& behaviour) const;
};

/// Reads agent.yaml; nullopt with problems where it is wrong.
std::optional<ReferenceAgentConfig> load_reference_agent(const std::string& path,
                                                         std::vector<scheduler::Problem>& problems);

}  // namespace linecheck::engine
