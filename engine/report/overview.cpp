// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/overview.h"

#include <algorithm>
#include <unordered_map>

#include "engine/report/words.h"

namespace linecheck::engine::report {
namespace {

bool went_silent(const Run& run) {
  const Metric* metric = run.evaluation.find("infrastructure_issues");
  return metric != nullptr && metric->passed == false;
}

/// The same cause said with other numbers is the same cause.
std::string without_numbers(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      if (!out.ends_with('#')) out += '#';
    } else if (!((c == '.' || c == ',') && out.ends_with('#'))) {
      out += c;
    }
  }
  return out;
}

const CheckResult* first_failed(const Run& run) {
  for (const CheckResult& check : run.evaluation.checks) {
    if (!check.passed) return &check;
  }
  return nullptr;
}

class Failures {
 public:
  void add(const std::string& key, const Run& run, FailureGroup group) {
    const auto [place, is_new] = index_.try_emplace(key, groups_.size());
    if (is_new) groups_.push_back(std::move(group));
    std::vector<std::int64_t>& ids = groups_[place->second].run_ids;
    if (ids.empty() || ids.back() != run.id) ids.push_back(run.id);
  }

  std::vector<FailureGroup> ranked() && {
    std::stable_sort(groups_.begin(), groups_.end(), [](const FailureGroup& a, const FailureGroup& b) {
      return a.run_ids.size() > b.run_ids.size();
    });
    return std::move(groups_);
  }

 private:
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<FailureGroup> groups_;
};

void add_failures(const Run& run, Failures& failures) {
  if (failed_by_checks(run)) {
    for (const CheckResult& check : run.evaluation.checks) {
      if (check.passed) continue;
      failures.add("check " + check.check, run,
                   {"Check failed: " + check_words(check.check),
                    FailureCategory::agent,
                    {},
                    check.explanation,
                    advice_for_check(check.check)});
    }
    return;
  }
  Failure failure = run.call.failure.value_or(Failure{FailureCategory::agent, run.error_message, {}, {}, {}});
  std::string example;
  if (const Metric* silence = run.evaluation.find("infrastructure_issues");
      silence != nullptr && silence->passed == false && !silence->explanation.empty()) {
    example = silence->explanation.front();
  }
  if (went_silent(run)) {
    failure.reason = "The agent left the caller without an answer";
  } else if (failure.reason.empty()) {
    failure.reason = run.error_message;
  }
  if (failure.reason.empty()) failure.reason = example.empty() ? "No reason was recorded" : example;
  if (example == failure.reason) example.clear();
  const std::string key = std::string(name_of(failure.category)) + " " +
                          std::to_string(failure.sip_status.value_or(0)) + " " +
                          without_numbers(failure.reason);
  failures.add(key, run, {failure.reason, failure.category, {}, example, advice_for(failure)});
}

std::vector<CheckGroup> checks_of(const std::vector<Run>& runs) {
  std::vector<CheckGroup> groups;
  std::unordered_map<std::string, std::size_t> index;
  for (const Run& run : runs) {
    if (!is_over(run.status) || run.status == RunStatus::cancelled) continue;
    for (const CheckResult& check : run.evaluation.checks) {
      const auto [place, is_new] = index.try_emplace(check.check, groups.size());
      if (is_new) groups.push_back({check.check, 0, {}});
      CheckGroup& group = groups[place->second];
      if (check.passed) {
        ++group.passed;
      } else if (group.failed_run_ids.empty() || group.failed_run_ids.back() != run.id) {
        group.failed_run_ids.push_back(run.id);
      }
    }
  }
  std::stable_partition(groups.begin(), groups.end(),
                        [](const CheckGroup& group) { return !group.failed_run_ids.empty(); });
  return groups;
}

/// What is true of merged distributions even without their values: n, the mean and the maximum.
void merge_without_values(Distribution& into, const Distribution& from) {
  const double n = static_cast<double>(into.n);
  const double m = static_cast<double>(from.n);
  if (from.mean && (into.mean || into.n == 0) && n + m > 0) {
    into.mean = (into.mean.value_or(0) * n + *from.mean * m) / (n + m);
  } else {
    into.mean.reset();
  }
  if (from.max) into.max = into.max ? std::max(*into.max, *from.max) : *from.max;
  into.n += from.n;
}

struct Merging {
  MetricSummary summary;
  bool values_known = true;
  std::vector<Distribution> parts;
};

