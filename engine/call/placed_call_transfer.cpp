// SPDX-License-Identifier: GPL-3.0-or-later
//
// The chapter of PlacedCall in which the agent hands its caller on to somebody else.
#include <utility>

#include "engine/call/placed_call.h"

namespace linecheck::engine {

void PlacedCall::on_transfer_asked(const sip::TransferRequested& asked, double t_ms) {
  note(t_ms, "transfer_asked", asked.target);
  if (!asked.permitted) {
    record_.transfer_not_made = "The agent asked to transfer the call to " + asked.target +
                                ", which the trunk's allow list does not name.";
    return;
  }
  doing("being transferred");
  sip::DialRequest invite = make_invite();
  invite.headers.clear();
  transfer_.begin(sip_leg_, asked, std::move(invite));
}

void PlacedCall::on_transfer_event(sip::Event& event) {
  const double t = on_call_clock(event.mono_ns);
  if (auto* finished = std::get_if<sip::Finished>(&event.what)) {
    keep_trace(*finished);
    services_.switchboard.disconnect(spec_->endpoint, transfer_.take_leg());
    return;
  }
  const auto outcome = transfer_.on_event(event);
  if (!outcome) return;
  if (outcome->answered && in_call_) return switch_to_transfer_target(*outcome->answered, t);
  if (outcome->answered) return transfer_.hang_up();  // it crossed our hanging up
  note(t, "transfer_failed", outcome->failed);
  record_.transfer_not_made = "The transfer to " + transfer_.target() + " failed with " +
                              std::to_string(outcome->status) + ": " + outcome->failed + ".";
  if (agent_left_) {
    record_.hung_up_by = Party::agent;
    record_.ended_reason = "transfer-failed";
    record_.ended_ms = t;
    in_call_ = false;
  }
}

/// The call goes on with who answered; the agent that sent us there is let go.
void PlacedCall::switch_to_transfer_target(const sip::Answered& answered, double t_ms) {
  note(t_ms, "transferred", transfer_.target());
  record_.transferred_to = transfer_.target();
  if (sip_up_) {
    old_leg_ = sip_leg_;
    services_.switchboard.endpoint(spec_->endpoint).hang_up(old_leg_, "transferred");
  } else {
    services_.switchboard.disconnect(spec_->endpoint, sip_leg_);
  }
  sip_leg_ = transfer_.take_leg();
  sip_up_ = true;
  agent_left_ = false;
  if (!start_media(answered.sdp)) return end_by_caller(record_.ended_reason);
  doing("talking");
  if (spec_->scenario->end_call_on_transfer) end_by_caller("transferred");
}

/// Whether the event is of the leg to an agent that has transferred us.
bool PlacedCall::on_old_leg(sip::Event& event) {
  if (old_leg_ == 0 || event.leg != old_leg_) return false;
  if (auto* finished = std::get_if<sip::Finished>(&event.what)) {
    keep_trace(*finished);
    services_.switchboard.disconnect(spec_->endpoint, std::exchange(old_leg_, 0));
  }
  return true;
}

}  // namespace linecheck::engine
