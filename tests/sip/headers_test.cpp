// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/headers.h"

#include <doctest/doctest.h>

#include <string>

#include "sip/uri.h"

using namespace linecheck::sip;

TEST_CASE("only X- headers of one clean line are accepted") {
  CHECK_FALSE(header_problem({"X-Run-Id", "12"}).has_value());
  CHECK_FALSE(header_problem({"x-customer", "Zo\xc3\xab, \"quoted\"\tand tabbed"}).has_value());
  CHECK_FALSE(header_problem({"X-Empty", ""}).has_value());

  for (const char* name :
       {"", "X-", "From", "Run-Id", "X-Run Id", "X-Run:", "X-Run\r\nEvil", "X-Zo\xc3\xab", "X-(a)"}) {
    CAPTURE(name);
    CHECK(header_problem({name, "1"}).has_value());
  }
  for (const std::string& value :
       {std::string("a\r\nEvil: 1"), std::string("a\nb"), std::string("a\rb"), std::string("a\0b", 3),
        std::string("\x1b[0m"), std::string("\x7f"), std::string("\xff\xfe"), std::string("\xc0\x8d\xc0\x8a"),
        std::string("\xed\xa0\x80"), std::string(5000, 'a')}) {
    CHECK(header_problem({"X-Run-Id", value}).has_value());
  }
}

TEST_CASE("user parts are escaped") {
  CHECK(escape_user("+15551234") == "+15551234");
  CHECK(escape_user("a b@c;d\r\n") == "a%20b%40c%3Bd%0D%0A");
}

TEST_CASE("URIs that cannot be sent are named") {
  CHECK_FALSE(uri_problem("sip:alice@example.net;transport=udp").has_value());
  CHECK_FALSE(uri_problem("sip:a%20b@[::1]:5060").has_value());
  for (const char* text : {"", "tel:+1555", "alice", "sip:", "sip:alice@", "sip:alice@host\r\nX: 1",
                           "sip:a b@host", "sip:<a>@host", "sip:alice@host:0", "sip:alice@-host"}) {
    CAPTURE(text);
    CHECK(uri_problem(text).has_value());
  }
}

TEST_CASE("localhost needs no name server") {
  CHECK(with_numeric_localhost("sip:a@localhost:5070", false) == "sip:a@127.0.0.1:5070");
  CHECK(with_numeric_localhost("sip:LocalHost", false) == "sip:127.0.0.1");
  CHECK(with_numeric_localhost("sip:a@localhost;lr", true) == "sip:a@[::1];lr");
  CHECK(with_numeric_localhost("sip:localhost@example.net", false) == "sip:localhost@example.net");
  CHECK(with_numeric_localhost("sip:a@localhost.example.net", false) == "sip:a@localhost.example.net");
  CHECK(with_numeric_localhost("sip:a@notlocalhost:1", false) == "sip:a@notlocalhost:1");
}
