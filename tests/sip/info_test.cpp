// SPDX-License-Identifier: GPL-3.0-or-later
//
// INFO inside a call: with SIPp, and between two endpoints of ours.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>

#include "caller.h"
#include "recorder.h"
#include "sip/dtmf_info.h"
#include "sipp.h"

using namespace linecheck::sip;
using namespace linecheck::sip::test;

TEST_CASE("INFO: SIPp sends a key and takes one") {
  if (!find_sipp()) {
    MESSAGE("skipped: sipp is not installed (Debian: sip-tester)");
    return;
  }
  Sipp peer = Sipp::answering("info");
  Caller caller(peer.port());
  caller.dial();
  REQUIRE(caller.events.wait<InfoReceived>(caller.id));
  const auto info = caller.events.get<InfoReceived>(caller.id);
  CHECK(info.content_type == "application/dtmf-relay");
  CHECK(info.body.find("Signal=5") != std::string::npos);
  CHECK(info.body.find("Duration=160") != std::string::npos);
  CHECK(caller.events.when<InfoReceived>(caller.id) >= caller.events.when<Answered>(caller.id));

  caller.endpoint.send_info(caller.id, "application/dtmf-relay", "Signal=#\r\nDuration=100\r\n");
  REQUIRE(caller.events.wait<InfoAnswered>(caller.id));
  CHECK(caller.events.get<InfoAnswered>(caller.id).status == 200);
  caller.endpoint.hang_up(caller.id);
  REQUIRE(caller.events.wait<Finished>(caller.id));
  const int status = peer.wait();
  CAPTURE(peer.errors());
  CAPTURE(ladder(caller.trace()));
  CHECK(status == 0);
}

TEST_CASE("INFO: both ways between endpoints, in order, and only inside an answered call") {
  EndpointOptions called = Caller::defaults();
  called.accept_incoming = true;
  Recorder heard;
  std::atomic<Endpoint*> answering{nullptr};
  Endpoint callee(called, heard.callback([&](const Event& event) {
    Endpoint& self = *answering.load();
    if (const auto* incoming = std::get_if<Incoming>(&event.what)) {
      self.send_info(event.leg, "application/dtmf", "0");  // too early: nobody is told
      self.accept(event.leg, answer_to(incoming->sdp));
    } else if (std::holds_alternative<Confirmed>(event.what)) {
      self.send_info(event.leg, "application/dtmf", "9");
    }
  }));
  answering = &callee;
  Caller caller(callee.local_port());
  caller.endpoint.send_info(caller.id, "application/dtmf", "1");  // no such leg yet
  caller.dial();
  REQUIRE(caller.events.wait<InfoReceived>(caller.id));
  CHECK(caller.events.get<InfoReceived>(caller.id).body == "9");
  for (const char* key : {"1", "1", "2"}) caller.endpoint.send_info(caller.id, "application/dtmf", key);
  caller.endpoint.send_info(caller.id, "text/plain\r\nX-Bad: 1", "no");  // cannot be sent
  const LegId leg = heard.wait_incoming();
  REQUIRE(leg != 0);
  const auto keys = [&] {
    std::string all;
    for (const Event& event : heard.of(leg))
      if (const auto* info = std::get_if<InfoReceived>(&event.what)) all += info->body;
    return all;
  };
  const auto answered = [&] { return caller.events.count<InfoAnswered>(caller.id); };
  for (int tries = 0; tries < 500 && (keys().size() < 3 || answered() < 3); ++tries)
    (void)heard.wait<Ended>(leg, std::chrono::milliseconds(10));
  caller.endpoint.hang_up(caller.id);
  REQUIRE(caller.events.wait<Finished>(caller.id));
  REQUIRE(heard.wait<Finished>(leg));
  CHECK(keys() == "112");
  CHECK(answered() == 3);
  CHECK(heard.get<InfoAnswered>(leg).status == 200);
  callee.shutdown();
  CHECK(callee.live_handles() == 0);
}

TEST_CASE("INFO: keys in both shapes, as they are sent in the field") {
  const auto key = [](std::string_view type, std::string_view body) {
    const auto parsed = parse_dtmf_info(type, body);
    return parsed ? std::string(1, parsed->key) +
                        (parsed->duration_ms ? std::to_string(*parsed->duration_ms) : "")
                  : std::string("none");
  };
  CHECK(key(kDtmfRelay, "Signal=5\r\nDuration=160\r\n") == "5160");
  CHECK(key(kDtmfRelay, "signal= #\nduration = 90") == "#90");
  CHECK(key(kDtmfRelay, "Signal=10\r\nDuration=250\r\n") == "*250");
  CHECK(key(kDtmfRelay, "Signal=d") == "D");
  CHECK(key(kDtmfRelay, "Signal=7\r\nDuration=99999999999") == "7");
  CHECK(key(kDtmf, "*") == "*");
  CHECK(key(kDtmf, " 9\r\n") == "9");
  CHECK(key(kDtmf, "Signal=4\r\nDuration=100\r\n") == "4100");
  for (const char* body : {"", "Signal=", "Signal=x", "Signal=16", "Duration=100", "Signal 5", "=", "\n\n"}) {
    CAPTURE(body);
    CHECK(key(kDtmfRelay, body) == "none");
  }
  CHECK(key(kDtmf, "12") == "A");  // an event's code
  CHECK(key(kDtmf, "hello") == "none");
  CHECK(key("text/plain", "5") == "none");
  CHECK(dtmf_relay_body('#', 100) == "Signal=#\r\nDuration=100\r\n");
  CHECK(key(kDtmfRelay, dtmf_relay_body('A', 40)) == "A40");
}
