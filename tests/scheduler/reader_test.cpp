// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/reader.h"

#include <doctest/doctest.h>

#include "tests/scheduler/problems_text.h"

using namespace linecheck::scheduler;

TEST_CASE("durations") {
  CHECK(parse_duration("300ms") == Millis(300));
  CHECK(parse_duration("2s") == Millis(2000));
  CHECK(parse_duration("1.5s") == Millis(1500));
  CHECK(parse_duration("0.5m") == Millis(30'000));
  CHECK(parse_duration("1h") == Millis(3'600'000));
  CHECK(parse_duration("2") == Millis(2000));
  CHECK(parse_duration("0") == Millis(0));
  for (const char* bad : {"", "s", "ms", "-1s", "-0", "2 s", "2x", "2S", "1e3", "inf", "nan", "1s2", "0x10",
                          "99999999999h", "1,5s", "+1s"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_duration(bad));
  }
  CHECK(duration_text(Millis(300)) == "300ms");
  CHECK(duration_text(Millis(2000)) == "2s");
  CHECK(duration_text(Millis(1500)) == "1.5s");
  CHECK(duration_text(Millis(0)) == "0s");
}

TEST_CASE("typed reading collects every problem with its place and its path") {
  Problems problems;
  const auto document = parse_document(
      "id: \"5\"\n"
      "name: 42\n"
      "ratio: fast\n"
      "speed: 1.5\n"
      "on: yes\n"
      "wait: 5 minutes\n"
      "ids: [1, x, 0]\n"
      "level: hihg\n"
      "auth: {user: u, pasword: p}\n"
      "huge: 5000000000\n"
      "limt: 1\n",
      "f", problems);
  REQUIRE(document);
  Reader map(*document, problems);
  std::int64_t id = 7;
  std::string name = "kept";
  double ratio = 0;
  double speed = 1;
  bool on = false;
  Millis wait{0};
  std::vector<Id> ids;
  int level = 0;
  int huge = 0;
  int limit = 0;
  std::string user;
  std::string password;
  map.require("id", id);
  map.require("name", name);
  map.read("ratio", ratio);
  map.read("speed", speed, between(0.8, 1.2));
  map.read("on", on);
  map.read("wait", wait);
  map.read("ids", ids, at_least(1));
  map.choice("level", level, {{"low", 1}, {"high", 2}});
  map.object("auth", [&](Reader& auth) {
    auth.require("user", user);
    auth.read("password", password);
  });
  map.read("huge", huge);
  map.read("limit", limit);
  map.require("missing", limit);
  map.finish();
  sort_problems(problems);
  CHECK(problems_text(problems) ==
        "f:1:1: missing: is missing\n"
        "f:1:5: id: expected a whole number, found the text '5': take the quotes away\n"
        "f:2:7: name: expected text, found the number 42: put it in quotes\n"
        "f:3:8: ratio: expected a number, found the text 'fast'\n"
        "f:4:8: speed: must be between 0.8 and 1.2, not 1.5\n"
        "f:5:5: on: expected true or false, found the text 'yes'\n"
        "f:6:7: wait: expected a duration such as 300ms, 2s, 5m or a number of seconds, found the text "
        "'5 minutes'\n"
        "f:7:10: ids[1]: expected a whole number, found the text 'x'\n"
        "f:7:13: ids[2]: must be at least 1, not 0\n"
        "f:8:8: level: expected low or high, found the text 'hihg'; did you mean 'high'?\n"
        "f:9:17: auth.pasword: unknown key; did you mean 'password'?\n"
        "f:10:7: huge: must be between -2147483647 and 2147483647, not 5000000000\n"
        "f:11:1: limt: unknown key; did you mean 'limit'?\n");
  CHECK(id == 7);
  CHECK(name == "kept");
  CHECK(ids == std::vector<Id>{1});
  CHECK(user == "u");
}

TEST_CASE("null counts as absent") {
  Problems problems;
  const auto document = parse_document("a: null\nb:\nc: 3\n", "f", problems);
  Reader map(*document, problems);
  int a = 1;
  int b = 2;
  std::optional<int> c;
  CHECK_FALSE(map.read("a", a));
  CHECK_FALSE(map.require("b", b));
  CHECK(map.read("c", c));
  map.unavailable("a", "a");
  map.finish();
  CHECK(a == 1);
  CHECK(c == 3);
  CHECK(problems_text(problems) == "f:2:1: b: is empty\n");
}

TEST_CASE("a document that is not a map says one thing") {
  Problems problems;
  const auto document = parse_document("a:1\nb:2\n", "f", problems);
  Reader map(*document, problems);
  int a = 0;
  map.require("a", a);
  map.finish();
  CHECK(problems_text(problems) ==
        "f:1:1: expected a map of keys and values, found the text 'a:1 b:2': is a blank missing after a "
        "':'?\n");
}

TEST_CASE("a flood of unknown keys is cut short") {
  Problems problems;
  std::string text;
  for (int i = 0; i < 30; ++i) text += "k" + std::to_string(i) + ": 1\n";
  const auto document = parse_document(text, "f", problems);
  Reader(*document, problems).finish();
  CHECK(problems.size() == 21);
  CHECK(problems.back().message == "and 10 more unknown keys");
}

TEST_CASE("suggestions") {
  const std::vector<std::string> words = {"frequency", "scenarios", "personality_ids", "tags"};
  CHECK(nearest("frequncy", words) == "frequency");
  CHECK(nearest("sceanrios", words) == "scenarios");
  CHECK(nearest("TAGS", words) == "tags");
  CHECK(nearest("pers", words) == "personality_ids");
  CHECK(nearest("colour", words).empty());
  CHECK(did_you_mean("tgas", words) == "; did you mean 'tags'?");
  CHECK(edit_distance("abcd", "acbd") == 1);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(nearest(std::string(100'000, 'x'), words).empty());
}

TEST_CASE("problems are sorted, and repetitions dropped") {
  Problems problems = {
      {{"b", 1, 1}, "", "x"}, {{"a", 2, 1}, "", "y"}, {{"a", 1, 9}, "", "z"}, {{"a", 1, 9}, "", "z"}};
  sort_problems(problems);
  CHECK(problems_text(problems) == "a:1:9: z\na:2:1: y\nb:1:1: x\n");
  CHECK(Problem{{}, "name", "is missing"}.text() == "name: is missing");
}
