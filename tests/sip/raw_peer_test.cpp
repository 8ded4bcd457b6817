// SPDX-License-Identifier: GPL-3.0-or-later
//
// Peers made of a bare socket, for what neither SIPp nor an endpoint of ours would do.
#include <doctest/doctest.h>

#include <string>

#include "caller.h"
#include "raw_peer.h"
#include "recorder.h"
#include "sip/trace_book.h"

using namespace linecheck::sip;
using namespace linecheck::sip::test;
using std::chrono::milliseconds;

TEST_CASE("a 200 that is repeated is acknowledged again and answered once") {
  RawPeer peer;
  Caller caller(peer.port());
  caller.dial();
  const std::string invite = peer.expect("INVITE");
  const std::string answer = peer.response(invite, "200 OK", answer_to(caller.request.sdp));
  for (int i = 0; i < 3; ++i) {
    peer.send(answer);
    peer.expect("ACK");
  }
  caller.endpoint.hang_up(caller.id);
  peer.send(peer.response(peer.expect("BYE"), "200 OK"));
  REQUIRE(caller.events.wait<Finished>(caller.id));
  CHECK(caller.events.sequence(caller.id) == "Dialled Answered Ended Finished");
  const auto trace = caller.trace();
  CHECK(occurrences(trace, false, "SIP/2.0 200") == 4);
  CHECK(occurrences(trace, true, "ACK") == 3);
  CHECK(caller.events.when<Answered>(caller.id) == trace.at(1).mono_ns);
}

TEST_CASE("a BYE that nobody answers") {
  RawPeer peer;
  EndpointOptions options = Caller::defaults();
  options.settle = milliseconds(400);
  Caller caller(peer.port(), {}, options);
  caller.dial();
  peer.send(peer.response(peer.expect("INVITE"), "200 OK", answer_to(caller.request.sdp)));
  peer.expect("ACK");
  caller.endpoint.hang_up(caller.id);
  REQUIRE(caller.events.wait<Finished>(caller.id));
  CHECK(caller.events.sequence(caller.id) == "Dialled Answered Ended Finished");
  CHECK(caller.events.get<Ended>(caller.id).status == 408);
  CHECK_FALSE(caller.events.get<Ended>(caller.id).by_remote);
  CHECK(occurrences(caller.trace(), true, "BYE") >= 3);
}

TEST_CASE("rubbish harms nothing") {
  RawPeer peer;
  EndpointOptions options = Caller::defaults();
  options.accept_incoming = true;
  Caller caller(peer.port(), {}, options);
  caller.dial();
  const std::string invite = peer.expect("INVITE");
  const std::string call_id = RawPeer::line(invite, "Call-ID");
  for (const std::string& text :
       {std::string("\r\n\r\n"), std::string("hello"), std::string(3, '\0'),
        std::string("SIP/2.0 200\r\n\r\n"), std::string("INVITE sip: SIP/2.0\r\n") + call_id + "\r\n",
        "SIP/2.0 999 Odd\r\n" + call_id + "\r\n",
        std::string("INVITE sip:x@127.0.0.1 SIP/2.0\r\nContent-Length: 99999999\r\n\r\n"),
        std::string(60000, 'A')})
    peer.send(text);
  peer.send(peer.response(invite, "200 OK", "this is not a session description"));
  peer.expect("ACK");
  REQUIRE(caller.events.wait<Answered>(caller.id));
  CHECK_FALSE(parse_sdp(caller.events.get<Answered>(caller.id).sdp));
  caller.endpoint.hang_up(caller.id);
  peer.send(peer.response(peer.expect("BYE"), "200 OK"));
  REQUIRE(caller.events.wait<Finished>(caller.id));
}

TEST_CASE("a peer that is silent: INVITE is repeated at T1, 2 T1, 4 T1, ... until timer B") {
  const RawPeer peer;
  EndpointOptions options = Caller::defaults();
  options.timers.transaction = milliseconds(1000);
  options.settle = milliseconds(300);
  Caller caller(peer.port(), {}, options);

  SUBCASE("until timer B") {
    caller.dial();
    REQUIRE(caller.events.wait<Finished>(caller.id));
    CHECK(caller.events.sequence(caller.id) == "Dialled Failed Finished");
    const auto failed = caller.events.get<Failed>(caller.id);
    CHECK(failed.kind == FailureKind::timeout);
    CHECK(failed.status == 0);
    const auto trace = caller.trace();
    // 0, 50, 150, 350, 750 ms
    REQUIRE(trace.size() == 5);
    CHECK(ladder(trace) == ">INVITE >INVITE >INVITE >INVITE >INVITE");
    double expected = 50;
    for (std::size_t i = 1; i < trace.size(); ++i, expected *= 2) {
      const double gap = static_cast<double>(trace[i].mono_ns - trace[i - 1].mono_ns) / 1e6;
      CHECK(gap >= expected - 5);
    }
    CHECK(caller.events.when<Failed>(caller.id) - caller.events.when<Dialled>(caller.id) >= 990'000'000);
  }
  SUBCASE("until no_answer_timeout: still a timeout, for nothing was heard; no CANCEL may be sent") {
    caller.request.no_answer_timeout = milliseconds(200);
    caller.dial();
    REQUIRE(caller.events.wait<Finished>(caller.id));
    CHECK(caller.events.get<Failed>(caller.id).kind == FailureKind::timeout);
    CHECK(occurrences(caller.trace(), true, "CANCEL") == 0);
  }
}
