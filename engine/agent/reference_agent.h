// SPDX-License-Identifier: GPL-3.0-or-later
//
// `linecheck agent`: something real to call. Answers SIP calls on one address, as many at once as come, and
// behaves in each as its file says. It is made of the same SIP and media parts as the caller, and of no
// measuring part: what it writes into its truth log comes from the samples it sent, not from a detector.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/agent/attendant.h"
#include "engine/agent/truth_log.h"
#include "engine/call/switchboard.h"
#include "engine/persona/voices.h"

namespace linecheck::engine {

class ReferenceAgent {
 public:
  /// Throws std::runtime_error (truth log) and what Switchboard throws for the address.
  ReferenceAgent(boost::asio::io_context& control, ReferenceAgentConfig config, Voices& voices);

  /// Has every text spoken, then opens the SIP port. Throws std::runtime_error with a text for the user.
  boost::asio::awaitable<void> start();
  /// "udp:127.0.0.1:5080", as bound.
  [[nodiscard]] std::string address();
  /// Hangs up every call and waits until the last is over.
  boost::asio::awaitable<void> stop();
  [[nodiscard]] std::size_t calls() const { return inboxes_.size(); }

 private:
  struct Guest;  // one call

  /// Has everything spoken that it may have to say.
  boost::asio::awaitable<void> rehearse(const Behaviour& behaviour, int rate);
  void welcome(std::size_t endpoint, sip::Event event);
  boost::asio::awaitable<void> attend(sip::LegId leg, sip::Incoming incoming,
                                      std::shared_ptr<CallInbox> inbox);
  boost::asio::awaitable<bool> ring(Guest& guest, const Behaviour& behaviour);
  bool accept(Guest& guest);
  bool start_media(Guest& guest, const sip::Negotiated& agreed);
  boost::asio::awaitable<void> converse(Guest& guest);
  boost::asio::awaitable<void> take_leave(Guest& guest);
  void perform(Guest& guest, const AttendantAction& action);
  void hear(Guest& guest, media::Event& event);
  void hear_key(Guest& guest, const media::DigitEvent& key);
  void speech_stopped(Guest& guest, const media::PlayEnded& ended, double t_ms);

  boost::asio::io_context& control_;
  ReferenceAgentConfig config_;
  Voices& voices_;
  Switchboard switchboard_;
  boost::asio::steady_timer guest_left_;  ///< cancelled whenever a call is over
  TruthLog truth_;
  std::string host_;
  std::map<std::tuple<std::string, std::string, int>, media::ClipPtr> clips_;  ///< by voice, text, rate
  std::map<std::uint64_t, std::shared_ptr<CallInbox>> inboxes_;
  std::uint64_t calls_taken_ = 0;
};

}  // namespace linecheck::engine
