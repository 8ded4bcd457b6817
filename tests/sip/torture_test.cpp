// SPDX-License-Identifier: GPL-3.0-or-later
//
// What an endpoint endures while calls are up: the torture messages of RFC 4475, hostile ones of our own, and
// mutations of both.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "caller.h"
#include "hostile.h"
#include "recorder.h"

using namespace linecheck::sip;
using namespace linecheck::sip::test;

namespace {

/// Sends from an address of its own, where answers by Via come back too: they go to the port that Via names,
/// 5060 as a rule.
class Attacker {
 public:
  Attacker() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = htons(5060);
    // One of the 16 million addresses of loopback, so that tests of two checkouts do not meet.
    for (int tries = 0; tries < 50 && !bound_; ++tries) {
      own.sin_addr.s_addr = htonl(0x7f000000U | (std::random_device{}() & 0xffffffU) | 0x010100U);
      bound_ = ::bind(fd_, reinterpret_cast<sockaddr*>(&own), sizeof own) == 0;
    }
    char text[INET_ADDRSTRLEN] = "";
    inet_ntop(AF_INET, &own.sin_addr, text, sizeof text);
    address_ = text;
  }
  ~Attacker() { ::close(fd_); }
  Attacker(const Attacker&) = delete;
  Attacker& operator=(const Attacker&) = delete;
  [[nodiscard]] bool bound() const { return bound_; }
  [[nodiscard]] std::string via() const { return address_ + ":5060"; }

  void send(std::uint16_t port, const std::string& text) const {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    ::sendto(fd_, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  /// Everything that comes until the endpoint has answered an OPTIONS that is sent now: what was sent before
  /// has been worked on by then.
  std::vector<std::string> answers(std::uint16_t port) {
    const std::string id = "sync-" + std::to_string(++syncs_);
    const std::string options = "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP " + via() +
                                ";branch=z9hG4bK" + id + "\r\nFrom: <sip:a@" + via() +
                                ">;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: " + id +
                                "\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
    std::vector<std::string> out;
    char buffer[65536];
    pollfd waiting{fd_, POLLIN, 0};
    // Sent again like any request over UDP: what came before it may have filled the endpoint's socket.
    for (int sent = 0; sent < 20; ++sent) {
      send(port, options);
      while (::poll(&waiting, 1, 500) > 0) {
        const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
        if (n <= 0) break;
        std::string text(buffer, static_cast<std::size_t>(n));
        if (text.find(id + "\r\n") != std::string::npos) return out;
        if (text.find("Call-ID: sync-") == std::string::npos) out.push_back(std::move(text));
      }
    }
    FAIL("the endpoint does not answer any more");
    return out;
  }

  /// Of what was sent last; 0: there was no answer. A call is refused by another thread, which may take a
  /// moment.
  int final_status(std::uint16_t port) {
    int status = 0;
    for (int tries = 0; tries < 20 && (status == 0 || status < 200) && (status != 0 || tries == 0); ++tries)
      for (const std::string& answer : answers(port))
        if (answer.starts_with("SIP/2.0 ")) status = std::max(status, std::atoi(answer.c_str() + 8));
    return status;
  }

 private:
  int fd_;
  bool bound_ = false;
  std::string address_;
  int syncs_ = 0;
};

/// Twenty calls between two endpoints; the callee is the one that is attacked.
struct Site {
  static constexpr int kCalls = 20;
  Recorder callee_events;
  Recorder caller_events;
  std::atomic<Endpoint*> self{nullptr};
  Endpoint callee;
  Endpoint caller;
  std::vector<LegId> calls;

  static EndpointOptions options(bool incoming) {
    EndpointOptions out;
    out.accept_incoming = incoming;
    out.timers = quick_timers();
    out.settle = std::chrono::milliseconds(300);
    return out;
  }
  Site()
      : callee(options(true), callee_events.callback([this](const Event& event) {
          const auto* incoming = std::get_if<Incoming>(&event.what);
          if (incoming == nullptr) return;
          if (incoming->source.starts_with("127.0.0.1:"))
            self.load()->accept(event.leg, answer_to(incoming->sdp));
          else
            self.load()->reject(event.leg, 486);
        })),
        caller(options(false), caller_events.callback()) {
    self = &callee;
    for (int i = 0; i < kCalls; ++i) {
      DialRequest request;
      request.id = caller.new_leg_id();
      request.target_uri = "sip:agent@127.0.0.1:" + std::to_string(callee.local_port());
      request.sdp = offer_sdp();
      calls.push_back(request.id);
      caller.dial(std::move(request));
    }
    for (const LegId id : calls) REQUIRE(caller_events.wait<Answered>(id));
  }
  void all_calls_end_well() {
    for (const LegId id : calls) CHECK(caller_events.sequence(id) == "Dialled Answered");
    for (const LegId id : calls) caller.hang_up(id);
    for (const LegId id : calls) {
      REQUIRE(caller_events.wait<Finished>(id));
      CHECK(caller_events.get<Ended>(id).status == 200);
    }
    caller.shutdown();
    callee.shutdown();
    CHECK(callee.live_handles() == 0);
    CHECK(callee.callback_exceptions() == 0);
  }
};

std::vector<HostileMessage> rfc4475() {
  namespace fs = std::filesystem;
  const char* given = std::getenv("LINECHECK_RFC4475");
  const fs::path folder =
      given != nullptr ? fs::path(given) : fs::path(LINECHECK_SOURCE_DIR) / "../shared/data/rfc4475";
  std::vector<HostileMessage> out;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    out.push_back({entry.path().stem().string(), text.str()});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.kind < b.kind; });
  return out;
}

