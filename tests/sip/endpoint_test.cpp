// SPDX-License-Identifier: GPL-3.0-or-later
//
// Two endpoints of ours talking to each other on loopback.
#include "sip/endpoint.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <thread>

#include "recorder.h"

using namespace linecheck::sip;
using namespace linecheck::sip::test;
using std::chrono::milliseconds;

namespace {

EndpointOptions quick(bool incoming, const std::string& name) {
  EndpointOptions options;
  options.name = name;
  options.accept_incoming = incoming;
  options.timers = quick_timers();
  options.settle = milliseconds(2000);
  return options;
}

/// A caller and a callee whose behaviour a test sets before it dials.
struct Pair {
  using Behaviour = std::function<void(Endpoint&, const Event&)>;
  Recorder caller_events;
  Recorder callee_events;
  Behaviour behaviour;
  std::atomic<Endpoint*> answering{nullptr};  // for the callback, which runs on the SIP thread
  std::unique_ptr<Endpoint> callee;
  std::unique_ptr<Endpoint> caller;

  explicit Pair(Behaviour on_callee = {}, EndpointOptions caller_options = quick(false, "caller"))
      : behaviour(std::move(on_callee)) {
    callee =
        std::make_unique<Endpoint>(quick(true, "callee"), callee_events.callback([this](const Event& event) {
          if (behaviour) behaviour(*answering.load(), event);
        }));
    answering = callee.get();
    caller = std::make_unique<Endpoint>(std::move(caller_options), caller_events.callback());
  }
  ~Pair() {
    caller->shutdown();
    callee->shutdown();
    CHECK(caller->live_handles() == 0);
    CHECK(callee->live_handles() == 0);
    CHECK(caller->callback_exceptions() == 0);
    CHECK(callee->callback_exceptions() == 0);
  }
  DialRequest request(LegId id) const {
    DialRequest out;
    out.id = id;
    out.target_uri = "sip:agent@127.0.0.1:" + std::to_string(callee->local_port());
    out.from_uri = "sip:+15550100@127.0.0.1";
    out.sdp = offer_sdp();
    return out;
  }
  LegId dial() {
    const LegId id = caller->new_leg_id();
    caller->dial(request(id));
    return id;
  }
};

void answer(Endpoint& callee, const Event& event) {
  if (const auto* incoming = std::get_if<Incoming>(&event.what))
    callee.accept(event.leg, answer_to(incoming->sdp));
}

}  // namespace

TEST_CASE("a call is dialled, answered, and hung up by us") {
  Pair pair(&answer);
  const LegId id = pair.caller->new_leg_id();
  DialRequest request = pair.request(id);
  request.headers = {{"X-Run-Id", "274"}, {"X-Scenario-Id", "11"}};
  pair.caller->dial(request);
  REQUIRE(pair.caller_events.wait<Answered>(id));
  const LegId other = pair.callee_events.wait_incoming();
  REQUIRE(pair.callee_events.wait<Confirmed>(other));

  const auto incoming = pair.callee_events.get<Incoming>(other);
  CHECK(incoming.request_user == "agent");
  CHECK(incoming.from_user == "+15550100");
  REQUIRE(incoming.headers.size() == 2);
  CHECK(incoming.headers[0].name == "X-Run-Id");
  CHECK(incoming.headers[0].value == "274");
  CHECK(incoming.headers[1].value == "11");
  CHECK(incoming.sdp == request.sdp);
  CHECK(incoming.source == "127.0.0.1:" + std::to_string(pair.caller->local_port()));
  const auto answered = pair.caller_events.get<Answered>(id);
  const auto media = negotiate_answer({.address = "127.0.0.1", .port = 12000}, answered.sdp);
  REQUIRE(media);
  CHECK(media->remote_port == 14000);
  CHECK(answered.call_id == incoming.call_id);

  pair.caller->hang_up(id, "script \"done\"\r\nEvil: 1");
  REQUIRE(pair.caller_events.wait<Finished>(id));
  REQUIRE(pair.callee_events.wait<Finished>(other));
  CHECK(pair.caller_events.sequence(id) == "Dialled Answered Ended Finished");
  CHECK(pair.callee_events.sequence(other) == "Incoming Confirmed Ended Finished");
  CHECK_FALSE(pair.caller_events.get<Ended>(id).by_remote);
  CHECK(pair.caller_events.get<Ended>(id).status == 200);
  CHECK(pair.callee_events.get<Ended>(other).by_remote);
  CHECK(pair.callee_events.get<Ended>(other).reason == "script \"done\"  Evil: 1");

  // The trace is whole on both sides, and its times are those of the events.
  const auto ours = pair.caller_events.get<Finished>(id).trace;
  const auto theirs = pair.callee_events.get<Finished>(other).trace;
  CHECK(ladder(ours) == ">INVITE <100 <200 >ACK >BYE <200");
  CHECK(ladder(theirs) == "<INVITE >100 >200 <ACK <BYE >200");
  REQUIRE(ours.size() == 6);
  CHECK(ours[0].mono_ns == pair.caller_events.when<Dialled>(id));
  CHECK(ours[2].mono_ns == pair.caller_events.when<Answered>(id));
  CHECK(ours[4].mono_ns == pair.caller_events.when<Ended>(id));
  CHECK(theirs[0].mono_ns == pair.callee_events.when<Incoming>(other));
  CHECK(theirs[3].mono_ns == pair.callee_events.when<Confirmed>(other));
  CHECK(ours[0].from == "127.0.0.1:" + std::to_string(pair.caller->local_port()));
  CHECK(ours[0].to == "127.0.0.1:" + std::to_string(pair.callee->local_port()));
  CHECK(ours[0].transport == "udp");
  CHECK(ours[0].text == theirs[0].text);
  CHECK(ours[0].text.find(request.sdp) != std::string::npos);
  CHECK(ours[4].text.find("\r\nEvil:") == std::string::npos);
  for (std::size_t i = 1; i < ours.size(); ++i) CHECK(ours[i].mono_ns >= ours[i - 1].mono_ns);
}

