// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where the threads meet. The switchboard owns the SIP endpoints and the media engine, brings their events
// over to the control thread and puts each into the inbox of the call that it belongs to. Calls on the
// control thread, and only there, are connected to it; what arrives for a leg that nobody is connected to is
// dropped.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "engine/call/inbox.h"
#include "media/engine.h"
#include "sip/endpoint.h"

namespace linecheck::engine {

/// From outside the call: stop it.
struct StopCall {
  enum class Why {
    cancelled,   ///< by the user
    lease_lost,  ///< the database was too slow: ours to answer for
    watchdog,    ///< the call outlived its longest duration
  };
  Why why = Why::cancelled;
};

/// To a call that waits for the agent's: its number is free, or (`trouble`) the agent could not be asked.
struct Nudge {
  std::string trouble;
  bool unreachable = false;  ///< the network's trouble, not the agent's
};

using CallEvent = std::variant<sip::Event, media::Event, StopCall, Nudge>;
using CallInbox = Inbox<CallEvent>;

class Switchboard {
 public:
  /// Called for each Incoming leg, on the control thread.
  using OnIncoming = std::function<void(std::size_t endpoint, sip::Event)>;

  Switchboard(boost::asio::io_context& control, media::Options media);
  ~Switchboard();
  Switchboard(const Switchboard&) = delete;
  Switchboard& operator=(const Switchboard&) = delete;

  /// Throws sip::AddressInUse, sip::EndpointError.
  std::size_t add_endpoint(sip::EndpointOptions options);
  void on_incoming(OnIncoming handler) { on_incoming_ = std::move(handler); }

  /// Calls that an endpoint has refused by itself.
  using OnRefused = std::function<void(std::size_t endpoint, const sip::CallRefused&)>;
  void on_refused(OnRefused handler) { on_refused_ = std::move(handler); }
  /// `done` is told the answer, on the control thread.
  void send_loose(std::size_t endpoint, sip::LooseRequest request,
                  std::function<void(const sip::RequestAnswered&)> done);

  /// What is known of a trunk that an endpoint was told to watch; state unknown: nothing yet.
  [[nodiscard]] sip::TrunkChanged trunk(const std::string& name) const;
  /// Waits until something is known of it, the deadline, or until `given_up`, which is asked again at each
  /// wake_trunk_waiters().
  boost::asio::awaitable<void> trunk_known(std::string name, CallInbox::Clock::time_point deadline,
                                           std::function<bool()> given_up);
  void wake_trunk_waiters();
  void forget_trunk(std::size_t endpoint, std::string name);
  /// Told of each change of a trunk, on the control thread.
  void on_trunk(std::function<void(const sip::TrunkChanged&)> handler) { on_trunk_ = std::move(handler); }

  [[nodiscard]] std::size_t endpoints() const { return endpoints_.size(); }
  [[nodiscard]] sip::Endpoint& endpoint(std::size_t index) { return *endpoints_.at(index); }
  [[nodiscard]] media::Engine& media() { return media_; }
  [[nodiscard]] boost::asio::io_context& control() { return control_; }

  void connect(std::size_t endpoint, sip::LegId leg, CallInbox& inbox);
  void connect(media::LegId leg, CallInbox& inbox);
  void disconnect(std::size_t endpoint, sip::LegId leg);
  void disconnect(media::LegId leg);

  /// Ends all SIP legs and threads; afterwards no event comes. From the control thread, with no call
  /// connected.
  void shutdown();

 private:
  void wait_for_media();
  void deliver(std::size_t endpoint, sip::Event event);

  boost::asio::io_context& control_;
  media::Engine media_;
  boost::asio::posix::stream_descriptor media_ready_;
  std::vector<media::Event> drained_;
  std::vector<std::unique_ptr<sip::Endpoint>> endpoints_;
  std::vector<std::unordered_map<sip::LegId, CallInbox*>> sip_legs_;
  std::unordered_map<media::LegId, CallInbox*> media_legs_;
  std::unordered_map<std::string, sip::TrunkChanged> trunks_;
  std::list<boost::asio::steady_timer*> trunk_waiters_;
  std::function<void(const sip::TrunkChanged&)> on_trunk_;
  OnIncoming on_incoming_;
  OnRefused on_refused_;
  std::map<std::pair<std::size_t, sip::LegId>, std::function<void(const sip::RequestAnswered&)>> loose_;
  /// Outlives this object in the handlers that still hold it: false once the switchboard is gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace linecheck::engine
