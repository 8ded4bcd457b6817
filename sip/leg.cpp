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
#include "sip/uri.h"

namespace linecheck::sip {
namespace {

constexpr const char* kSdpType = "application/sdp";

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
  if (request.auth) {
    // Sofia takes credentials as one colon-separated text, without a way to escape a colon.
    const auto bad = [](const std::string& text) { return text.find_first_of(":\r\n") != std::string::npos; };
    if (bad(request.auth->username) || bad(request.auth->password))
      return "the trunk's user name or password has a colon or a line break, which cannot be sent";
  }
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

  std::string from = "<" + (request.from_uri.empty() ? around_.local_uri : request.from_uri) + ">";
  if (!request.from_display.empty()) from = quoted(request.from_display) + " " + from;
  const std::string to = "<" + request.target_uri + ">";
  const bool v6 = around_.local_uri.find('[') != std::string::npos;
  const std::string target = with_numeric_localhost(request.target_uri, v6);
  std::string route;
  if (!request.proxy.empty()) {
    // A loose route (RFC 3261, 8.1.2): the request goes to the proxy, its Request-URI stays the target.
    route = "<" + with_numeric_localhost(request.proxy, v6) +
            (request.proxy.find(";lr") == std::string::npos ? ";lr>" : ">");
  }
  const std::string extra = header_lines(request.headers);

  handle_ = Handle(nua_handle(around_.nua, magic_of(id_), NUTAG_URL(target.c_str()),
                              SIPTAG_TO_STR(to.c_str()), SIPTAG_FROM_STR(from.c_str()), TAG_END()),
                   around_.handles);
  if (!handle_) return refuse(FailureKind::invalid_request, "the request could not be made");
  around_.book.claim(call_id_);
  claimed_ = true;
  start_timer(no_answer_, request.no_answer_timeout);
  nua_invite(handle_.get(), SIPTAG_CALL_ID_STR(call_id_.c_str()),
             TAG_IF(!route.empty(), NUTAG_INITIAL_ROUTE_STR(route.c_str())),
             TAG_IF(!extra.empty(), SIPTAG_HEADER_STR(extra.c_str())),
             TAG_IF(!request.sdp.empty(), SIPTAG_CONTENT_TYPE_STR(kSdpType)),
             TAG_IF(!request.sdp.empty(), SIPTAG_PAYLOAD_STR(request.sdp.c_str())), TAG_END());
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

void Leg::reject(int status, const std::string& phrase) {
  if (outgoing_ || phase_ != Phase::trying) return;
  const int code = status >= 300 && status <= 699 ? status : 500;
  const char* standard = sip_status_phrase(code);
  const char* text = standard != nullptr ? standard : "Refused";
  constexpr std::size_t kMaxPhrases = 1024;
  if (!phrase.empty() && around_.phrases.size() < kMaxPhrases) {
    const std::string clean = quoted(phrase.substr(0, 128));  // without line breaks
    text = around_.phrases.insert(clean.substr(1, clean.size() - 2)).first->c_str();
  }
  ack_wanted_ = true;
  respond(code, text, {}, {});
  Failed failed;
  failed.kind = kind_of(code);
  failed.status = code;
  failed.phrase = text;
  failed.reason = "refused by us";
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
      // RFC 3261, 15: who was called must not send BYE before the ACK.
      if (outgoing_ || confirmed_)
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
