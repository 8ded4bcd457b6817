// SPDX-License-Identifier: GPL-3.0-or-later
//
// Peers made of a bare socket, for what neither SIPp nor an endpoint of ours would do.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "caller.h"
#include "recorder.h"
#include "sip/trace_book.h"

using namespace linecheck::sip;
using namespace linecheck::sip::test;
using std::chrono::milliseconds;

namespace {

class RawPeer {
 public:
  RawPeer() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    socklen_t length = sizeof address;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { ::close(fd_); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

  std::optional<std::string> receive() {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, 5000) <= 0) return std::nullopt;
    char buffer[65536];
    socklen_t length = sizeof from_;
    const ssize_t n = ::recvfrom(fd_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from_), &length);
    if (n < 0) return std::nullopt;
    return std::string(buffer, static_cast<std::size_t>(n));
  }
  /// The next message that starts so; others are passed over.
  std::string expect(const std::string& start) {
    for (auto message = receive(); message; message = receive())
      if (message->rfind(start, 0) == 0) return *message;
    FAIL("no " << start << " came");
    return {};
  }
  void send(const std::string& text) {
    ::sendto(fd_, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&from_), sizeof from_);
  }
  static std::string line(const std::string& message, const std::string& name) {
    const auto at = message.find("\r\n" + name + ":");
    return at == std::string::npos ? "" : message.substr(at + 2, message.find("\r\n", at + 2) - at);
  }
  /// A response to `request`.
  [[nodiscard]] std::string response(const std::string& request, const std::string& status,
                                     const std::string& body = {}) const {
    std::string to = line(request, "To");
    if (to.find(";tag=") == std::string::npos) to.insert(to.size() - 2, ";tag=raw");
    return "SIP/2.0 " + status + "\r\n" + line(request, "Via") + line(request, "From") + to +
           line(request, "Call-ID") + line(request, "CSeq") +
           "Contact: <sip:raw@127.0.0.1:" + std::to_string(port_) + ">\r\n" +
           (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

 private:
  int fd_;
  std::uint16_t port_ = 0;
  sockaddr_in from_{};
};

}  // namespace

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
