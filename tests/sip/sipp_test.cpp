// SPDX-License-Identifier: GPL-3.0-or-later
//
// A peer that we did not write: SIPp answers, refuses, is silent, hangs up, renegotiates, and calls us.
#include "sipp.h"

#include <doctest/doctest.h>
#include <atomic>
#include <thread>

#include "caller.h"
#include "recorder.h"
#include "sipp_caller.h"

using namespace linecheck::sip;
using namespace linecheck::sip::test;
using std::chrono::milliseconds;

namespace {}  // namespace

TEST_CASE("SIPp answers, we hang up") {
  if (sipp_is_missing()) return;
  Sipp peer = Sipp::answering("answer");
  Caller caller(peer.port());
  caller.dial();
  REQUIRE(caller.events.wait<Answered>(caller.id));
  caller.endpoint.hang_up(caller.id, "done");
  finishes(caller, peer);
  CHECK(caller.events.sequence(caller.id) == "Dialled Provisional Answered Ended Finished");
  CHECK(caller.events.get<Provisional>(caller.id).status == 180);
  CHECK(ladder(caller.trace()) == ">INVITE <100 <180 <200 >ACK >BYE <200");
  CHECK(caller.events.when<Answered>(caller.id) > caller.events.when<Provisional>(caller.id));
}

TEST_CASE("SIPp sends early media") {
  if (sipp_is_missing()) return;
  Sipp peer = Sipp::answering("early_media");
  Caller caller(peer.port());
  caller.dial();
  REQUIRE(caller.events.wait<Answered>(caller.id));
  caller.endpoint.hang_up(caller.id);
  finishes(caller, peer);
  const auto early = caller.events.get<Provisional>(caller.id);
  CHECK(early.status == 183);
  const auto media = parse_sdp(early.sdp);
  REQUIRE(media);
  CHECK(media->port == 40000);
}

TEST_CASE("SIPp refuses") {
  if (sipp_is_missing()) return;
  SUBCASE("busy") {
    Sipp peer = Sipp::answering("busy");
    Caller caller(peer.port());
    caller.dial();
    finishes(caller, peer);
    const auto failed = caller.events.get<Failed>(caller.id);
    CHECK(failed.kind == FailureKind::rejected);
    CHECK(failed.status == 486);
    CHECK(failed.phrase == "Busy Here");
    CHECK(failed.q850 == 17);
    CHECK(failed.reason == "User busy");
    CHECK(ladder(caller.trace()) == ">INVITE <100 <486 >ACK");
  }
  SUBCASE("overloaded") {
    Sipp peer = Sipp::answering("overloaded");
    Caller caller(peer.port());
    caller.dial();
    finishes(caller, peer);
    const auto failed = caller.events.get<Failed>(caller.id);
    CHECK(failed.kind == FailureKind::server_error);
    CHECK(failed.status == 503);
    CHECK(failed.phrase == "No Channels");
    CHECK(failed.retry_after_s == 17);
    CHECK(failed.q850 == 34);
    CHECK(occurrences(caller.trace(), true, "INVITE") == 1);
  }
  SUBCASE("moved: reported, not followed") {
    Sipp peer = Sipp::answering("moved");
    Caller caller(peer.port());
    caller.dial();
    finishes(caller, peer);
    const auto failed = caller.events.get<Failed>(caller.id);
    CHECK(failed.kind == FailureKind::redirected);
    CHECK(failed.status == 302);
    CHECK(failed.contact == "sip:elsewhere@192.0.2.7:5070");
    CHECK(ladder(caller.trace()) == ">INVITE <302 >ACK");
  }
}

