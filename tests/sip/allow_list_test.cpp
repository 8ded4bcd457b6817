// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/allow_list.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using linecheck::sip::AllowList;

TEST_CASE("nothing is permitted by default") {
  const AllowList none;
  CHECK_FALSE(none.permits("+15551234"));
  CHECK_FALSE(none.permits("sip:alice@example.net"));
  CHECK_FALSE(none.permits(""));
}

TEST_CASE("patterns permit what they name and nothing else") {
  struct Row {
    const char* pattern;
    const char* target;
    bool permitted;
  };
  const Row rows[] = {
      // numbers
      {"+1555*", "+15551234", true},
      {"+1555*", "+1555", true},
      {"+1555*", "+1554", false},
      {"+1555*", "15551234", false},
      {"+1555*", "+1555abc", false},
      {"+1555*", "+1555;ext=1", false},
      {"+1555*", "+1555%31", false},
      {"+1555*", "+1555\r\n", false},
      {"+1555*", "tel:+15551234", false},
      {"+1555*", "sip:+15551234@example.net", false},
      {"+15551234", "+15551234", true},
      {"+15551234", "+155512345", false},
      {"1001", "1001", true},
      {"+*", "+4930123", true},
      {"+*", "1001", false},
      // any user at a host
      {"sip:*@example.net", "sip:alice@example.net", true},
      {"sip:*@example.net", "sip:+15551234@example.net", true},
      {"sip:*@example.net", "SIP:alice@EXAMPLE.net", true},
      {"sip:*@example.net", "sip:alice@example.net:5080", true},
      {"sip:*@example.net", "sip:example.net", false},
      {"sip:*@example.net", "sips:alice@example.net", false},
      {"sip:*@example.net", "sip:alice@notexample.net", false},
      {"sip:*@example.net", "sip:alice@example.net.evil.org", false},
      {"sip:*@example.net", "sip:alice@evil.org@example.net", false},
      {"sip:*@example.net", "sip:alice%40evil.org@example.net", false},
      {"sip:*@example.net", "sip:alice@evil.org;x=@example.net", false},
      {"sip:*@example.net", "sip:alice@example.net;maddr=10.0.0.1", false},
      {"sip:*@example.net", "sip:alice@example.net;transport=tcp", false},
      {"sip:*@example.net", "sip:alice@example.net?Route=%3Csip:evil.org%3E", false},
      {"sip:*@example.net", "sip:alice;phone-context=x@example.net", false},
      {"sip:*@example.net", "sip:alice:secret@example.net", false},
      {"sip:*@example.net", "sip:alice@example.net\r\nX-Evil: 1", false},
      {"sip:*@example.net", "sip:alice@example.net ", false},
      {"sip:*@example.net", " sip:alice@example.net", false},
      {"sip:*@example.net", "<sip:alice@example.net>", false},
      {"sip:*@example.net", "sip:alice@example.net.", false},
      {"sip:*@example.net", "sip:@example.net", false},
      {"sip:*@example.net", "alice@example.net", false},
      {"sip:*@example.net", "http://example.net", false},
      {"sip:*@example.net", "sip:alice@exam%70le.net", false},
      {"sip:*@example.net", "sip:alice@example.net:", false},
      {"sip:*@example.net", "sip:alice@example.net:0", false},
      {"sip:*@example.net", "sip:alice@example.net:99999", false},
      {"sip:*@example.net", "sip:alice@example.net:05060", false},
      {"sip:*@example.net", "+15551234", false},
      // one user, one port
      {"sip:bob@10.0.0.1:5080", "sip:bob@10.0.0.1:5080", true},
      {"sip:bob@10.0.0.1:5080", "sip:bob@10.0.0.1:5081", false},
      {"sip:bob@10.0.0.1:5080", "sip:bob@10.0.0.1", false},
      {"sip:bob@10.0.0.1:5080", "sip:bobby@10.0.0.1:5080", false},
      {"sip:bob@10.0.0.1:5080", "sip:Bob@10.0.0.1:5080", false},
      {"sip:bob@10.0.0.1", "sip:bob@10.0.0.1:5099", true},
      {"sip:bob@10.0.0.1", "sip:bob@110.0.0.1", false},
      {"sip:+1555*@gw.example.net", "sip:+15551234@gw.example.net", true},
      {"sip:+1555*@gw.example.net", "sip:+16661234@gw.example.net", false},
      {"sip:example.net", "sip:example.net", true},
      {"sip:example.net", "sip:alice@example.net", false},
      {"sips:*@example.net", "sips:alice@example.net", true},
      {"sips:*@example.net", "sip:alice@example.net", false},
      {"sip:*@[::1]", "sip:alice@[::1]:5060", true},
      {"sip:*@[::1]", "sip:alice@[::2]", false},
      {"sip:*@[::1]", "sip:alice@[::1", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pattern);
    CAPTURE(row.target);
    const AllowList list({row.pattern});
    CHECK(list.permits(row.target) == row.permitted);
  }
  const AllowList zero({"sip:*@example.net"});
  CHECK_FALSE(zero.permits(std::string_view("sip:alice@example.net\0@evil", 27)));
}

TEST_CASE("number patterns hold at the trunk's proxy") {
  const AllowList list({"+1555*"});
  CHECK(list.permits_at("sip:+15551234@10.0.0.9:5080", "sip:10.0.0.9:5080"));
  CHECK(list.permits_at("sip:+15551234@gw.example.net", "sip:gw.example.net:5080;lr"));
  CHECK_FALSE(list.permits_at("sip:+15551234@10.0.0.8:5080", "sip:10.0.0.9:5080"));
  CHECK_FALSE(list.permits_at("sip:+15551234@10.0.0.9:5081", "sip:10.0.0.9:5080"));
  CHECK_FALSE(list.permits_at("sip:+16661234@10.0.0.9:5080", "sip:10.0.0.9:5080"));
  CHECK_FALSE(list.permits_at("sip:+15551234@10.0.0.9:5080", ""));
}

TEST_CASE("patterns of no known shape are refused, all others stay") {
  for (const char* text :
       {"", "*", "sip:*", "*@host", "sip:a*b@host", "sip:**@host", "sip:*@*", "sip:*@*.example.net",
        "+1 555*", "+15*55", "tel:+1555", "sip:*@host;lr", "sip:%2B1555*@host", "sip:*@host:"}) {
    CAPTURE(text);
    CHECK(AllowList::pattern_problem(text).has_value());
    CHECK_THROWS_AS(AllowList({text}), std::invalid_argument);
  }
  CHECK_FALSE(AllowList::pattern_problem("+1555*").has_value());
  CHECK_FALSE(AllowList::pattern_problem("sip:*@127.0.0.1:5070").has_value());
}
