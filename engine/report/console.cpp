// SPDX-License-Identifier: GPL-3.0-or-later
//
// The summary at the end of `linecheck run`.
#include "engine/report/console.h"

#include <algorithm>

#include "engine/report/columns.h"
#include "engine/report/overview.h"
#include "engine/report/words.h"

namespace linecheck::engine::report {
namespace {

constexpr int kNameWidth = 30;
constexpr int kNumberWidth = 11;

class Writer {
 public:
  explicit Writer(const SummaryOptions& options) : options_(options), terminal_(options.terminal) {}

  [[nodiscard]] std::string paint(std::string_view sgr, const std::string& text) const {
    return terminal_.color ? "\x1b[" + std::string(sgr) + "m" + text + "\x1b[0m" : text;
  }
  [[nodiscard]] std::string mark(bool passed) const {
    if (passed) return paint("32", terminal_.unicode ? "\u2713" : "ok  ");
    return paint("31", terminal_.unicode ? "\u2717" : "FAIL");
  }
  [[nodiscard]] std::string left(std::string_view text, int width) const {
    return left_in(printable(text), width, terminal_.unicode);
  }
  [[nodiscard]] std::string right(std::string_view text, int width) const {
    return right_in(printable(text), width, terminal_.unicode);
  }
  [[nodiscard]] int text_width() const { return std::clamp(terminal_.width, 60, 110) - 8; }
  [[nodiscard]] const SummaryOptions& options() const { return options_; }

