// SPDX-License-Identifier: GPL-3.0-or-later
//
// Distributions, metrics by name, and the E-model.
#include <doctest/doctest.h>

#include <numeric>

#include "engine/evaluation/emodel.h"
#include "engine/evaluation/metric_value.h"

using namespace linecheck::engine;
using linecheck::scheduler::Comparison;
using linecheck::scheduler::MetricBound;

namespace {

std::vector<double> count_to(int n) {
  std::vector<double> values(static_cast<std::size_t>(n));
  std::iota(values.begin(), values.end(), 1.0);
  return values;
}

Metric value_metric(const char* key, double value) {
  Metric metric;
  metric.key = key;
  metric.value = value;
  return metric;
}

Metric latency_metric(std::vector<double> values) {
  Metric metric;
  metric.key = "latency_ms";
  metric.distribution = Distribution::of(std::move(values));
  return metric;
}

Run fair_run(Metric metric, bool success = true) {
  Run run;
  run.status = RunStatus::completed;
  run.success = success;
  run.evaluation.metrics.push_back(std::move(metric));
  return run;
}

}  // namespace

TEST_CASE("distribution: percentiles are interpolated, and null where there are too few values") {
  const auto five = Distribution::of({5, 1, 4, 2, 3});
  CHECK(five.mean == 3);
  CHECK(five.p50 == 3);
  CHECK(five.p25 == 2);
  CHECK(*five.p90 == doctest::Approx(4.6));
  CHECK(five.max == 5);
  CHECK(five.n == 5);
  CHECK_FALSE(five.p95);
  CHECK_FALSE(Distribution::of(count_to(19)).p95);
  CHECK(*Distribution::of(count_to(20)).p95 == doctest::Approx(19.05));
  CHECK_FALSE(Distribution::of(count_to(99)).p99);
  CHECK(*Distribution::of(count_to(100)).p99 == doctest::Approx(99.01));
  CHECK_FALSE(Distribution::of({}).mean);
  CHECK(Distribution::of({7}).p50 == 7);
}

TEST_CASE("distribution: statistics by name") {
  const auto d = Distribution::of(count_to(20));
  CHECK(d.statistic("mean") == d.mean);
  CHECK(d.statistic("p95") == d.p95);
  CHECK(d.statistic("n") == 20);
  CHECK_FALSE(d.statistic("p99"));
  CHECK_FALSE(d.statistic("median"));
}

TEST_CASE("metrics by name: what there is and what there is not") {
  for (const std::string& key : known_metric_keys()) CHECK(is_known_metric(key));
  for (const char* name :
       {"latency_ms.p95", "stop_time_ms.max", "packet_loss_percent.receive", "jitter_ms.receive.max",
        "talk_ratio", "dead_air_ms.max", "mos_cqe.receive", "yield_rate", "snr_db"})
    CHECK(is_known_metric(name, MetricScope::run));
  CHECK(is_known_metric("success_rate"));
  CHECK(is_known_metric("asr"));
  CHECK_FALSE(is_known_metric("success_rate", MetricScope::run));
  CHECK_FALSE(is_known_metric("latency_ms.p42"));
  CHECK_FALSE(is_known_metric("latency"));
  CHECK_FALSE(is_known_metric("jitter_ms.receive.p95"));
  CHECK(is_known_metric("greeting_delay_ms.p95", MetricScope::result));
  CHECK_FALSE(is_known_metric("greeting_delay_ms.p95", MetricScope::run));
  CHECK(split_metric("jitter_ms.receive.max") ==
        std::pair<std::string, std::string>{"jitter_ms.receive", "max"});
  CHECK(split_metric("mos_cqe.receive") == std::pair<std::string, std::string>{"mos_cqe.receive", ""});
}

TEST_CASE("metrics of a call resolve, with reasons") {
  Evaluation evaluation;
  evaluation.metrics = {latency_metric({400, 600, 800}), value_metric("dead_air_ms", 1234)};
  Metric null;
  null.key = "stop_time_ms";
  null.reason = kNoInterruption;
  evaluation.metrics.push_back(null);
  CHECK(metric_value(evaluation, "latency_ms.p50") == 600);
  CHECK(metric_value(evaluation, "latency_ms") == 600);
  CHECK(metric_value(evaluation, "latency_ms.max") == 800);
  CHECK(metric_value(evaluation, "dead_air_ms.max") == 1234);
  CHECK(resolve_metric(evaluation, "latency_ms.p95").reason == "p95 needs 20 answers, had 3");
  CHECK_FALSE(resolve_metric(evaluation, "latency_ms.p95").nothing_to_measure);
  CHECK(resolve_metric(evaluation, "stop_time_ms.max").nothing_to_measure);
  CHECK_FALSE(metric_value(evaluation, "no_such.thing"));
}

