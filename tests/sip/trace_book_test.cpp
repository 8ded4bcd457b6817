// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/trace_book.h"

#include <doctest/doctest.h>

#include <string>

using namespace linecheck::sip;

namespace {

WireMessage message(std::int64_t when, bool sent, std::string text) {
  return {when, sent, "127.0.0.1:5060", "127.0.0.1:5070", "udp", std::move(text)};
}

const std::string kInvite = "INVITE sip:a@b SIP/2.0\r\nVia: x\r\nCall-ID: one\r\nCSeq: 7 INVITE\r\n\r\nbody";

}  // namespace

TEST_CASE("what is read of a message") {
  const auto request = facts_of(kInvite);
  CHECK(request.method == "INVITE");
  CHECK(request.status == 0);
  CHECK(request.call_id == "one");
  CHECK(request.cseq_method == "INVITE");
  CHECK(request.start_line == "INVITE sip:a@b SIP/2.0");
  const auto response = facts_of("SIP/2.0 200 OK\r\ni :  two \r\ncseq:1  BYE\r\n\r\nCall-ID: body");
  CHECK(response.status == 200);
  CHECK(response.call_id == "two");
  CHECK(response.cseq_method == "BYE");
  CHECK(facts_of("").call_id.empty());
  CHECK(facts_of("\r\n\r\n").call_id.empty());
  CHECK(facts_of("SIP/2.0 xx").status == 0);
  CHECK(facts_of("INVITE").method == "INVITE");
}

TEST_CASE("credentials are masked, nothing else is touched") {
  CHECK(masked(kInvite) == kInvite);
  CHECK(masked("A b\r\nAuthorization: Digest username=\"u\",\r\n response=\"secret\"\r\nX: 1\r\n\r\nb") ==
        "A b\r\nAuthorization: Digest ***\r\nX: 1\r\n\r\nb");
  CHECK(masked("A b\r\nproxy-authorization :Basic c2VjcmV0\r\n\r\n") ==
        "A b\r\nproxy-authorization : Basic ***\r\n\r\n");
  CHECK(masked("A b\r\nX: 1\r\n\r\nAuthorization: Digest in-the-body") ==
        "A b\r\nX: 1\r\n\r\nAuthorization: Digest in-the-body");
  CHECK(masked("A b\r\nWWW-Authenticate: Digest nonce=\"n\"\r\n\r\n").find("nonce") != std::string::npos);
  CHECK(masked("A b\nAuthorization: Digest x\nX: 1\n\n") == "A b\nAuthorization: Digest ***\r\nX: 1\n\n");
}

TEST_CASE("messages are filed by call, within limits") {
  int notes = 0;
  TraceBook book(3, [&](const std::string& call, TraceBook::Note) { notes += call == "one" ? 1 : 0; });
  book.on_wire(message(1, true, kInvite));  // nobody claimed it
  CHECK(book.size() == 0);
  book.claim("one");
  book.on_wire(message(2, true, kInvite));
  book.on_wire(message(3, true, kInvite));
  book.on_wire(message(4, false, "SIP/2.0 200 OK\r\nCall-ID: one\r\nCSeq: 7 INVITE\r\n\r\n"));
  book.on_wire(message(5, true, "ACK sip:a@b SIP/2.0\r\nCall-ID: one\r\nCSeq: 7 ACK\r\n\r\n"));
  CHECK(notes == 2);
  CHECK(book.first_request("one", true, "INVITE") == 2);
  CHECK(book.last_request("one", true, "INVITE") == 3);
  CHECK(book.first_response("one", false, "INVITE", 200) == 4);
  CHECK_FALSE(book.first_response("one", false, "CANCEL", 200).has_value());
  CHECK(book.last_response("one", false, "INVITE", 0) == 4);
  CHECK_FALSE(book.first_request("two", true, "INVITE").has_value());
  const auto taken = book.take("one");
  CHECK(taken.messages.size() == 3);
  CHECK(taken.truncated);
  CHECK(taken.messages[0].from == "127.0.0.1:5060");
  CHECK(taken.messages[2].from == "127.0.0.1:5070");
  CHECK(book.size() == 0);
}

TEST_CASE("INVITEs that nobody claims are forgotten") {
  TraceBook book(10, [](const std::string&, TraceBook::Note) {});
  for (int i = 0; i < 1000; ++i)
    book.on_wire(message(
        i, false, "INVITE sip:a@b SIP/2.0\r\nCall-ID: c" + std::to_string(i) + "\r\nCSeq: 1 INVITE\r\n\r\n"));
  CHECK(book.size() <= 256);
  book.claim("c999");
  book.on_wire(
      message(100'000'000'000, false, "INVITE sip:a@b SIP/2.0\r\nCall-ID: last\r\nCSeq: 1 INVITE\r\n\r\n"));
  CHECK(book.size() == 2);
  CHECK(book.take("c999").messages.size() == 1);
}