/// With transport and address of the first Via replaced.
std::string answerable(const std::string& message, const std::string& via) {
  std::string lower = message;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  auto at = lower.find("\nvia");
  if (at == std::string::npos) at = lower.find("\nv:");
  if (at == std::string::npos) return message;
  const auto begin = message.find(':', at) + 1;
  const auto end = message.find_first_of(";\r", begin);
  return message.substr(0, begin) + " SIP/2.0/UDP " + via + message.substr(end);
}

}  // namespace

TEST_CASE("the torture messages of RFC 4475, with calls up") {
  const auto messages = rfc4475();
  if (messages.empty()) {
    std::puts("skip - the torture messages of RFC 4475 # ../shared/data/rfc4475 is not there");
    return;
  }
  Attacker attacker;
  REQUIRE(attacker.bound());
  Site site;
  // First with a Via that leads back to us, so that there is an answer to look at. Section 3 of the RFC
  // says what has to be refused; a class is written as its first digit. zeromf is a proxy's business, and
  // here nobody is one.
  const std::map<std::string, std::set<int>> wanted = {
      {"clerr", {4}},         {"ncl", {4}},        {"scalar02", {4}}, {"quotbal", {4}},  {"ltgtruri", {4}},
      {"escruri", {4}},       {"mismatch01", {4}}, {"insuf", {4}},    {"unkscm", {416}}, {"bext01", {420}},
      {"mismatch02", {4, 5}}, {"multi01", {4}},    {"zeromf", {200}}, {"regbadct", {4}}, {"novelsc", {4}},
  };
  std::string report;
  for (const HostileMessage& message : messages) {
    attacker.send(site.callee.local_port(), answerable(message.text, attacker.via()));
    const int status = attacker.final_status(site.callee.local_port());
    report += message.kind + "=" + std::to_string(status) + " ";
    const auto rule = wanted.find(message.kind);
    if (rule == wanted.end()) continue;
    CAPTURE(message.kind);
    CAPTURE(status);
    CHECK((rule->second.contains(status) || rule->second.contains(status / 100)));
  }
  MESSAGE(report);
  // And as they are.
  for (const HostileMessage& message : messages) {
    attacker.send(site.callee.local_port(), message.text);
    (void)attacker.answers(site.callee.local_port());
  }
  site.all_calls_end_well();
}

TEST_CASE("hostile messages of our own, and 10,000 mutations, with calls up") {
  Attacker attacker;
  REQUIRE(attacker.bound());
  const auto hostile = hostile_messages(attacker.via());
  std::set<std::string> kinds;
  for (const HostileMessage& message : hostile) kinds.insert(message.kind);
  REQUIRE(kinds.size() >= 100);
  Site site;
  for (const HostileMessage& message : hostile) {
    attacker.send(site.callee.local_port(), message.text);
    (void)attacker.answers(site.callee.local_port());
  }
  std::vector<HostileMessage> seeds = rfc4475();
  seeds.insert(seeds.end(), hostile.begin(), hostile.end());
  std::mt19937_64 random(4475);
  constexpr int kMutations = 10'000;
  constexpr int kBatch = 50;
  for (int i = 0; i < kMutations; i += kBatch) {
    for (int k = 0; k < kBatch; ++k) {
      const std::string& seed = seeds[random() % seeds.size()].text;
      attacker.send(site.callee.local_port(), mutated(seed, random));
    }
    (void)attacker.answers(site.callee.local_port());
  }
  site.all_calls_end_well();
}
