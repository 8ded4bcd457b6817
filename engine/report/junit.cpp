// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/junit.h"

#include <array>
#include <cstdio>
#include <map>
#include <system_error>
#include <vector>

#include "engine/report/overview.h"
#include "engine/report/words.h"

namespace linecheck::engine::report {
namespace {

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + xml_escaped(value) + "\"";
}

std::string plain_number(double value) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.3f", value);
  return buffer.data();
}

struct Counts {
  int tests = 0;
  int failures = 0;
  int errors = 0;
  int skipped = 0;
  double seconds = 0;

  void add(const Counts& other) {
    tests += other.tests;
    failures += other.failures;
    errors += other.errors;
    skipped += other.skipped;
    seconds += other.seconds;
  }
  [[nodiscard]] std::string attributes() const {
    return attribute("tests", std::to_string(tests)) + attribute("failures", std::to_string(failures)) +
           attribute("errors", std::to_string(errors)) + attribute("skipped", std::to_string(skipped)) +
           attribute("time", plain_number(seconds));
  }
};

class Properties {
 public:
  void add(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    text_ += "        <property" + attribute("name", name) + attribute("value", value) + "/>\n";
  }
  void add(std::string_view name, std::optional<double> value) {
    if (value) add(name, plain_number(*value));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string properties_of(const Run& run) {
  Properties properties;
  properties.add("run_id", std::to_string(run.id));
  if (is_flaky(run)) properties.add("flaky", "passed at attempt " + std::to_string(run.call.attempt));
  properties.add("call_id", run.call.call_id);
  properties.add("caller_number", run.inbound_number);
  properties.add("dialled", run.outbound_number);
  for (const Metric& metric : run.evaluation.metrics) {
    if (metric.distribution) {
      for (const char* statistic : {"mean", "p50", "p95", "max"}) {
        properties.add(metric.key + "." + statistic, metric.distribution->statistic(statistic));
      }
    } else {
      properties.add(metric.key, metric.value);
    }
  }
  return properties.text();
}

std::string outcome_of(const Run& run, Counts& counts) {
  if (run.success == true) return {};
  std::string message = run.error_message;
  const std::optional<Failure>& failure = run.call.failure;
  if (run.status == RunStatus::cancelled || !is_over(run.status)) {
    ++counts.skipped;
    if (message.empty()) message = run.status == RunStatus::cancelled ? "cancelled" : "it did not run";
    return "      <skipped" + attribute("message", message) + "/>\n";
  }
  std::string body;
  for (const CheckResult& check : run.evaluation.checks) {
    if (check.passed) continue;
    if (message.empty()) message = "Check failed: " + check.check;
    body += "check failed: " + check.check;
    if (!check.explanation.empty()) body += "\n  " + check.explanation;
    body += "\n  " + advice_for_check(check.check);
    body += '\n';
  }
  if (failure && message.empty()) message = failure->reason;
  if (failure && !failed_by_checks(run)) {
    body += failure->reason + "\n" + advice_for(*failure) + "\n";
  }
  if (message.empty()) message = "failed";
  const bool agents_fault = run.success == false;
  ++(agents_fault ? counts.failures : counts.errors);
  const std::string element = agents_fault ? "failure" : "error";
  const std::string type(failure ? name_of(failure->category) : agents_fault ? "agent" : "engine");
  return "      <" + element + attribute("message", message) + attribute("type", type) + ">" +
         xml_escaped(body) + "</" + element + ">\n";
}

std::string recording_of(const Run& run, const JunitOptions& options) {
  std::filesystem::path path = run.call.recording_path;
  if (path.empty()) return {};
  if (!options.relative_to.empty()) {
    std::error_code error;
    const std::filesystem::path relative = std::filesystem::proximate(path, options.relative_to, error);
    if (!error) path = relative;
  }
  return "      <system-out>[[ATTACHMENT|" + xml_escaped(path.generic_string()) + "]]</system-out>\n";
}

std::string case_of(const Run& run, const JunitOptions& options, Counts& counts) {
  Counts own;
  own.tests = 1;
  own.seconds = conversation_seconds(run.call);
  std::string out = "    <testcase" + attribute("name", variant_of(run)) +
                    attribute("classname", run.scenario_name) + attribute("time", plain_number(own.seconds)) +
                    ">\n";
  out += "      <properties>\n" + properties_of(run) + "      </properties>\n";
  out += outcome_of(run, own);
  out += recording_of(run, options);
  counts.add(own);
  return out + "    </testcase>\n";
}

/// So that CI fails where the exit code is 1 although every call passed.
std::string thresholds_suite(const Result& result, Counts& all) {
  if (result.thresholds.empty()) return {};
  Counts counts;
  std::string cases;
  for (const ThresholdResult& threshold : result.thresholds) {
    ++counts.tests;
    const std::string name = threshold.metric + " " + threshold.condition;
    cases += "    <testcase" + attribute("name", name) + attribute("classname", "thresholds") +
             attribute("time", plain_number(0));
    if (threshold.passed) {
      cases += "/>\n";
      continue;
    }
    ++counts.failures;
    const std::string was = threshold.value ? "it is " + plain_number(*threshold.value) : "it has no value";
    cases += ">\n      <failure" + attribute("message", name + ": " + was) + attribute("type", "threshold") +
             "/>\n    </testcase>\n";
  }
  all.add(counts);
  return "  <testsuite" + attribute("name", "thresholds") + counts.attributes() + ">\n" + cases +
         "  </testsuite>\n";
}

}  // namespace

std::string junit_xml(const Result& result, const JunitOptions& options) {
  // Scenarios in the order in which they first appear.
  std::vector<std::vector<const Run*>> suites;
  std::map<scheduler::Id, std::size_t> index;
  for (const Run& run : result.runs) {
    const auto [place, is_new] = index.try_emplace(run.scenario, suites.size());
    if (is_new) suites.emplace_back();
    suites[place->second].push_back(&run);
  }
  Counts all;
  std::string body;
  for (const auto& runs : suites) {
    Counts counts;
    std::string cases;
    for (const Run* run : runs) cases += case_of(*run, options, counts);
    body += "  <testsuite" + attribute("name", runs.front()->scenario_name) + counts.attributes();
    if (!runs.front()->call.executed_at.empty())
      body += attribute("timestamp", runs.front()->call.executed_at);
    body += ">\n" + cases + "  </testsuite>\n";
    all.add(counts);
  }
  body += thresholds_suite(result, all);
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + attribute("name", result.name) +
         all.attributes() + ">\n" + body + "</testsuites>\n";
}

}  // namespace linecheck::engine::report
