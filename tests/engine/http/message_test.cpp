// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/http/message.h"

#include <doctest/doctest.h>

#include "engine/http/router.h"

using namespace linecheck::engine::http;

TEST_CASE("http: what a range asks for (RFC 9110 section 14)") {
  struct Case {
    const char* header;
    Range::Kind kind;
    std::uint64_t first;
    std::uint64_t length;
  };
  const Case cases[] = {
      {"bytes=0-499", Range::Kind::part, 0, 500},
      {"bytes=0-0", Range::Kind::part, 0, 1},
      {"bytes=500-", Range::Kind::part, 500, 500},
      {"bytes=-1", Range::Kind::part, 999, 1},
      {"bytes=-5000", Range::Kind::part, 0, 1000},
      {"bytes=990-5000", Range::Kind::part, 990, 10},
      {"bytes=1000-", Range::Kind::unsatisfiable, 0, 0},
      {"bytes=-0", Range::Kind::unsatisfiable, 0, 0},
      {"bytes=5-4", Range::Kind::whole, 0, 1000},
      {"bytes=0-1,3-4", Range::Kind::whole, 0, 1000},
      {"bytes=a-b", Range::Kind::whole, 0, 1000},
      {"bytes=-", Range::Kind::whole, 0, 1000},
      {"bytes=99999999999999999999-", Range::Kind::whole, 0, 1000},
      {"lines=0-1", Range::Kind::whole, 0, 1000},
      {"", Range::Kind::whole, 0, 1000},
  };
  for (const Case& one : cases) {
    CAPTURE(one.header);
    const Range range = parse_range(one.header, 1000);
    CHECK(range.kind == one.kind);
    CHECK(range.first == one.first);
    CHECK(range.length == one.length);
  }
  CHECK(parse_range("bytes=0-", 0).kind == Range::Kind::unsatisfiable);
  CHECK(parse_range("bytes=-5", 0).kind == Range::Kind::unsatisfiable);
}

TEST_CASE("http: a query is decoded, and refused where it can't be") {
  const auto pairs = parse_query("a=1&b=x%20y+z&&c&d=%C3%A9=");
  REQUIRE(pairs);
  REQUIRE(pairs->size() == 4);
  CHECK((*pairs)[1].second == "x y z");
  CHECK((*pairs)[2] == std::pair<std::string, std::string>("c", ""));
  CHECK((*pairs)[3].second == "\xC3\xA9=");
  CHECK(parse_query("")->empty());
  for (const char* bad : {"a=%", "a=%1", "a=%zz", "%g0=1"}) CHECK_FALSE(parse_query(bad));
}

TEST_CASE("http: the router knows paths, numbers and methods, and nothing else") {
  Router router;
  for (const char* pattern : {"/a/runs", "/a/runs/bulk", "/a/runs/{id}", "/a/runs/{id}/recording"}) {
    router.add({"GET", pattern});
  }
  router.add({"POST", "/a/runs/{id}"});
  const auto pattern_of = [&](const char* method, const char* path) {
    const auto match = router.match(method, path);
    return match.route == nullptr ? "none, allowed: " + match.allowed : match.route->pattern;
  };
  CHECK(pattern_of("GET", "/a/runs") == "/a/runs");
  CHECK(pattern_of("GET", "/a/runs/") == "/a/runs");
  CHECK(pattern_of("HEAD", "/a/runs/bulk/") == "/a/runs/bulk");
  CHECK(pattern_of("POST", "/a/runs/7") == "/a/runs/{id}");
  CHECK(pattern_of("DELETE", "/a/runs/7") == "none, allowed: GET, HEAD, POST");
  CHECK(router.match("GET", "/a/runs/274/recording").ids == std::vector<std::int64_t>{274});
  for (const std::string& path : std::vector<std::string>{
           "/", "", "/a", "/a/runs//", "//a/runs", "/a/runs/x", "/a/runs/-1", "/a/runs/1.5", "/a/runs/%31",
           "/a/runs/1234567890123456789", "/a/runs/../runs", "/a/runs/7/recording/..", "/A/runs"}) {
    CAPTURE(path);
    CHECK(pattern_of("GET", path.c_str()) == "none, allowed: ");
  }
}
