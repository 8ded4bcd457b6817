// SPDX-License-Identifier: GPL-3.0-or-later
//
// The half of Leg that listens to Sofia.
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <strings.h>

#include <string_view>
#include <utility>

#include "sip/clock.h"
#include "sip/leg.h"
#include "sip/message_parts.h"
#include "sip/route.h"

namespace linecheck::sip {

// ----------------------------------------------------------------------------------------------

void Leg::on_event(nua_event_t event, int status, const char* phrase, const sip_t* sip, tagi_t* tags) {
  if (finished_) return;
  flush_dialled();
  const char* text = phrase != nullptr ? phrase : "";
  switch (event) {
    case nua_r_invite:
      on_invite_response(status, text, sip);
      break;
    case nua_r_cancel:
      if (status >= 200) {
        cancel_pending_ = false;
        try_finish();
      }
      break;
    case nua_r_bye:
      on_bye_response(status, sip);
      break;
    case nua_i_invite:
      on_offer(status, sip, false);
      break;
    case nua_i_update:
      on_offer(status, sip, true);
      break;
    case nua_i_ack:
      on_ack(sip);
      break;
    case nua_i_cancel:
      on_cancel(sip);
      break;
    case nua_i_bye:
      on_bye(sip);
      break;
    case nua_i_refer:
      on_refer(sip, tags);
      break;
    case nua_r_refer:
      on_refer_response(status, text, sip);
      break;
    case nua_i_notify:
      on_notify(status, sip);
      break;
    case nua_r_notify:
      on_notify_response(status);
      break;
    case nua_i_message:
      if (status < 200) respond_to_this(SIP_200_OK, {});  // read and kept in the trace
      break;
    case nua_i_state: {
      int state = nua_callstate_init;
      tl_gets(tags, NUTAG_CALLSTATE_REF(state), TAG_END());
      if (state == nua_callstate_terminated) on_down(status, text);
      break;
    }
    case nua_i_terminated:
      on_down(status, text);
      break;
    case nua_i_info:
      on_info(sip);
      break;
    case nua_r_info:
      on_info_response(status, sip);
      break;
    default:
      break;  // in-dialog OPTIONS: Sofia has answered it
  }
}

void Leg::on_invite_response(int status, const char* phrase, const sip_t* sip) {
  if (status <= 100) return;
  if (status < 200) {
    if (phase_ != Phase::trying) return;
    const auto when = around_.book.last_response(call_id_, false, "INVITE", status);
    emit(when.value_or(mono_now_ns()), Provisional{status, phrase, body_of(sip)});
    return;
  }
  if (status < 300) {
    if (phase_ == Phase::trying) {
      phase_ = Phase::established;
      no_answer_.reset();
      const auto when = around_.book.first_response(call_id_, false, "INVITE", status);
      emit(when.value_or(mono_now_ns()), Answered{body_of(sip), call_id_, status});
    } else if (phase_ == Phase::closing && !bye_sent_) {
      // It crossed our CANCEL. Sofia has acknowledged it; the dialog that it made has to be ended.
      cancel_pending_ = false;
      send_bye();
    }
    return;
  }
  on_failure_response(status, phrase, sip);
}

void Leg::on_failure_response(int status, const char* phrase, const sip_t* sip) {
  if (phase_ == Phase::established) return;  // not of the first INVITE
  if (phase_ == Phase::trying) {
    if ((status == 401 || status == 407) && authenticate(sip)) return;
    const auto received = around_.book.last_response(call_id_, false, "INVITE", status);
    std::string not_followed;
    // A refusal by one contact leads on to the next; only a global one ends it all (RFC 3261, 16.7).
    if (received && status < 600 && (status < 400 || !to_try_.empty()) &&
        follow_redirect(status < 400 ? sip : nullptr, not_followed))
      return;
    Failed failed;
    failed.status = received ? status : 0;
    failed.phrase = received ? phrase : "";
    if (received) {
      failed.kind = kind_of(status);
      ReasonParts reason = reason_of(sip);
      failed.q850 = reason.q850;
      failed.retry_after_s = retry_after_of(sip);
      failed.reason = std::move(reason.text);
      if (status < 400 && sip != nullptr && sip->sip_contact != nullptr)
        failed.contact = uri_text(sip->sip_contact->m_url);
      if (!not_followed.empty()) failed.reason = std::move(not_followed);
      if (failed.reason.empty()) failed.reason = std::to_string(status) + " " + phrase;
    } else if (status == 408) {
      // A certificate that is refused leaves the request waiting for a connection until timer B.
      const std::string complaint = take_transport_complaint();
      const bool certificate = complaint.find("certificate") != std::string::npos;
      failed.kind = certificate ? FailureKind::transport : FailureKind::timeout;
      failed.reason =
          certificate ? "the request could not be delivered: " + complaint : "no response at all came";
    } else if (std::string_view(phrase).find("DNS") != std::string_view::npos) {
      failed.kind = FailureKind::unresolved;
      failed.reason = "the name of the host is not known";
    } else {
      failed.kind = FailureKind::transport;
      const std::string complaint = take_transport_complaint();
      failed.reason = "the request could not be delivered: " + (complaint.empty() ? phrase : complaint);
    }
    fail(std::move(failed), received.value_or(mono_now_ns()));
  }
  // The transaction is over and acknowledged. Sofia may still hold the session for new credentials: not for
  // us.
  wire_down_ = true;
  try_finish();
}

bool Leg::authenticate(const sip_t* sip) {
  return auth_ && answer_challenges(handle_.get(), sip, *auth_, realms_);
}

void Leg::on_refer(const sip_t* sip, tagi_t* tags) {
  if (phase_ != Phase::established || sip == nullptr || sip->sip_refer_to == nullptr || !refer_event_.empty())
    return respond_to_this(SIP_603_DECLINE, {});
  TransferRequested asked;
  url_t url = *sip->sip_refer_to->r_url;
  const auto target = redirect_target(&url);
  if (target) {
    asked.target = target->plain;
    asked.permitted = (!outgoing_ || request_.follow_transfers) && around_.options.allow &&
                      around_.options.allow->permits_at(target->plain, request_.proxy);
  } else {
    asked.target = uri_text(&url);
  }
  if (url.url_headers != nullptr) asked.replaces = uri_header(url.url_headers, "Replaces");
  if (sip->sip_referred_by != nullptr) asked.referred_by = uri_text(sip->sip_referred_by->b_url);
  const auto when = around_.book.last_request(call_id_, false, "REFER").value_or(mono_now_ns());
  if (!asked.permitted) {
    respond_to_this(SIP_603_DECLINE, {});
  } else {
    const sip_event_t* event = nullptr;
    tl_gets(tags, NUTAG_REFER_EVENT_REF(event), TAG_END());
    refer_event_ = "refer";
    if (event != nullptr && event->o_id != nullptr) refer_event_ += std::string(";id=") + event->o_id;
    respond_to_this(SIP_202_ACCEPTED, {});
    notify_transfer(100);  // at once (RFC 3515, 2.4.4); Sofia does so by itself only outside a dialog
  }
  emit(when, std::move(asked));
}

void Leg::on_refer_response(int status, const char* /*phrase*/, const sip_t* sip) {
  if (status < 300 || !refer_sent_) return;
  if ((status == 401 || status == 407) && authenticate(sip)) return;
  refer_sent_ = false;
  emit(mono_now_ns(), TransferProgress{status, true});
}

void Leg::on_notify_response(int status) {
  if (status < 200 || notifies_ == 0) return;
  if (--notifies_ == 0 && bye_wanted_ && (outgoing_ || confirmed_)) send_bye();
}

void Leg::on_notify(int /*status*/, const sip_t* sip) {
  if (!refer_sent_ || sip == nullptr) return;
  const int status = sipfrag_status_of(sip);
  const sip_subscription_state_t* state = sip->sip_subscription_state;
  const bool over = status >= 200 || (state != nullptr && state->ss_substate != nullptr &&
                                      strcasecmp(state->ss_substate, "terminated") == 0);
  if (over) refer_sent_ = false;
  const auto when = around_.book.last_request(call_id_, false, "NOTIFY").value_or(mono_now_ns());
  emit(when, TransferProgress{status, over});
}

void Leg::on_bye_response(int status, const sip_t* sip) {
  if (status < 200) return;
  if ((status == 401 || status == 407) && authenticate(sip)) return;
  if (told_) return;
  Ended ended;
  ended.status = status;
  ended.reason = hang_up_reason_;
  end(std::move(ended), around_.book.first_request(call_id_, true, "BYE").value_or(mono_now_ns()));
}

void Leg::on_info(const sip_t* sip) {
  if (phase_ != Phase::established || sip == nullptr) return;
  InfoReceived info;
  if (sip->sip_content_type != nullptr && sip->sip_content_type->c_type != nullptr) {
    for (const char* c = sip->sip_content_type->c_type; *c != '\0'; ++c)
      info.content_type += *c >= 'A' && *c <= 'Z' ? static_cast<char>(*c - 'A' + 'a') : *c;
  }
  if (sip->sip_payload != nullptr && sip->sip_payload->pl_data != nullptr)
    info.body.assign(sip->sip_payload->pl_data, static_cast<std::size_t>(sip->sip_payload->pl_len));
  const auto when = around_.book.last_request(call_id_, false, "INFO").value_or(mono_now_ns());
  emit(when, std::move(info));
}

void Leg::on_info_response(int status, const sip_t* sip) {
  if (status < 200) return;
  if ((status == 401 || status == 407) && authenticate(sip)) return;
  if (phase_ == Phase::established) emit(mono_now_ns(), InfoAnswered{status});
}

void Leg::on_bye(const sip_t* sip) {
  ReasonParts reason = reason_of(sip);
  const auto when = around_.book.first_request(call_id_, false, "BYE").value_or(mono_now_ns());
  if (phase_ == Phase::trying) {
    Failed failed;
    failed.kind = FailureKind::cancelled;
    failed.q850 = reason.q850;
    failed.reason = reason.text.empty() ? "the caller hung up before the answer" : std::move(reason.text);
    fail(std::move(failed), when);
  } else if (phase_ == Phase::established) {
    end(Ended{true, 200, std::move(reason.text), reason.q850}, when);
  }
}

void Leg::on_cancel(const sip_t* sip) {
  if (told_) return;
  ReasonParts reason = reason_of(sip);
  Failed failed;
  failed.kind = FailureKind::cancelled;
  failed.status = 487;
  failed.phrase = sip_487_Request_terminated;
  failed.q850 = reason.q850;
  failed.reason = reason.text.empty() ? "the caller gave up" : std::move(reason.text);
  ack_wanted_ = true;
  fail(std::move(failed), around_.book.first_request(call_id_, false, "CANCEL").value_or(mono_now_ns()));
}

void Leg::take(Handle&& handle, const sip_t* invite) {
  outgoing_ = false;
  handle_ = std::move(handle);
  nua_handle_bind(handle_.get(), magic_of(id_));
  call_id_ = invite->sip_call_id != nullptr ? invite->sip_call_id->i_id : "";
  around_.book.claim(call_id_);
  claimed_ = true;
  Incoming incoming;
  if (invite->sip_request != nullptr) {
    incoming.request_uri = uri_text(invite->sip_request->rq_url);
    incoming.request_user = user_of(invite->sip_request->rq_url);
  }
  if (invite->sip_from != nullptr) {
    incoming.from_uri = uri_text(invite->sip_from->a_url);
    incoming.from_user = user_of(invite->sip_from->a_url);
  }
  incoming.call_id = call_id_;
  incoming.headers = x_headers_of(invite);
  incoming.sdp = body_of(invite);
  incoming.source = around_.book.source(call_id_);
  emit(around_.book.first_request(call_id_, false, "INVITE").value_or(mono_now_ns()), std::move(incoming));
}

void Leg::on_ack(const sip_t* sip) {
  const auto when = around_.book.last_request(call_id_, false, "ACK").value_or(mono_now_ns());
  if (!outgoing_ && !confirmed_) {
    confirmed_ = true;
    if (phase_ == Phase::established) emit(when, Confirmed{body_of(sip)});
    if (bye_wanted_ && notifies_ == 0) send_bye();
    return;
  }
  if (!std::exchange(answer_wanted_, false) || phase_ != Phase::established || !session_) return;
  std::string answer = body_of(sip);
  if (auto media = session_->take_answer(answer)) emit(when, MediaChanged{std::move(answer), *media});
}

void Leg::on_offer(int status, const sip_t* sip, bool update) {
  if (status >= 200 || sip == nullptr) return;  // Sofia has answered it
  if (phase_ != Phase::established || !session_) return respond_to_this(SIP_488_NOT_ACCEPTABLE, {});
  std::string offer = body_of(sip);
  if (offer.empty()) {
    if (update) return respond_to_this(SIP_200_OK, {});  // only refreshes the session
    answer_wanted_ = true;
    return respond_to_this(SIP_200_OK, session_->offer());
  }
  const auto answer = session_->answer(offer);
  if (!answer) return respond_to_this(SIP_488_NOT_ACCEPTABLE, {});
  respond_to_this(SIP_200_OK, answer->sdp);
  const auto when =
      around_.book.last_request(call_id_, false, update ? "UPDATE" : "INVITE").value_or(mono_now_ns());
  emit(when, MediaChanged{std::move(offer), answer->media});
}

}  // namespace linecheck::sip
