// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/plan.h"

#include <algorithm>

namespace linecheck::scheduler {

Plan::Plan(const Job& job, const Catalog& catalog)
    : personalities_(job.personality_overrides),
      test_profiles_(job.test_profile_overrides),
      size_(count_calls(job).value_or(0)),
      seed_(job.seed) {
  rows_.reserve(job.scenarios.size());
  for (const Id id : job.scenarios) {
    const Scenario& scenario = catalog.scenarios.at(id);
    rows_.push_back({id, scenario.personality, scenario.test_profile});
  }
}

PlannedCall Plan::at(std::uint64_t index) const {
  const std::uint64_t profiles = std::max<std::size_t>(1, test_profiles_.size());
  const std::uint64_t personalities = std::max<std::size_t>(1, personalities_.size());
  std::uint64_t rest = index;
  const auto digit = [&rest](std::uint64_t radix) {
    const std::uint64_t value = rest % radix;
    rest /= radix;
    return static_cast<std::size_t>(value);
  };
  const std::size_t profile = digit(profiles);
  const std::size_t personality = digit(personalities);
  const Row& row = rows_[digit(rows_.size())];
  PlannedCall call;
  call.index = index;
  call.scenario = row.scenario;
  call.personality = personalities_.empty() ? row.personality : personalities_[personality];
  call.test_profile = test_profiles_.empty() ? row.test_profile : test_profiles_[profile];
  call.repetition = static_cast<int>(rest);
  call.seed = call_seed(seed_, index);
  return call;
}

std::optional<std::uint64_t> count_calls(const Job& job) {
  std::uint64_t calls = 1;
  for (const std::uint64_t factor :
       {std::uint64_t{job.scenarios.size()}, static_cast<std::uint64_t>(std::max(0, job.frequency)),
        std::uint64_t{std::max<std::size_t>(1, job.personality_overrides.size())},
        std::uint64_t{std::max<std::size_t>(1, job.test_profile_overrides.size())}}) {
    if (__builtin_mul_overflow(calls, factor, &calls)) return std::nullopt;
  }
  return job.most_calls ? std::min(calls, *job.most_calls) : calls;
}

std::uint64_t call_seed(std::uint64_t job_seed, std::uint64_t index) {
  std::uint64_t z = job_seed + (index + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

const Personality& personality_of(const PlannedCall& call, const Catalog& catalog) {
  static const Personality kPlain = [] {
    Personality plain;
    plain.name = "Plain";
    return plain;
  }();
  return call.personality ? catalog.personalities.at(*call.personality) : kPlain;
}

const TestProfile* test_profile_of(const PlannedCall& call, const Catalog& catalog) {
  return call.test_profile ? &catalog.test_profiles.at(*call.test_profile) : nullptr;
}

}  // namespace linecheck::scheduler
