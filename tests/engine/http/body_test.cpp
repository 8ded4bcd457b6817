// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/http/body.h"

#include <doctest/doctest.h>

#include <string>

#include "scheduler/job.h"

using namespace linecheck;
using namespace linecheck::engine::http;

namespace {

Body body_of(const std::string& type, const std::string& text) {
  Request request;
  if (!type.empty()) request.headers.emplace_back("content-type", type);
  request.body = text;
  return read_body(request);
}

std::string shown(const Body& body) {
  return body.json ? body.json->dump() : std::to_string(body.refused->status) + " " + body.refused->body;
}

const std::string kForm = "application/x-www-form-urlencoded";

}  // namespace

TEST_CASE("body: JSON is an object whose keys are unique and whose depth is bounded") {
  CHECK(shown(body_of("application/json", R"({"agent_id": 12, "scenarios": [1]})")) ==
        R"({"agent_id":12,"scenarios":[1]})");
  CHECK(shown(body_of("", "{}")) == "{}");
  CHECK(shown(body_of("Application/JSON ; charset=utf-8", "")) == "{}");
  CHECK(shown(body_of("application/json", "[1]")) ==
        R"(400 {"detail":"An object is expected as the body."})");
  CHECK(shown(body_of("", R"({"a": 1, "b": {"a": 1}, "a": 2})")) ==
        R"(400 {"detail":"The body can't be read: the key 'a' is there twice."})");
  CHECK(shown(body_of("", std::string(100'000, '['))) ==
        R"(400 {"detail":"The body can't be read: it is nested too deeply."})");
  for (const char* bad : {"{", "nonsense", "{\"a\": 1e999}", "{\"a\": \"\xff\"}", "{} {}", "\"\\"}) {
    CAPTURE(bad);
    CHECK(shown(body_of("application/json", bad)).starts_with("400 "));
  }
  CHECK(shown(body_of("text/yaml", "agent_id: 12")) ==
        R"(415 {"detail":"Unsupported media type \"text/yaml\" in request."})");
}

TEST_CASE("body: a form means what JSON would") {
  CHECK(shown(body_of(kForm, "agent_id=12&scenarios=1&scenarios=2&name=5&retry_after_dial=true")) ==
        R"({"agent_id":12,"scenarios":[1,2],"name":"5","retry_after_dial":true})");
  CHECK(shown(body_of(kForm, "scenarios=1,2&tags=5&agent_number=%2B15550100001")) ==
        R"({"scenarios":[1,2],"tags":["5"],"agent_number":"+15550100001"})");
  CHECK(shown(body_of(kForm, "scenarios=[3]&personality_ids=3")) ==
        R"({"scenarios":[3],"personality_ids":[3]})");
  CHECK(shown(body_of(kForm, "scenarios=5")) == R"({"scenarios":5})");
  CHECK(shown(body_of(kForm, "scenarios=all")) == R"({"scenarios":"all"})");
  CHECK(shown(body_of(kForm, "load={\"shape\":\"x\"}")) == R"({"load":{"shape":"x"}})");
  CHECK(shown(body_of(kForm, "name=a&name=b")) ==
        R"(400 {"detail":"The body can't be read: the field 'name' is there twice."})");
  CHECK(shown(body_of(kForm, "name=%zz")).starts_with("400 "));
}

TEST_CASE("body: multipart has the same fields, or is refused") {
  const std::string type = "multipart/form-data; boundary=\"xyz\"";
  const std::string good =
      "--xyz\r\nContent-Disposition: form-data; name=\"agent_id\"\r\n\r\n12\r\n"
      "--xyz\r\ncontent-disposition: form-data; name=name\r\nContent-Type: text/plain\r\n\r\na\r\nb\r\n"
      "--xyz\r\nContent-Disposition: form-data; name=\"tags\"\r\n\r\n\r\n--xyz--\r\n";
  CHECK(shown(body_of(type, good)) == R"({"agent_id":12,"name":"a\r\nb","tags":[]})");
  for (std::size_t cut = 0; cut + 4 < good.size(); ++cut) {  // every truncation of it
    const Body body = body_of(type, good.substr(0, cut));
    REQUIRE(body.refused);
    CHECK(body.refused->status == 400);
  }
  CHECK(shown(body_of("multipart/form-data", good)).starts_with("400 "));
  CHECK(shown(body_of(type, "--xyz\r\n\r\n\r\nx\r\n--xyz--")).starts_with("400 "));
}

TEST_CASE("problems: each field once, all its messages; a bare list for personalities alone") {
  const auto problem = [](const char* field, const std::string& message) {
    return scheduler::Problem{{}, field, message};
  };
  const std::string personality =
      std::string(scheduler::kInvalidPersonalities) + " The personality 9 is not.";
  CHECK(problems_by_field({problem("personality_ids[0]", personality)}).dump() ==
        R"(["Invalid personalities provided."])");
  CHECK(problems_by_field({problem("scenarios[0]", "there is no scenario 8"),
                           problem("scenarios[1]", "there is no scenario 9"),
                           problem("", "a map is expected"), problem("load.stages[0].target", "is missing")})
            .dump() ==
        R"({"scenarios":["there is no scenario 8","there is no scenario 9"],)"
        R"("non_field_errors":["a map is expected"],"load":["stages[0].target: is missing"]})");
  CHECK(problems_by_field({problem("personality_id", personality), problem("x", "unknown key")}).is_object());
}
