// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/leg.h"

#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include <random>
#include <string_view>
#include <utility>

#include "sip/clock.h"
#include "sip/headers.h"
#include "sip/message_parts.h"
#include "sip/route.h"
#include "sip/uri.h"

namespace linecheck::sip {
namespace {

constexpr const char* kSdpType = "application/sdp";
constexpr std::size_t kMaxRedirects = 5;
constexpr unsigned kMinSessionTimer = 90;  // RFC 4028, 5

std::string new_call_id() {
  thread_local std::mt19937_64 random{[] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }()};
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (int word = 0; word < 2; ++word) {
    auto bits = random();
    for (int i = 0; i < 16; ++i, bits >>= 4U) out += kHex[bits & 0xfU];
  }
  return out;
}

std::optional<std::string> request_problem(const DialRequest& request) {
  if (auto problem = uri_problem(request.target_uri)) return "the target: " + *problem;
  if (!request.from_uri.empty())
    if (auto problem = uri_problem(request.from_uri)) return "the caller: " + *problem;
  if (!request.proxy.empty())
    if (auto problem = uri_problem(request.proxy)) return "the proxy: " + *problem;
  for (const Header& header : request.headers)
    if (auto problem = header_problem(header)) return problem;
  if (!request.referred_by.empty())
    if (auto problem = uri_problem(request.referred_by)) return "the referrer: " + *problem;
  for (const std::string* value : {&request.replaces, &request.contact, &request.proxy_address})
    if (value->find_first_of("\r\n<> ") != std::string::npos) return "a value with a blank or a line break";
  return std::nullopt;
}

}  // namespace

Leg::Leg(LegSurroundings& around, LegId id) : around_(around), id_(id) {
}

void Leg::emit(std::int64_t mono_ns, decltype(Event::what) what) {
  around_.emit(Event{id_, mono_ns, std::move(what)});
}

// ---- commands
// -------------------------------------------------------------------------------------------------

void Leg::refuse(FailureKind kind, std::string reason) {
  Failed failed;
  failed.kind = kind;
  failed.reason = std::move(reason);
  fail(std::move(failed), mono_now_ns());
  finish();
}

void Leg::dial(DialRequest&& request) {
  if (auto problem = request_problem(request)) return refuse(FailureKind::invalid_request, *problem);
  if (around_.options.allow && !around_.options.allow->permits_at(request.target_uri, request.proxy))
    return refuse(FailureKind::not_allowed,
                  "'" + request.target_uri + "' is not among the allowed destinations");

  outgoing_ = true;
  call_id_ = new_call_id();
  session_ = SdpSession::begun_with(request.sdp);
  auth_ = std::move(request.auth);
  request_ = std::move(request);
  around_.book.claim(call_id_);
  claimed_ = true;
  send_invite(request_.target_uri, true);
  if (handle_) start_timer(no_answer_, request_.no_answer_timeout);
}

