// SPDX-License-Identifier: GPL-3.0-or-later
//
// One SIP endpoint: a listening address, a Sofia agent (nua) and the thread that they live on. Several
// endpoints may live in one process; each uses at most one core.
//
// Threads: every public function may be called from any thread, but shutdown() and the destructor never from
// the event callback. None blocks, except the constructor (until the address is bound) and shutdown().
// Commands for a leg that is over, or that never was, do nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "sip/allow_list.h"
#include "sip/events.h"
#include "sip/network.h"
#include "sip/tls_options.h"
#include "sip/trunk.h"
#include "sip/types.h"

namespace linecheck::sip {

/// An endpoint that cannot start; what() is for the user.
class EndpointError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// what() is "udp 127.0.0.1:5060 is in use".
class AddressInUse : public EndpointError {
 public:
  using EndpointError::EndpointError;
};

/// RFC 3261 table 4. Tests shorten them.
struct Timers {
  std::chrono::milliseconds t1{500};             ///< first retransmission
  std::chrono::milliseconds t2{4000};            ///< longest interval between retransmissions
  std::chrono::milliseconds t4{5000};            ///< how long a message may linger in the network
  std::chrono::milliseconds transaction{32000};  ///< 64*T1: timers B, F and H, after which nobody is there
};

struct EndpointOptions {
  std::string name = "sip";
  /// "udp:<address>:<port>", also tcp: and tls:; IPv6 in brackets; port 0: any free one. Calls leave by the
  /// same transport.
  std::string listen = "udp:127.0.0.1:0";
  TlsOptions tls;                ///< for "tls:"
  std::string external_address;  ///< IP address that peers are told in Via and Contact; empty: the bound one
  int dscp = -1;  ///< 0..63: class of service of our packets (RFC 2474); -1: the system's default
  std::string user_agent = "linecheck";
  bool accept_incoming = false;        ///< false: calls from outside are refused with 403
  std::vector<Network> sources;        ///< who may call at all (403 for others); empty: anybody
  double source_calls_per_second = 0;  ///< of each source address, the rest gets 503; 0: any number
  std::optional<AllowList> allow;      ///< last gate of dial(); nullopt: the caller has checked already
  Timers timers;
  /// Longest time from Failed, or from our BYE, to Finished: how long a peer may take to answer CANCEL and
  /// BYE before the leg is let go. Sofia goes on retransmitting after that, untraced.
  std::chrono::milliseconds settle{5000};
  std::size_t trace_limit = 1000;  ///< messages kept for each leg
};

/// How the caller's number reaches the peer.
enum class Identity {
  from,          ///< in From alone
  asserted,      ///< in From and P-Asserted-Identity (RFC 3325)
  remote_party,  ///< in From and Remote-Party-ID
  privacy,       ///< From is anonymous (RFC 3323); the number is in P-Asserted-Identity, with Privacy: id
};

struct DialRequest {
  LegId id = 0;            ///< from new_leg_id()
  std::string target_uri;  ///< sip:user@host[:port]
  std::string from_uri;    ///< sip:+1555...@...; empty: made from the local address
  std::string from_display;
  std::string proxy;          ///< sip: URI that the INVITE is sent to instead; empty: straight to the target
  std::string proxy_address;  ///< IP address of the proxy, where its name is not to be looked up
  Identity identity = Identity::from;
  std::string contact;            ///< address:port in our Contact; empty: the endpoint's
  bool follow_redirects = false;  ///< 3xx: try its contacts in the order of their q, each if allowed
  bool follow_transfers = false;  ///< a REFER by the peer is accepted if its target is allowed
  std::chrono::seconds session_expires{0};  ///< RFC 4028; 0: only if the peer asks for it
  std::string replaces;     ///< value of a Replaces header (RFC 3891), of an attended transfer
  std::string referred_by;  ///< sip: URI for Referred-By (RFC 3892)
  std::vector<Header> headers;
  std::string sdp;  ///< the offer
  std::chrono::milliseconds no_answer_timeout{60'000};
  std::optional<Credentials> auth;
};

/// A request outside any call, for an agent that is asked to call us.
struct LooseRequest {
  enum class Method { message, refer };
  LegId id = 0;  ///< from new_leg_id(); RequestAnswered carries it, and is its last event
  Method method = Method::message;
  std::string target_uri;
  std::string from_uri;       ///< empty: made from the local address
  std::string proxy;          ///< as in DialRequest
  std::string proxy_address;  ///< as in DialRequest
  std::vector<Header> headers;
  std::string content_type;  ///< of a MESSAGE
  std::string body;
  std::string refer_to;  ///< of a REFER: the URI that the peer is to call
  std::optional<Credentials> auth;
};

class Endpoint {
 public:
  /// Called on the SIP thread, in the order of events; must not block. What it throws is swallowed and
  /// counted.
  using Callback = std::function<void(Event&&)>;

  /// Throws AddressInUse or EndpointError.
  Endpoint(EndpointOptions options, Callback on_event);
  /// Like shutdown().
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  [[nodiscard]] std::string local_address() const;  ///< as bound, without brackets
  [[nodiscard]] std::uint16_t local_port() const;

  [[nodiscard]] LegId new_leg_id();

  /// Another list for the calls that are dialled from now on.
  void set_allow(AllowList allow);

  /// Sends the INVITE, or reports Failed. A request whose id is 0 or taken is ignored.
  void dial(DialRequest request);

  // Incoming legs; each does nothing once a final response was sent.
  void ring(LegId leg, int status = 180, std::string sdp = {});
  /// `sdp` is an answer, or an offer where the caller made none. `capabilities`: what a later offer of the
  /// peer's is answered with; absent: only what `sdp` names.
  void accept(LegId leg, std::string sdp, std::vector<Header> headers = {},
              std::optional<OfferOptions> capabilities = {});
  /// `reason` goes out as a Reason header's text.
  void reject(LegId leg, int status, std::string phrase = {}, std::string reason = {});

  /// Sends it, if EndpointOptions::allow permits its target; RequestAnswered tells.
  void send_loose(LooseRequest request);

  /// Ends a leg in whatever state it is: not sent yet: never sent; ringing: CANCEL (after the first
  /// provisional response, RFC 3261, 9.1; a 200 that crosses it is ACKed and BYEd); answered: BYE; incoming:
  /// 603, or BYE. `reason` goes out as a Reason header's text.
  void hang_up(LegId leg, std::string reason = {});

  /// Sends an INFO inside an answered call (RFC 6086 section 4.2.1 leaves bodies without a package to what
  /// was there before it: DTMF). Does nothing in any other state, or where the content type cannot be sent.
  void send_info(LegId leg, std::string content_type, std::string body);

  /// Asks the peer of an answered call to call `target` instead (REFER, RFC 3515). TransferProgress tells how
  /// that goes.
  void refer(LegId leg, std::string target_uri);
  /// After TransferRequested: how our call to the target goes, as a status that its INVITE got. One of 200 or
  /// more ends the peer's subscription.
  void notify_transfer(LegId leg, int status);

  /// Registers, and keeps asking whether the trunk answers, as the options want; TrunkChanged tells. A name
  /// that is watched already is watched anew.
  void watch_trunk(TrunkOptions options);
  /// Unregisters.
  void forget_trunk(std::string name);

  /// Sofia handles that exist: 0 when no leg lives.
  [[nodiscard]] std::size_t live_handles() const;
  /// Exceptions that the callback threw.
  [[nodiscard]] std::size_t callback_exceptions() const;

  /// Hangs up all legs, waits for their last events and until Sofia is down. Commands after it do nothing.
  void shutdown();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linecheck::sip
