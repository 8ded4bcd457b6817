// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/endpoint.h"

#include <utility>

#include "sip/shard.h"

namespace linecheck::sip {

class Endpoint::Impl {
 public:
  Impl(EndpointOptions options, Callback on_event) : shard(std::move(options), std::move(on_event)) {}
  Shard shard;
};

Endpoint::Endpoint(EndpointOptions options, Callback on_event)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(on_event))) {
}

Endpoint::~Endpoint() = default;

std::string Endpoint::local_address() const {
  return impl_->shard.address().host;
}
std::uint16_t Endpoint::local_port() const {
  return impl_->shard.address().port;
}
LegId Endpoint::new_leg_id() {
  return impl_->shard.reserve();
}
std::size_t Endpoint::live_handles() const {
  return impl_->shard.live_handles();
}
std::size_t Endpoint::callback_exceptions() const {
  return impl_->shard.callback_exceptions();
}
void Endpoint::shutdown() {
  impl_->shard.shutdown();
}

void Endpoint::set_allow(AllowList allow) {
  impl_->shard.post(command::Allow{std::move(allow)});
}

void Endpoint::dial(DialRequest request) {
  impl_->shard.post(std::move(request));
}

void Endpoint::ring(LegId leg, int status, std::string sdp) {
  impl_->shard.post(command::Ring{leg, status, std::move(sdp)});
}

void Endpoint::accept(LegId leg, std::string sdp, std::vector<Header> headers,
                      std::optional<OfferOptions> capabilities) {
  impl_->shard.post(command::Accept{leg, std::move(sdp), std::move(headers), std::move(capabilities)});
}

void Endpoint::reject(LegId leg, int status, std::string phrase, std::string reason) {
  impl_->shard.post(command::Reject{leg, status, std::move(phrase), std::move(reason)});
}

void Endpoint::send_loose(LooseRequest request) {
  impl_->shard.post(std::move(request));
}

void Endpoint::send_info(LegId leg, std::string content_type, std::string body) {
  impl_->shard.post(command::SendInfo{leg, std::move(content_type), std::move(body)});
}

void Endpoint::hang_up(LegId leg, std::string reason) {
  impl_->shard.post(command::HangUp{leg, std::move(reason)});
}

void Endpoint::refer(LegId leg, std::string target_uri) {
  impl_->shard.post(command::Refer{leg, std::move(target_uri)});
}

void Endpoint::notify_transfer(LegId leg, int status) {
  impl_->shard.post(command::NotifyTransfer{leg, status});
}

void Endpoint::watch_trunk(TrunkOptions options) {
  impl_->shard.post(std::move(options));
}

void Endpoint::forget_trunk(std::string name) {
  impl_->shard.post(command::ForgetTrunk{std::move(name)});
}

}  // namespace linecheck::sip
