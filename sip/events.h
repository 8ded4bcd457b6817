// SPDX-License-Identifier: GPL-3.0-or-later
//
// What an endpoint says about its legs. For a leg that we dial the order is
//
//   Dialled (once the INVITE has left), Provisional*, Answered, MediaChanged*, Ended, Finished     a call
//   Dialled, Provisional*, Failed, Finished                                                        no call
//   came of it Failed, Finished nothing was sent
//
// and for one that comes in
//
//   Incoming, [Confirmed, MediaChanged*, Ended | Failed], Finished
//
// InfoReceived and InfoAnswered come anywhere between the answer and the end.
// TransferRequested and TransferProgress may come between Answered (or Confirmed) and Ended. TrunkChanged and
// CallRefused belong to no leg: theirs is 0.
//
// Exactly one of Failed and Ended comes for each leg, then Finished, which is the last: after it the id means
// nothing any more. Finished waits for the transactions of the leg (the answer to our BYE, the 487 after our
// CANCEL), so that the trace is whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sip/sdp.h"
#include "sip/trunk.h"
#include "sip/types.h"

namespace linecheck::sip {

/// A call from outside. It waits for accept(), ring(), reject() or hang_up(); 100 Trying has been sent.
struct Incoming {
  std::string request_uri;
  std::string request_user;  ///< unescaped user part of the Request-URI: the number that was called
  std::string from_uri;
  std::string from_user;
  std::string call_id;
  std::vector<Header> headers;  ///< those whose name starts with X-, in their order
  std::string sdp;              ///< empty: the caller wants us to offer
  std::string source;           ///< address:port it came from
};

/// The first INVITE left; Event::mono_ns is when.
struct Dialled {
  std::string call_id;
};

/// 101..199. Event::mono_ns is when the response was read; 100 is not reported.
struct Provisional {
  int status = 0;
  std::string phrase;
  std::string sdp;  ///< early media, as a rule with 183; may be empty
};

/// 200 to our INVITE was read at Event::mono_ns, and has been ACKed.
struct Answered {
  std::string sdp;
  std::string call_id;
  int status = 200;
};

/// ACK for our 200 was read (incoming legs only).
struct Confirmed {
  std::string sdp;  ///< the answer, where the INVITE had no offer and our 200 made one
};

/// The peer sent a re-INVITE or UPDATE with an offer, which was answered with our current SDP.
struct MediaChanged {
  std::string sdp;  ///< the peer's offer
  Negotiated media;
};

/// The peer sent an INFO inside the call; Sofia has answered it with 200. Event::mono_ns is when it was read.
struct InfoReceived {
  std::string content_type;  ///< lower case, without parameters: application/dtmf-relay
  std::string body;
};

/// The final answer to an INFO of ours (send_info); 408: none came.
struct InfoAnswered {
  int status = 0;
};

/// The peer asked us to call somebody else (REFER). It has been accepted with 202 if `permitted`, and
/// notify_transfer() is due; refused with 603 otherwise.
struct TransferRequested {
  std::string target;       ///< sip: URI, without parameters and headers
  std::string replaces;     ///< value of the Replaces header in it: an attended transfer
  std::string referred_by;  ///< URI of who asks
  bool permitted = false;   ///< by EndpointOptions::allow, and DialRequest::follow_transfers
};

/// What the peer tells of the transfer that we asked for.
struct TransferProgress {
  int status = 0;      ///< of its NOTIFY's sipfrag; of the answer to our REFER where that refused it
  bool final = false;  ///< nothing more will come
};

/// The final answer to a LooseRequest; 0: it was not sent, 408: nobody answered.
struct RequestAnswered {
  int status = 0;
  std::string reason;  ///< plain words
};

/// An INVITE that was refused before anybody was asked.
struct CallRefused {
  int status = 0;
  std::string reason;        ///< plain words, also sent as a Reason header
  std::string source;        ///< address:port it came from
  std::string request_user;  ///< the number that was called
  std::string from_user;
};

enum class FailureKind {
  rejected,              ///< 4xx or 6xx, but for those below
  media_not_acceptable,  ///< 415, 488, 606
  server_error,          ///< 5xx
  redirected,            ///< 3xx that was not followed; `contact` says whereto
  no_answer,             ///< rang, or was tried, longer than no_answer_timeout; CANCELled
  timeout,               ///< no response at all (RFC 3261 timer B)
  unresolved,            ///< the host's name is not known
  transport,             ///< could not be sent, or the network refused it
  cancelled,             ///< hang_up() before the answer, or the caller gave up (incoming)
  not_allowed,           ///< refused by EndpointOptions::allow; no packet left
  invalid_request,       ///< a URI, header or id that cannot be sent; no packet left
};

[[nodiscard]] std::string_view name(FailureKind kind);

struct Failed {
  FailureKind kind = FailureKind::rejected;
  int status = 0;                    ///< final status received; 0 where none came
  std::string phrase;                ///< as received
  std::optional<int> q850;           ///< cause of `Reason: Q.850;cause=`
  std::optional<int> retry_after_s;  ///< Retry-After
  std::string reason;                ///< text of the Reason header, else plain words for the user
  std::string contact;               ///< of a 3xx: its first Contact's URI
};

/// A call that had been answered is over. Event::mono_ns is when the BYE was read or sent.
struct Ended {
  bool by_remote = false;
  int status = 0;      ///< 200 as a rule; else why the dialog broke (408: BYE or ACK unanswered, 481, ...)
  std::string reason;  ///< text of the peer's Reason header, or ours
  std::optional<int> q850;  ///< cause of the peer's Reason header
};

/// The last event of a leg.
struct Finished {
  std::vector<TraceMessage> trace;
  bool trace_truncated = false;  ///< more than EndpointOptions::trace_limit
};

struct Event {
  LegId leg = 0;
  std::int64_t mono_ns = 0;  ///< CLOCK_MONOTONIC, when it happened on the wire (where it did)
  std::variant<Incoming, Dialled, Provisional, Answered, Confirmed, MediaChanged, Failed, Ended, Finished,
               InfoReceived, InfoAnswered, TransferRequested, TransferProgress, TrunkChanged, CallRefused,
               RequestAnswered>
      what;
};

}  // namespace linecheck::sip