TEST_CASE("the callee rings and hangs up") {
  Pair pair([](Endpoint& callee, const Event& event) {
    if (const auto* incoming = std::get_if<Incoming>(&event.what)) {
      callee.ring(event.leg);
      callee.accept(event.leg, answer_to(incoming->sdp), {{"X-Agent", "quick"}});
    }
    if (std::holds_alternative<Confirmed>(event.what)) callee.hang_up(event.leg, "goodbye");
  });
  const LegId id = pair.dial();
  REQUIRE(pair.caller_events.wait<Finished>(id));
  CHECK(pair.caller_events.sequence(id) == "Dialled Provisional Answered Ended Finished");
  CHECK(pair.caller_events.get<Provisional>(id).status == 180);
  const auto ended = pair.caller_events.get<Ended>(id);
  CHECK(ended.by_remote);
  CHECK(ended.reason == "goodbye");
  const auto trace = pair.caller_events.get<Finished>(id).trace;
  CHECK(ladder(trace) == ">INVITE <100 <180 <200 >ACK <BYE >200");
  CHECK(trace.at(3).text.find("X-Agent: quick\r\n") != std::string::npos);
}

TEST_CASE("the callee hangs up before the ACK: BYE waits for it") {
  Pair pair([](Endpoint& callee, const Event& event) {
    if (const auto* incoming = std::get_if<Incoming>(&event.what)) {
      callee.accept(event.leg, answer_to(incoming->sdp));
      callee.hang_up(event.leg);
    }
  });
  const LegId id = pair.dial();
  REQUIRE(pair.caller_events.wait<Finished>(id));
  CHECK(ladder(pair.caller_events.get<Finished>(id).trace) == ">INVITE <100 <200 >ACK <BYE >200");
}