/// A redirected call is a new transaction with the same Call-ID (RFC 3261, 8.1.3.4), and for Sofia a new
/// handle.
void Leg::send_invite(const std::string& uri, bool by_proxy) {
  const std::string own = request_.from_uri.empty() ? around_.local_uri : request_.from_uri;
  std::string from = "<" + own + ">";
  std::string extra = header_lines(request_.headers);
  if (request_.identity == Identity::privacy) {
    from = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";  // RFC 3323, 4.1.1.3
    extra += "P-Asserted-Identity: <" + own + ">\r\nPrivacy: id\r\n";
  } else {
    if (!request_.from_display.empty()) from = quoted_string(request_.from_display) + " " + from;
    if (request_.identity == Identity::asserted) extra += "P-Asserted-Identity: <" + own + ">\r\n";
    if (request_.identity == Identity::remote_party)
      extra += "Remote-Party-ID: <" + own + ">;party=calling;screen=yes;privacy=off\r\n";
  }
  if (!request_.replaces.empty()) extra += "Replaces: " + request_.replaces + "\r\n";
  if (!request_.referred_by.empty()) extra += "Referred-By: <" + request_.referred_by + ">\r\n";
  const std::string to = "<" + request_.target_uri + ">";
  const bool v6 = around_.local_uri.find('[') != std::string::npos;
  std::string target = with_numeric_localhost(uri, v6);
  std::string route;
  if (by_proxy && !request_.proxy.empty()) route = route_to(request_.proxy, request_.proxy_address, v6);
  std::string contact = around_.contact;
  if (!request_.contact.empty()) {
    contact = "<sip:linecheck@" + request_.contact;
    contact += around_.transport == "udp" ? ">" : ";transport=" + around_.transport + ">";
  }
  const auto timer = static_cast<unsigned>(request_.session_expires.count());
  tried_.insert(uri);
  realms_.clear();
  handle_ = Handle(nua_handle(around_.nua, magic_of(id_), NUTAG_URL(target.c_str()),
                              SIPTAG_TO_STR(to.c_str()), SIPTAG_FROM_STR(from.c_str()), TAG_END()),
                   around_.handles);
  if (!handle_) return refuse(FailureKind::invalid_request, "the request could not be made");
  (void)take_transport_complaint();
  nua_invite(handle_.get(), SIPTAG_CALL_ID_STR(call_id_.c_str()),
             TAG_IF(!route.empty(), NUTAG_INITIAL_ROUTE_STR(route.c_str())),
             TAG_IF(!contact.empty(), SIPTAG_CONTACT_STR(contact.c_str())),
             TAG_IF(!extra.empty(), SIPTAG_HEADER_STR(extra.c_str())),
             TAG_IF(timer > 0, NUTAG_SESSION_TIMER(timer)), TAG_IF(timer > 0, NUTAG_MIN_SE(kMinSessionTimer)),
             TAG_IF(!request_.sdp.empty(), SIPTAG_CONTENT_TYPE_STR(kSdpType)),
             TAG_IF(!request_.sdp.empty(), SIPTAG_PAYLOAD_STR(request_.sdp.c_str())), TAG_END());
}

bool Leg::follow_redirect(const sip_t* sip, std::string& why_not) {
  if (!request_.follow_redirects) return false;
  if (!around_.options.allow) {
    why_not = "redirects are followed only where there is an allow list";
    return false;
  }
  // Contacts of this response come before what an earlier one left over.
  std::vector<RedirectTarget> targets = redirect_targets_of(sip);
  targets.insert(targets.end(), to_try_.begin(), to_try_.end());
  to_try_ = std::move(targets);
  while (!to_try_.empty()) {
    const RedirectTarget next = to_try_.front();
    to_try_.erase(to_try_.begin());
    if (tried_.contains(next.uri)) {
      why_not = "the redirects go in circles";
    } else if (tried_.size() > kMaxRedirects) {
      why_not = "it was redirected more than " + std::to_string(kMaxRedirects) + " times";
      return false;
    } else if (!around_.options.allow->permits_at(next.plain, request_.proxy)) {
      why_not = "'" + next.plain + "' is not among the allowed destinations";
    } else if (!uri_problem(next.uri)) {
      send_invite(next.uri, false);
      return true;
    }
  }
  return false;
}

/// REFER in the dialog (RFC 3515).
void Leg::refer(const std::string& target_uri) {
  if (phase_ != Phase::established || refer_sent_) return;
  if (const auto problem = uri_problem(target_uri)) return emit(mono_now_ns(), TransferProgress{400, true});
  refer_sent_ = true;
  const std::string to = "<" + target_uri + ">";
  const std::string by = "<" + around_.local_uri + ">";
  nua_refer(handle_.get(), SIPTAG_REFER_TO_STR(to.c_str()), SIPTAG_REFERRED_BY_STR(by.c_str()), TAG_END());
}

void Leg::notify_transfer(int status) {
  if (phase_ != Phase::established || refer_event_.empty() || status < 100 || status > 699) return;
  const char* standard = sip_status_phrase(status);
  const std::string fragment =
      "SIP/2.0 " + std::to_string(status) + " " + (standard != nullptr ? standard : "Unknown") + "\r\n";
  const bool last = status >= 200;
  ++notifies_;
  nua_notify(handle_.get(), SIPTAG_EVENT_STR(refer_event_.c_str()),
             SIPTAG_CONTENT_TYPE_STR("message/sipfrag;version=2.0"),
             SIPTAG_SUBSCRIPTION_STATE_STR(last ? "terminated;reason=noresource" : "active;expires=60"),
             SIPTAG_PAYLOAD_STR(fragment.c_str()), TAG_END());
  if (last) refer_event_.clear();
}

void Leg::ring(int status, const std::string& sdp) {
  if (outgoing_ || phase_ != Phase::trying || status <= 100 || status >= 200) return;
  respond(status, sip_status_phrase(status), sdp, {});
}

