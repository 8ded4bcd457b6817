// SPDX-License-Identifier: GPL-3.0-or-later
//
// The calls of a job, computed from their index: a plan of a million calls takes the memory of a plan of one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "scheduler/model.h"

namespace linecheck::scheduler {

struct PlannedCall {
  std::uint64_t index = 0;
  Id scenario = 0;
  std::optional<Id> personality;  ///< empty: neither the job nor the scenario names one
  std::optional<Id> test_profile;
  int repetition = 0;      ///< 0 .. frequency - 1
  std::uint64_t seed = 0;  ///< all that is random in the call comes from it
};

/// Order: repetition, then scenario, then personality, then test profile, the last one running fastest; so
/// every scenario has been called once before any is called twice, and a job cut short has seen each of them.
/// Scenarios, personalities and profiles are in id order. Immutable, safe to share between threads.
class Plan {
 public:
  Plan(const Job& job, const Catalog& catalog);

  /// scenarios x frequency x max(1, personalities) x max(1, profiles), or what the load shape starts at most
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Constant time. `index` < size().
  [[nodiscard]] PlannedCall at(std::uint64_t index) const;

 private:
  struct Row {
    Id scenario;
    std::optional<Id> personality;
    std::optional<Id> test_profile;
  };
  std::vector<Row> rows_;  // one a scenario, with its own personality and profile
  std::vector<Id> personalities_;
  std::vector<Id> test_profiles_;
  std::uint64_t size_ = 0;
  std::uint64_t seed_ = 0;
};

/// How many calls a job makes; empty if the number does not fit.
std::optional<std::uint64_t> count_calls(const Job& job);

/// The seed of one call, from the job's and the call's index: output number `index` of SplitMix64 (Steele,
/// Lea and Flood, "Fast splittable pseudorandom number generators", 2014) started at the job's seed.
std::uint64_t call_seed(std::uint64_t job_seed, std::uint64_t index);

/// The personality of a planned call; where none is named, a plain one with id 0 and every field at its
/// default.
const Personality& personality_of(const PlannedCall& call, const Catalog& catalog);
/// The profile of a planned call, or null.
const TestProfile* test_profile_of(const PlannedCall& call, const Catalog& catalog);

}  // namespace linecheck::scheduler