TEST_CASE("refusals are typed") {
  struct Row {
    const char* phrase;
    int status;
    FailureKind kind;
  };
  const Row rows[] = {{"", 486, FailureKind::rejected},
                      {"No Such Agent", 404, FailureKind::rejected},
                      {"", 488, FailureKind::media_not_acceptable},
                      {"", 503, FailureKind::server_error},
                      {"", 302, FailureKind::redirected},
                      {"", 603, FailureKind::rejected},
                      {"bad\r\nEvil: 1", 486, FailureKind::rejected}};
  for (const Row& row : rows) {
    CAPTURE(row.status);
    Pair pair([&](Endpoint& callee, const Event& event) {
      if (std::holds_alternative<Incoming>(event.what)) callee.reject(event.leg, row.status, row.phrase);
    });
    const LegId id = pair.dial();
    REQUIRE(pair.caller_events.wait<Finished>(id));
    CHECK(pair.caller_events.sequence(id) == "Dialled Failed Finished");
    const auto failed = pair.caller_events.get<Failed>(id);
    CHECK(failed.kind == row.kind);
    CHECK(failed.status == row.status);
    if (std::string(row.phrase) == "No Such Agent") CHECK(failed.phrase == "No Such Agent");
    const auto trace = pair.caller_events.get<Finished>(id).trace;
    CHECK(ladder(trace) == ">INVITE <100 <" + std::to_string(row.status) + " >ACK");
    CHECK(trace.at(2).text.find("\r\nEvil:") == std::string::npos);
    const LegId other = pair.callee_events.wait_incoming();
    REQUIRE(pair.callee_events.wait<Finished>(other));
    CHECK(pair.callee_events.sequence(other) == "Incoming Failed Finished");
    CHECK(ladder(pair.callee_events.get<Finished>(other).trace) ==
          "<INVITE >100 >" + std::to_string(row.status) + " <ACK");
  }
}

TEST_CASE("nobody answers: CANCEL") {
  Pair pair([](Endpoint& callee, const Event& event) {
    if (std::holds_alternative<Incoming>(event.what)) callee.ring(event.leg);
  });
  const LegId id = pair.caller->new_leg_id();
  DialRequest request = pair.request(id);
  request.no_answer_timeout = milliseconds(150);
  pair.caller->dial(request);
  REQUIRE(pair.caller_events.wait<Finished>(id));
  CHECK(pair.caller_events.sequence(id) == "Dialled Provisional Failed Finished");
  CHECK(pair.caller_events.get<Failed>(id).kind == FailureKind::no_answer);
  const auto trace = pair.caller_events.get<Finished>(id).trace;
  CHECK(occurrences(trace, true, "CANCEL") == 1);
  CHECK(occurrences(trace, false, "SIP/2.0 487") == 1);
  CHECK(occurrences(trace, true, "ACK") == 1);
  const LegId other = pair.callee_events.wait_incoming();
  REQUIRE(pair.callee_events.wait<Finished>(other));
  CHECK(pair.callee_events.get<Failed>(other).kind == FailureKind::cancelled);
}

TEST_CASE("we hang up while it rings") {
  Pair pair([](Endpoint& callee, const Event& event) {
    if (std::holds_alternative<Incoming>(event.what)) callee.ring(event.leg);
  });
  const LegId id = pair.dial();
  REQUIRE(pair.caller_events.wait<Provisional>(id));
  pair.caller->hang_up(id, "cancelled by the user");
  pair.caller->hang_up(id);
  REQUIRE(pair.caller_events.wait<Finished>(id));
  CHECK(pair.caller_events.sequence(id) == "Dialled Provisional Failed Finished");
  CHECK(pair.caller_events.get<Failed>(id).kind == FailureKind::cancelled);
  const LegId other = pair.callee_events.wait_incoming();
  REQUIRE(pair.callee_events.wait<Finished>(other));
  CHECK(pair.callee_events.get<Failed>(other).reason == "cancelled by the user");
}

