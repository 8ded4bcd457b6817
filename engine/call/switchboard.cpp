// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/switchboard.h"

#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <system_error>

namespace linecheck::engine {
namespace {

/// Asio closes the descriptor that it watches; the event descriptor belongs to the media engine.
int duplicate_of(int fd) {
  const int copy = ::dup(fd);
  if (copy < 0) throw std::system_error(errno, std::generic_category(), "dup");
  return copy;
}

}  // namespace

Switchboard::Switchboard(boost::asio::io_context& control, media::Options media)
    : control_(control), media_(std::move(media)), media_ready_(control, duplicate_of(media_.event_fd())) {
  wait_for_media();
}

Switchboard::~Switchboard() {
  shutdown();
}

std::size_t Switchboard::add_endpoint(sip::EndpointOptions options) {
  const std::size_t index = endpoints_.size();
  auto to_control = [this, index, alive = alive_](sip::Event&& event) {
    boost::asio::post(control_, [this, index, alive, event = std::move(event)]() mutable {
      if (*alive) deliver(index, std::move(event));
    });
  };
  auto endpoint = std::make_unique<sip::Endpoint>(std::move(options), std::move(to_control));
  endpoints_.push_back(std::move(endpoint));
  sip_legs_.emplace_back();
  return index;
}

void Switchboard::deliver(std::size_t endpoint, sip::Event event) {
  if (std::holds_alternative<sip::Incoming>(event.what)) {
    if (on_incoming_)
      on_incoming_(endpoint, std::move(event));
    else
      endpoints_[endpoint]->reject(event.leg, 404, {}, "no run waits for a call");
    return;
  }
  if (auto* trunk = std::get_if<sip::TrunkChanged>(&event.what)) {
    trunks_[trunk->name] = *trunk;
    wake_trunk_waiters();
    if (on_trunk_) on_trunk_(*trunk);
    return;
  }
  if (const auto* refused = std::get_if<sip::CallRefused>(&event.what)) {
    if (on_refused_) on_refused_(endpoint, *refused);
    return;
  }
  if (const auto* answered = std::get_if<sip::RequestAnswered>(&event.what)) {
    const auto asked = loose_.extract({endpoint, event.leg});
    if (asked && asked.mapped()) asked.mapped()(*answered);
    return;
  }
  const auto found = sip_legs_[endpoint].find(event.leg);
  if (found != sip_legs_[endpoint].end()) found->second->push(std::move(event));
}

sip::TrunkChanged Switchboard::trunk(const std::string& name) const {
  const auto found = trunks_.find(name);
  return found != trunks_.end() ? found->second : sip::TrunkChanged{};
}

void Switchboard::send_loose(std::size_t endpoint, sip::LooseRequest request,
                             std::function<void(const sip::RequestAnswered&)> done) {
  loose_[{endpoint, request.id}] = std::move(done);
  endpoints_.at(endpoint)->send_loose(std::move(request));
}

void Switchboard::forget_trunk(std::size_t endpoint, std::string name) {
  trunks_.erase(name);
  endpoints_.at(endpoint)->forget_trunk(std::move(name));
}

void Switchboard::wake_trunk_waiters() {
  for (boost::asio::steady_timer* waiter : trunk_waiters_) waiter->cancel();
}

boost::asio::awaitable<void> Switchboard::trunk_known(std::string name, CallInbox::Clock::time_point deadline,
                                                      std::function<bool()> given_up) {
  boost::asio::steady_timer news(control_);
  const auto place = trunk_waiters_.insert(trunk_waiters_.end(), &news);
  const auto leave = [this, place](void*) { trunk_waiters_.erase(place); };
  const std::unique_ptr<void, decltype(leave)> left(&news, leave);
  while (trunk(name).state == sip::TrunkState::unknown && CallInbox::Clock::now() < deadline && !given_up()) {
    news.expires_at(deadline);
    boost::system::error_code woken;
    co_await news.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
  }
}

void Switchboard::wait_for_media() {
  media_ready_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                          [this, alive = alive_](const boost::system::error_code& error) {
                            if (error || !*alive) return;
                            media_.drain(drained_);
                            for (media::Event& event : drained_) {
                              const auto found = media_legs_.find(event.leg);
                              if (found != media_legs_.end()) found->second->push(std::move(event));
                            }
                            drained_.clear();
                            wait_for_media();
                          });
}

void Switchboard::connect(std::size_t endpoint, sip::LegId leg, CallInbox& inbox) {
  sip_legs_.at(endpoint)[leg] = &inbox;
}

void Switchboard::connect(media::LegId leg, CallInbox& inbox) {
  media_legs_[leg] = &inbox;
}

void Switchboard::disconnect(std::size_t endpoint, sip::LegId leg) {
  sip_legs_.at(endpoint).erase(leg);
}

void Switchboard::disconnect(media::LegId leg) {
  media_legs_.erase(leg);
}

void Switchboard::shutdown() {
  if (!*alive_) return;
  for (auto& endpoint : endpoints_) endpoint->shutdown();
  *alive_ = false;
  boost::system::error_code ignored;
  media_ready_.close(ignored);
}

}  // namespace linecheck::engine
