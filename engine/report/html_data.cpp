// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/html_data.h"

#include <algorithm>
#include <string_view>

#include "engine/report/json.h"
#include "engine/report/ladder.h"
#include "engine/report/overview.h"
#include "engine/report/waveform.h"
#include "engine/report/words.h"

namespace linecheck::engine::report {
namespace {

using nlohmann::json;

constexpr std::size_t kMostPlottedValues = 2000;

json peaks_json(const Waveform& waveform) {
  json channels = json::array();
  for (const std::vector<std::int8_t>& channel : waveform.peaks.channels) {
    std::string bytes;
    bytes.reserve(channel.size());
    for (const std::int8_t value : channel) bytes += static_cast<char>(value);
    channels.push_back(base64(bytes));
  }
  return {{"bucket_ms", waveform.peaks.bucket_ms}, {"channels", std::move(channels)}};
}

json ladder_json(const CallRecord& call) {
  const Ladder ladder = ladder_of(call);
  json columns = json::array();
  for (const std::string& column : ladder.columns) columns.push_back(valid_utf8(column));
  json steps = json::array();
  for (const LadderStep& step : ladder.steps) {
    steps.push_back({{"t_ms", step.t_ms},
                     {"delta_ms", step.delta_ms},
                     {"from", step.from},
                     {"to", step.to},
                     {"label", valid_utf8(step.label)},
                     {"again", step.retransmission},
                     {"message", step.message}});
  }
  return {{"columns", std::move(columns)}, {"steps", std::move(steps)}};
}

json checks_view(const Overview& overview) {
  json checks = json::array();
  for (const CheckGroup& group : overview.checks) {
    checks.push_back({{"check", valid_utf8(group.check)},
                      {"passed", group.passed},
                      {"failed_run_ids", group.failed_run_ids}});
  }
  return checks;
}

json metrics_view(const Overview& overview) {
  json metrics = json::array();
  for (const MetricSummary& metric : overview.metrics) {
    // Every n-th of the sorted values: the plot keeps its shape and both its ends.
    std::vector<double> values = metric.values;
    std::sort(values.begin(), values.end());
    json plotted = json::array();
    const std::size_t step = values.size() / kMostPlottedValues + 1;
    for (std::size_t i = 0; i < values.size(); i += step) plotted.push_back(values[i]);
    if (!values.empty() && (values.size() - 1) % step != 0) plotted.push_back(values.back());
    metrics.push_back({{"key", valid_utf8(metric.key)}, {"values", std::move(plotted)}});
  }
  return metrics;
}

}  // namespace

PageData page_data(const Result& result, const HtmlOptions& options) {
  PageData page;
  JsonOptions json_options;
  json_options.relative_to = options.relative_to;
  json_options.max_runs = options.max_runs;
  json_options.runs_url = "";
  page.document = result_json(result, json_options);
  const Overview overview = overview_of(result);

  std::vector<const Run*> shown;
  for (const Run& run : result.runs) {
    if (page.document["runs"].contains(std::to_string(run.id))) shown.push_back(&run);
  }
  // Where not all sound fits, that of calls which need listening to goes in first.
  std::stable_partition(shown.begin(), shown.end(), [](const Run* run) { return run->success != true; });

  json runs = json::object();
  std::size_t embedded_bytes = 0;
  for (const Run* run : shown) {
    json view{{"variant", valid_utf8(variant_of(*run))},
              {"ladder", ladder_json(run->call)},
              {"by_checks", failed_by_checks(*run)},
              {"advice", run->call.failure && !failed_by_checks(*run)
                             ? json(valid_utf8(advice_for(*run->call.failure)))
                             : json(nullptr)},
              {"audio", nullptr},
              {"peaks", nullptr},
              {"recording_ms", nullptr}};
    if (!run->call.recording_path.empty()) {
      const bool room = options.embed_audio && embedded_bytes < options.max_audio_bytes;
      std::optional<Waveform> waveform = read_waveform(run->call.recording_path, room);
      if (waveform) {
        view["peaks"] = peaks_json(*waveform);
        view["recording_ms"] = waveform->duration_ms;
        if (room && embedded_bytes + waveform->mulaw_wav.size() <= options.max_audio_bytes) {
          embedded_bytes += waveform->mulaw_wav.size();
          view["audio"] = "embedded";
          page.sounds.emplace_back(run->id, base64(waveform->mulaw_wav));
        } else {
          view["audio"] = "linked";
          page.any_linked = true;
        }
      }
    }
    runs[std::to_string(run->id)] = std::move(view);
  }
  page.document["view"] = {
      {"checks", checks_view(overview)}, {"metrics", metrics_view(overview)}, {"runs", std::move(runs)}};
  return page;
}

}  // namespace linecheck::engine::report