TEST_CASE("SIPp never answers") {
  if (sipp_is_missing()) return;
  SUBCASE("it rings for too long") {
    Sipp peer = Sipp::answering("rings_forever");
    Caller caller(peer.port());
    caller.request.no_answer_timeout = milliseconds(200);
    caller.dial();
    finishes(caller, peer);
    CHECK(caller.events.get<Failed>(caller.id).kind == FailureKind::no_answer);
    CHECK(ladder(caller.trace()) == ">INVITE <180 >CANCEL <200 <487 >ACK");
  }
  SUBCASE("we give up before anything came: CANCEL waits for the first provisional response") {
    Sipp peer = Sipp::answering("late_provisional");
    Caller caller(peer.port());
    caller.dial();
    REQUIRE(caller.events.wait<Dialled>(caller.id));
    caller.endpoint.hang_up(caller.id);
    REQUIRE(caller.events.wait<Failed>(caller.id));
    finishes(caller, peer);
    CHECK(caller.events.sequence(caller.id) == "Dialled Failed Finished");
    const auto trace = caller.trace();
    CHECK(occurrences(trace, true, "INVITE") >= 2);
    const std::string steps = ladder(trace);
    CHECK(steps.find(">CANCEL") > steps.find("<180"));
    CHECK(steps.find("<487") != std::string::npos);
  }
  SUBCASE("its 200 crosses our CANCEL: ACK and BYE") {
    Sipp peer = Sipp::answering("crossing");
    Caller caller(peer.port());
    caller.dial();
    REQUIRE(caller.events.wait<Provisional>(caller.id));
    caller.endpoint.hang_up(caller.id);
    finishes(caller, peer);
    CHECK(caller.events.sequence(caller.id) == "Dialled Provisional Failed Finished");
    CHECK(ladder(caller.trace()) == ">INVITE <180 >CANCEL <200 <200 >ACK >BYE <200");
  }
}

TEST_CASE("SIPp hangs up and says why") {
  if (sipp_is_missing()) return;
  Sipp peer = Sipp::answering("peer_hangs_up");
  Caller caller(peer.port());
  caller.dial();
  finishes(caller, peer);
  CHECK(caller.events.sequence(caller.id) == "Dialled Answered Ended Finished");
  const auto ended = caller.events.get<Ended>(caller.id);
  CHECK(ended.by_remote);
  CHECK(ended.q850 == 16);
  CHECK(ended.reason == "Normal call clearing");
  CHECK(ladder(caller.trace()) == ">INVITE <200 >ACK <BYE >200");
}

TEST_CASE("SIPp renegotiates: hold, resume, an offer from us, a codec that is not ours, UPDATE") {
  if (sipp_is_missing()) return;
  Sipp peer = Sipp::answering("hold");
  std::vector<Negotiated> changes;
  std::atomic<Endpoint*> endpoint{nullptr};
  Caller caller(peer.port(), [&](const Event& event) {
    const auto* changed = std::get_if<MediaChanged>(&event.what);
    if (changed == nullptr) return;
    changes.push_back(changed->media);
    if (changes.size() == 4) endpoint.load()->hang_up(event.leg);
  });
  endpoint = &caller.endpoint;
  caller.dial();
  finishes(caller, peer);
  REQUIRE(changes.size() == 4);
  CHECK(changes[0].direction == Direction::recvonly);
  CHECK(changes[1].direction == Direction::sendrecv);
  CHECK(changes[2].direction == Direction::inactive);  // our offer, answered in the ACK
  CHECK(changes[3].direction == Direction::recvonly);
  CHECK(changes[0].remote_port == 40000);
  CHECK(caller.events.sequence(caller.id) ==
        "Dialled Answered MediaChanged MediaChanged MediaChanged MediaChanged Ended Finished");
  // Each answer of ours that differs from the one before has a higher version (RFC 3264, 8).
  std::vector<std::string> origins;
  for (const TraceMessage& message : caller.trace())
    if (const auto at = message.text.find("\r\no="); message.sent && at != std::string::npos)
      origins.push_back(message.text.substr(at + 2, message.text.find("\r\n", at + 2) - at - 2));
  REQUIRE(origins.size() == 5);
  CHECK(origins[0] != origins[1]);
  CHECK(origins[1] != origins[2]);
  CHECK(origins[0].substr(0, origins[0].find(' ', 4)) == origins[1].substr(0, origins[1].find(' ', 4)));
}

