// SPDX-License-Identifier: GPL-3.0-or-later
//
// The chapter of PlacedCall in which the agent calls us.
#include <utility>

#include "engine/call/placed_call.h"
#include "engine/call/time.h"
#include "engine/evaluation/words.h"
#include "scheduler/reader.h"
#include "sip/network.h"

namespace linecheck::engine {
namespace {

/// After our 200: longer than it is sent again for want of an ACK (RFC 3261, 13.3.1.4: 64*T1 = 32 s).
constexpr std::chrono::seconds kAckPatience{40};

}  // namespace

/// False: the run is stopped before its turn.
boost::asio::awaitable<bool> PlacedCall::hold_number() {
  doing("waiting for its number to be free");
  place_ = services_.reception->enter(spec_->awaited->call, inbox_);
  while (!place_->holds()) {
    std::optional<CallEvent> event = co_await inbox_.next(CallInbox::Clock::now() + std::chrono::hours(24));
    const auto* stop = event ? std::get_if<StopCall>(&*event) : nullptr;
    if (stop == nullptr) continue;
    stopped(*stop);
    co_return false;
  }
  if (trunk_is_down()) co_return false;
  const bool wanted = !spec_->begin || co_await spec_->begin();
  if (!wanted) {
    record_.cancelled = true;
    record_.ended_reason = "cancelled";
  }
  co_return wanted;
}

void PlacedCall::open_dial_window() {
  const AwaitedCall& wanted = *spec_->awaited;
  place_->open();
  record_.dial_window_opens_at = utc_now();
  record_.dial_window_s = static_cast<double>(wanted.window.count()) / 1000;
  record_.dial_window_closes_at = utc_text(unix_ms() + wanted.window.count());
  doing(("waiting for a call to " + wanted.call.number).c_str());
  if (wanted.trigger) wanted.trigger();
}

boost::asio::awaitable<bool> PlacedCall::await_call() {
  const bool wanted = co_await hold_number();
  if (!wanted) {
    place_.reset();
    co_return false;
  }
  open_dial_window();
  auto deadline = CallInbox::Clock::now() + spec_->awaited->window;
  std::optional<bool> connected;
  while (!connected) {
    std::optional<CallEvent> event = co_await inbox_.next(deadline);
    if (!event) {
      nobody_called();
      connected = false;
    } else if (const auto* stop = std::get_if<StopCall>(&*event)) {
      stopped(*stop);
      connected = false;
    } else if (const auto* nudge = std::get_if<Nudge>(&*event)) {
      if (!nudge->trouble.empty() && !sip_up_) {
        could_not_ask(*nudge);
        connected = false;
      }
    } else if (auto* media = std::get_if<media::Event>(&*event)) {
      on_media(*media);
    } else if (auto* sip = std::get_if<sip::Event>(&*event)) {
      if (!std::holds_alternative<sip::Incoming>(sip->what)) {
        connected = on_being_called(*sip);
      } else if (take_call(*sip)) {
        deadline = CallInbox::Clock::now() + kAckPatience;
      } else {
        connected = false;
      }
    }
  }
  if (!*connected && !sip_up_) place_.reset();  // who calls now is too late
  co_return *connected;
}

void PlacedCall::nobody_called() {
  const AwaitedCall& wanted = *spec_->awaited;
  if (sip_up_) {
    fail(FailureCategory::agent, "The agent called, but never acknowledged our answer (no ACK).");
    record_.ended_reason = "no-ack";
    return;
  }
  std::string reason = "The agent did not call " + wanted.call.number + " within its dial window of " +
                       scheduler::duration_text(wanted.window) + ".";
  if (place_->refused() > 0) {
    reason += " Refused meanwhile: " + count_text(place_->refused(), "call") +
              ", the last one: " + place_->last_refusal() + ".";
  }
  fail(FailureCategory::agent, std::move(reason));
  record_.ended_reason = "dial-window-passed";
}

void PlacedCall::could_not_ask(const Nudge& nudge) {
  fail(nudge.unreachable ? FailureCategory::network : FailureCategory::agent,
       "The agent could not be asked to call: " + nudge.trouble + ".");
  record_.ended_reason = "trigger-failed";
}

/// False: the call was refused, or could not be taken.
bool PlacedCall::take_call(sip::Event& event) {
  auto& incoming = std::get<sip::Incoming>(event.what);
  sip::Endpoint& endpoint = services_.switchboard.endpoint(spec_->endpoint);
  sip_leg_ = event.leg;
  sip_up_ = true;
  record_.call_id = incoming.call_id;
  if (record_.agent_number.empty()) record_.agent_number = incoming.from_user;
  spec_->media_address = spec_->awaited->own_address_towards(sip::host_of_address(incoming.source));
  if (!open_media()) {
    endpoint.reject(sip_leg_, 503, {}, "no media port is free");
    return false;
  }
  note(on_call_clock(event.mono_ns), "called", "by " + incoming.from_user + " at " + incoming.request_user);
  endpoint.ring(sip_leg_);
  // Who answers takes what suits; who offers names few.
  if (spec_->srtp_suites.empty()) spec_->srtp_suites.assign(sip::kSrtpSuites.begin(), sip::kSrtpSuites.end());
  make_offer_options();
  late_offer_ = incoming.sdp.empty();
  if (late_offer_) {  // its answer comes with the ACK
    endpoint.accept(sip_leg_, sip::make_offer(offer_), {}, offer_);
    return true;
  }
  const auto answer = sip::make_answer(incoming.sdp, offer_);
  if (!answer) {
    fail(FailureCategory::agent, "The agent's call can't be answered: " + answer.error().text);
    record_.ended_reason = "media-not-acceptable";
  } else if (begin_stream(answer->media)) {
    endpoint.accept(sip_leg_, answer->sdp, {}, offer_);
    return true;
  }
  endpoint.reject(sip_leg_, 488, {}, record_.failure ? record_.failure->reason : "");
  return false;
}

/// Nothing while the outcome is open.
std::optional<bool> PlacedCall::on_being_called(sip::Event& event) {
  const double t = on_call_clock(event.mono_ns);
  if (const auto* confirmed = std::get_if<sip::Confirmed>(&event.what)) {
    record_.sip_status = 200;
    record_.answered_ms = t;
    in_call_ = true;
    note(t, "answered");
    return !late_offer_ || start_media(confirmed->sdp);
  }
  if (const auto* failed = std::get_if<sip::Failed>(&event.what)) {
    record_.ended_ms = t;
    fail(FailureCategory::agent, "The agent gave its call up before it was answered" +
                                     (failed->reason.empty() ? "." : ": " + failed->reason + "."));
    record_.ended_reason = "agent-gave-up";
    return false;
  }
  if (const auto* ended = std::get_if<sip::Ended>(&event.what)) {
    record_.ended_ms = t;
    note(t, "ended", ended->reason);
    fail(FailureCategory::agent, ended->by_remote
                                     ? "The agent hung up before its call was set up."
                                     : "The agent called, but never acknowledged our answer (no ACK).");
    record_.ended_reason = ended->by_remote ? "agent-gave-up" : "no-ack";
    return false;
  }
  if (auto* finished = std::get_if<sip::Finished>(&event.what)) {
    keep_trace(*finished);
    sip_up_ = false;
    return false;
  }
  return std::nullopt;
}

/// A call that came while the run was ending already.
void PlacedCall::turn_away(const sip::Event& event) {
  services_.switchboard.endpoint(spec_->endpoint).reject(event.leg, 480, {}, "the run that waited is over");
  if (event.leg != sip_leg_) services_.switchboard.disconnect(spec_->endpoint, event.leg);
}

}  // namespace linecheck::engine
