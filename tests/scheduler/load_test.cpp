// SPDX-License-Identifier: GPL-3.0-or-later
//
// Load shapes in virtual time: nanoseconds that only these tests advance.
#include "scheduler/load.h"

#include <doctest/doctest.h>

#include <cmath>
#include <deque>
#include <map>
#include <vector>

#include "scheduler/admission.h"
#include "scheduler/load_file.h"
#include "tests/scheduler/job_store_steps.h"

using namespace linecheck::scheduler;
using linecheck::tests::kMs;
using linecheck::tests::kSecond;

namespace {

using Kind = LoadShape::Kind;

constexpr std::int64_t kAhead = 500 * kMs;

LoadShape shape(Kind kind, double start, const std::vector<std::pair<int, double>>& stages) {
  LoadShape made;
  made.kind = kind;
  made.start = start;
  for (const auto& [seconds, target] : stages) {
    made.stages.push_back({std::chrono::seconds(seconds), target});
  }
  return made;
}

LoadShape rate(double per_second, int seconds) {
  return shape(Kind::constant_arrival_rate, per_second, {{seconds, per_second}});
}

Admission::Result loaded(std::int64_t id, const LoadShape& load) {
  Admission::Result result;
  result.id = id;
  result.total = LoadCurve(load).most_starts();
  result.trunk = "carrier";
  result.load = load;
  return result;
}

struct Made {
  std::vector<Admitted> calls;
  LoadSchedule::Saved saved;
  std::optional<std::uint64_t> closed;
  LateStarts late;
  int most_at_once = 0;
};

/// Asks every `step` until `end`; each call lasts `lasts` from its start.
Made drive(Admission& admission, std::int64_t id, std::int64_t end, std::int64_t lasts,
           std::int64_t step = 50 * kMs, std::int64_t begin = 0) {
  Made made;
  std::deque<std::pair<std::int64_t, std::uint32_t>> in_progress;
  for (std::int64_t now = begin; now < end; now += step) {
    while (!in_progress.empty() && in_progress.front().first <= now) {
      admission.line_free(id, in_progress.front().second);
      in_progress.pop_front();
    }
    for (const Admitted& call : admission.admit(now, kAhead, 1000)) {
      CHECK(call.due_ns >= now);
      CHECK(call.due_ns <= now + kAhead);
      made.calls.push_back(call);
      made.late.started(call.exact_ns, call.due_ns, call.held_by, call.due_ns);
      in_progress.emplace_back(call.due_ns + lasts, call.number);
    }
    made.most_at_once = std::max(made.most_at_once, admission.in_progress(id));
    for (const LoadNews& news : admission.load_news(now)) {
      made.saved = news.saved;
      if (news.closed) made.closed = news.closed;
    }
  }
  return made;
}

}  // namespace

