// SPDX-License-Identifier: GPL-3.0-or-later
//
// Secrets come from files (or systemd credentials, which are files), are read when a call needs them, and are
// never logged.
#pragma once

#include <optional>

#include "scheduler/model.h"
#include "sip/endpoint.h"

namespace linecheck::engine {

/// The agent's own sip_auth, else the trunk's; nullopt: none. Throws std::runtime_error if the file can't be
/// read.
std::optional<sip::Credentials> credentials_of(const scheduler::Agent& agent, const scheduler::Trunk& trunk);
/// The trunk's own.
std::optional<sip::Credentials> credentials_of(const scheduler::Trunk& trunk);

}  // namespace linecheck::engine