TEST_CASE("metrics of a result: values are merged, percentiles are not averaged") {
  Result result;
  result.runs.push_back(fair_run(latency_metric(std::vector<double>(19, 100))));
  result.runs.push_back(fair_run(latency_metric({1000}), false));
  Run excused = fair_run(latency_metric({9999}));
  excused.success = std::nullopt;
  excused.status = RunStatus::failed;
  excused.call.failure = Failure{};
  result.runs.push_back(excused);
  CHECK(*resolve_metric(result, "latency_ms.p50").value == 100);
  CHECK(*resolve_metric(result, "latency_ms.p95").value == doctest::Approx(145));
  CHECK(*resolve_metric(result, "latency_ms.max").value == 1000);
  CHECK(*resolve_metric(result, "success_rate").value == 0.5);
  CHECK_FALSE(resolve_metric(result, "dead_air_ms.max").value);
  CHECK(resolve_metric(result, "latency_ms.p99").reason == "p99 needs 100 answers, had 20");
}

TEST_CASE("metrics of a result: one value a call, jitter by packets, answered over dialled") {
  Result result;
  for (const double value : {2.0, 4.0, 9.0}) {
    Run run = fair_run(value_metric("ai_interruptions", value));
    Metric jitter;
    jitter.key = "jitter_ms.receive";
    Distribution d;
    d.mean = value;
    d.max = value * 10;
    d.n = 100;
    jitter.distribution = d;
    run.evaluation.metrics.push_back(jitter);
    run.call.invite_ms = 0;
    if (value < 5) run.call.answered_ms = 100;
    result.runs.push_back(run);
  }
  CHECK(*resolve_metric(result, "ai_interruptions").value == 5);
  CHECK(*resolve_metric(result, "ai_interruptions.max").value == 9);
  CHECK(*resolve_metric(result, "jitter_ms.receive.max").value == 90);
  CHECK(*resolve_metric(result, "jitter_ms.receive").value == doctest::Approx(5));
  CHECK(*resolve_metric(result, "asr").value == doctest::Approx(2.0 / 3));
}

TEST_CASE("bounds") {
  const auto bound = [](Comparison c, double v) {
    MetricBound b;
    b.comparison = c;
    b.value = v;
    return b;
  };
  CHECK(holds(bound(Comparison::below, 5), 4.9));
  CHECK_FALSE(holds(bound(Comparison::below, 5), 5));
  CHECK(holds(bound(Comparison::at_most, 5), 5));
  CHECK_FALSE(holds(bound(Comparison::above, 5), 5));
  CHECK(holds(bound(Comparison::at_least, 5), 5));
  CHECK(holds(bound(Comparison::equals, 0.3), 0.1 + 0.2));
  CHECK_FALSE(holds(bound(Comparison::equals, 0), 1));
  CHECK(condition_text(bound(Comparison::below, 1500)) == "below 1500");
  CHECK(condition_text(bound(Comparison::at_least, 0.95)) == "at least 0.95");
}

TEST_CASE("E-model: a clean line, loss, bursts, delay") {
  EModelInput input;
  input.codec = "PCMU/8000";
  const auto clean = mos_cqe(input);
  REQUIRE(clean);
  CHECK(clean->r == doctest::Approx(93.2));
  CHECK(clean->mos == doctest::Approx(4.41).epsilon(0.002));

  input.loss_percent = 5;
  const auto loss = mos_cqe(input);
  CHECK(loss->equipment_impairment == doctest::Approx(95 * 5 / (5 + 25.1)));
  input.burst_ratio = 2;
  CHECK(mos_cqe(input)->mos < loss->mos);
  input.concealment = false;
  CHECK(mos_cqe(input)->equipment_impairment == doctest::Approx(95 * 5 / (2.5 + 4.3)));

  CHECK(delay_impairment(100) == 0);
  CHECK(delay_impairment(150) == doctest::Approx(0.21).epsilon(0.3));
  CHECK(delay_impairment(400) == doctest::Approx(24.1).epsilon(0.05));
  CHECK(delay_impairment(300) > delay_impairment(200));

  CHECK(mos_from_r(-5) == 1);
  CHECK(mos_from_r(100) == 4.5);
  CHECK(burst_ratio(10, 1 / 0.9) == doctest::Approx(1));
  CHECK(burst_ratio(10, 3) == doctest::Approx(2.7));
  CHECK(burst_ratio(0, 0) == 1);
  input.codec = "opus";
  CHECK_FALSE(mos_cqe(input));
}
