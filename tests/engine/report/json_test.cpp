// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/json.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <system_error>

#include "engine/report/html.h"
#include "engine/report/junit.h"
#include "engine/report/ladder.h"
#include "tests/engine/report/sample.h"

namespace media = linecheck::media;
using namespace linecheck::engine;
using namespace linecheck::engine::report;
using nlohmann::json;

namespace {

void check_keys(const json& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    CAPTURE(key);
    CHECK(object.contains(key));
  }
}

}  // namespace

TEST_CASE("a result has every key of the contract") {
  const json result = result_json(sample::result());
  check_keys(result, {"id",
                      "name",
                      "agent",
                      "agent_name",
                      "status",
                      "success_rate",
                      "run_as_text",
                      "total_runs_count",
                      "completed_runs_count",
                      "success_runs_count",
                      "failed_runs_count",
                      "met_expected_outcome_count",
                      "total_expected_outcome_count",
                      "connected_runs",
                      "not_connected_runs",
                      "failed_infrastructure_runs",
                      "failed_workflow_runs",
                      "failed_reasons",
                      "thresholds",
                      "overall_evaluation",
                      "run_settings",
                      "engine",
                      "total_duration",
                      "created_at",
                      "updated_at",
                      "runs",
                      "latency_data",
                      "runs_truncated"});
  CHECK(result["total_runs_count"] == 8);
  CHECK(result["success_runs_count"] == 2);
  CHECK(result["failed_runs_count"] == 2);
  CHECK(result["success_rate"] == 0.5);
  CHECK(result["run_as_text"] == false);
  CHECK(result["total_duration"] == "00:41");
  CHECK(result["run_settings"]["seed"] == 42);
  CHECK(result["runs_truncated"] == false);
  CHECK(result["failed_reasons"]["issues"][0]["rank"] == 1);
  CHECK(result["failed_reasons"]["issues"][2]["category"] == "agent");
  CHECK(result["failed_reasons"]["issues"][2]["run_ids"] == json::array({274}));
  CHECK(result["overall_evaluation"]["metric_summary"]["latency_ms"]["n"] == 4);
  CHECK(result["overall_evaluation"]["metric_summary"]["latency_ms"]["p95"].is_null());
  check_keys(result["engine"],
             {"version", "commit", "pacing_ms", "late_ticks", "late_starts", "dropped_starts"});
  check_keys(result["engine"]["pacing_ms"], {"p50", "p99", "p999"});
  CHECK(result["thresholds"][1] ==
        json{{"metric", "success_rate"}, {"condition", "at_least 0.95"}, {"value", 0.5}, {"passed", false}});
}

TEST_CASE("a run has every key of the contract, also when it never happened") {
  for (const Run& run : sample::result().runs) {
    CAPTURE(run.id);
    const json made = run_json(run);
    check_keys(made, {"id",
                      "result_id",
                      "scenario",
                      "scenario_name",
                      "personality",
                      "personality_name",
                      "test_profile_data",
                      "agent",
                      "status",
                      "evaluation_status",
                      "success",
                      "attempt",
                      "flaky",
                      "inbound_number",
                      "outbound_number",
                      "agent_number",
                      "duration",
                      "executed_at",
                      "error_message",
                      "failure",
                      "metadata",
                      "voice_recording_url",
                      "testing_channel_index",
                      "transcript",
                      "transcript_object",
                      "turns",
                      "evaluation",
                      "expect",
                      "expected_outcome",
                      "dtmf",
                      "tones",
                      "rtp",
                      "engine",
                      "sip"});
    check_keys(made["metadata"], {"ended_reason", "hung_up_by", "call_id", "codec", "trunk"});
    check_keys(made["rtp"], {"send", "receive"});
    check_keys(made["engine"], {"pacing_ms", "late_ticks", "persona_delay_ms"});
    for (const json& metric : made["evaluation"]["metrics"]) {
      check_keys(metric,
                 {"id", "key", "name", "type", "score", "value", "unit", "passed", "explanation", "extra"});
      if (metric["value"].is_null() && metric["extra"]["percentiles"].is_null())
        CHECK(metric["reason"].is_string());
    }
  }
}

