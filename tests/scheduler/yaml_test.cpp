// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/yaml.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/scheduler/problems_text.h"

using namespace linecheck::scheduler;

namespace {

struct Case {
  std::string_view text;
  std::string expected;
};

std::string yaml_problems(std::string_view text) {
  Problems problems;
  parse_documents(text, "f", problems);
  return problems_text(problems);
}

Node only(std::string_view text) {
  Problems problems;
  auto document = parse_document(text, "f", problems);
  REQUIRE_MESSAGE(problems.empty(), problems_text(problems));
  REQUIRE(document);
  return *document;
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("good YAML becomes nodes") {
  const std::vector<Case> cases = {
      {"a: 1\nb: [x, 'y', \"z\"]\n", R"({"a":1,"b":["x","y","z"]})"},
      {"a: no\nb: on\nc: off\nd: yes\n", R"({"a":"no","b":"on","c":"off","d":"yes"})"},
      {"a: true\nb: False\nc: 'true'\n", R"({"a":true,"b":false,"c":"true"})"},
      {"a: \"5\"\nb: 5\nc: 0o17\nd: 0x1F\ne: 017\n", R"({"a":"5","b":5,"c":15,"d":31,"e":17})"},
      {"a: 1.5\nb: .5\nc: 1e3\nd: -2\ne: +3\n", R"({"a":1.5,"b":0.5,"c":1000.0,"d":-2,"e":3})"},
      {"a: ~\nb: null\nc:\nd: ''\n", R"({"a":null,"b":null,"c":null,"d":""})"},
      {"a: 12:30\nb: 1_000\nc: 2025-01-01\nd: 0b11\n",
       R"({"a":"12:30","b":"1_000","c":"2025-01-01","d":"0b11"})"},
      {"a: &x [1, 2]\nb: *x\n", R"({"a":[1,2],"b":[1,2]})"},
      {"a: |\n  x\n  \ty\nb: >-\n  foo\n  bar\n", "{\"a\":\"x\\n\\ty\\n\",\"b\":\"foo bar\"}"},
      {"a: 'it''s' # note\n", R"({"a":"it's"})"},
      {"a: 1\r\nb: x\r\n", R"({"a":1,"b":"x"})"},
      {"\xEF\xBB\xBF"
       "a: 1",
       R"({"a":1})"},
      {"%YAML 1.2\n---\na: 1\n...\n", R"({"a":1})"},
      {"{\n\t\"a\":1,\n\t\"b\":\"\\ud83d\\ude00 \\/ \\u00e9\",\"c\":[true,null,-1.5e2]\n}\n",
       "{\"a\":1,\"b\":\"\xF0\x9F\x98\x80 / \xC3\xA9\",\"c\":[true,null,-150.0]}"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.text);
    CHECK(only(each.text).json() == each.expected);
  }
}

TEST_CASE("bad YAML is refused at its place") {
  const std::vector<Case> cases = {
      // duplicate keys
      {"a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key 'a' (first on line 1)\n"},
      {"x:\n  - {k: 1, \"k\": 2}\n", "f:2:12: duplicate key 'k' (first on line 2)\n"},
      // quotes that never end
      {"a: \"abc", "f:1:4: this quote is never closed\n"},
      {"a: \"abc\n", "f:1:4: this quote is never closed\n"},
      {"a: \"", "f:1:4: this quote is never closed\n"},
      {"a: 'abc\nb: 1\n", "f:1:4: this quote is never closed\n"},
      {"a: 1\n\"b: 2\n", "f:2:1: this quote is never closed\n"},
      {"a: \"b\nc: d\ne: \"f\"\n",
       "f:1:4: this quote ends on line 3, where more text follows it: is a closing quote missing?\n"},
      {"a: \"x\" y\n", "f:1:8: unexpected text after the closing quote (is it in the right place?)\n"},
      {"a: \"\\q\"\n",
       "f:1:7: bad escape in double quotes (unknown escape character: q): write a backslash as \\\\\n"},
      // brackets
      {"a: [1, 2", "f:1:4: '[' is never closed, or a comma is missing in it\n"},
      {"a: {b: 1\nc: 2\n", "f:1:4: '{' is never closed, or a comma is missing in it\n"},
      {"a: 1\n]\n", "f:2:1: a closing bracket that nothing opened\n"},
      // indentation
      {"a:\n\tb: 1\n", "f:2:1: a tab can't be used as indentation: use spaces\n"},
      {"a:\n  b: 1\n \t c: 2\n", "f:3:2: a tab can't be used as indentation: use spaces\n"},
      {"a: 1\n  b: 2\n",
       "f:2:4: a ':' can't stand here: the indentation is wrong, the line above lacks its ':', or a text "
       "that "
       "holds ': ' needs quotes\n"},
      {"a:\n  b: 1\n c: 2\n",
       "f:3:2: unexpected text here: is its indentation the same as that of its neighbours?\n"},
      {"a: 1\n- b\n",
       "f:2:1: unexpected text here: is its indentation the same as that of its neighbours?\n"},
      // keys
      {"a: 1\nb\n", "f:2:1: 'b' stands where a key is expected, without a ':' and a value\n"},
      {"? [1, 2]\n: x\n", "f:1:3: a map or a list can't be a key\n"},
      {": x\n", "f:1:1: a key is missing before ':'\n"},
      {"a: @x\n", "f:1:4: a value can't begin with '@': put it in quotes\n"},
      // anchors, aliases, tags
      {"a: *nope\n", "f:1:4: this alias names no anchor above it\n"},
      {"a: &x [*x]\n", "f:1:8: this alias stands inside the value that it repeats\n"},
      {"a: !!str 5\n", "f:1:4: explicit tags such as !!str are not supported: quotes make a text\n"},
      // documents
      {"", "f:1:1: is empty\n"},
      {"# nothing\n", "f:1:1: is empty\n"},
      {"\"a\" \"b\"\n",
       "f:1:5: unexpected text after the end of the document (its indentation may be wrong)\n"},
      // bytes; columns count characters
      {"\xC3\xA9: \"\xC3\xBC\" x\n",
       "f:1:8: unexpected text after the closing quote (is it in the right place?)\n"},
      {"a: \xFF\n", "f:1:4: is not UTF-8: byte 0xFF (save it as UTF-8)\n"},
      {"a: \xC0\xAF\n", "f:1:4: is not UTF-8: byte 0xC0 (save it as UTF-8)\n"},
      {std::string_view("a: x\0y\n", 7),
       "f:1:5: is not a text file: it holds a NUL byte (save it as UTF-8)\n"},
      {"a: \x07\n", "f:1:4: control character U+0007 is not allowed\n"},
      {"{\"a\": \"\\ud83d\\ude00\", \"a\": 1}", "f:1:23: duplicate key 'a' (first on line 1)\n"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.text);
    CHECK(yaml_problems(each.text) == each.expected);
  }
}

TEST_CASE("every duplicate key of a file is reported, up to a point") {
  CHECK(yaml_problems("a: 1\na: 2\nb: 1\nb: 2\n") ==
        "f:2:1: duplicate key 'a' (first on line 1)\nf:4:1: duplicate key 'b' (first on line 3)\n");
  Problems problems;
  parse_documents(repeat("a: 1\n", 10'000), "f", problems);
  CHECK(problems.size() == 20);
}

TEST_CASE("marks count lines and characters from 1") {
  const Node node = only("# first\n\xC3\xA9: \"\xC3\xBC\"\nb:\n  - {c: 5}\nd:\ne: 1\n");
  CHECK(node.find("\xC3\xA9")->line == 2);
  CHECK(node.find("\xC3\xA9")->column == 4);
  const Node* c = node.find("b")->items.at(0).find("c");
  CHECK(c->line == 4);
  CHECK(c->column == 9);
  CHECK(c->mark().file == "f");
  CHECK(node.find("d")->line == 5);  // an empty value stands where its key does
}

TEST_CASE("several documents of one file") {
  Problems problems;
  const auto documents = parse_documents("---\na: 1\n---\nb: 2\n...\n---\nc: 3\n", "f", problems);
  CHECK(problems.empty());
  CHECK(documents.size() == 3);
  CHECK_FALSE(parse_document("a: 1\n---\nb: 2\n", "f", problems));
  CHECK(problems_text(problems) == "f:3:1: one document is expected here, and this is a second one\n");
}

TEST_CASE("documents before a broken one are kept") {
  Problems problems;
  CHECK(parse_documents("a: 1\n---\nb: [\n", "f", problems).size() == 1);
  CHECK(problems_text(problems) == "f:3:4: '[' is never closed, or a comma is missing in it\n");
}

TEST_CASE("depth is limited to 64") {
  CHECK(yaml_problems("a: " + repeat("[", 63) + repeat("]", 63)).empty());
  CHECK(yaml_problems("a: " + repeat("[", 64) + repeat("]", 64)) == "f:1:67: nested deeper than 64 levels\n");
  CHECK(yaml_problems(repeat("- ", 400'000)) == "f:1:129: nested deeper than 64 levels\n");
  CHECK(yaml_problems(repeat("[", 1'000'000)) == "f:1:1: '[' is never closed, or a comma is missing in it\n");
  std::string blocks;
  for (std::size_t i = 0; i < 1000; ++i) blocks += std::string(i, ' ') + "a:\n";
  CHECK(yaml_problems(blocks) == "f:65:65: nested deeper than 64 levels\n");
}

TEST_CASE("aliases that multiply are stopped") {
  std::string laughs = "a: &a [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    const std::string alias = std::string("*") + static_cast<char>(c - 1);
    laughs += std::string(1, c) + ": &" + c + " [" + alias + repeat(", " + alias, 8) + "]\n";
  }
  CHECK(yaml_problems(laughs) == "f:5:8: aliases repeat more than 10000 values\n");
  std::string nested = "a: &a0 [x]\n";
  for (int i = 1; i < 70; ++i) {
    nested += "k" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  CHECK(yaml_problems(nested).find("nested deeper than 64 levels") != std::string::npos);
}

TEST_CASE("size is limited") {
  CHECK(yaml_problems("a: " + std::string(kMaxFileBytes - 3, 'x')).empty());
  CHECK(yaml_problems("a: " + std::string(kMaxFileBytes - 2, 'x')) ==
        "f:1:1: is larger than 1 MiB: split it into several files\n");
  CHECK(yaml_problems("[1" + repeat(",1", 400'000) + "]") ==
        "f:1:500000: more than 250000 values in one file\n");
}

TEST_CASE("core schema of scalars") {
  const auto scalar = [](std::string text, bool plain) {
    Node node;
    node.kind = Node::Kind::scalar;
    node.text = std::move(text);
    node.plain = plain;
    return node;
  };
  CHECK(scalar("12", true).as_int() == 12);
  CHECK_FALSE(scalar("12", false).as_int());
  CHECK_FALSE(scalar("+-1", true).as_int());
  CHECK_FALSE(scalar("99999999999999999999", true).as_int());
  CHECK(scalar("99999999999999999999", true).as_number());
  CHECK_FALSE(scalar("99999999999999999999", true).is_text());
  CHECK_FALSE(scalar(".inf", true).as_number());
  CHECK(scalar(".", true).is_text());
  CHECK(scalar("1e", true).is_text());
  CHECK_FALSE(scalar("1e999", true).as_number());
  CHECK(scalar("+15550100001", true).as_int() == 15550100001);
  CHECK(scalar("no", true).is_text());
  CHECK(scalar("", false).is_text());
}

TEST_CASE("what was found is described") {
  CHECK(only("a").describe() == "the text 'a'");
  CHECK(only("5").describe() == "the number 5");
  CHECK(only("true").describe() == "true");
  CHECK(only("[1]").describe() == "a list");
  CHECK(only("{a: 1}").describe() == "a map");
  CHECK(only("{metric: latency_ms.p95, below: 1500, x: [\"1\", {y: z}]}").one_line() ==
        "metric: latency_ms.p95, below: 1500, x: [\"1\", {y: z}]");
}
