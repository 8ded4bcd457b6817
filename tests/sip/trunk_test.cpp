// SPDX-License-Identifier: GPL-3.0-or-later
//
// Transports, registration and keep-alive of trunks.
#include "sip/trunk.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "caller.h"
#include "raw_peer.h"
#include "recorder.h"
#include "sip/digest.h"
#include "sip/network.h"
#include "sipp.h"

using namespace linecheck::sip;
using namespace linecheck::sip::test;
using std::chrono::milliseconds;

namespace {

/// Certificates made for this test by the openssl program.
class Certificates {
 public:
  Certificates() {
    std::string pattern = (std::filesystem::temp_directory_path() / "linecheck-certs-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=ca -keyout "
        "ca.key -out ca.pem");
    issue("good", "DNS:127.0.0.1");
    issue("other", "DNS:elsewhere.example");
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 "
        "-keyout self.key -out self.pem");
  }
  ~Certificates() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

 private:
  void issue(const std::string& name, const std::string& alternative) {
    std::ofstream(path(name + ".ext")) << "subjectAltName=" << alternative << "\n";
    run("req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=" + name + " -keyout " + name +
        ".key -out " + name + ".csr");
    run("x509 -req -days 2 -in " + name + ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile " + name +
        ".ext -out " + name + ".pem");
  }
  void run(const std::string& arguments) {
    const std::string command = "cd '" + folder_ + "' && openssl " + arguments + " >/dev/null 2>&1";
    REQUIRE(std::system(command.c_str()) == 0);  // NOLINT(concurrency-mt-unsafe)
  }
  std::string folder_;
};

EndpointOptions listening(const std::string& listen, bool incoming) {
  EndpointOptions options = Caller::defaults();
  options.listen = listen;
  options.accept_incoming = incoming;
  return options;
}

/// Answers every call at once.
struct Answering {
  Recorder events;
  std::atomic<Endpoint*> self{nullptr};
  Endpoint endpoint;
  explicit Answering(EndpointOptions options)
      : endpoint(std::move(options), events.callback([this](const Event& event) {
          if (const auto* incoming = std::get_if<Incoming>(&event.what))
            self.load()->accept(event.leg, answer_to(incoming->sdp));
        })) {
    self = &endpoint;
  }
};

void calls(Caller& caller) {
  caller.dial();
  REQUIRE(caller.events.wait<Answered>(caller.id));
  caller.endpoint.hang_up(caller.id);
  REQUIRE(caller.events.wait<Finished>(caller.id));
  CHECK(caller.events.sequence(caller.id) == "Dialled Answered Ended Finished");
}

TrunkOptions trunk_at(std::uint16_t port) {
  TrunkOptions trunk;
  trunk.name = "carrier";
  trunk.proxy = "sip:127.0.0.1:" + std::to_string(port);
  trunk.retry_first = milliseconds(50);
  return trunk;
}

}  // namespace

