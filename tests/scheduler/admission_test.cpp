// SPDX-License-Identifier: GPL-3.0-or-later
//
// Admission in virtual time: nanoseconds that only these tests advance.
#include "scheduler/admission.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "tests/scheduler/job_store_steps.h"

using namespace linecheck::scheduler;
using linecheck::tests::kMs;
using linecheck::tests::kSecond;

namespace {

Admission::Result calls(std::int64_t id, std::uint64_t total, const std::string& trunk = "carrier") {
  Admission::Result result;
  result.id = id;
  result.total = total;
  result.trunk = trunk;
  return result;
}

Limits at_most(int calls) {
  return {.max_calls = calls, .calls_per_second = {}};
}
Limits paced(double rate) {
  return {.max_calls = {}, .calls_per_second = rate};
}

}  // namespace

TEST_CASE("start n of a rate is at its exact time, without a drift that adds up") {
  for (const double rate : {0.1, 1.0, 3.0, 7.0, 10.0, 33.3, 300.0, 1000.0}) {
    CAPTURE(rate);
    StartSchedule schedule(rate);
    const std::int64_t begin = 123'456'789;
    std::int64_t worst = 0;
    for (int n = 0; n < 100'000; ++n) {
      // Asked ahead of time, as a claim does.
      const std::int64_t start = schedule.earliest(begin);
      const long double exact = static_cast<long double>(begin) + static_cast<long double>(n) * 1e9L / rate;
      worst =
          std::max(worst, static_cast<std::int64_t>(std::fabs(static_cast<double>(start - exact)) + 0.999));
      schedule.take(start);
    }
    CHECK(worst <= 1);  // ns
    CHECK(schedule.late() == 0);
  }
}

TEST_CASE("a late start moves the schedule and is counted, and the rate is never exceeded to catch up") {
  StartSchedule schedule(10.0);
  schedule.take(schedule.earliest(0));
  CHECK(schedule.earliest(0) == 100 * kMs);
  schedule.take(350 * kMs);
  CHECK(schedule.late() == 1);
  CHECK(schedule.earliest(0) == 450 * kMs);
  schedule.take(schedule.earliest(460 * kMs));  // 10 ms late: not worth counting
  CHECK(schedule.late() == 1);
  CHECK(schedule.earliest(0) == 560 * kMs);
}

TEST_CASE("a new rate counts from the last start") {
  StartSchedule schedule(10.0);
  schedule.take(0);
  schedule.take(schedule.earliest(0));
  schedule.set_rate(2.0);
  CHECK(schedule.earliest(0) == 600 * kMs);
  schedule.set_rate(std::nullopt);
  CHECK(schedule.earliest(150 * kMs) == 150 * kMs);
  schedule.take(200 * kMs);
  schedule.set_rate(1.0);
  CHECK(schedule.earliest(0) == 1200 * kMs);
}

TEST_CASE("rates at both ends of sense neither overflow nor stall") {
  StartSchedule slow(1e-12);
  slow.take(0);
  CHECK(slow.earliest(0) > 1'000'000 * kSecond);
  StartSchedule fast(1e12);
  for (int n = 0; n < 1000; ++n) fast.take(fast.earliest(0));
  CHECK(fast.earliest(0) <= 1);
}

TEST_CASE("late starts are measured against the exact time") {
  LateStarts starts;
  starts.started(1000 * kMs, 1000 * kMs, HeldBy::engine, 1001 * kMs);
  starts.started(2000 * kMs, 2000 * kMs, HeldBy::trunk_cap, 2021 * kMs);
  starts.started(3000 * kMs, 3000 * kMs, HeldBy::engine, 2999 * kMs);
  starts.started(4000 * kMs, 4022 * kMs, HeldBy::trunk_cap, 4022 * kMs);
  CHECK(starts.total() == 4);
  CHECK(starts.late() == 2);
  CHECK(starts.causes().named() ==
        std::map<std::string, std::uint64_t>{{"engine", 1}, {"trunk_channels", 1}});
  CHECK(starts.worst_ns() == 22 * kMs);
}

