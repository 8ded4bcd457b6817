// SPDX-License-Identifier: GPL-3.0-or-later
//
// The chapter of PlacedCall in which the agent hands its caller on to somebody else.
#include <algorithm>
#include <string>
#include <utility>

#include "engine/call/placed_call.h"

namespace linecheck::engine {
namespace {

/// In one call. Agents that hand their caller round and round are let go.
constexpr int kMostTransfers = 10;

}  // namespace

void PlacedCall::on_transfer_asked(const sip::TransferRequested& asked, double t_ms) {
  note(t_ms, "transfer_asked", asked.target);
  if (!asked.permitted) {
    record_.transfer_not_made = "The agent asked to transfer the call to " + asked.target +
                                ", which the trunk's allow list does not name.";
    return;
  }
  if (++transfers_ > kMostTransfers) {
    record_.transfer_not_made = "The agent asked for more than " + std::to_string(kMostTransfers) +
                                " transfers in one call; that to " + asked.target + " was declined.";
    services_.switchboard.endpoint(spec_->endpoint).notify_transfer(sip_leg_, 603);
    return;
  }
  if (transfer_.pending()) leaving_.push_back(transfer_.take_leg());  // one that failed
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
    leaving_.push_back(sip_leg_);
    services_.switchboard.endpoint(spec_->endpoint).hang_up(sip_leg_, "transferred");
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

/// Whether the event is of a leg that the call has left behind.
bool PlacedCall::on_leaving_leg(sip::Event& event) {
  const auto leg = std::find(leaving_.begin(), leaving_.end(), event.leg);
  if (leg == leaving_.end()) return false;
  if (auto* finished = std::get_if<sip::Finished>(&event.what)) {
    keep_trace(*finished);
    services_.switchboard.disconnect(spec_->endpoint, *leg);
    leaving_.erase(leg);
  }
  return true;
}

}  // namespace linecheck::engine
