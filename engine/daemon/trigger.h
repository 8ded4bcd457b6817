// SPDX-License-Identifier: GPL-3.0-or-later
//
// How an outbound agent is asked to call us: a webhook, a SIP MESSAGE, a REFER, or not at all.
#pragma once

#include <memory>

#include "engine/call/call.h"
#include "engine/call/switchboard.h"
#include "scheduler/model.h"

namespace linecheck::engine {

/// Asks, and returns at once. What goes wrong comes to the inbox, while it exists, as a Nudge.
void trigger_agent(Switchboard& switchboard, const scheduler::Agent& agent, const CallSpec& spec,
                   const std::weak_ptr<CallInbox>& inbox);

}  // namespace linecheck::engine
