// SPDX-License-Identifier: GPL-3.0-or-later
//
// What may happen between INVITE and BYE beyond the plain call: reliable provisional responses, forks,
// redirects, transfers, session timers, requests that nobody here understands.
#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "caller.h"
#include "raw_peer.h"
#include "recorder.h"
#include "sipp.h"
#include "sipp_caller.h"

using namespace linecheck::sip;
using namespace linecheck::sip::test;
using std::chrono::milliseconds;

namespace {

EndpointOptions allowing(std::vector<std::string> patterns) {
  EndpointOptions options = Caller::defaults();
  options.allow = AllowList(patterns);
  return options;
}

std::string redirect(RawPeer& peer, const std::string& invite, const std::string& contacts) {
  std::string response = peer.response(invite, "302 Moved Temporarily");
  const auto at = response.find("Contact:");
  response.replace(at, response.find("\r\n", at) - at, "Contact: " + contacts);
  return response;
}

std::string target(const RawPeer& peer, const std::string& user = "next") {
  return "sip:" + user + "@127.0.0.1:" + std::to_string(peer.port());
}

}  // namespace

TEST_CASE("SIPp wants its 183 acknowledged: PRACK") {
  if (sipp_is_missing()) return;
  Sipp peer = Sipp::answering("reliable");
  Caller caller(peer.port());
  caller.dial();
  REQUIRE(caller.events.wait<Answered>(caller.id));
  caller.endpoint.hang_up(caller.id);
  finishes(caller, peer);
  CHECK(caller.events.get<Provisional>(caller.id).status == 183);
  CHECK(occurrences(caller.trace(), true, "PRACK") == 1);
}

TEST_CASE("a fork: the 200 of a second phone is acknowledged and hung up") {
  RawPeer peer;
  Caller caller(peer.port());
  caller.dial();
  const std::string invite = peer.expect("INVITE");
  const std::string answer = peer.response(invite, "200 OK", answer_to(caller.request.sdp));
  std::string second = answer;
  second.replace(second.find(";tag=raw"), 8, ";tag=two");
  peer.send(answer);
  CHECK(peer.expect("ACK").find(";tag=raw") != std::string::npos);
  peer.send(second);
  std::string acknowledged;
  std::string ended;
  while (acknowledged.empty() || ended.empty()) {
    const auto message = peer.receive();
    REQUIRE(message);
    if (message->find(";tag=two") == std::string::npos) continue;
    (message->starts_with("ACK") ? acknowledged : ended) = *message;
  }
  CHECK(ended.starts_with("BYE"));
  peer.send(peer.response(ended, "200 OK"));
  caller.endpoint.hang_up(caller.id);
  const std::string bye = peer.expect("BYE");
  CHECK(bye.find(";tag=raw") != std::string::npos);
  peer.send(peer.response(bye, "200 OK"));
  REQUIRE(caller.events.wait<Finished>(caller.id));
  CHECK(caller.events.sequence(caller.id) == "Dialled Answered Ended Finished");
}