std::vector<MetricSummary> metrics_of(const std::vector<Run>& runs) {
  std::vector<Merging> all;
  std::unordered_map<std::string, std::size_t> index;
  for (const Run& run : runs) {
    if (!run.success) continue;  // an excused or cancelled call's numbers say nothing fair of the agent
    for (const Metric& metric : run.evaluation.metrics) {
      if (!metric.value && (!metric.distribution || metric.distribution->n == 0)) continue;
      const auto [place, is_new] = index.try_emplace(metric.key, all.size());
      if (is_new) all.push_back({{metric.key, metric.name, metric.unit, {}, {}}, true, {}});
      Merging& merging = all[place->second];
      if (metric.distribution && metric.distribution->n > 0) {
        const Distribution& part = *metric.distribution;
        merging.values_known &= part.values.size() == part.n;
        merging.summary.values.insert(merging.summary.values.end(), part.values.begin(), part.values.end());
        merging.parts.push_back(part);
      } else {
        merging.summary.values.push_back(*metric.value);
        Distribution one;
        one.mean = one.max = *metric.value;
        one.n = 1;
        merging.parts.push_back(one);
      }
    }
  }
  std::vector<MetricSummary> summaries;
  for (Merging& merging : all) {
    if (merging.values_known) {
      merging.summary.all = Distribution::of(merging.summary.values);
    } else {
      merging.summary.values.clear();
      for (const Distribution& part : merging.parts) merge_without_values(merging.summary.all, part);
    }
    summaries.push_back(std::move(merging.summary));
  }
  return summaries;
}

std::string calls(int n) {
  return std::to_string(n) + (n == 1 ? " call" : " calls");
}

}  // namespace

bool failed_by_checks(const Run& run) {
  const CheckResult* failed = first_failed(run);
  if (run.success != false || failed == nullptr || went_silent(run)) return false;
  const std::optional<Failure>& failure = run.call.failure;
  return !failure || (failure->category == FailureCategory::agent &&
                      failure->reason.find(failed->check) != std::string::npos);
}

Overview overview_of(const Result& result) {
  Overview overview;
  Failures failures;
  overview.total = static_cast<int>(result.runs.size());
  for (const Run& run : result.runs) {
    if (!is_over(run.status)) continue;
    ++overview.over;
    if (run.status == RunStatus::completed) ++overview.completed;
    (run.call.answered_ms ? overview.connected : overview.not_connected).push_back(run.id);
    if (run.status == RunStatus::cancelled) {
      ++overview.cancelled;
      continue;
    }
    if (!run.evaluation.checks.empty()) {
      ++overview.with_checks;
      if (first_failed(run) == nullptr) ++overview.met_checks;
    }
    if (run.success == true) {
      ++overview.passed;
      continue;
    }
    ++(run.success ? overview.failed : overview.excused);
    (failed_by_checks(run) ? overview.failed_workflow : overview.failed_infrastructure).push_back(run.id);
    add_failures(run, failures);
  }
  overview.failures = std::move(failures).ranked();
  overview.checks = checks_of(result.runs);
  overview.metrics = metrics_of(result.runs);
  return overview;
}

std::string headline(const Result& result, const Overview& overview) {
  std::string text = std::to_string(overview.passed) + " of " + calls(overview.total) + " passed";
  if (overview.failed > 0) text += ", " + std::to_string(overview.failed) + " failed";
  if (overview.excused > 0) {
    text += ", " + std::to_string(overview.excused) + " could not be judged (not the agent's fault)";
  }
  if (overview.cancelled > 0) text += ", " + std::to_string(overview.cancelled) + " cancelled";
  if (overview.over < overview.total)
    text += ", " + std::to_string(overview.total - overview.over) + " not over";
  const auto missed = std::count_if(result.thresholds.begin(), result.thresholds.end(),
                                    [](const ThresholdResult& threshold) { return !threshold.passed; });
  if (missed > 0)
    text +=
        missed == 1 ? "; a threshold is missed" : "; " + std::to_string(missed) + " thresholds are missed";
  text += ".";
  if (!result.verdict_note.empty()) {
    std::string note = result.verdict_note;
    if (note[0] >= 'a' && note[0] <= 'z') note[0] = static_cast<char>(note[0] - 'a' + 'A');
    text += " " + note + (note.ends_with('.') ? "" : ".");
  }
  return text;
}

std::string verdict_word(const Result& result) {
  switch (result.status) {
    case ResultStatus::cancelled:
      return "CANCELLED";
    case ResultStatus::pending:
    case ResultStatus::running:
    case ResultStatus::evaluating:
      return "RUNNING";
    case ResultStatus::paused:
      return "PAUSED";
    case ResultStatus::completed:
    case ResultStatus::failed:
      break;
  }
  switch (result.exit_code()) {
    case 0:
      return "PASSED";
    case 1:
      return "FAILED";
    case 2:
      return "REFUSED";
    case 130:
      return "CANCELLED";
    default:
      break;
  }
  const bool any_failed = std::any_of(result.runs.begin(), result.runs.end(),
                                      [](const Run& run) { return run.success == false; });
  return any_failed && result.verdict_note.empty() ? "FAILED" : "INCONCLUSIVE";
}

}  // namespace linecheck::engine::report
