// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/transfer.h"

#include <utility>
#include <variant>

namespace linecheck::engine {

Transfer::~Transfer() {
  hang_up();
  if (leg_ != 0) services_.switchboard.disconnect(spec_.endpoint, leg_);
}

void Transfer::begin(sip::LegId agent, const sip::TransferRequested& asked, sip::DialRequest invite) {
  agent_ = agent;
  target_ = asked.target;
  last_told_ = 0;
  answered_ = over_ = false;
  sip::Endpoint& endpoint = services_.switchboard.endpoint(spec_.endpoint);
  leg_ = endpoint.new_leg_id();
  invite.id = leg_;
  invite.target_uri = asked.target;
  invite.replaces = asked.replaces;
  invite.referred_by = asked.referred_by;
  services_.switchboard.connect(spec_.endpoint, leg_, inbox_);
  endpoint.dial(std::move(invite));
}

std::optional<Transfer::Outcome> Transfer::on_event(const sip::Event& event) {
  sip::Endpoint& endpoint = services_.switchboard.endpoint(spec_.endpoint);
  if (const auto* provisional = std::get_if<sip::Provisional>(&event.what)) {
    if (provisional->status != last_told_) endpoint.notify_transfer(agent_, provisional->status);
    last_told_ = provisional->status;
  } else if (const auto* answered = std::get_if<sip::Answered>(&event.what)) {
    answered_ = true;
    endpoint.notify_transfer(agent_, answered->status);
    Outcome outcome;
    outcome.answered = *answered;
    return outcome;
  } else if (const auto* failed = std::get_if<sip::Failed>(&event.what)) {
    over_ = true;
    Outcome outcome;
    outcome.status = failed->status != 0 ? failed->status : 408;
    outcome.failed = failed->reason;
    endpoint.notify_transfer(agent_, outcome.status);
    return outcome;
  } else if (std::holds_alternative<sip::Ended>(event.what)) {
    over_ = true;
  }
  return std::nullopt;
}

sip::LegId Transfer::take_leg() {
  return std::exchange(leg_, 0);
}

void Transfer::hang_up() {
  if (leg_ != 0 && !over_) services_.switchboard.endpoint(spec_.endpoint).hang_up(leg_);
}

}  // namespace linecheck::engine