TEST_CASE("redirects are followed in the order of q, as far as they are allowed") {
  RawPeer first;
  RawPeer second;
  Caller caller(first.port(), {},
                allowing({"sip:agent@127.0.0.1", "sip:next@127.0.0.1", "sip:last@127.0.0.1"}));
  caller.request.follow_redirects = true;
  SUBCASE("the best one answers") {
    caller.dial();
    const std::string invite = first.expect("INVITE");
    first.send(redirect(first, invite,
                        "<" + target(second, "last") + ">;q=0.1, <sip:next@192.0.2.1>;q=0.3, <" +
                            target(second) + ";transport=udp;evil=1?Subject=x>;q=0.9"));
    first.expect("ACK");
    const std::string again = second.expect("INVITE " + target(second) + ";transport=udp SIP/2.0");
    CHECK(RawPeer::line(again, "Call-ID") == RawPeer::line(invite, "Call-ID"));
    CHECK(again.find("evil") == std::string::npos);
    second.send(second.response(again, "200 OK", answer_to(caller.request.sdp)));
    second.expect("ACK");
    REQUIRE(caller.events.wait<Answered>(caller.id));
    caller.endpoint.hang_up(caller.id);
    second.send(second.response(second.expect("BYE"), "200 OK"));
    REQUIRE(caller.events.wait<Finished>(caller.id));
    CHECK(caller.events.sequence(caller.id) == "Dialled Answered Ended Finished");
    CHECK(ladder(caller.trace()) == ">INVITE <302 >ACK >INVITE <200 >ACK >BYE <200");
  }
  SUBCASE("the best one is busy: the next is tried") {
    caller.dial();
    const std::string invite = first.expect("INVITE");
    first.send(redirect(first, invite, "<" + target(second) + ">, <" + target(second, "last") + ">;q=0.5"));
    first.expect("ACK");
    second.send(second.response(second.expect("INVITE"), "486 Busy Here"));
    second.expect("ACK");
    const std::string third = second.expect("INVITE sip:last@");
    second.send(second.response(third, "603 Decline"));
    second.expect("ACK");
    REQUIRE(caller.events.wait<Finished>(caller.id));
    CHECK(caller.events.get<Failed>(caller.id).status == 603);
  }
  SUBCASE("whoever is not allowed is not called") {
    caller.dial();
    first.send(redirect(first, first.expect("INVITE"), "<sip:thief@192.0.2.9>"));
    first.expect("ACK");
    REQUIRE(caller.events.wait<Finished>(caller.id));
    const auto failed = caller.events.get<Failed>(caller.id);
    CHECK(failed.kind == FailureKind::redirected);
    CHECK(failed.reason == "'sip:thief@192.0.2.9' is not among the allowed destinations");
    CHECK(occurrences(caller.trace(), true, "INVITE") == 1);
  }
  SUBCASE("neither are odd ones") {
    caller.dial();
    first.send(redirect(first, first.expect("INVITE"),
                        "<tel:+15551234>, <sip:ne%20xt@127.0.0.1>, <sip:next;x=y@127.0.0.1>"));
    first.expect("ACK");
    REQUIRE(caller.events.wait<Finished>(caller.id));
    CHECK(caller.events.get<Failed>(caller.id).kind == FailureKind::redirected);
    CHECK(occurrences(caller.trace(), true, "INVITE") == 1);
  }
  SUBCASE("nor is anybody called twice") {
    caller.dial();
    first.send(redirect(first, first.expect("INVITE"), "<" + target(second) + ">"));
    second.send(redirect(second, second.expect("INVITE"), "<" + target(second) + ">"));
    REQUIRE(caller.events.wait<Finished>(caller.id));
    CHECK(caller.events.get<Failed>(caller.id).reason == "the redirects go in circles");
  }
}

TEST_CASE("SIPp hands its caller on") {
  if (sipp_is_missing()) return;
  SUBCASE("to somebody who may be called") {
    Sipp peer = Sipp::answering("refers");
    Caller caller(peer.port(), {}, allowing({"sip:agent@127.0.0.1", "sip:sales@127.0.0.1"}));
    caller.request.follow_transfers = true;
    caller.dial();
    REQUIRE(caller.events.wait<TransferRequested>(caller.id));
    const auto asked = caller.events.get<TransferRequested>(caller.id);
    CHECK(asked.permitted);
    CHECK(asked.target == "sip:sales@127.0.0.1:5999");
    CHECK(asked.referred_by == "sip:peer@127.0.0.1");
    caller.endpoint.notify_transfer(caller.id, 180);
    caller.endpoint.notify_transfer(caller.id, 200);
    caller.endpoint.notify_transfer(caller.id, 200);  // once is enough
    std::size_t notified = 0;
    caller.endpoint.hang_up(caller.id);
    finishes(caller, peer);
    notified = occurrences(caller.trace(), true, "NOTIFY");
    CHECK(notified == 3);
  }
  SUBCASE("to somebody who may not") {
    Sipp peer = Sipp::answering("refers_astray");
    Caller caller(peer.port(), {}, allowing({"sip:agent@127.0.0.1"}));
    caller.request.follow_transfers = true;
    caller.dial();
    REQUIRE(caller.events.wait<TransferRequested>(caller.id));
    CHECK_FALSE(caller.events.get<TransferRequested>(caller.id).permitted);
    caller.endpoint.hang_up(caller.id);
    finishes(caller, peer);
    CHECK(occurrences(caller.trace(), true, "SIP/2.0 603") == 1);
  }
}

