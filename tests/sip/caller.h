// SPDX-License-Identifier: GPL-3.0-or-later
//
// An endpoint of ours about to dial a peer on loopback.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "recorder.h"

namespace linecheck::sip::test {

struct Caller {
  Recorder events;
  Endpoint endpoint;
  LegId id;
  DialRequest request;

  explicit Caller(std::uint16_t port, Recorder::Hook hook = {}, EndpointOptions options = defaults())
      : endpoint(std::move(options), events.callback(std::move(hook))), id(endpoint.new_leg_id()) {
    request.id = id;
    request.target_uri = "sip:agent@127.0.0.1:" + std::to_string(port);
    request.from_uri = "sip:+15550100@127.0.0.1";
    request.sdp = offer_sdp();
  }
  ~Caller() {
    endpoint.shutdown();
    CHECK(endpoint.live_handles() == 0);
  }
  static EndpointOptions defaults() {
    EndpointOptions options;
    options.timers = quick_timers();
    options.settle = std::chrono::milliseconds(3000);
    return options;
  }
  void dial() { endpoint.dial(request); }
  std::vector<TraceMessage> trace() { return events.get<Finished>(id).trace; }
};

}  // namespace linecheck::sip::test