TEST_CASE("the tightest of result, trunk and global rate sets the pace, exactly") {
  struct Row {
    std::optional<double> result, trunk, global;
    double expected;
  };
  const Row rows[] = {{10, {}, {}, 10}, {{}, 7, {}, 7},  {{}, {}, 3, 3},
                      {10, 7, 50, 7},   {50, 7.5, 7, 7}, {5, 5, 5, 5}};
  for (const Row& row : rows) {
    Admission admission;
    admission.set_global({.max_calls = {}, .calls_per_second = row.global});
    admission.set_trunk("carrier", {.max_calls = {}, .calls_per_second = row.trunk});
    auto result = calls(1, 1000);
    result.limits.calls_per_second = row.result;
    admission.add(result);
    std::uint64_t n = 0;
    for (std::int64_t now = 0; n < 200; now += 50 * kMs) {
      for (const Admitted& call : admission.admit(now, 500 * kMs, 100)) {
        const double exact = static_cast<double>(n) * 1e9 / row.expected;
        CHECK(std::fabs(static_cast<double>(call.due_ns) - exact) <= 1.0);
        CHECK(call.index == n);
        ++n;
      }
    }
    // Late means: later than the result itself asked for.
    const bool held_back = row.result && *row.result > row.expected;
    CHECK((admission.late_starts(1) > 0) == held_back);
  }
}

TEST_CASE(
    "calls are handed out no earlier than `ahead` of their start, and retry_at says when to ask again") {
  Admission admission;
  admission.set_trunk("carrier", paced(1));
  admission.add(calls(1, 3));
  CHECK(admission.admit(0, 500 * kMs, 10).size() == 1);
  CHECK(admission.retry_at(0, 500 * kMs) == 500 * kMs);
  CHECK(admission.admit(499 * kMs, 500 * kMs, 10).empty());
  const auto second = admission.admit(500 * kMs, 500 * kMs, 10);
  REQUIRE(second.size() == 1);
  CHECK(second[0].due_ns == 1 * kSecond);
  CHECK(admission.retry_at(600 * kMs, 500 * kMs) == 1500 * kMs);
}

TEST_CASE("a full trunk holds back nobody else's calls") {
  Admission admission;
  admission.set_global(at_most(10));
  admission.set_trunk("small", at_most(1));
  auto full = calls(1, 100, "small");
  full.priority = 9;
  admission.add(full);
  admission.add(calls(2, 100, "large"));
  const auto admitted = admission.admit(0, 0, 100);
  CHECK(admitted.size() == 10);
  CHECK(admission.in_progress(1) == 1);
  CHECK(admission.in_progress_on("small") == 1);
  CHECK(admission.in_progress(2) == 9);
  CHECK(admission.in_progress() == 10);
  CHECK_FALSE(admission.retry_at(0, 0).has_value());
}

TEST_CASE("a slow result does not push the shared pace ahead of the others") {
  Admission admission;
  admission.set_global(paced(100));
  auto slow = calls(1, 10);
  slow.limits = paced(1);
  slow.priority = 5;
  admission.add(slow);
  admission.add(calls(2, 1000));
  std::map<std::int64_t, std::vector<std::int64_t>> starts;
  for (std::int64_t now = 0; now < 3 * kSecond; now += 10 * kMs) {
    for (const Admitted& call : admission.admit(now, 500 * kMs, 100))
      starts[call.result].push_back(call.due_ns);
  }
  // 100 a second in all, of which the slow one takes its one.
  const auto first_second =
      std::count_if(starts[2].begin(), starts[2].end(), [](std::int64_t start) { return start < kSecond; });
  CHECK(first_second == 99);
  REQUIRE(starts[1].size() >= 3);
  CHECK(starts[1][0] == 0);
  CHECK(starts[1][1] - starts[1][0] == kSecond);
}