TEST_CASE("digest: the examples of RFC 7616 and RFC 2617") {
  DigestChallenge challenge;
  challenge.realm = "http-auth@example.org";
  challenge.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
  challenge.opaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS";
  challenge.qop = "auth, auth-int";
  DigestRequest request;
  request.method = "GET";
  request.uri = "/dir/index.html";
  request.username = "Mufasa";
  request.password = "Circle of Life";
  request.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
  challenge.algorithm = "SHA-256";
  const auto strong = digest_credentials(challenge, request);
  REQUIRE(strong);
  CHECK(strong->find("response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"") !=
        std::string::npos);
  challenge.algorithm = "MD5";
  const auto weak = digest_credentials(challenge, request);
  REQUIRE(weak);
  CHECK(weak->find("response=\"8ca523f5e9506fed4657c9700eebdbec\"") != std::string::npos);
  CHECK(weak->find("nc=00000001") != std::string::npos);
  challenge.qop.clear();
  challenge.algorithm.clear();
  const auto old = digest_credentials(challenge, request);
  REQUIRE(old);
  CHECK(old->find("qop") == std::string::npos);
  CHECK(old->find("cnonce") == std::string::npos);
  challenge.algorithm = "SHA-512-256";
  CHECK_FALSE(digest_credentials(challenge, request));
  CHECK(unshielded(shielded("a:b\"c")) == "a:b\"c");
}

TEST_CASE("networks") {
  const auto ten = Network::parse("10.0.0.0/8");
  REQUIRE(ten);
  CHECK(ten->contains("10.255.1.2"));
  CHECK_FALSE(ten->contains("11.0.0.1"));
  CHECK(ten->contains("::ffff:10.0.0.1"));
  const auto six = Network::parse("2001:db8::/33");
  REQUIRE(six);
  CHECK(six->contains("[2001:db8:7fff::1]"));
  CHECK_FALSE(six->contains("2001:db8:8000::1"));
  CHECK_FALSE(six->contains("name.example"));
  CHECK(Network::parse("192.0.2.1")->contains("192.0.2.1"));
  CHECK_FALSE(Network::parse("192.0.2.1")->contains("192.0.2.2"));
  CHECK(Network::parse("0.0.0.0/0")->contains("8.8.8.8"));
  CHECK_FALSE(Network::parse("0.0.0.0/0")->contains("2001:db8::1"));
  for (const char* bad : {"", "10.0.0.0/33", "10.0.0/8", "host/8", "10.0.0.0/", "::/129"})
    CHECK_FALSE(Network::parse(bad));
  CHECK(host_of_address("[::1]:5060") == "::1");
  CHECK(host_of_address("127.0.0.1:5060") == "127.0.0.1");
}

TEST_CASE("a trunk's state") {
  TrunkOptions options;
  SUBCASE("one that is only dialled over is up") {
    CHECK(TrunkHealth(options).state() == TrunkState::up);
  }
  SUBCASE("three misses are needed, one answer suffices") {
    options.keep_alive = milliseconds(1000);
    TrunkHealth health(options);
    CHECK(health.state() == TrunkState::unknown);
    health.answered();
    CHECK(health.state() == TrunkState::up);
    health.missed("silence");
    health.missed("silence");
    CHECK(health.state() == TrunkState::degraded);
    health.missed("silence");
    CHECK(health.state() == TrunkState::down);
    CHECK(health.reason() == "silence, 3 in a row");
    health.answered();
    CHECK(health.state() == TrunkState::up);
    CHECK(health.reason().empty());
  }
  SUBCASE("without a registration it is down, whatever it answers") {
    options.keep_alive = milliseconds(1000);
    options.registers = true;
    TrunkHealth health(options);
    health.answered();
    CHECK(health.state() == TrunkState::unknown);
    health.registration_failed("refused");
    CHECK(health.state() == TrunkState::down);
    CHECK(health.reason() == "refused");
    health.registered();
    CHECK(health.state() == TrunkState::up);
  }
}

TEST_CASE("calls over TCP") {
  Answering callee(listening("tcp:127.0.0.1:0", true));
  Caller caller(callee.endpoint.local_port(), {}, listening("tcp:127.0.0.1:0", false));
  calls(caller);
  for (const TraceMessage& message : caller.trace()) CHECK(message.transport == "tcp");
}

TEST_CASE("calls over IPv6") {
  Answering callee(listening("udp:[::1]:0", true));
  Caller caller(callee.endpoint.local_port(), {}, listening("udp:[::1]:0", false));
  caller.request.target_uri = "sip:agent@[::1]:" + std::to_string(callee.endpoint.local_port());
  calls(caller);
}

TEST_CASE("SIPp answers over TCP") {
  if (!find_sipp()) return;
  Sipp peer = Sipp::answering("answer", {"-t", "t1"});
  Caller caller(peer.port(), {}, listening("tcp:127.0.0.1:0", false));
  caller.dial();
  REQUIRE(caller.events.wait<Answered>(caller.id));
  caller.endpoint.hang_up(caller.id);
  REQUIRE(caller.events.wait<Finished>(caller.id));
  CHECK(peer.wait() == 0);
}

TEST_CASE("calls over TLS") {
  const Certificates made;
  const auto options = [&](const std::string& ca, const std::string& own, bool incoming) {
    EndpointOptions out = listening("tls:127.0.0.1:0", incoming);
    if (!ca.empty()) out.tls.ca_file = made.path(ca + ".pem");
    if (!own.empty()) {
      out.tls.certificate_file = made.path(own + ".pem");
      out.tls.key_file = made.path(own + ".key");
    }
    return out;
  };
  const auto refused = [](Caller& caller, const std::string& why) {
    caller.dial();
    REQUIRE(caller.events.wait<Finished>(caller.id));
    const auto failed = caller.events.get<Failed>(caller.id);
    CHECK(failed.kind == FailureKind::transport);
    CAPTURE(failed.reason);
    CHECK(failed.reason.find(why) != std::string::npos);
    CHECK(occurrences(caller.trace(), true, "INVITE") == 0);
  };
  SUBCASE("a certificate of our authority, for this address") {
    Answering callee(options("ca", "good", true));
    Caller caller(callee.endpoint.local_port(), {}, options("ca", "", false));
    calls(caller);
    for (const TraceMessage& message : caller.trace()) CHECK(message.transport == "tls");
  }
  SUBCASE("for another name") {
    Answering callee(options("ca", "other", true));
    Caller caller(callee.endpoint.local_port(), {}, options("ca", "", false));
    refused(caller, "certificate is for another name than (127.0.0.1)");
  }
  SUBCASE("for the name of the proxy, whose address is given") {
    Answering callee(options("ca", "other", true));
    Caller caller(callee.endpoint.local_port(), {}, options("ca", "", false));
    caller.request.target_uri = "sip:agent@elsewhere.example";
    caller.request.proxy = "sips:elsewhere.example:" + std::to_string(callee.endpoint.local_port());
    caller.request.proxy_address = "127.0.0.1";
    calls(caller);
  }
  SUBCASE("that vouches for itself") {
    Answering callee(options("", "self", true));
    Caller caller(callee.endpoint.local_port(), {}, options("ca", "", false));
    refused(caller, "certificate is not trusted");
  }
  SUBCASE("that vouches for itself, where nothing is verified") {
    Answering callee(options("", "self", true));
    EndpointOptions careless = options("", "", false);
    careless.tls.verify = false;
    Caller caller(callee.endpoint.local_port(), {}, careless);
    calls(caller);
  }
  SUBCASE("files that are none") {
    EndpointOptions bad = options("ca", "good", false);
    bad.tls.key_file = made.path("ca.pem");
    Recorder events;
    CHECK_THROWS_AS(Endpoint(bad, events.callback()), EndpointError);
    bad.tls.ca_file = "/nowhere.pem";
    CHECK_THROWS_AS(Endpoint(bad, events.callback()), EndpointError);
  }
}

TEST_CASE("an address that peers are told in place of ours") {
  RawPeer peer;
  EndpointOptions options = Caller::defaults();
  options.external_address = "198.51.100.7";
  Caller caller(peer.port(), {}, options);
  caller.dial();
  const std::string invite = peer.expect("INVITE");
  const std::string port = std::to_string(caller.endpoint.local_port());
  CHECK(RawPeer::line(invite, "Via").find("198.51.100.7:" + port) != std::string::npos);
  CHECK(RawPeer::line(invite, "Via").find("rport") != std::string::npos);
  CHECK(RawPeer::line(invite, "Contact").find("198.51.100.7:" + port) != std::string::npos);
  peer.send(peer.response(invite, "486 Busy Here"));
  peer.expect("ACK");
  REQUIRE(caller.events.wait<Finished>(caller.id));
}

TEST_CASE("SIPp registers us, refreshes, and lets us go") {
  if (!find_sipp()) return;
  Sipp peer = Sipp::answering("registrar");
  Recorder events;
  Endpoint endpoint(Caller::defaults(), events.callback());
  TrunkOptions trunk = trunk_at(peer.port());
  trunk.registers = true;
  trunk.domain = "127.0.0.1";
  trunk.auth = Credentials{"trunk", "pass:word"};
  trunk.expires = std::chrono::seconds(2);
  endpoint.watch_trunk(trunk);
  REQUIRE(events.wait<TrunkChanged>(0));
  CHECK(events.get<TrunkChanged>(0).state == TrunkState::up);
  CHECK(events.get<TrunkChanged>(0).seen_address == "127.0.0.1:" + std::to_string(endpoint.local_port()));
  std::this_thread::sleep_for(milliseconds(2300));  // the refresh is SIPp's to see
  endpoint.shutdown();
  const int status = peer.wait();
  CAPTURE(peer.errors());
  CHECK(status == 0);
  CHECK(endpoint.live_handles() == 0);
}

TEST_CASE("a registrar that refuses is asked again") {
  RawPeer peer;
  Recorder events;
  Endpoint endpoint(Caller::defaults(), events.callback());
  TrunkOptions trunk = trunk_at(peer.port());
  trunk.registers = true;
  trunk.auth = Credentials{"trunk", "word"};
  endpoint.watch_trunk(trunk);
  peer.send(peer.response(peer.expect("REGISTER"), "403 Forbidden"));
  REQUIRE(events.wait<TrunkChanged>(0));
  const auto refused = events.get<TrunkChanged>(0);
  CHECK(refused.state == TrunkState::down);
  CHECK(refused.reason == "the registration was refused with 403 Forbidden");
  peer.send(peer.response(peer.expect("REGISTER"), "200 OK"));
  while (events.count<TrunkChanged>(0) < 2) std::this_thread::yield();
  endpoint.forget_trunk("carrier");
  peer.send(peer.response(peer.expect("REGISTER"), "200 OK"));
}

TEST_CASE("OPTIONS tell whether a trunk is there") {
  RawPeer peer;
  Recorder events;
  std::vector<TrunkState> states;
  EndpointOptions options = Caller::defaults();
  options.timers.transaction = milliseconds(150);
  Endpoint endpoint(options, events.callback([&](const Event& event) {
    if (const auto* trunk = std::get_if<TrunkChanged>(&event.what))
      if (states.empty() || states.back() != trunk->state) states.push_back(trunk->state);
  }));
  TrunkOptions trunk = trunk_at(peer.port());
  trunk.keep_alive = milliseconds(20);
  endpoint.watch_trunk(trunk);
  peer.send(peer.response(peer.expect("OPTIONS"), "405 Method Not Allowed"));
  peer.send(peer.response(peer.expect("OPTIONS"), "503 Service Unavailable"));
  peer.send(peer.response(peer.expect("OPTIONS"), "200 OK"));
  // Silence from here on: a miss, another, a third.
  while (events.count<TrunkChanged>(0) < 6) peer.receive();
  const std::vector<TrunkState> expected = {TrunkState::up, TrunkState::degraded, TrunkState::up,
                                            TrunkState::degraded, TrunkState::down};
  endpoint.shutdown();
  CHECK(states == expected);
}
