// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/numbers.h"

#include <doctest/doctest.h>

#include <set>

using namespace linecheck::scheduler;

namespace {

Trunk carrier(std::size_t count) {
  Trunk trunk;
  trunk.name = "carrier";
  for (std::size_t i = 0; i < count; ++i)
    trunk.caller_numbers.push_back("+1555010" + std::to_string(1000 + i));
  return trunk;
}

Job job(NumberMode mode, bool reuse = false) {
  Job job;
  job.mode = mode;
  job.reuse_numbers = reuse;
  return job;
}

}  // namespace

TEST_CASE("a pool that is too small is refused before dialling, with how many are missing") {
  struct Row {
    NumberMode mode;
    bool reuse;
    std::size_t pool;
    std::uint64_t calls;
    const char* problem;  // its beginning; null: none
  };
  constexpr auto kSame = NumberMode::same_number;
  constexpr auto kDifferent = NumberMode::different_numbers;
  const Row rows[] = {
      {kSame, false, 1, 1'000'000, nullptr},
      {kSame, false, 0, 1, "trunk carrier has no caller numbers"},
      {kDifferent, false, 12, 12, nullptr},
      {kDifferent, false, 13, 12, nullptr},
      {kDifferent, false, 8, 12,
       "different_numbers needs 12 caller numbers, trunk carrier has 8: 4 are missing"},
      {kDifferent, false, 11, 12,
       "different_numbers needs 12 caller numbers, trunk carrier has 11: 1 is missing"},
      {kDifferent, false, 0, 12, "trunk carrier has no caller numbers"},
      {kDifferent, true, 1, 12, nullptr},
      {kDifferent, true, 0, 12, "trunk carrier has no caller numbers"},
      {kDifferent, false, 0, 0, nullptr},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pool);
    CAPTURE(row.calls);
    const Trunk trunk = carrier(row.pool);
    const auto problem =
        numbers_problem(caller_numbers(job(row.mode, row.reuse), trunk), row.calls, trunk.name);
    REQUIRE(problem.has_value() == (row.problem != nullptr));
    if (problem) CHECK(problem->rfind(row.problem, 0) == 0);
  }
}

TEST_CASE("a number written twice counts once") {
  Trunk trunk = carrier(3);
  trunk.caller_numbers.push_back(trunk.caller_numbers[0]);
  const CallerNumbers numbers = caller_numbers(job(NumberMode::different_numbers), trunk);
  CHECK(numbers.pool.size() == 3);
  CHECK(numbers_problem(numbers, 4, "carrier").has_value());
}

TEST_CASE("same_number gives every run the first number") {
  const CallerNumbers numbers = caller_numbers(job(NumberMode::same_number, true), carrier(5));
  CHECK(numbers.pool == std::vector<std::string>{"+15550101000"});
  CHECK_FALSE(numbers.reuse);
  NumberPool pool(numbers.mode, numbers.reuse, numbers.pool.size());
  for (std::uint64_t index = 0; index < 10; ++index) {
    CHECK(pool.available());
    CHECK(pool.take(index) == 0);
  }
}

TEST_CASE("different_numbers gives every run its own, and the same one when it is tried again") {
  NumberPool pool(NumberMode::different_numbers, false, 100);
  std::set<std::uint32_t> taken;
  for (std::uint64_t index = 0; index < 100; ++index) taken.insert(pool.take(index));
  CHECK(taken.size() == 100);
  pool.give_back(7);
  CHECK(pool.take(7) == 7);
}

TEST_CASE("reused numbers are never shared by calls in progress, and rest as long as they can") {
  NumberPool pool(NumberMode::different_numbers, true, 3);
  CHECK(pool.take(0) == 0);
  CHECK(pool.take(1) == 1);
  CHECK(pool.take(2) == 2);
  CHECK_FALSE(pool.available());
  pool.give_back(1);
  pool.give_back(0);
  REQUIRE(pool.available());
  CHECK(pool.take(3) == 1);
  CHECK(pool.take(4) == 0);
  CHECK_FALSE(pool.available());
}

TEST_CASE("numbers of calls found in progress are not given out") {
  NumberPool pool(NumberMode::different_numbers, true, 2);
  pool.take_back(0);
  CHECK(pool.take(5) == 1);
  CHECK_FALSE(pool.available());
}

TEST_CASE("a result without numbers is never held back by them") {
  NumberPool pool(NumberMode::different_numbers, true, 0);
  for (int i = 0; i < 3; ++i) {
    CHECK(pool.available());
    CHECK(pool.take(9) == 0);
  }
}
