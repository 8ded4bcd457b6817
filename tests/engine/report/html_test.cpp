// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/html.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/engine/report/sample.h"

using namespace linecheck::engine;
using namespace linecheck::engine::report;

namespace {

HtmlOptions fixed(const std::filesystem::path& folder = {}) {
  HtmlOptions options;
  options.relative_to = folder;
  options.nonce = "fixed";
  return options;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

nlohmann::json data_of(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const std::size_t at = page.find(begin) + begin.size();
  return nlohmann::json::parse(page.substr(at, page.find("</script>", at) - at));
}

}  // namespace

TEST_CASE("the page asks for nothing from outside") {
  const sample::Folder folder;
  const std::string page = html_report(sample::result(folder.path()), fixed(folder.path()));
  CHECK(
      page.find("default-src 'none'; script-src 'nonce-fixed'; style-src 'nonce-fixed'; media-src blob:;") !=
      std::string::npos);
  // Names of the SVG namespace aside, there is no address of any kind in it.
  CHECK(count(page, "http://") == count(page, "http://www.w3.org/2000/svg"));
  CHECK(count(page, "https://") == 0);
  for (const char* loads :
       {"<link rel=\"stylesheet\"", "<img", "<iframe", "@import", "url(", "innerHTML", "eval(", "src="}) {
    CAPTURE(loads);
    CHECK(count(page, loads) == 0);
  }
}

TEST_CASE("each page has its own nonce") {
  const Result result = sample::result();
  CHECK(html_report(result) != html_report(result));
  CHECK(html_report(result, fixed()) == html_report(result, fixed()));
}

TEST_CASE("what an agent says stays data") {
  Result result = sample::result();
  const std::string clean = html_report(result, fixed());
  result.name = sample::hostile();
  result.agent_name = sample::hostile();
  for (Run& run : result.runs) {
    run.scenario_name = run.error_message = sample::hostile();
    run.test_profile_data = {{sample::hostile(), sample::hostile()}};
    for (TracedMessage& message : run.call.sip)
      message.start_line = message.message = message.from = sample::hostile();
    for (TranscriptLine& line : run.evaluation.transcript) line.content = sample::hostile();
    for (Metric& metric : run.evaluation.metrics) metric.name = sample::hostile();
  }
  const std::string page = html_report(result, fixed());
  for (const char* markup : {"<script", "</script", "<img", "-->", "<!--"}) {
    CAPTURE(markup);
    CHECK(count(page, markup) == count(clean, markup));
  }
  CHECK(data_of(page)["runs"]["271"]["scenario_name"].get<std::string>().starts_with("</script><script>"));
}

TEST_CASE("sound is inside up to the limit, that of failed calls first, and linked beyond it") {
  const sample::Folder folder;
  const Result result = sample::result(folder.path());
  HtmlOptions options = fixed(folder.path());
  nlohmann::json view = data_of(html_report(result, options))["view"]["runs"];
  CHECK(view["271"]["audio"] == "embedded");
  CHECK(view["273"]["audio"] == "embedded");
  CHECK(view["274"]["audio"].is_null());
  CHECK(view["271"]["peaks"]["channels"].size() == 2);

  options.max_audio_bytes = 300'000;  // the failed call has 17.8 s, which is 285 kB
  const std::string page = html_report(result, options);
  view = data_of(page)["view"]["runs"];
  CHECK(view["273"]["audio"] == "embedded");
  CHECK(view["271"]["audio"] == "linked");
  CHECK(data_of(page)["runs"]["271"]["voice_recording_url"] == "recordings/271.wav");
  CHECK(count(page, "id=\"sound-") == 1);
  CHECK(page.find("media-src blob: 'self' file:") != std::string::npos);

  options.embed_audio = false;
  CHECK(count(html_report(result, options), "id=\"sound-") == 0);
}

TEST_CASE("a recording that is gone leaves a page without it") {
  Result result = sample::result();
  result.runs[0].call.recording_path = "/nonexistent/call.wav";
  const nlohmann::json data = data_of(html_report(result, fixed()));
  CHECK(data["view"]["runs"]["271"]["audio"].is_null());
  CHECK(data["view"]["runs"]["271"]["peaks"].is_null());
}

TEST_CASE("the page stays small, and counts what it leaves out") {
  const sample::Folder folder;
  HtmlOptions options = fixed(folder.path());
  options.embed_audio = false;
  CHECK(html_report(sample::all_passed(folder.path()), options).size() < 1'000'000);

  options.max_runs = 2;
  const nlohmann::json data = data_of(html_report(sample::result(folder.path()), options));
  CHECK(data["runs"].size() == 2);
  CHECK(data["runs"].contains("273"));
  CHECK(data["total_runs_count"] == 8);
  CHECK(data["runs_truncated"] == true);
}

TEST_CASE("an empty result makes a page") {
  CHECK(data_of(html_report(Result{}, fixed()))["runs"].empty());
}