TEST_CASE("a run says what happened to it") {
  const Result result = sample::result();
  const json passed = run_json(result.runs[0]);
  CHECK(passed["evaluation_status"] == "success");
  CHECK(passed["duration"] == "00:13");
  CHECK(passed["transcript"] ==
        "[00:02] Testing Agent: Hello, this is Jane Smith. I need an appointment.\n"
        "[00:08] Testing Agent: Sorry, Tuesday, not Monday.\n[00:12] Testing Agent: Thank you.");
  CHECK(passed["expected_outcome"]["score"] == 100);
  CHECK(passed["turns"][2]["latency_ms"] == 742);
  CHECK(passed["turns"][0]["latency_ms"].is_null());
  CHECK(passed["rtp"]["send"]["lost"].is_null());  // nobody told us
  CHECK(passed["rtp"]["receive"]["lost"] == 0);
  CHECK(passed["sip"][0]["direction"] == "sent");
  CHECK(passed["failure"].is_null());
  CHECK(passed["voice_recording_url"].is_null());

  const json failed = run_json(result.runs[2]);
  CHECK(failed["evaluation_status"] == "failure");
  CHECK(failed["expected_outcome"]["score"] == 33);

  const json network = run_json(result.runs[4]);
  CHECK(network["success"].is_null());
  CHECK(network["evaluation_status"].is_null());
  CHECK(network["failure"]["category"] == "network");
  CHECK(network["failure"]["sip_status"] == 503);
  CHECK(network["failure"]["retry_after"] == 30);
  CHECK(network["failure"]["q850"].is_null());

  JsonOptions lean;
  lean.details = false;
  CHECK(run_json(result.runs[0], lean)["sip"].empty());
  CHECK(run_json(result.runs[0], lean)["turns"].empty());
}

TEST_CASE("keys and tones come back as they were written") {
  Result result = sample::result();
  Run& run = result.runs[0];
  media::DigitEvent key;
  key.digit = '#';
  key.start_ms = 1500;
  key.duration_ms = 98;
  key.gap_ms = 102;
  key.level_dbm0 = -12.5;
  key.transport = media::DigitTransport::inband;
  key.also[static_cast<std::size_t>(media::DigitTransport::info)] = true;
  media::DigitEvent info;  // says neither a length nor a level
  info.digit = '1';
  info.start_ms = 1900;
  info.transport = media::DigitTransport::info;
  run.call.media.digits = {key, info};
  media::ToneEvent busy;
  busy.kind = media::ToneEvent::Kind::busy;
  busy.start_ms = 2000;
  busy.end_ms = 5500;
  busy.low_hz = 480;
  busy.high_hz = 620;
  busy.level_dbm0 = -14;
  busy.bursts = 4;
  busy.cadence = "500 on, 500 off";
  busy.countries = "us";
  media::ToneEvent music;
  music.kind = media::ToneEvent::Kind::music;
  music.end_ms = 12'000;
  run.call.tones = {busy, music};

  const json written = run_json(run);
  CHECK(written["dtmf"][0]["also"] == json::array({"info"}));
  CHECK(written["dtmf"][1]["duration_ms"].is_null());
  CHECK(written["dtmf"][1]["level_dbm0"].is_null());
  CHECK(written["tones"][0]["tone"] == "busy");
  CHECK(written["tones"][0]["frequencies_hz"] == json::array({480.0, 620.0}));
  CHECK(written["tones"][1]["frequencies_hz"].empty());
  CHECK(written["tones"][1]["cadence"].is_null());
  const json again = run_json(run_from_json(written));
  CHECK(again["dtmf"] == written["dtmf"]);
  CHECK(again["tones"] == written["tones"]);
}

TEST_CASE("the calls that were refused, and the window of one that was waited for, come back too") {
  Result result = sample::result();
  RefusedCall refused;
  refused.at = "2026-03-02T09:00:00Z";
  refused.source = "127.0.0.1:5090";
  refused.called = "+15550100001";
  refused.caller = "+1777\xff";
  refused.status = 403;
  refused.reason = "called +15550100001, expected from +16665550100, came from +1777";
  result.refused_calls.push_back(refused);
  refused.run_id = 271;
  result.refused_calls.push_back(refused);
  result.refused_calls_count = 4711;
  CallRecord& call = result.runs[0].call;
  call.dial_window_opens_at = "2026-03-02T09:00:00Z";
  call.dial_window_closes_at = "2026-03-02T09:05:00Z";
  call.dial_window_s = 300;
  call.agent_media = "10.0.0.5:6000";
  call.own_media = "127.0.0.1:11000";
  call.q850 = 16;
  call.sip_reason = "bye";
  const json written = result_json(result);
  CHECK(written["refused_calls_count"] == 4711);
  REQUIRE(written["refused_calls"].size() == 2);
  CHECK(written["refused_calls"][0]["run_id"].is_null());
  CHECK(written["refused_calls"][1]["run_id"] == 271);
  CHECK(written["refused_calls"][1]["status"] == 403);
  const json& run = written["runs"]["271"];
  CHECK(run["outbound_dial_window_opens_at"] == "2026-03-02T09:00:00Z");
  CHECK(run["outbound_dial_window_seconds"] == 300);
  CHECK(run["outbound_dial_window_closes_at"] == "2026-03-02T09:05:00Z");
  CHECK(run["metadata"]["q850"] == 16);
  CHECK(written["runs"]["272"]["outbound_dial_window_seconds"].is_null());
  const json again = result_json(result_from_json(written));
  for (const char* key : {"refused_calls", "refused_calls_count"}) CHECK(again[key] == written[key]);
  for (const char* key : {"outbound_dial_window_opens_at", "outbound_dial_window_seconds", "metadata"})
    CHECK(again["runs"]["271"][key] == run[key]);
}