TEST_CASE("start n of an arrival rate is where the area under it is n") {
  const LoadCurve constant(rate(5, 60));
  CHECK(constant.most_starts() == 300);
  CHECK(constant.start_ns(0) == 0);
  CHECK(constant.start_ns(7) == 1400 * kMs);
  CHECK(constant.start_ns(299) == 59'800 * kMs);
  CHECK_FALSE(constant.start_ns(300));

  // From 0 to 100 a second in 60 s: start n at sqrt(2 n 60 / 100).
  const LoadCurve ramp(shape(Kind::ramping_arrival_rate, 0, {{60, 100}}));
  CHECK(ramp.most_starts() == 3000);
  for (std::uint64_t n = 0; n < 3000; ++n) {
    const long double exact = std::sqrt(1.2L * static_cast<long double>(n)) * 1e9L;
    REQUIRE(std::fabs(static_cast<double>(static_cast<long double>(*ramp.start_ns(n)) - exact)) <= 1.0);
  }

  const LoadCurve stages(
      shape(Kind::ramping_arrival_rate, 0, {{10, 0}, {10, 2}, {5, 2}, {0, 8}, {5, 8}, {10, 0}}));
  CHECK(stages.most_starts() == 10 + 10 + 40 + 40);
  CHECK(stages.start_ns(0) == 10 * kSecond);  // nothing before the rate leaves 0
  CHECK(stages.start_ns(10) == 20 * kSecond);
  CHECK(stages.start_ns(20) == 25 * kSecond);  // the jump
  CHECK(stages.start_ns(21) == 25'125 * kMs);
  std::int64_t before = -1;
  for (std::uint64_t n = 0; n < stages.most_starts(); ++n) {
    REQUIRE(*stages.start_ns(n) > before);
    before = *stages.start_ns(n);
  }
  CHECK(before < stages.duration_ns());
}

TEST_CASE("a rate between two zeros, and fractions that are no binary numbers") {
  const LoadCurve gap(shape(Kind::ramping_arrival_rate, 1, {{3, 1}, {0, 0}, {5, 0}, {0, 1}, {2, 1}}));
  CHECK(gap.most_starts() == 5);
  CHECK(gap.start_ns(2) == 2 * kSecond);
  CHECK(gap.start_ns(3) == 8 * kSecond);
  CHECK(LoadCurve(rate(0.1, 60)).most_starts() == 6);
  CHECK(LoadCurve(rate(0.7, 10)).most_starts() == 7);
  CHECK(LoadCurve(rate(0.001, 60)).most_starts() == 1);
  CHECK(LoadCurve(shape(Kind::ramping_arrival_rate, 0, {{60, 0}})).most_starts() == 0);
}

TEST_CASE("lines of a calls shape") {
  const LoadCurve ramp(shape(Kind::ramping_calls, 0, {{10, 5}, {10, 5}, {5, 0}}));
  CHECK(ramp.lines(-1) == 0);
  CHECK(ramp.lines(0) == 0);
  CHECK(ramp.lines(2 * kSecond) == 1);
  CHECK(ramp.lines(10 * kSecond) == 5);
  CHECK(ramp.lines(20 * kSecond) == 5);
  CHECK(ramp.lines(23 * kSecond) == 2);
  CHECK(ramp.lines(25 * kSecond) == 0);
  CHECK(ramp.more_than(0, 0) == 2 * kSecond);
  CHECK(ramp.more_than(4, 0) == 10 * kSecond);
  CHECK(ramp.more_than(4, 12 * kSecond) == 12 * kSecond);
  CHECK_FALSE(ramp.more_than(5, 0));
  CHECK_FALSE(ramp.more_than(4, 21 * kSecond));
  CHECK(ramp.most_starts() == 88);  // one a second and line: 25 + 50 + 12.5
  const LoadCurve jumps(shape(Kind::ramping_calls, 2, {{10, 2}, {0, 7}, {10, 7}}));
  CHECK(jumps.more_than(1, 0) == 0);
  CHECK(jumps.more_than(2, 0) == 10 * kSecond);
  CHECK(jumps.lines(10 * kSecond) == 7);
}

TEST_CASE("a ramp is followed to the nanosecond, claimed ahead of time") {
  Admission admission;
  admission.add(loaded(1, shape(Kind::ramping_arrival_rate, 0, {{60, 100}})));
  const Made made = drive(admission, 1, 70 * kSecond, 300 * kMs);
  REQUIRE(made.calls.size() == 3000);
  for (std::size_t n = 0; n < made.calls.size(); ++n) {
    const long double exact = kAhead + std::sqrt(1.2L * static_cast<long double>(n)) * 1e9L;
    REQUIRE(std::fabs(static_cast<double>(static_cast<long double>(made.calls[n].due_ns) - exact)) <= 1.0);
    REQUIRE(made.calls[n].exact_ns == made.calls[n].due_ns);
  }
  CHECK(made.late.late() == 0);
  CHECK(made.saved.dropped.total() == 0);
}

TEST_CASE(
    "what is busy does not slow an arrival rate down: starts are late, then dropped, with their cause") {
  struct Row {
    const char* what;
    HeldBy cause;
  };
  for (const Row& row : {Row{"result", HeldBy::result_cap}, Row{"trunk", HeldBy::trunk_cap},
                         Row{"global", HeldBy::global_cap}, Row{"numbers", HeldBy::caller_numbers}}) {
    CAPTURE(row.what);
    Admission admission;
    auto result = loaded(1, rate(10, 20));  // each call lasts 2 s: 20 lines are needed, 10 are there
    const std::string what = row.what;
    if (what == "result") result.limits.max_calls = 10;
    if (what == "trunk") admission.set_trunk("carrier", {.max_calls = 10, .calls_per_second = {}});
    if (what == "global") admission.set_global({.max_calls = 10, .calls_per_second = {}});
    if (what == "numbers") {
      result.mode = NumberMode::different_numbers;
      result.reuse_numbers = true;
      result.numbers = 10;
    }
    admission.add(result);
    const Made made = drive(admission, 1, 30 * kSecond, 2 * kSecond, 7 * kMs);
    const auto dropped = made.saved.dropped.by[static_cast<std::size_t>(row.cause)];
    CHECK(made.most_at_once <= 10);
    CHECK(dropped == made.saved.dropped.total());
    CHECK(dropped + made.calls.size() == 200);
    CHECK(made.calls.size() >= 95);
    CHECK(made.calls.size() <= 110);
    CHECK(made.closed == made.calls.size());  // the shape ends when it ends
    CHECK(made.late.late() == made.late.causes().by[static_cast<std::size_t>(row.cause)]);
    for (const Admitted& call : made.calls) {  // until the next slot; the last one has none
      const bool last = call.index + 1 == made.calls.size();
      CHECK(call.due_ns - call.exact_ns <= (last ? LoadSchedule::kLatestNs : 100 * kMs));
    }
  }
}

TEST_CASE("the cause is known where nobody looks between two ends of calls") {
  Admission admission;
  auto result = loaded(1, rate(5, 60));
  result.limits.max_calls = 4;
  admission.add(result);
  std::multimap<std::int64_t, std::uint32_t> in_progress;  // by their ends
  LateStarts late;
  std::uint64_t made = 0;
  LoadSchedule::Saved saved;
  for (std::int64_t now = 0; now < 70 * kSecond;) {
    while (!in_progress.empty() && in_progress.begin()->first <= now) {
      admission.line_free(1, in_progress.begin()->second);
      in_progress.erase(in_progress.begin());
    }
    for (const Admitted& call : admission.admit(now, kAhead, 100)) {
      ++made;
      late.started(call.exact_ns, call.due_ns, call.held_by, call.due_ns);
      in_progress.emplace(call.due_ns + 1'530 * kMs + static_cast<std::int64_t>(made % 7) * 11 * kMs,
                          call.number);
    }
    for (const LoadNews& news : admission.load_news(now)) saved = news.saved;
    std::int64_t next = now + kSecond;
    if (const auto again = admission.retry_at(now, kAhead))
      next = std::min(next, std::max(*again, now + kMs));
    if (!in_progress.empty()) next = std::min(next, in_progress.begin()->first);
    now = next;
  }
  CHECK(made + saved.dropped.total() == 300);
  CHECK(saved.dropped.named() ==
        std::map<std::string, std::uint64_t>{{"concurrency_limit", saved.dropped.total()}});
  CHECK(late.late() > 0);
  CHECK(late.causes().named() == std::map<std::string, std::uint64_t>{{"concurrency_limit", late.late()}});
}

TEST_CASE("a slower rate of the trunk drops what does not fit, and is never exceeded") {
  Admission admission;
  admission.set_trunk("carrier", {.max_calls = {}, .calls_per_second = 7});
  admission.add(loaded(1, rate(10, 30)));
  const Made made = drive(admission, 1, 40 * kSecond, kSecond);
  CHECK(made.saved.dropped.by[static_cast<std::size_t>(HeldBy::calls_per_second)] ==
        made.saved.dropped.total());
  CHECK(made.calls.size() + made.saved.dropped.total() == 300);
  CHECK(made.calls.size() >= 200);
  CHECK(made.late.late() == made.late.causes().by[static_cast<std::size_t>(HeldBy::calls_per_second)]);
  CHECK(made.late.late() > 0);
  for (std::size_t n = 1; n < made.calls.size(); ++n) {
    CHECK(made.calls[n].due_ns - made.calls[n - 1].due_ns >= 142'857'142);
  }
}

TEST_CASE("starts that nobody asked for in time are the engine's, and are not caught up") {
  Admission admission;
  admission.add(loaded(1, rate(10, 20)));
  const Made before = drive(admission, 1, 5 * kSecond, kSecond);
  const Made after = drive(admission, 1, 30 * kSecond, kSecond, 50 * kMs, 9 * kSecond);
  CHECK(before.calls.size() == 50);
  CHECK(after.saved.dropped.named() ==
        std::map<std::string, std::uint64_t>{{"engine", after.saved.dropped.total()}});
  CHECK(after.saved.dropped.total() >= 34);
  CHECK(before.calls.size() + after.calls.size() + after.saved.dropped.total() == 200);
  for (std::size_t n = 2; n < after.calls.size(); ++n) {
    CHECK(after.calls[n].due_ns - after.calls[n - 1].due_ns == 100 * kMs);
  }
}

TEST_CASE("a calls shape keeps its lines busy, and ends") {
  Admission admission;
  admission.add(loaded(1, shape(Kind::ramping_calls, 0, {{10, 5}, {10, 5}})));
  const Made made = drive(admission, 1, 40 * kSecond, 3 * kSecond);
  CHECK(made.most_at_once == 5);
  REQUIRE(made.calls.size() > 5);
  for (std::size_t n = 0; n < 5; ++n) {  // each line is opened at its exact time
    if (n < 2) CHECK(made.calls[n].due_ns == kAhead + static_cast<std::int64_t>(2 * (n + 1)) * kSecond);
  }
  CHECK(made.calls.back().due_ns < kAhead + 20 * kSecond);
  CHECK(made.closed == made.calls.size());
  CHECK(admission.in_progress(1) == 0);
}

TEST_CASE("a pause stands the shape's clock still") {
  Admission admission;
  admission.add(loaded(1, rate(10, 10)));
  Made made = drive(admission, 1, 3 * kSecond, kSecond);
  admission.hold(1, true);
  drive(admission, 1, 60 * kSecond, kSecond, 50 * kMs, 3 * kSecond);
  admission.hold(1, false);
  const Made rest = drive(admission, 1, 80 * kSecond, kSecond, 50 * kMs, 60 * kSecond);
  CHECK(made.calls.size() + rest.calls.size() == 100);
  CHECK(rest.saved.dropped.total() == 0);
}

TEST_CASE("a later process goes on where the shape stood") {
  const LoadShape load = rate(10, 10);
  Admission first;
  first.add(loaded(1, load));
  const Made made = drive(first, 1, 4 * kSecond, kSecond);
  Admission second;
  auto again = loaded(1, load);
  again.cursor = made.calls.size();
  again.load_saved = made.saved;
  second.add(again);
  const Made rest = drive(second, 1, 1100 * kSecond, kSecond, 50 * kMs, 1000 * kSecond);
  CHECK(made.calls.size() + rest.calls.size() == 100);
  CHECK(rest.calls.front().index == made.calls.size());
  CHECK(rest.saved.dropped.total() == 0);
}

TEST_CASE("a call that was put back takes no other's place") {
  Admission admission;
  admission.add(loaded(1, rate(1, 10)));
  REQUIRE(admission.admit(0, kAhead, 10).size() == 1);
  admission.line_free(1, 0);
  admission.requeue(1, 0);
  const auto again = admission.admit(kSecond / 10, kAhead, 10);
  REQUIRE(again.size() == 1);
  CHECK(again[0].index == 0);
  CHECK(again[0].due_ns == kSecond / 10);
  admission.line_free(1, 0);
  CHECK(drive(admission, 1, 20 * kSecond, kMs, 50 * kMs, kSecond / 10).calls.size() == 9);
}

TEST_CASE("no call before the start time, and the first one at it") {
  Admission admission;
  auto plain = loaded(1, rate(10, 10));
  plain.load.reset();
  plain.total = 3;
  plain.not_before_ns = 30 * kSecond;
  admission.add(plain);
  auto with_load = loaded(2, rate(10, 10));
  with_load.not_before_ns = 40 * kSecond;
  admission.add(with_load);
  CHECK(admission.admit(0, kAhead, 10).empty());
  CHECK(admission.retry_at(0, kAhead) == 30 * kSecond - kAhead);
  const auto calls = admission.admit(30 * kSecond - kAhead, kAhead, 10);
  REQUIRE(calls.size() == 3);
  for (const Admitted& call : calls) CHECK(call.due_ns == 30 * kSecond);
  CHECK(admission.retry_at(31 * kSecond, kAhead) == 40 * kSecond - kAhead);
  const auto loaded_calls = admission.admit(40 * kSecond - kAhead, kAhead, 10);
  REQUIRE_FALSE(loaded_calls.empty());
  CHECK(loaded_calls[0].due_ns == 40 * kSecond);
}

TEST_CASE("a small job starts beside one under load") {
  Admission admission;
  admission.set_global({.max_calls = 20, .calls_per_second = {}});
  admission.add(loaded(1, rate(50, 1000)));
  drive(admission, 1, 3 * kSecond, 100 * kSecond);
  admission.line_free(1, 0);
  auto small = loaded(2, rate(1, 1));
  small.load.reset();
  admission.add(small);
  const auto calls = admission.admit(3 * kSecond, kAhead, 10);
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].result == 2);
}

