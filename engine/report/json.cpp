// SPDX-License-Identifier: GPL-3.0-or-later
//
// The shape of a result, and its files.
#include "engine/report/json.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "engine/report/json_parts.h"
#include "engine/report/overview.h"

namespace linecheck::engine::report {
namespace {

json settings_json(const std::string& requested) {
  if (requested.empty()) return json::object();
  json settings = json::parse(requested, nullptr, false);
  return settings.is_object() ? settings : json{{"requested", text(requested)}};
}

json issues_json(const Overview& overview) {
  json issues = json::array();
  int rank = 0;
  for (const FailureGroup& group : overview.failures) {
    issues.push_back({{"rank", ++rank},
                      {"reason", text(group.reason)},
                      {"category", name_of(group.category)},
                      {"run_ids", group.run_ids},
                      {"example", text_or_null(group.example)},
                      {"advice", text(group.advice)}});
  }
  return issues;
}

json metric_summary_json(const Overview& overview) {
  json summary = json::object();
  for (const MetricSummary& metric : overview.metrics) {
    json one = percentiles(metric.all);
    one["name"] = text(metric.name);
    one["unit"] = text(metric.unit);
    summary[valid_utf8(metric.key)] = std::move(one);
  }
  return summary;
}

json thresholds_json(const std::vector<ThresholdResult>& thresholds) {
  json array = json::array();
  for (const ThresholdResult& threshold : thresholds) {
    array.push_back({{"metric", text(threshold.metric)},
                     {"condition", text(threshold.condition)},
                     {"value", number(threshold.value)},
                     {"passed", threshold.passed}});
  }
  return array;
}

json refused_calls_json(const std::vector<RefusedCall>& calls) {
  json array = json::array();
  for (const RefusedCall& call : calls) {
    array.push_back({{"at", text(call.at)},
                     {"source", text(call.source)},
                     {"called", text(call.called)},
                     {"caller", text(call.caller)},
                     {"status", call.status},
                     {"reason", text(call.reason)},
                     {"run_id", call.run_id != 0 ? json(call.run_id) : json(nullptr)}});
  }
  return array;
}

/// All of them, or the failed ones first until `most` is reached.
std::vector<const Run*> chosen_runs(const Result& result, std::size_t most) {
  std::vector<const Run*> runs;
  runs.reserve(result.runs.size());
  for (const Run& run : result.runs) runs.push_back(&run);
  if (runs.size() <= most) return runs;
  const auto rank = [](const Run* run) {
    if (run->success == false) return 0;
    return run->success == true ? 2 : 1;
  };
  std::stable_sort(runs.begin(), runs.end(), [&](const Run* a, const Run* b) { return rank(a) < rank(b); });
  runs.resize(most);
  return runs;
}

void write_whole_file(const std::filesystem::path& file, const std::function<void(std::ostream&)>& write) {
  std::filesystem::path unfinished = file;
  unfinished += ".tmp";
  errno = 0;
  std::ofstream out(unfinished, std::ios::binary | std::ios::trunc);
  if (out) write(out);
  out.close();
  if (!out) {
    const int why = errno != 0 ? errno : EIO;
    std::error_code ignored;
    std::filesystem::remove(unfinished, ignored);
    throw std::system_error(why, std::generic_category(), "can't write " + file.string());
  }
  std::error_code error;
  std::filesystem::rename(unfinished, file, error);
  if (error) throw std::system_error(error, "can't write " + file.string());
}

}  // namespace

json result_json(const Result& result, const JsonOptions& options) {
  const Overview overview = overview_of(result);
  json latency = nullptr;
  for (const MetricSummary& metric : overview.metrics) {
    if (metric.key == "latency_ms") latency = percentiles(metric.all);
  }
  json runs = json::object();
  for (const Run* run : chosen_runs(result, options.max_runs)) {
    runs[std::to_string(run->id)] = run_json(*run, options);
  }
  const bool truncated = result.runs.size() > options.max_runs;
  const std::optional<double> success_rate = result.success_rate();
  return {
      {"id", result.id},
      {"name", text(result.name)},
      {"agent", result.agent},
      {"agent_name", text(result.agent_name)},
      {"status", name_of(result.status)},
      {"verdict", verdict_word(result)},
      {"verdict_note", text_or_null(result.verdict_note)},
      {"headline", text(headline(result, overview))},
      {"success_rate", number(success_rate)},
      {"run_as_text", false},
      {"total_runs_count", overview.total},
      {"completed_runs_count", overview.completed},
      {"success_runs_count", overview.passed},
      {"failed_runs_count", overview.failed},
      {"excused_runs_count", overview.excused},
      {"cancelled_runs_count", overview.cancelled},
      {"flaky_runs_count", flaky_runs(result).size()},
      {"met_expected_outcome_count", overview.met_checks},
      {"total_expected_outcome_count", overview.with_checks},
      {"connected_runs", overview.connected},
      {"not_connected_runs", overview.not_connected},
      {"failed_infrastructure_runs", overview.failed_infrastructure},
      {"failed_workflow_runs", overview.failed_workflow},
      {"failed_reasons", {{"issues", issues_json(overview)}}},
      {"thresholds", thresholds_json(result.thresholds)},
      {"overall_evaluation",
       {{"success_rate", number(success_rate)}, {"metric_summary", metric_summary_json(overview)}}},
      {"latency_data", std::move(latency)},
      {"run_settings", settings_json(result.run_settings_json)},
      {"engine",
       {{"version", text(result.engine.version)},
        {"commit", text(result.engine.commit)},
        {"pacing_ms", pacing(result.engine.pacing)},
        {"pacing_histogram", histogram_counts(result.engine.pacing)},
        {"late_ticks", result.engine.late_ticks},
        {"late_starts", result.engine.late_starts},
        {"dropped_starts", result.engine.dropped_starts},
        {"late_starts_by", result.engine.late_causes},
        {"dropped_starts_by", result.engine.dropped_causes}}},
      {"refused_calls_count", result.refused_calls_count},
      {"refused_calls", refused_calls_json(result.refused_calls)},
      {"total_duration", minutes_seconds(result.wall_seconds)},
      {"wall_seconds", number(result.wall_seconds)},
      {"created_at", text_or_null(result.created_at)},
      {"updated_at", text_or_null(result.updated_at)},
      {"runs_truncated", truncated},
      {"runs_url", truncated ? text_or_null(options.runs_url) : json(nullptr)},
      {"runs", std::move(runs)},
  };
}

void write_runs_jsonl(std::ostream& out, const Result& result, const JsonOptions& options) {
  for (const Run& run : result.runs) out << run_json(run, options).dump() << '\n';
}

void write_result_json(const Result& result, const std::filesystem::path& file, JsonOptions options) {
  if (options.relative_to.empty()) {
    options.relative_to = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  }
  // The runs first: a result.json that names runs.jsonl must never be there without it.
  if (result.runs.size() > options.max_runs) {
    write_whole_file(file.parent_path() / "runs.jsonl",
                     [&](std::ostream& out) { write_runs_jsonl(out, result, options); });
  }
  write_whole_file(file, [&](std::ostream& out) { out << result_json(result, options).dump(1) << '\n'; });
}

}  // namespace linecheck::engine::report