TEST_CASE("somebody is asked outside any call to call us") {
  RawPeer peer;
  EndpointOptions options = allowing({"sip:agent@127.0.0.1"});
  Caller caller(peer.port(), {}, std::move(options));
  LooseRequest request;
  request.id = caller.id;
  request.target_uri = caller.request.target_uri;
  request.headers = {{"X-Run-Id", "7"}};
  SUBCASE("by MESSAGE") {
    request.content_type = "application/json";
    request.body = "{}";
    caller.endpoint.send_loose(request);
    const std::string message = peer.expect("MESSAGE");
    CHECK(message.find("X-Run-Id: 7\r\n") != std::string::npos);
    CHECK(message.find("\r\n\r\n{}") != std::string::npos);
    peer.send(peer.response(message, "202 Accepted"));
    REQUIRE(caller.events.wait<RequestAnswered>(caller.id));
    CHECK(caller.events.get<RequestAnswered>(caller.id).status == 202);
  }
  SUBCASE("by REFER, which begins no subscription") {
    request.method = LooseRequest::Method::refer;
    request.refer_to = "sip:+15550100@127.0.0.1:5999";
    caller.endpoint.send_loose(request);
    const std::string refer = peer.expect("REFER");
    CHECK(refer.find("Refer-To: <sip:+15550100@127.0.0.1:5999>\r\n") != std::string::npos);
    CHECK(refer.find("Refer-Sub: false\r\n") != std::string::npos);
    peer.send(peer.response(refer, "603 Decline"));
    REQUIRE(caller.events.wait<RequestAnswered>(caller.id));
    CHECK(caller.events.get<RequestAnswered>(caller.id).status == 603);
  }
  SUBCASE("but nobody whom the list does not name") {
    request.target_uri = "sip:other@127.0.0.1:9";
    caller.endpoint.send_loose(request);
    REQUIRE(caller.events.wait<RequestAnswered>(caller.id));
    CHECK(caller.events.get<RequestAnswered>(caller.id).status == 0);
  }
}

TEST_CASE("SIPp is asked to call somebody else") {
  if (sipp_is_missing()) return;
  Sipp peer = Sipp::answering("takes_refer");
  std::vector<int> told;
  Caller caller(peer.port(), [&](const Event& event) {
    if (const auto* progress = std::get_if<TransferProgress>(&event.what)) told.push_back(progress->status);
  });
  caller.dial();
  REQUIRE(caller.events.wait<Answered>(caller.id));
  caller.endpoint.refer(caller.id, "sip:colleague@127.0.0.1");
  REQUIRE(caller.events.wait<TransferProgress>(caller.id));
  while (caller.events.count<TransferProgress>(caller.id) < 2) std::this_thread::yield();
  caller.endpoint.hang_up(caller.id);
  finishes(caller, peer);
  CHECK(told == std::vector<int>{100, 200});
}

TEST_CASE("SIPp wants a longer session timer") {
  if (sipp_is_missing()) return;
  Sipp peer = Sipp::answering("session_timer");
  Caller caller(peer.port());
  caller.request.session_expires = std::chrono::seconds(90);
  caller.dial();
  REQUIRE(caller.events.wait<Answered>(caller.id));
  caller.endpoint.hang_up(caller.id);
  finishes(caller, peer);
  CHECK(ladder(caller.trace()) == ">INVITE <422 >ACK >INVITE <200 >ACK >BYE <200");
}

TEST_CASE("SIPp sees who calls only where it is trusted with it") {
  if (sipp_is_missing()) return;
  Sipp peer = Sipp::answering("identity");
  Caller caller(peer.port());
  caller.request.identity = Identity::privacy;
  caller.request.contact = "198.51.100.4:6000";
  caller.dial();
  finishes(caller, peer);
  CHECK(caller.events.get<Failed>(caller.id).status == 486);
}