TEST_CASE("a small result beside a huge one starts with the next free line, and both share from then on") {
  Admission admission;
  admission.set_trunk("carrier", at_most(4));
  admission.add(calls(1, 1'000'000));
  CHECK(admission.admit(0, 0, 100).size() == 4);
  admission.add(calls(2, 5));
  admission.line_free(1, 0);
  auto next = admission.admit(1, 0, 100);
  REQUIRE(next.size() == 1);
  CHECK(next[0].result == 2);
  admission.line_free(1, 0);
  next = admission.admit(2, 0, 100);
  REQUIRE(next.size() == 1);
  CHECK(next[0].result == 2);
  CHECK(admission.in_progress(1) == 2);
  CHECK(admission.in_progress(2) == 2);
}

TEST_CASE("equals take turns even on one line") {
  Admission admission;
  admission.set_trunk("carrier", at_most(1));
  for (std::int64_t id = 1; id <= 3; ++id) admission.add(calls(id, 100));
  std::vector<std::int64_t> order;
  for (int i = 0; i < 6; ++i) {
    const auto admitted = admission.admit(i, 0, 1);
    REQUIRE(admitted.size() == 1);
    order.push_back(admitted[0].result);
    admission.line_free(admitted[0].result, admitted[0].number);
  }
  CHECK(order == std::vector<std::int64_t>{1, 2, 3, 1, 2, 3});
}

TEST_CASE("a higher priority goes first") {
  Admission admission;
  admission.set_global(at_most(1));
  admission.add(calls(1, 10));
  auto urgent = calls(2, 2);
  urgent.priority = 1;
  admission.add(urgent);
  std::vector<std::int64_t> order;
  for (int i = 0; i < 4; ++i) {
    const auto admitted = admission.admit(i, 0, 1);
    REQUIRE(admitted.size() == 1);
    order.push_back(admitted[0].result);
    admission.line_free(admitted[0].result, 0);
  }
  CHECK(order == std::vector<std::int64_t>{2, 2, 1, 1});
}

TEST_CASE("a result whose numbers are all in use waits for one") {
  Admission admission;
  auto result = calls(1, 10);
  result.mode = NumberMode::different_numbers;
  result.reuse_numbers = true;
  result.numbers = 2;
  admission.add(result);
  const auto admitted = admission.admit(0, 0, 100);
  REQUIRE(admitted.size() == 2);
  CHECK(admitted[0].number != admitted[1].number);
  admission.line_free(1, admitted[1].number);
  const auto next = admission.admit(0, 0, 100);
  REQUIRE(next.size() == 1);
  CHECK(next[0].number == admitted[1].number);
}

TEST_CASE("what is put back goes before what was never admitted; a held or cancelled result admits nothing") {
  Admission admission;
  admission.set_trunk("carrier", at_most(2));
  admission.add(calls(1, 10));
  const auto admitted = admission.admit(0, 0, 2);
  REQUIRE(admitted.size() == 2);
  admission.line_free(1, 0);
  admission.requeue(1, admitted[0].index);
  CHECK(admission.waiting(1) == 9);
  admission.hold(1, true);
  CHECK(admission.admit(1, 0, 2).empty());
  CHECK_FALSE(admission.retry_at(1, 0).has_value());
  admission.hold(1, false);
  const auto again = admission.admit(1, 0, 2);
  REQUIRE(again.size() == 1);
  CHECK(again[0].index == 0);
  admission.line_free(1, 0);
  admission.cancel(1);
  CHECK(admission.admit(2, 0, 2).empty());
}

TEST_CASE("a lowered cap lets calls in progress go on and admits none until they fell below it") {
  Admission admission;
  admission.add(calls(1, 100));
  admission.set_result(1, at_most(3));
  CHECK(admission.admit(0, 0, 100).size() == 3);
  admission.set_result(1, at_most(1));
  admission.line_free(1, 0);
  CHECK(admission.admit(0, 0, 100).empty());
  admission.line_free(1, 0);
  CHECK(admission.admit(0, 0, 100).empty());
  admission.line_free(1, 0);
  CHECK(admission.admit(0, 0, 100).size() == 1);
  admission.set_result(1, at_most(0));
  admission.line_free(1, 0);
  CHECK(admission.admit(0, 0, 100).empty());
  admission.set_result(1, {});
  CHECK(admission.admit(0, 0, 50).size() == 50);
}