TEST_CASE("shapes and counts survive as text") {
  const LoadShape load = shape(Kind::ramping_arrival_rate, 0.1, {{60, 1.0 / 3}, {0, 5}});
  const auto read = decode_load(encode_load(load));
  REQUIRE(read);
  CHECK(read->kind == load.kind);
  CHECK(read->start == load.start);
  REQUIRE(read->stages.size() == 2);
  CHECK(read->stages[0].target == 1.0 / 3);
  CHECK(read->stages[1].duration == Millis(0));
  CHECK_FALSE(decode_load(""));
  CHECK_FALSE(decode_load("9 1"));
  CHECK_FALSE(decode_load("1 x"));
  HeldStarts held;
  held.count(HeldBy::engine);
  held.count(HeldBy::result_cap);
  CHECK(decode_held(encode_held(held)) == held);
  CHECK(decode_held("") == HeldStarts());
}

TEST_CASE("times with their zones") {
  CHECK(parse_time("1970-01-01T00:00:00Z") == 0);
  CHECK(parse_time("2026-03-01T08:00:00Z") == 1'772'352'000'000);
  CHECK(parse_time("2026-03-01T08:00:00.25+01:00") == 1'772'348'400'250);
  CHECK(parse_time("2024-02-29t23:59:59-05:30") == 1'709'270'999'000 + 0);
  for (const char* bad :
       {"2026-03-01T08:00:00", "2026-02-30T08:00:00Z", "2026-03-01", "tomorrow", "", "2026-03-01T24:00:00Z",
        "2026-03-01T08:00:00+1:00", "2026-03-01T08:00:00Zx", "2026-03-01T08:00:00.Z"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_time(bad));
  }
}

TEST_CASE(
    "a call that is left over after its shape has ended does not have the store asked again and again") {
  Admission admission;
  admission.add(loaded(1, shape(Kind::constant_calls, 1, {{2, 1}})));
  REQUIRE(admission.admit(0, kAhead, 10).size() == 1);
  admission.line_free(1, 0);
  admission.requeue(1, 0);
  admission.set_result(1, {.max_calls = 0, .calls_per_second = {}});
  CHECK(admission.retry_at(1 * kSecond, kAhead).has_value());  // the shape's end
  CHECK(admission.admit(10 * kSecond, kAhead, 10).empty());
  CHECK(admission.waiting(1) == 1);
  CHECK_FALSE(admission.retry_at(10 * kSecond, kAhead).has_value());
}