TEST_CASE("what nobody here understands is refused with the code that RFC 3261 has for it") {
  Recorder events;
  EndpointOptions options = Caller::defaults();
  options.accept_incoming = true;
  Endpoint endpoint(options, events.callback());
  RawPeer peer;
  const std::string us = "sip:us@127.0.0.1:" + std::to_string(endpoint.local_port());
  const auto request = [&](const std::string& method, const std::string& branch, const std::string& extra) {
    return method + " " + us + " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:" + std::to_string(peer.port()) +
           ";branch=z9hG4bK" + branch + "\r\nFrom: <sip:raw@127.0.0.1>;tag=1\r\nTo: <" + us +
           ">\r\nCall-ID: odd-" + method + "\r\nCSeq: 1 " + method +
           "\r\nMax-Forwards: 70\r\nContact: <sip:raw@127.0.0.1:" + std::to_string(peer.port()) + ">\r\n" +
           extra + "Content-Length: 0\r\n\r\n";
  };
  peer.send_to(endpoint.local_port(), request("DANCE", "a", ""));
  CHECK(peer.expect("SIP/2.0").starts_with("SIP/2.0 501"));
  peer.send_to(endpoint.local_port(), request("INVITE", "b", "Require: telepathy\r\n"));
  const std::string bad_extension = peer.expect("SIP/2.0 4");
  CHECK(bad_extension.starts_with("SIP/2.0 420"));
  CHECK(RawPeer::line(bad_extension, "Unsupported").find("telepathy") != std::string::npos);
  peer.send(request("ACK", "b", ""));
  peer.send_to(endpoint.local_port(), request("REFER", "c", "Refer-To: <sip:victim@192.0.2.1>\r\n"));
  CHECK(peer.expect("SIP/2.0").starts_with("SIP/2.0 403"));
  peer.send_to(endpoint.local_port(), request("MESSAGE", "d", ""));
  CHECK(peer.expect("SIP/2.0").starts_with("SIP/2.0 405"));
  CHECK(events.legs().empty());
}

TEST_CASE("a request that comes twice, by two ways, is answered once") {
  Recorder events;
  EndpointOptions options = Caller::defaults();
  options.accept_incoming = true;
  Endpoint endpoint(options, events.callback());
  RawPeer peer;
  const std::string us = "sip:us@127.0.0.1:" + std::to_string(endpoint.local_port());
  const auto invite = [&](const std::string& branch) {
    return "INVITE " + us + " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:" + std::to_string(peer.port()) +
           ";branch=z9hG4bK" + branch + "\r\nFrom: <sip:raw@127.0.0.1>;tag=1\r\nTo: <" + us +
           ">\r\nCall-ID: merged\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:raw@127.0.0.1:" +
           std::to_string(peer.port()) + ">\r\nContent-Length: 0\r\n\r\n";
  };
  peer.send_to(endpoint.local_port(), invite("one"));
  peer.expect("SIP/2.0 100");
  peer.send(invite("two"));
  CHECK(peer.expect("SIP/2.0 4").starts_with("SIP/2.0 482"));
  const LegId leg = events.wait_incoming();
  endpoint.reject(leg, 480);
  CHECK(peer.expect("SIP/2.0 4").starts_with("SIP/2.0 480"));
  CHECK(events.legs().size() == 1);
}

TEST_CASE("strangers, and too many calls from one source, are refused before any work") {
  Recorder events;
  EndpointOptions options = Caller::defaults();
  options.accept_incoming = true;
  SUBCASE("a stranger") {
    options.sources = {*Network::parse("192.0.2.0/24")};
    Endpoint endpoint(options, events.callback());
    Caller caller(endpoint.local_port());
    caller.dial();
    REQUIRE(caller.events.wait<Failed>(caller.id));
    const auto failed = caller.events.get<Failed>(caller.id);
    CHECK(failed.status == 403);
    CHECK(failed.reason == "127.0.0.1 may not call here");
    REQUIRE(events.wait<CallRefused>(0));
    const auto refused = events.get<CallRefused>(0);
    CHECK(refused.from_user == "+15550100");
    CHECK(refused.request_user == "agent");
    REQUIRE(caller.events.wait<Finished>(caller.id));
  }
  SUBCASE("too many") {
    options.source_calls_per_second = 0.001;
    Endpoint endpoint(options, events.callback());
    Caller caller(endpoint.local_port());
    caller.dial();
    const LegId first = events.wait_incoming();
    REQUIRE(first != 0);
    Caller other(endpoint.local_port());
    other.dial();
    REQUIRE(other.events.wait<Failed>(other.id));
    CHECK(other.events.get<Failed>(other.id).status == 503);
    CHECK(other.events.get<Failed>(other.id).retry_after_s == 1);
    endpoint.reject(first, 486);
    REQUIRE(caller.events.wait<Finished>(caller.id));
    REQUIRE(other.events.wait<Finished>(other.id));
  }
}
