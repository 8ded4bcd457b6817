// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/reception.h"

#include <utility>

#include "engine/call/time.h"

namespace linecheck::engine {

Reception::Reception(Switchboard& switchboard) : switchboard_(switchboard) {
  switchboard_.on_incoming(
      [this](std::size_t endpoint, sip::Event event) { on_incoming(endpoint, std::move(event)); });
  switchboard_.on_refused([this](std::size_t endpoint, const sip::CallRefused& call) {
    RefusedCall refused;
    refused.endpoint = endpoint;
    refused.source = call.source;
    refused.called = call.request_user;
    refused.caller = call.from_user;
    refused.status = call.status;
    refused.reason = call.reason;
    tell(std::move(refused));
  });
}

Reception::~Reception() {
  switchboard_.on_incoming({});
  switchboard_.on_refused({});
}

std::unique_ptr<Reception::Place> Reception::enter(ExpectedCall call, CallInbox& inbox) {
  auto place = std::make_unique<Place>(*this, waiting_.enter(std::move(call), &inbox));
  admit();
  return place;
}

void Reception::leave(WaitingRuns::Entries::iterator entry) {
  waiting_.leave(entry);
  admit();
}

void Reception::admit() {
  for (const WaitingRuns::Entry* entry : waiting_.admit()) entry->inbox->push(Nudge{});
}

void Reception::on_incoming(std::size_t endpoint, sip::Event event) {
  const auto& incoming = std::get<sip::Incoming>(event.what);
  WaitingRuns::Refusal refusal;
  if (WaitingRuns::Entry* const entry = waiting_.take(endpoint, incoming, refusal)) {
    switchboard_.connect(endpoint, event.leg, *entry->inbox);
    entry->inbox->push(std::move(event));
    return;
  }
  switchboard_.endpoint(endpoint).reject(event.leg, refusal.status, {}, refusal.reason);
  RefusedCall refused;
  refused.endpoint = endpoint;
  refused.source = incoming.source;
  refused.called = incoming.request_user;
  refused.caller = incoming.from_user;
  refused.status = refusal.status;
  refused.reason = std::move(refusal.reason);
  refused.run_id = refusal.run_id;
  refused.result_id = refusal.result_id;
  tell(std::move(refused));
}

void Reception::tell(RefusedCall refused) {
  refused.at = utc_now();
  if (on_refused_) on_refused_(refused);
}

}  // namespace linecheck::engine