TEST_CASE("random traffic never exceeds a cap or a rate") {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto roll = [&](int first, int last) {
      return std::uniform_int_distribution<int>(first, last)(random);
    };
    Admission admission;
    const int global_cap = roll(3, 12);
    const double global_rate = roll(5, 40);
    admission.set_global({.max_calls = global_cap, .calls_per_second = global_rate});
    std::map<std::string, Limits> trunks;
    for (const char* name : {"a", "b", "c"}) {
      trunks[name] = {.max_calls = roll(1, 6), .calls_per_second = static_cast<double>(roll(2, 30))};
      admission.set_trunk(name, trunks[name]);
    }
    std::map<std::int64_t, Admission::Result> results;
    for (std::int64_t id = 1; id <= 6; ++id) {
      auto result = calls(id, static_cast<std::uint64_t>(roll(1, 60)),
                          std::string(1, static_cast<char>('a' + roll(0, 2))));
      result.limits.max_calls = roll(1, 4);
      if (roll(0, 1)) result.limits.calls_per_second = roll(1, 20);
      result.mode = roll(0, 1) ? NumberMode::different_numbers : NumberMode::same_number;
      result.reuse_numbers = result.mode == NumberMode::different_numbers;
      result.numbers = static_cast<std::size_t>(roll(1, 3));
      admission.add(result);
      results[id] = result;
    }
    std::vector<Admitted> running;
    std::map<std::string, std::vector<std::int64_t>> starts;  // by schedule
    std::size_t ended = 0;
    std::size_t expected = 0;
    for (const auto& [id, result] : results) expected += result.total;
    std::int64_t now = 0;
    for (int step = 0; step < 200'000 && ended < expected; ++step) {
      now += roll(1, 200) * kMs;
      for (const Admitted& call :
           admission.admit(now, roll(0, 500) * kMs, static_cast<std::size_t>(roll(1, 8)))) {
        running.push_back(call);
        for (const std::string& schedule : {std::string("global"), "trunk " + results[call.result].trunk,
                                            "result " + std::to_string(call.result)}) {
          starts[schedule].push_back(call.due_ns);
        }
      }
      CHECK(static_cast<int>(running.size()) <= global_cap);
      std::map<std::string, int> on_trunk;
      std::map<std::int64_t, int> of_result;
      std::map<std::pair<std::int64_t, std::uint32_t>, int> on_number;
      for (const Admitted& call : running) {
        ++on_trunk[results[call.result].trunk];
        ++of_result[call.result];
        if (results[call.result].reuse_numbers) CHECK(++on_number[{call.result, call.number}] == 1);
      }
      for (const auto& [name, count] : on_trunk) CHECK(count <= *trunks[name].max_calls);
      for (const auto& [id, count] : of_result) CHECK(count <= *results[id].limits.max_calls);
      for (std::size_t i = running.size(); i-- > 0;) {
        if (roll(0, 2) != 0) continue;
        admission.line_free(running[i].result, running[i].number);
        if (roll(0, 9) == 0) {
          admission.requeue(running[i].result, running[i].index);
        } else {
          ++ended;
        }
        running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    CHECK(ended == expected);
    CHECK(admission.in_progress() == static_cast<int>(running.size()));
    for (auto& [schedule, times] : starts) {
      std::optional<double> rate;
      if (schedule == "global") rate = global_rate;
      if (schedule.rfind("trunk ", 0) == 0) rate = trunks[schedule.substr(6)].calls_per_second;
      if (schedule.rfind("result ", 0) == 0)
        rate = results[std::stoll(schedule.substr(7))].limits.calls_per_second;
      if (!rate) continue;
      for (std::size_t i = 1; i < times.size(); ++i) {
        CHECK(times[i] >= times[i - 1]);
        CHECK(static_cast<double>(times[i] - times[i - 1]) >= 1e9 / *rate - 1.0);
      }
    }
  }
}
