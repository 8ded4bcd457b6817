// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/junit.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/engine/report/sample.h"

using namespace linecheck::engine;
using namespace linecheck::engine::report;

using linecheck::engine::report::sample::has;

namespace {

/// Checks what well-formedness asks of the XML that we write (no comments, no CDATA): tags that nest,
/// attributes in double quotes, and only known references. Answers the fault, empty where there is none.
std::string fault_of(const std::string& xml) {
  std::vector<std::string> open;
  std::size_t i = xml.find("?>");
  if (i == std::string::npos) return "no declaration";
  i += 2;
  const auto reference_ok = [&](std::size_t at) {
    const std::string rest = xml.substr(at, 6);
    for (const char* known : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#10;", "&#13;", "&#9;"}) {
      if (rest.starts_with(known)) return true;
    }
    return false;
  };
  for (; i < xml.size(); ++i) {
    const auto byte = static_cast<unsigned char>(xml[i]);
    if (byte < 0x20 && byte != '\n') return "a control character at " + std::to_string(i);
    if (xml[i] == '&' && !reference_ok(i)) return "a bare & at " + std::to_string(i);
    if (xml[i] != '<') continue;
    const bool closing = xml[i + 1] == '/';
    bool quoted = false;
    std::size_t end = i + 1;
    for (; end < xml.size() && (quoted || xml[end] != '>'); ++end) {
      if (xml[end] == '"') quoted = !quoted;
      if (xml[end] == '<') return "< inside a tag at " + std::to_string(end);
    }
    if (end == xml.size()) return "a tag without an end at " + std::to_string(i);
    const std::size_t name_at = i + (closing ? 2 : 1);
    const std::string name = xml.substr(name_at, xml.find_first_of(" />\n", name_at) - name_at);
    if (closing) {
      if (open.empty() || open.back() != name) return "</" + name + "> closes nothing";
      open.pop_back();
    } else if (xml[end - 1] != '/') {
      open.push_back(name);
    }
    i = end;
  }
  return open.empty() ? "" : "<" + open.back() + "> is left open";
}

}  // namespace

TEST_CASE("suites are scenarios, cases are personality, profile and number") {
  const std::string xml = junit_xml(sample::result());
  CHECK(fault_of(xml) == "");
  CHECK(has(
      xml,
      "<testsuites name=\"nightly Sales.Inbound\" tests=\"10\" failures=\"3\" errors=\"3\" skipped=\"1\""));
  CHECK(has(xml,
            "<testsuite name=\"Book an appointment\" tests=\"6\" failures=\"1\" errors=\"3\" skipped=\"1\""));
  CHECK(has(xml,
            "<testcase name=\"Calm / Jane, premium / #1\" classname=\"Reach sales through the menu\" "
            "time=\"9.920\">"));
  CHECK(has(xml, "<property name=\"latency_ms.mean\" value=\"742.000\"/>"));
  CHECK(has(xml, "<property name=\"greeting_delay_ms\" value=\"327.000\"/>"));
}

TEST_CASE("the agent fails, all else is an error, what was cancelled is skipped") {
  const std::string xml = junit_xml(sample::result());
  CHECK(has(
      xml,
      "<failure message=\"2 checks failed\" type=\"agent\">check failed: latency_ms.p50 below 1500&#10;"));
  CHECK(has(xml, "<failure message=\"The agent is busy (486 Busy Here)\" type=\"agent\">"));
  CHECK(has(xml, "<error message=\"The trunk answered 503 Service Unavailable\" type=\"network\">"));
  CHECK(has(xml, "type=\"engine\">"));
  CHECK(has(xml, "type=\"provider\">"));
  CHECK(has(xml, "<skipped message=\"cancelled\"/>"));
  CHECK(has(xml, "<failure message=\"success_rate at_least 0.95: it is 0.500\" type=\"threshold\"/>"));
}

TEST_CASE("the recording is attached by a path that CI can follow") {
  Result result = sample::result();
  result.runs[0].call.recording_path = "/srv/out/recordings/271/call.wav";
  CHECK(has(junit_xml(result, {.relative_to = "/srv/out"}),
            "<system-out>[[ATTACHMENT|recordings/271/call.wav]]</system-out>"));
}

TEST_CASE("whatever an agent says, the XML is well-formed") {
  Result result = sample::result();
  result.name = sample::hostile();
  for (Run& run : result.runs) {
    run.scenario_name = run.personality_name = run.error_message = run.call.call_id = sample::hostile();
    run.call.recording_path = "/tmp/" + sample::hostile().substr(0, 20);
    if (run.call.failure) run.call.failure->reason = sample::hostile();
    for (CheckResult& check : run.evaluation.checks) check.check = check.explanation = sample::hostile();
    for (Metric& metric : run.evaluation.metrics) metric.key = sample::hostile();
  }
  CHECK(fault_of(junit_xml(result)) == "");
}

TEST_CASE("a result without runs is still a document") {
  CHECK(fault_of(junit_xml(Result{})) == "");
}