  void title(std::string text) {
    for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    out_ += "\n  " + paint("1", text) + "\n";
  }
  void line(const std::string& text) { out_ += "  " + text + "\n"; }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  const SummaryOptions& options_;
  const Terminal& terminal_;
  std::string out_;
};

std::string verdict_color(const std::string& word) {
  if (word == "PASSED") return "1;32";
  if (word == "FAILED") return "1;31";
  return "1;33";
}

void write_verdict(Writer& writer, const Result& result, const Overview& overview) {
  const std::string word = verdict_word(result);
  writer.line("");
  writer.line(writer.paint(verdict_color(word), word) + "  " + writer.paint("1", printable(result.name)));
  writer.line(wrapped(
      printable(headline(result, overview)) + " It took " + minutes_seconds(result.wall_seconds) + ".",
      writer.text_width(), 2));
}

void write_thresholds(Writer& writer, const Result& result) {
  if (result.thresholds.empty()) return;
  writer.title("THRESHOLDS");
  for (const ThresholdResult& threshold : result.thresholds) {
    const std::string value = threshold.value ? quantity(*threshold.value, "") : "no value";
    writer.line("  " + writer.mark(threshold.passed) + " " +
                writer.left(threshold.metric + " " + threshold.condition, 44) + " " + value);
  }
}

void write_checks(Writer& writer, const Overview& overview) {
  if (overview.checks.empty()) return;
  writer.title("CHECKS");
  for (const CheckGroup& check : overview.checks) {
    const auto failed = static_cast<int>(check.failed_run_ids.size());
    writer.line("  " + writer.mark(failed == 0) + " " + writer.left(check_words(check.check), 44) + " " +
                std::to_string(check.passed) + " of " + std::to_string(check.passed + failed));
  }
}

void write_metrics(Writer& writer, const Overview& overview) {
  if (overview.metrics.empty()) return;
  std::string head = writer.left("METRICS", kNameWidth + 2);
  for (const char* name : {"mean", "p50", "p95", "max"}) head += writer.right(name, kNumberWidth);
  writer.line("");
  writer.line(writer.paint("1", head + writer.right("n", 6)));
  const MetricSummary* latency = nullptr;
  for (const MetricSummary& metric : overview.metrics) {
    if (metric.key == "latency_ms") latency = &metric;
    // The parts of a whole, and a figure that differs from another only on bad lines, are for the page.
    if (metric.key.starts_with("talk_ratio.")) continue;
    if (metric.key == "latency_net_ms" && latency != nullptr && metric.values == latency->values) continue;
    std::string row = "  " + writer.left(metric.name.empty() ? metric.key : metric.name, kNameWidth);
    for (const std::optional<double>& value :
         {metric.all.mean, metric.all.p50, metric.all.p95, metric.all.max}) {
      row += writer.right(value ? quantity(*value, metric.unit) : "-", kNumberWidth);
    }
    writer.line(row + writer.right(std::to_string(metric.all.n), 6));
  }
}

std::string ids_text(const std::vector<std::int64_t>& ids, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(ids.size(), most); ++i) {
    text += (i > 0 ? ", #" : "#") + std::to_string(ids[i]);
  }
  if (ids.size() > most) text += " and " + std::to_string(ids.size() - most) + " more";
  return text;
}

void write_failures(Writer& writer, const Overview& overview) {
  if (overview.failures.empty()) return;
  writer.title("WHY CALLS FAILED");
  int rank = 0;
  for (const FailureGroup& group : overview.failures) {
    const std::string number = std::to_string(++rank) + ". ";
    const int indent = 4 + static_cast<int>(number.size());
    const std::string pad(static_cast<std::size_t>(indent - 2), ' ');
    const std::size_t n = group.run_ids.size();
    writer.line("  " + number +
                writer.paint("1", wrapped(printable(group.reason), writer.text_width(), indent)));
    writer.line(pad + writer.paint("2", wrapped(std::to_string(n) + (n == 1 ? " call, " : " calls, ") +
                                                    std::string(name_of(group.category)) + ": " +
                                                    ids_text(group.run_ids, writer.options().max_run_ids),
                                                writer.text_width(), indent)));
    if (!group.example.empty()) {
      writer.line(pad + wrapped("#" + std::to_string(group.run_ids.front()) + ": " + printable(group.example),
                                writer.text_width(), indent));
    }
    writer.line(pad + wrapped("What to do: " + printable(group.advice), writer.text_width(), indent));
  }
}

/// What passed at last is not what passed at once.
void write_flaky(Writer& writer, const Result& result) {
  const std::vector<std::int64_t> flaky = flaky_runs(result);
  if (flaky.empty()) return;
  const std::string text =
      "Flaky: " + std::to_string(flaky.size()) + (flaky.size() == 1 ? " call" : " calls") +
      " passed only when tried again: " + ids_text(flaky, writer.options().max_run_ids) + ".";
  writer.line("");
  writer.line(writer.paint("33", wrapped(text, writer.text_width(), 2)));
}

/// " (trunk channels 9, engine 3)": what kept starts back.
std::string causes_text(const std::map<std::string, std::uint64_t>& causes) {
  std::string text;
  for (const auto& [cause, n] : causes) {
    std::string words = printable(cause);
    std::replace(words.begin(), words.end(), '_', ' ');
    text += (text.empty() ? " (" : ", ") + words + " " + quantity(static_cast<double>(n), "");
  }
  return text.empty() ? text : text + ")";
}

/// Calls from outside, while an agent's were waited for.
void write_refused(Writer& writer, const Result& result) {
  constexpr std::size_t kShown = 5;
  if (result.refused_calls_count == 0) return;
  writer.title("CALLS REFUSED");
  for (std::size_t i = 0; i < std::min(kShown, result.refused_calls.size()); ++i) {
    const RefusedCall& call = result.refused_calls[i];
    const std::string text =
        std::to_string(call.status) + " to " + printable(call.source) + ": " + printable(call.reason);
    writer.line("  " + wrapped(text, writer.text_width(), 4));
  }
  if (result.refused_calls_count > kShown)
    writer.line("  and " + std::to_string(result.refused_calls_count - kShown) + " more, in result.json");
}

void write_engine(Writer& writer, const Result& result) {
  const EngineSummary& engine = result.engine;
  if (engine.late_ticks + engine.late_starts + engine.dropped_starts == 0) return;
  std::string text;
  const auto add = [&](std::uint64_t n, const char* one, const char* many) {
    if (n == 0) return;
    text += (text.empty() ? "" : ", ") + quantity(static_cast<double>(n), "") + (n == 1 ? one : many);
  };
  add(engine.late_ticks, " packet left more than 5 ms late", " packets left more than 5 ms late");
  add(engine.late_starts, " call began late", " calls began late");
  if (engine.late_starts > 0) text += causes_text(engine.late_causes);
  add(engine.dropped_starts, " call was not begun in time", " calls were not begun in time");
  if (engine.dropped_starts > 0) text += causes_text(engine.dropped_causes);
  text = "Of ourselves: " + text + ".";
  if (engine.late_ticks > 0) text += " Turns that this touched are marked in the report.";
  writer.line("");
  writer.line(writer.paint("33", wrapped(text, writer.text_width(), 2)));
}

}  // namespace

std::string summary(const Result& result, const SummaryOptions& options) {
  Writer writer(options);
  const Overview overview = overview_of(result);
  write_verdict(writer, result, overview);
  write_thresholds(writer, result);
  write_checks(writer, overview);
  write_metrics(writer, overview);
  write_failures(writer, overview);
  write_flaky(writer, result);
  write_refused(writer, result);
  write_engine(writer, result);
  if (!options.files.empty()) {
    writer.title("FILES");
    for (const auto& [what, where] : options.files) writer.line("  " + writer.left(what, 12) + " " + where);
  }
  if (!options.next_commands.empty()) {
    writer.title(options.next_title.empty() ? "NEXT" : options.next_title);
    for (const std::string& command : options.next_commands) writer.line("  " + command);
  }
  writer.line("");
  std::string text = writer.take();
  // Lines end where their words end.
  for (std::size_t at = 0; (at = text.find(" \n", at)) != std::string::npos;) {
    text.erase(at, 1);
    if (at > 0) --at;
  }
  return text;
}

}  // namespace linecheck::engine::report
