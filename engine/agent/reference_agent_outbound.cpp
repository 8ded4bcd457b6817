// SPDX-License-Identifier: GPL-3.0-or-later
//
// The half of the reference agent that calls who asks it to, as agents do that dial out.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "engine/agent/guest.h"
#include "engine/agent/reference_agent.h"
#include "engine/call/stream_terms.h"
#include "sip/headers.h"

namespace linecheck::engine {

void ReferenceAgent::take_order(CallOrder order) {
  const sip::LegId leg = switchboard_.endpoint(0).new_leg_id();
  auto inbox = std::make_shared<CallInbox>(control_.get_executor());
  inboxes_[leg] = inbox;
  boost::asio::co_spawn(control_, call_out(leg, std::move(order), std::move(inbox)), boost::asio::detached);
}

boost::asio::awaitable<void> ReferenceAgent::call_out(sip::LegId leg, CallOrder order,
                                                      std::shared_ptr<CallInbox> inbox) {
  Guest guest(leg, *inbox);
  guest.sip_finished = true;  // nothing is dialled yet
  guest.behaviour = config_.find(order.to, scenario_of(order.headers));
  if (guest.behaviour != nullptr) {
    const bool answered = co_await dial(guest, std::move(order));
    if (answered) co_await converse(guest);
    co_await take_leave(guest);
  }
  leave(leg);
}

/// True once it is answered, and its audio agreed on.
boost::asio::awaitable<bool> ReferenceAgent::dial(Guest& guest, CallOrder order) {
  const OutboundConfig& outbound = *config_.outbound;
  const auto due = CallInbox::Clock::now() +
                   std::chrono::microseconds(static_cast<std::int64_t>(outbound.dial_after_ms * 1000));
  std::optional<CallEvent> stopped = co_await guest.inbox.next(due);
  if (stopped) co_return false;
  guest.local = own_side();
  guest.rate = leg_rate(guest.local.codecs);
  bool open = true;
  try {
    open_media(guest);
  } catch (const std::exception& error) {  // no port is free: this call is not made
    open = false;
  }
  if (!open) co_return false;
  sip::DialRequest request;
  request.id = guest.leg;
  const std::string place = outbound.target.substr(std::string_view("sip:").size());
  request.target_uri = "sip:" + sip::escape_user(order.to) + "@" + place;
  const std::string number = order.from.empty() ? outbound.number : order.from;
  if (!number.empty())
    request.from_uri = "sip:" + sip::escape_user(number) + "@" +
                       (host_.find(':') == std::string::npos ? host_ : "[" + host_ + "]");
  request.headers = std::move(order.headers);
  request.sdp = sip::make_offer(guest.local);
  guest.sip_finished = false;
  switchboard_.connect(0, guest.leg, guest.inbox);
  switchboard_.endpoint(0).dial(std::move(request));
  while (guest.up && !guest.answered_ms) {
    std::optional<CallEvent> event =
        co_await guest.inbox.next(CallInbox::Clock::now() + std::chrono::hours(1));
    if (!event) break;
    if (auto* sip = std::get_if<sip::Event>(&*event)) {
      guest.up = on_dialling(guest, *sip);
    } else if (!std::holds_alternative<media::Event>(*event)) {
      guest.up = false;
    }
  }
  co_return guest.up&& guest.answered_ms.has_value();
}

/// False: the call is over.
bool ReferenceAgent::on_dialling(Guest& guest, sip::Event& event) {
  if (const auto* dialled = std::get_if<sip::Dialled>(&event.what)) {
    guest.call_id = dialled->call_id;
  } else if (const auto* answered = std::get_if<sip::Answered>(&event.what)) {
    const auto agreed = sip::negotiate_answer(guest.local, answered->sdp);
    if (!agreed || !start_media(guest, *agreed)) return false;
    guest.answered_ms = guest.on_its_clock(event.mono_ns);
    truth_.write({guest.call_id, event.mono_ns, 0, 0, 0, "answered", ""});
  } else if (std::holds_alternative<sip::Failed>(event.what) ||
             std::holds_alternative<sip::Ended>(event.what)) {
    return false;
  } else if (std::holds_alternative<sip::Finished>(event.what)) {
    guest.sip_finished = true;
    return false;
  }
  return true;
}

}  // namespace linecheck::engine
