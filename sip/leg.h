// SPDX-License-Identifier: GPL-3.0-or-later
//
// One call at an endpoint, from INVITE to the end of its last transaction. Internal; lives on the SIP thread.
//
//   trying --200--> established --BYE--> closing --> finished
//      \--refused, given up, cancelled--> closing --> finished
//
// `closing` begins when the outcome (Failed or Ended) is decided and lasts until the wire is quiet or
// EndpointOptions::settle has passed.
#pragma once

#include <sofia-sip/nua.h>
#include <sofia-sip/sip.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sip/endpoint.h"
#include "sip/message_parts.h"
#include "sip/sdp_session.h"
#include "sip/sofia.h"
#include "sip/trace_book.h"

namespace linecheck::sip {

/// What a leg needs of its endpoint.
struct LegSurroundings {
  const EndpointOptions& options;
  TraceBook& book;
  std::function<void(Event&&)> emit;  ///< fenced
  su_root_t* root = nullptr;
  nua_t* nua = nullptr;
  std::atomic<std::size_t>* handles = nullptr;
  /// Phrases of our refusals: Sofia keeps a pointer to one until it has worked on the response, which may be
  /// after the leg is gone.
  std::set<std::string> phrases{};
  std::string local_uri{};        ///< sip:linecheck@address:port
  std::string transport{};        ///< udp, tcp, tls
  std::string contact{};          ///< our Contact where Sofia's own is not what we want; else empty
  su_timer_f on_timer = nullptr;  ///< calls Leg::on_timer of the leg whose id is the argument
};

/// What Sofia carries for a leg: its id, never a pointer, so that a late event can hit no freed leg.
inline void* magic_of(LegId id) {
  return reinterpret_cast<void*>(
      static_cast<std::uintptr_t>(id));  // NOLINT(performance-no-int-to-ptr): never followed
}
inline LegId leg_of(const void* magic) {
  return static_cast<LegId>(reinterpret_cast<std::uintptr_t>(magic));
}

class Leg {
 public:
  Leg(LegSurroundings& around, LegId id);
  Leg(const Leg&) = delete;
  Leg& operator=(const Leg&) = delete;

  /// Sends the INVITE, or fails at once.
  void dial(DialRequest&& request);
  /// Fails without sending anything.
  void refuse(FailureKind kind, std::string reason);
  /// Takes an INVITE from outside and reports it.
  void take(Handle&& handle, const sip_t* invite);

  void ring(int status, const std::string& sdp);
  void accept(const std::string& sdp, const std::vector<Header>& headers,
              const std::optional<OfferOptions>& capabilities);
  void reject(int status, const std::string& phrase, const std::string& reason);
  void hang_up(const std::string& reason);
  void send_info(const std::string& content_type, const std::string& body);
  void refer(const std::string& target_uri);
  void notify_transfer(int status);

  void on_event(nua_event_t event, int status, const char* phrase, const sip_t* sip, tagi_t* tags);
  void on_timer(const su_timer_t* timer);
  /// The first INVITE has left, or the ACK to a refusal came in.
  void on_note();
  /// Lets go of the wire, whatever state it is in.
  void abandon();

  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] bool owns(const nua_handle_t* handle) const { return handle_.get() == handle; }
  [[nodiscard]] LegId id() const { return id_; }
  [[nodiscard]] const std::string& call_id() const { return call_id_; }

 private:
  enum class Phase { trying, established, closing };

  void emit(std::int64_t mono_ns, decltype(Event::what) what);
  void flush_dialled();
  void on_invite_response(int status, const char* phrase, const sip_t* sip);
  void on_failure_response(int status, const char* phrase, const sip_t* sip);
  void on_bye_response(int status, const sip_t* sip);
  void on_offer(int status, const sip_t* sip, bool update);
  void on_ack(const sip_t* sip);
  void on_cancel(const sip_t* sip);
  void on_bye(const sip_t* sip);
  void on_info(const sip_t* sip);
  void on_info_response(int status, const sip_t* sip);
  void on_down(int status, const char* phrase);
  void on_refer(const sip_t* sip, tagi_t* tags);
  void on_refer_response(int status, const char* phrase, const sip_t* sip);
  void on_notify(int status, const sip_t* sip);
  void on_notify_response(int status);
  void send_invite(const std::string& target, bool by_proxy);
  bool follow_redirect(const sip_t* sip, std::string& why_not);
  bool authenticate(const sip_t* sip);
  void give_up(FailureKind kind, std::string reason);
  void send_bye();
  void fail(Failed&& failed, std::int64_t mono_ns);
  void end(Ended&& ended, std::int64_t mono_ns);
  void start_timer(Timer& timer, std::chrono::milliseconds after);
  void start_settling();
  void try_finish();
  void finish();
  void respond(int status, const char* phrase, const std::string& sdp, const std::string& extra);
  void respond_to_this(int status, const char* phrase, const std::string& sdp);

  LegSurroundings& around_;
  LegId id_;
  Handle handle_;
  std::string call_id_;
  bool outgoing_ = true;
  Phase phase_ = Phase::trying;
  bool claimed_ = false;     // the book keeps our messages
  bool dialled_ = false;     // Dialled was emitted
  bool told_ = false;        // Failed or Ended was emitted
  bool confirmed_ = false;   // incoming: ACK for our 200 came
  bool bye_wanted_ = false;  // hang up as soon as the dialog may be ended
  bool bye_sent_ = false;
  bool cancel_pending_ = false;  // CANCEL without its answer
  bool ack_wanted_ = false;      // incoming: our refusal is not acknowledged yet
  bool wire_down_ = false;       // Sofia has ended the session
  bool answer_wanted_ = false;   // our 200 to a re-INVITE made the offer
  bool finished_ = false;
  DialRequest request_;                 // outgoing: what was asked for
  std::set<std::string> tried_;         // targets, so that redirects cannot go in circles
  std::vector<RedirectTarget> to_try_;  // contacts of 3xx that are still left
  std::string refer_event_;             // outgoing and incoming: the peer's REFER that is being followed
  int notifies_ = 0;                    // NOTIFYs of that which are not answered yet
  bool refer_sent_ = false;             // by us, and not over
  std::optional<Credentials> auth_;
  std::set<std::string> realms_;  // that have had them
  std::string hang_up_reason_;
  std::optional<SdpSession> session_;  // what we described; nullopt: nothing usable
  Timer no_answer_;
  Timer settle_;
};

}  // namespace linecheck::sip