void Leg::accept(const std::string& sdp, const std::vector<Header>& headers,
                 const std::optional<OfferOptions>& capabilities) {
  if (outgoing_ || phase_ != Phase::trying) return;
  std::vector<Header> sendable;
  for (const Header& header : headers)
    if (!header_problem(header)) sendable.push_back(header);
  phase_ = Phase::established;
  session_ = SdpSession::begun_with(sdp, capabilities);
  respond(200, sip_200_OK, sdp, header_lines(sendable));
}

void Leg::reject(int status, const std::string& phrase, const std::string& reason) {
  if (outgoing_ || phase_ != Phase::trying) return;
  const int code = status >= 300 && status <= 699 ? status : 500;
  const char* standard = sip_status_phrase(code);
  const char* text = standard != nullptr ? standard : "Refused";
  constexpr std::size_t kMaxPhrases = 1024;
  if (!phrase.empty() && around_.phrases.size() < kMaxPhrases) {
    const std::string clean = quoted_string(phrase.substr(0, 128));  // without line breaks
    text = around_.phrases.insert(clean.substr(1, clean.size() - 2)).first->c_str();
  }
  ack_wanted_ = true;
  const std::string extra =
      reason.empty() ? std::string() : "Reason: " + reason_value(code, reason.substr(0, 512)) + "\r\n";
  respond(code, text, {}, extra);
  Failed failed;
  failed.kind = kind_of(code);
  failed.status = code;
  failed.phrase = text;
  failed.reason = reason.empty() ? "refused by us" : reason;
  fail(std::move(failed), mono_now_ns());
}

void Leg::hang_up(const std::string& reason) {
  hang_up_reason_ = reason;
  switch (phase_) {
    case Phase::trying:
      if (outgoing_) {
        give_up(FailureKind::cancelled, reason.empty() ? "hung up before the answer" : reason);
      } else {
        ack_wanted_ = true;
        respond(603, sip_603_Decline, {}, {});
        Failed failed;
        failed.kind = FailureKind::cancelled;
        failed.status = 603;
        failed.phrase = sip_603_Decline;
        failed.reason = reason.empty() ? "hung up before the answer" : reason;
        fail(std::move(failed), mono_now_ns());
      }
      break;
    case Phase::established:
      phase_ = Phase::closing;
      start_settling();
      // RFC 3261, 15: who was called must not send BYE before the ACK. What a transfer came to is told first.
      if ((outgoing_ || confirmed_) && notifies_ == 0)
        send_bye();
      else
        bye_wanted_ = true;
      break;
    case Phase::closing:
      break;
  }
}

void Leg::send_info(const std::string& content_type, const std::string& body) {
  if (phase_ != Phase::established || content_type.find_first_of("\r\n") != std::string::npos) return;
  // Who was called sends nothing before the ACK: the caller may not know the dialog yet.
  if (!outgoing_ && !confirmed_) return;
  nua_info(handle_.get(), SIPTAG_CONTENT_TYPE_STR(content_type.c_str()), SIPTAG_PAYLOAD_STR(body.c_str()),
           TAG_END());
}

void Leg::give_up(FailureKind kind, std::string reason) {
  Failed failed;
  failed.kind = kind;
  failed.reason = std::move(reason);
  // Sofia holds the CANCEL back until a provisional response has come (RFC 3261, 9.1).
  const std::string value = reason_value(kind == FailureKind::cancelled ? 200 : 408, failed.reason);
  cancel_pending_ = true;
  nua_cancel(handle_.get(), SIPTAG_REASON_STR(value.c_str()), TAG_END());
  fail(std::move(failed), mono_now_ns());
}

void Leg::send_bye() {
  if (bye_sent_) return;
  bye_sent_ = true;
  const std::string value = reason_value(200, hang_up_reason_);
  nua_bye(handle_.get(), TAG_IF(!hang_up_reason_.empty(), SIPTAG_REASON_STR(value.c_str())), TAG_END());
}

void Leg::respond(int status, const char* phrase, const std::string& sdp, const std::string& extra) {
  nua_respond(handle_.get(), status, phrase != nullptr ? phrase : "",
              TAG_IF(!around_.contact.empty(), SIPTAG_CONTACT_STR(around_.contact.c_str())),
              TAG_IF(!extra.empty(), SIPTAG_HEADER_STR(extra.c_str())),
              TAG_IF(!sdp.empty(), SIPTAG_CONTENT_TYPE_STR(kSdpType)),
              TAG_IF(!sdp.empty(), SIPTAG_PAYLOAD_STR(sdp.c_str())), TAG_END());
}

