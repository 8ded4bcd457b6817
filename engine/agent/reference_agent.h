// SPDX-License-Identifier: GPL-3.0-or-later
//
// `linecheck agent`: something real to call. Answers SIP calls on one address, as many at once as come, calls
// who asks it to by HTTP, and behaves in each call as its file says. It is made of the same SIP and media
// parts as the caller, and of no measuring part: what it writes into its truth log comes from the samples it
// sent, not from a detector.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/agent/attendant.h"
#include "engine/agent/order_listener.h"
#include "engine/agent/truth_log.h"
#include "engine/call/switchboard.h"
#include "engine/persona/voices.h"

namespace linecheck::engine {

/// Which scenario a caller says that it plays (X-Scenario-Id).
[[nodiscard]] std::optional<std::int64_t> scenario_of(const std::vector<sip::Header>& headers);

class ReferenceAgent {
 public:
  /// Throws std::runtime_error (truth log) and what Switchboard throws for the address.
  ReferenceAgent(boost::asio::io_context& control, ReferenceAgentConfig config, Voices& voices);

  /// Has every text spoken, then opens the SIP port. Throws std::runtime_error with a text for the user.
  boost::asio::awaitable<void> start();
  /// "udp:127.0.0.1:5080", as bound.
  [[nodiscard]] std::string address();
  /// Where it is asked to call; empty: it does not do that.
  [[nodiscard]] std::string order_url() const { return orders_ ? orders_->url() : ""; }
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
  /// Calls somebody.
  void take_order(CallOrder order);
  boost::asio::awaitable<void> call_out(sip::LegId leg, CallOrder order, std::shared_ptr<CallInbox> inbox);
  boost::asio::awaitable<bool> dial(Guest& guest, CallOrder order);
  bool on_dialling(Guest& guest, sip::Event& event);

  boost::asio::awaitable<bool> ring(Guest& guest, const Behaviour& behaviour);
  bool accept(Guest& guest);
  [[nodiscard]] sip::OfferOptions own_side() const;
  void open_media(Guest& guest);
  void leave(sip::LegId leg);
  void hear_signalling(Guest& guest, const sip::Event& event);
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
  std::unique_ptr<OrderListener> orders_;
};

}  // namespace linecheck::engine