TEST_CASE("the recording is named as whoever reads it will find it") {
  Run run = sample::result().runs[0];
  run.call.recording_path = "/srv/out/recordings/1/call.wav";
  CHECK(run_json(run)["voice_recording_url"] == "/srv/out/recordings/1/call.wav");
  JsonOptions options;
  options.relative_to = "/srv/out/demo";
  CHECK(run_json(run, options)["voice_recording_url"] == "../recordings/1/call.wav");
  options.recording_url = [](const Run& one) { return "/runs/" + std::to_string(one.id) + "/recording"; };
  CHECK(run_json(run, options)["voice_recording_url"] == "/runs/271/recording");
}

TEST_CASE("whatever strings hold, the JSON can be written") {
  Result result = sample::result();
  result.name = sample::hostile();
  result.run_settings_json = "not json " + sample::hostile();
  result.runs[0].call.sip[0].message = sample::hostile();
  result.runs[0].test_profile_data = {{sample::hostile(), sample::hostile()}};
  result.runs[3].call.failure->reason = sample::hostile();
  const std::string text = result_json(result).dump();
  CHECK(json::parse(text)["runs"]["271"]["sip"][0]["message"].get<std::string>().starts_with("</script>"));
}

TEST_CASE("what was stored makes the same reports again") {
  sample::Folder folder;
  const Result before = sample::result(folder.path());
  write_result_json(before, folder.path() / "result.json");
  const Result after = read_result_json(folder.path() / "result.json");

  JsonOptions options;
  options.relative_to = folder.path();
  CHECK(result_json(after, options) == result_json(before, options));
  CHECK(junit_xml(after) == junit_xml(before));
  HtmlOptions html;
  html.relative_to = folder.path();
  html.nonce = "fixed";
  CHECK(html_report(after, html) == html_report(before, html));
  CHECK(text_ladder(after.runs[2]) == text_ladder(before.runs[2]));
  const auto& line = after.runs[0].call.media.send_line;
  REQUIRE(line.size() == before.runs[0].call.media.send_line.size());
  if (!line.empty()) {
    CHECK(line[0].asked == before.runs[0].call.media.send_line[0].asked);
    CHECK(line[0].achieved.loss_percent() == 2);
    CHECK(line[0].achieved.jitter_ms == 19.75);
  }
  CHECK(after.runs[0].call.recording_path == before.runs[0].call.recording_path);
}

TEST_CASE("beyond the limit the failed runs stay, and runs.jsonl has all") {
  sample::Folder folder;
  const Result before = sample::result();
  JsonOptions options;
  options.max_runs = 3;
  const json cut = result_json(before, options);
  CHECK(cut["runs_truncated"] == true);
  CHECK(cut["runs_url"] == "runs.jsonl");
  CHECK(cut["runs"].size() == 3);
  CHECK(cut["runs"].contains("273"));
  CHECK(cut["runs"].contains("274"));
  CHECK(cut["runs"].contains("275"));  // then those that are not successes either
  CHECK(cut["total_runs_count"] == 8);

  write_result_json(before, folder.path() / "result.json", options);
  CHECK(read_result_json(folder.path() / "result.json").runs.size() == 8);
  std::ostringstream lines;
  write_runs_jsonl(lines, before, options);
  const std::string text = lines.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 8);
}

TEST_CASE("a file that can't be written says which") {
  CHECK_THROWS_WITH_AS(write_result_json(sample::result(), "/nonexistent/folder/result.json"),
                       doctest::Contains("/nonexistent/folder/result.json"), std::system_error);
}

TEST_CASE("documents of another shape are refused with the place") {
  CHECK_THROWS_WITH_AS((void)result_from_json(json::array()), doctest::Contains("result is not an object"),
                       BadJson);
  CHECK_THROWS_WITH_AS((void)result_from_json(json{{"id", "x"}}), doctest::Contains("result.id"), BadJson);
  CHECK_THROWS_WITH_AS((void)run_from_json(json{{"turns", json::array({json{{"who", "nobody"}}})}}),
                       doctest::Contains("run.turns[0].who"), BadJson);
  CHECK_THROWS_WITH_AS(
      (void)run_from_json(json{{"engine", {{"pacing_histogram", json::array({json::array({999, 1})})}}}}),
      doctest::Contains("no such bucket"), BadJson);
  CHECK(run_from_json(json::object()).id == 0);
  CHECK(result_from_json(json{{"unheard_of", 1}}).runs.empty());
  CHECK_THROWS_AS((void)read_result_json("/nonexistent/result.json"), BadJson);
}
