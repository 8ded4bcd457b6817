// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which telephone number a call comes from.
//
// A job's `mode` says how a result uses its trunk's caller numbers: `same_number` takes one for the whole
// result, `different_numbers` another one for every run, so that an agent which remembers its callers meets
// each of them once. A pool that is too small is a mistake that the user hears of before anything is dialled,
// unless the job allows `reuse_numbers`; then numbers come back as calls end, and no two calls in progress
// share one.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/model.h"

namespace linecheck::scheduler {

/// The caller numbers of one result, and the rule by which its runs take them.
struct CallerNumbers {
  NumberMode mode = NumberMode::same_number;
  bool reuse = false;             ///< different_numbers only: numbers come back when their call has ended
  std::vector<std::string> pool;  ///< unique, in the order of the configuration
};

/// The pool of `trunk` as this job uses it; a number written twice counts once. `same_number` keeps only the
/// first. Does not judge: ask numbers_problem() before anything is dialled.
[[nodiscard]] CallerNumbers caller_numbers(const Job& job, const Trunk& trunk);

/// Why `calls` runs cannot take their numbers from this pool, in words for the user: "different_numbers needs
/// 12 caller numbers, trunk carrier has 8: 4 are missing". nullopt: they can.
[[nodiscard]] std::optional<std::string> numbers_problem(const CallerNumbers& numbers, std::uint64_t calls,
                                                         std::string_view trunk);

/// Hands out the numbers of one result, as indices into its pool. Pure logic: one owner, no locks, no clock.
class NumberPool {
 public:
  /// `size` numbers; with none every call gets index 0 and the pool never refuses.
  NumberPool(NumberMode mode, bool reuse, std::size_t size);

  /// True while a call could take a number now. Only a pool with reuse ever says no.
  [[nodiscard]] bool available() const;

  /// The number for the run at `plan_index`. same_number: always 0. different_numbers: the plan index itself,
  /// so that a run tried again calls from the number it had. With reuse: the free number that has rested
  /// longest. Call only while available().
  std::uint32_t take(std::uint64_t plan_index);

  /// Marks `index` as taken by a call found in progress (after a restart).
  void take_back(std::uint32_t index);

  /// The call that had `index` has ended.
  void give_back(std::uint32_t index);

 private:
  NumberMode mode_;
  bool reuse_;
  std::size_t size_;
  std::deque<std::uint32_t> free_;  ///< with reuse: rested longest first
};

}  // namespace linecheck::scheduler
