// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/voices.h"

#include <utility>

#include "engine/persona/voices_client.h"

namespace linecheck::engine {

Voices::Voices(VoicesOptions options) : client_(std::make_unique<VoicesClient>(std::move(options))) {
}

Voices::~Voices() {
  shutdown();
}

void Voices::synthesize(VoiceSpec voice, std::string text, Done done) {
  client_->submit(std::move(voice), std::move(text), std::move(done));
}

VoicesStatistics Voices::statistics() const {
  return client_->statistics();
}

pid_t Voices::process_id() const {
  return client_->process_id();
}

void Voices::shutdown() {
  client_->shutdown();
}

}  // namespace linecheck::engine