TEST_CASE("a hang-up may come at any moment") {
  SUBCASE("before dial") {
    Pair pair(&answer);
    const LegId id = pair.caller->new_leg_id();
    pair.caller->hang_up(id);
    pair.caller->dial(pair.request(id));
    REQUIRE(pair.caller_events.wait<Finished>(id));
    CHECK(pair.caller_events.sequence(id) == "Failed Finished");
    CHECK(pair.caller_events.get<Finished>(id).trace.empty());
    CHECK(pair.callee_events.legs().empty());
  }
  SUBCASE("before the INVITE left, or before anything came back") {
    Pair pair(&answer);
    const LegId id = pair.dial();
    pair.caller->hang_up(id);
    REQUIRE(pair.caller_events.wait<Finished>(id));
    CHECK(pair.caller_events.count<Failed>(id) == 1);
    CHECK(pair.caller_events.count<Answered>(id) == 0);
    // Whether the 200 crossed the CANCEL or not, the callee's call is over.
    const LegId other = pair.callee_events.wait_incoming();
    REQUIRE(pair.callee_events.wait<Finished>(other));
  }
  SUBCASE("the moment it is answered, twice, and after it is over") {
    Recorder events;
    std::atomic<Endpoint*> self{nullptr};
    Endpoint callee(quick(true, "callee"),
                    events.callback([&](const Event& event) { answer(*self.load(), event); }));
    self = &callee;
    Recorder ours;
    std::atomic<Endpoint*> caller_self{nullptr};
    Endpoint caller(quick(false, "caller"), ours.callback([&](const Event& event) {
      if (std::holds_alternative<Answered>(event.what)) {
        caller_self.load()->hang_up(event.leg);
        caller_self.load()->hang_up(event.leg);
      }
      if (std::holds_alternative<Finished>(event.what)) caller_self.load()->hang_up(event.leg);
    }));
    caller_self = &caller;
    DialRequest request;
    request.id = caller.new_leg_id();
    request.target_uri = "sip:agent@127.0.0.1:" + std::to_string(callee.local_port());
    request.sdp = offer_sdp();
    caller.dial(request);
    REQUIRE(ours.wait<Finished>(request.id));
    CHECK(ours.sequence(request.id) == "Dialled Answered Ended Finished");
    CHECK(occurrences(ours.get<Finished>(request.id).trace, true, "BYE") == 1);
    // The id of a call that is over is not dialled again.
    caller.dial(request);
    caller.shutdown();
    CHECK(ours.count<Finished>(request.id) == 1);
    CHECK(caller.live_handles() == 0);
  }
  SUBCASE("both at once: BYEs cross") {
    Pair pair(&answer);
    const LegId id = pair.dial();
    REQUIRE(pair.caller_events.wait<Answered>(id));
    const LegId other = pair.callee_events.wait_incoming();
    REQUIRE(pair.callee_events.wait<Confirmed>(other));
    pair.caller->hang_up(id);
    pair.callee->hang_up(other);
    REQUIRE(pair.caller_events.wait<Finished>(id));
    REQUIRE(pair.callee_events.wait<Finished>(other));
    CHECK(pair.caller_events.count<Ended>(id) == 1);
    CHECK(pair.callee_events.count<Ended>(other) == 1);
  }
  SUBCASE("from many threads") {
    Pair pair(&answer);
    std::vector<std::thread> threads;
    threads.reserve(4);
    std::atomic<int> dialled{0};
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 10; ++i) {
          const LegId id = pair.dial();
          ++dialled;
          if ((i + t) % 3 == 0) std::this_thread::yield();
          if ((i + t) % 3 == 1) pair.caller_events.wait<Answered>(id);
          pair.caller->hang_up(id);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    REQUIRE(pair.caller_events.wait_finished(static_cast<std::size_t>(dialled)));
    for (const LegId id : pair.caller_events.legs()) {
      CHECK(pair.caller_events.count<Ended>(id) + pair.caller_events.count<Failed>(id) == 1);
      CHECK(pair.caller_events.count<Finished>(id) == 1);
      CHECK(std::holds_alternative<Finished>(pair.caller_events.of(id).back().what));
    }
  }
}

TEST_CASE("fifty calls at once") {
  Pair pair(&answer);
  constexpr std::size_t kCalls = 50;
  std::vector<LegId> ids;
  ids.reserve(kCalls);
  for (std::size_t i = 0; i < kCalls; ++i) ids.push_back(pair.dial());
  CHECK(std::set<LegId>(ids.begin(), ids.end()).size() == kCalls);
  for (const LegId id : ids) REQUIRE(pair.caller_events.wait<Answered>(id));
  CHECK(pair.caller->live_handles() == kCalls);
  for (const LegId id : ids) pair.caller->hang_up(id);
  REQUIRE(pair.caller_events.wait_finished(kCalls));
  REQUIRE(pair.callee_events.wait_finished(kCalls));
  CHECK(pair.caller->live_handles() == 0);
  for (const LegId id : ids) {
    CHECK(pair.caller_events.sequence(id) == "Dialled Answered Ended Finished");
    CHECK(occurrences(pair.caller_events.get<Finished>(id).trace, true, "BYE") >= 1);
  }
}