TEST_CASE("SIPp sends odd requests in the call") {
  if (sipp_is_missing()) return;
  Sipp peer = Sipp::answering("odd_requests");
  Caller caller(peer.port());
  caller.dial();
  finishes(caller, peer);  // SIPp hangs up after its last request
  CHECK(caller.events.sequence(caller.id) ==
        "Dialled Answered InfoReceived TransferRequested Ended Finished");
}

TEST_CASE("SIPp asks for credentials") {
  if (sipp_is_missing()) return;
  SUBCASE("given and right") {
    Sipp peer = Sipp::answering("digest");
    Caller caller(peer.port());
    caller.request.auth = Credentials{"alice", "s3cret!"};
    caller.request.headers = {{"X-Run-Id", "9"}};
    caller.dial();
    REQUIRE(caller.events.wait<Answered>(caller.id));
    caller.endpoint.hang_up(caller.id);
    finishes(caller, peer);
    CHECK(caller.events.sequence(caller.id) == "Dialled Answered Ended Finished");
    const auto trace = caller.trace();
    CHECK(occurrences(trace, true, "INVITE") == 2);
    CHECK(trace.at(3).text.find("\r\nAuthorization: Digest ***\r\n") != std::string::npos);
    CHECK(trace.at(3).text.find("\r\nX-Run-Id: 9\r\n") != std::string::npos);
    for (const TraceMessage& message : trace) CHECK(message.text.find("response=") == std::string::npos);
  }
  SUBCASE("not given") {
    Sipp peer = Sipp::answering("digest");
    Caller caller(peer.port());
    caller.dial();
    REQUIRE(caller.events.wait<Finished>(caller.id));
    const auto failed = caller.events.get<Failed>(caller.id);
    CHECK(failed.kind == FailureKind::rejected);
    CHECK(failed.status == 401);
    CHECK(ladder(caller.trace()) == ">INVITE <401 >ACK");
  }
  SUBCASE("given and wrong") {
    Sipp peer = Sipp::answering("digest_refused");
    Caller caller(peer.port());
    caller.request.auth = Credentials{"alice", "wrong"};
    caller.dial();
    finishes(caller, peer);
    CHECK(caller.events.get<Failed>(caller.id).status == 407);
    CHECK(caller.events.count<Failed>(caller.id) == 1);
  }
}

TEST_CASE("SIPp calls us") {
  if (sipp_is_missing()) return;
  EndpointOptions options = Caller::defaults();
  options.accept_incoming = true;
  SUBCASE("a call") {
    Recorder events;
    std::atomic<Endpoint*> self{nullptr};
    Endpoint endpoint(options, events.callback([&](const Event& event) {
      if (const auto* incoming = std::get_if<Incoming>(&event.what)) {
        self.load()->ring(event.leg);
        self.load()->accept(event.leg, answer_to(incoming->sdp));
      }
    }));
    self = &endpoint;
    Sipp peer = Sipp::calling("calls_in", endpoint.local_port());
    const int status = peer.wait();
    CAPTURE(peer.errors());
    CHECK(status == 0);
    const LegId id = events.wait_incoming();
    REQUIRE(events.wait<Finished>(id));
    CHECK(events.sequence(id) == "Incoming Confirmed Ended Finished");
    const auto incoming = events.get<Incoming>(id);
    CHECK(incoming.request_user == "1001");
    CHECK(incoming.from_user == "+15550199");
    REQUIRE(incoming.headers.size() == 2);
    CHECK(incoming.headers[0].name == "X-First");
    CHECK(incoming.headers[1].name == "X-Second");
    CHECK(ladder(events.get<Finished>(id).trace) == "<INVITE >100 >180 >200 <ACK <BYE >200");
  }
  SUBCASE("odd requests outside a call") {
    Recorder events;
    Endpoint endpoint(options, events.callback());
    Sipp peer = Sipp::calling("odd_calls_in", endpoint.local_port());
    const int status = peer.wait();
    CAPTURE(peer.errors());
    CHECK(status == 0);
    CHECK(events.legs().empty());
    endpoint.shutdown();
    CHECK(endpoint.live_handles() == 0);
  }
}