void Leg::respond_to_this(int status, const char* phrase, const std::string& sdp) {
  nua_respond(handle_.get(), status, phrase, NUTAG_WITH_THIS(around_.nua),
              TAG_IF(!sdp.empty(), SIPTAG_CONTENT_TYPE_STR(kSdpType)),
              TAG_IF(!sdp.empty(), SIPTAG_PAYLOAD_STR(sdp.c_str())), TAG_END());
}

// ---- timers and outcome
// -----------------------------------------------------------------------------------------

void Leg::start_timer(Timer& timer, std::chrono::milliseconds after) {
  timer.reset(su_timer_create(su_root_task(around_.root), 1));
  if (timer)
    su_timer_set_interval(timer.get(), around_.on_timer, magic_of(id_),
                          static_cast<su_duration_t>(after.count()));
}

void Leg::start_settling() {
  no_answer_.reset();
  if (!settle_) start_timer(settle_, around_.options.settle);
}

void Leg::on_timer(const su_timer_t* timer) {
  if (timer == settle_.get()) return abandon();
  if (timer != no_answer_.get() || phase_ != Phase::trying) return;
  flush_dialled();
  if (around_.book.first_response(call_id_, false, "INVITE", 0))
    give_up(FailureKind::no_answer, "nobody answered in time");
  else
    give_up(FailureKind::timeout, "no response at all came in time");
}

void Leg::fail(Failed&& failed, std::int64_t mono_ns) {
  phase_ = Phase::closing;
  if (handle_) start_settling();
  if (std::exchange(told_, true)) return;
  emit(mono_ns, std::move(failed));
}

void Leg::end(Ended&& ended, std::int64_t mono_ns) {
  phase_ = Phase::closing;
  start_settling();
  if (std::exchange(told_, true)) return;
  emit(mono_ns, std::move(ended));
}

void Leg::flush_dialled() {
  if (!outgoing_ || dialled_ || told_) return;
  if (const auto left = around_.book.first_request(call_id_, true, "INVITE")) {
    dialled_ = true;
    emit(*left, Dialled{call_id_});
  }
}

void Leg::on_note() {
  flush_dialled();
  if (ack_wanted_ && around_.book.first_request(call_id_, false, "ACK")) {
    ack_wanted_ = false;
    try_finish();
  }
}

void Leg::on_down(int status, const char* phrase) {
  wire_down_ = true;
  if (!told_) {
    if (phase_ == Phase::established || bye_sent_ || bye_wanted_) {
      Ended ended;
      ended.status = status;
      ended.reason = bye_sent_ && !hang_up_reason_.empty() ? hang_up_reason_ : phrase;
      end(std::move(ended), around_.book.last_request(call_id_, true, "BYE").value_or(mono_now_ns()));
    } else {
      Failed failed;
      failed.kind = FailureKind::transport;
      failed.status = status;
      failed.reason = phrase;
      fail(std::move(failed), mono_now_ns());
    }
  }
  try_finish();
}

void Leg::try_finish() {
  if (wire_down_ && told_ && !cancel_pending_ && !ack_wanted_) finish();
}

void Leg::abandon() {
  if (finished_) return;
  flush_dialled();
  if (!told_) {
    if (phase_ == Phase::trying) {
      Failed failed;
      failed.kind = FailureKind::cancelled;
      failed.reason = "the endpoint was shut down";
      fail(std::move(failed), mono_now_ns());
    } else {
      Ended ended;
      ended.status = 408;
      ended.reason = hang_up_reason_.empty() ? "the peer did not answer our BYE" : hang_up_reason_;
      end(std::move(ended), around_.book.last_request(call_id_, true, "BYE").value_or(mono_now_ns()));
    }
  }
  finish();
}

void Leg::finish() {
  if (std::exchange(finished_, true)) return;
  no_answer_.reset();
  settle_.reset();
  handle_.reset();
  Finished last;
  if (claimed_) {
    TraceBook::Taken taken = around_.book.take(call_id_);
    last.trace = std::move(taken.messages);
    last.trace_truncated = taken.truncated;
  }
  emit(mono_now_ns(), std::move(last));
}

}  // namespace linecheck::sip