TEST_CASE("shutdown with calls up ends them all") {
  Pair pair(&answer);
  std::vector<LegId> ids;
  ids.reserve(5);
  for (int i = 0; i < 5; ++i) ids.push_back(pair.dial());
  for (const LegId id : ids) REQUIRE(pair.caller_events.wait<Answered>(id));
  pair.caller->shutdown();
  CHECK(pair.caller->live_handles() == 0);
  for (const LegId id : ids) CHECK(pair.caller_events.sequence(id) == "Dialled Answered Ended Finished");
  REQUIRE(pair.callee_events.wait_finished(5));
  pair.caller->shutdown();
  pair.caller->dial(pair.request(pair.caller->new_leg_id()));
  pair.caller->hang_up(ids[0]);
}

TEST_CASE("shutdown with calls ringing and none answering") {
  Pair pair;
  const LegId id = pair.dial();
  REQUIRE(pair.caller_events.wait<Dialled>(id));
  pair.caller->shutdown();
  CHECK(pair.caller_events.sequence(id) == "Dialled Failed Finished");
}

TEST_CASE("what must not be sent never leaves") {
  EndpointOptions options = quick(false, "caller");
  options.allow = AllowList({"sip:agent@127.0.0.1", "+1555*"});
  Pair pair(&answer, options);
  const auto fails = [&](const std::function<void(DialRequest&)>& change, FailureKind kind) {
    const LegId id = pair.caller->new_leg_id();
    DialRequest request = pair.request(id);
    change(request);
    pair.caller->dial(request);
    REQUIRE(pair.caller_events.wait<Finished>(id));
    CHECK(pair.caller_events.sequence(id) == "Failed Finished");
    CHECK(pair.caller_events.get<Failed>(id).kind == kind);
    CHECK_FALSE(pair.caller_events.get<Failed>(id).reason.empty());
    CHECK(pair.caller_events.get<Finished>(id).trace.empty());
  };
  fails([](DialRequest& r) { r.target_uri = "sip:other@127.0.0.1:5"; }, FailureKind::not_allowed);
  fails([](DialRequest& r) { r.target_uri += ";transport=tcp"; }, FailureKind::not_allowed);
  fails([](DialRequest& r) { r.target_uri = "sip:+15551234@127.0.0.1:5"; }, FailureKind::not_allowed);
  fails([](DialRequest& r) { r.target_uri += "\r\nX: 1"; }, FailureKind::invalid_request);
  fails([](DialRequest& r) { r.target_uri = "+15551234"; }, FailureKind::invalid_request);
  fails([](DialRequest& r) { r.from_uri = "sip:a@b>\r\nX: 1"; }, FailureKind::invalid_request);
  fails([](DialRequest& r) { r.headers = {{"X-Name", "a\r\nEvil: 1"}}; }, FailureKind::invalid_request);
  fails([](DialRequest& r) { r.headers = {{"From", "a"}}; }, FailureKind::invalid_request);
  fails([](DialRequest& r) { r.replaces = "a;to-tag=b>\r\nX: 1"; }, FailureKind::invalid_request);
  fails([](DialRequest& r) { r.referred_by = "sip:a@b>\r\nX: 1"; }, FailureKind::invalid_request);
  CHECK(pair.callee_events.legs().empty());

  // A number pattern holds at the trunk's proxy.
  const LegId id = pair.caller->new_leg_id();
  DialRequest request = pair.request(id);
  const std::string host = "127.0.0.1:" + std::to_string(pair.callee->local_port());
  request.target_uri = "sip:+15551234@" + host;
  request.proxy = "sip:" + host;
  pair.caller->dial(request);
  REQUIRE(pair.caller_events.wait<Answered>(id));
  const auto incoming = pair.callee_events.get<Incoming>(pair.callee_events.wait_incoming());
  CHECK(incoming.request_user == "+15551234");
}

TEST_CASE("nobody is there") {
  SUBCASE("nothing listens: the network says so") {
    Pair pair;
    const LegId id = pair.caller->new_leg_id();
    DialRequest request = pair.request(id);
    pair.callee->shutdown();
    pair.caller->dial(request);
    REQUIRE(pair.caller_events.wait<Finished>(id));
    CHECK(pair.caller_events.get<Failed>(id).kind == FailureKind::transport);
  }
  SUBCASE("a name that does not exist") {
    Pair pair;
    const LegId id = pair.caller->new_leg_id();
    DialRequest request = pair.request(id);
    request.target_uri = "sip:agent@nowhere.invalid";
    request.no_answer_timeout = milliseconds(3000);
    pair.caller->dial(request);
    REQUIRE(pair.caller_events.wait<Finished>(id));
    const auto failed = pair.caller_events.get<Failed>(id);
    // Without a name server at all, the query may time out first.
    CHECK((failed.kind == FailureKind::unresolved || failed.kind == FailureKind::timeout));
    CHECK(pair.caller_events.get<Finished>(id).trace.empty());
  }
}

TEST_CASE("localhost is this machine") {
  Pair pair(&answer);
  const LegId id = pair.caller->new_leg_id();
  DialRequest request = pair.request(id);
  request.target_uri = "sip:agent@localhost:" + std::to_string(pair.callee->local_port());
  pair.caller->dial(request);
  REQUIRE(pair.caller_events.wait<Answered>(id));
}

TEST_CASE("calls from outside are refused unless they are wanted") {
  Pair pair;
  Recorder events;
  Endpoint closed(quick(false, "closed"), events.callback());
  const LegId id = pair.caller->new_leg_id();
  DialRequest request = pair.request(id);
  request.target_uri = "sip:agent@127.0.0.1:" + std::to_string(closed.local_port());
  pair.caller->dial(request);
  REQUIRE(pair.caller_events.wait<Finished>(id));
  CHECK(pair.caller_events.get<Failed>(id).status == 403);
  CHECK(events.legs().empty());
  closed.shutdown();
  CHECK(closed.live_handles() == 0);
}

TEST_CASE("an endpoint that cannot start says why") {
  Recorder events;
  const Endpoint first(quick(false, "first"), events.callback());
  EndpointOptions options = quick(false, "second");
  options.listen = "udp:127.0.0.1:" + std::to_string(first.local_port());
  CHECK_THROWS_WITH_AS(Endpoint(options, events.callback()),
                       ("udp 127.0.0.1:" + std::to_string(first.local_port()) + " is in use").c_str(),
                       AddressInUse);
  for (const char* listen : {"", "udp", "udp:", "udp:localhost:5060", "sctp:127.0.0.1:5060",
                             "udp:127.0.0.1:x", "udp:127.0.0.1:99999", "udp:192.0.2.1:5060"}) {
    CAPTURE(listen);
    options.listen = listen;
    CHECK_THROWS_AS(Endpoint(options, events.callback()), EndpointError);
  }
}

TEST_CASE("over IPv6") {
  const int probe = ::socket(AF_INET6, SOCK_DGRAM, 0);
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  const bool available =
      probe >= 0 && ::bind(probe, reinterpret_cast<sockaddr*>(&loopback), sizeof loopback) == 0;
  if (probe >= 0) ::close(probe);
  if (!available) {
    MESSAGE("skipped: this machine has no IPv6 loopback");
    return;
  }
  Recorder callee_events;
  std::atomic<Endpoint*> self{nullptr};
  EndpointOptions options = quick(true, "callee");
  options.listen = "udp:[::1]:0";
  Endpoint callee(options, callee_events.callback([&](const Event& event) { answer(*self.load(), event); }));
  self = &callee;
  Recorder events;
  options = quick(false, "caller");
  options.listen = "udp:[::1]:0";
  Endpoint caller(options, events.callback());
  DialRequest request;
  request.id = caller.new_leg_id();
  request.target_uri = "sip:agent@[::1]:" + std::to_string(callee.local_port());
  request.sdp = offer_sdp();
  caller.dial(request);
  REQUIRE(events.wait<Answered>(request.id));
  caller.hang_up(request.id);
  REQUIRE(events.wait<Finished>(request.id));
  CHECK(events.get<Finished>(request.id).trace.at(0).to == "[::1]:" + std::to_string(callee.local_port()));
}

TEST_CASE("what the callback throws stays outside Sofia") {
  std::atomic<int> calls{0};
  Endpoint endpoint(quick(false, "thrower"), [&](Event&&) {
    ++calls;
    throw std::runtime_error("from the callback");
  });
  DialRequest request;
  request.id = endpoint.new_leg_id();
  request.target_uri = "not a uri";
  endpoint.dial(request);
  endpoint.shutdown();
  CHECK(calls == 2);
  CHECK(endpoint.callback_exceptions() == 2);
}
