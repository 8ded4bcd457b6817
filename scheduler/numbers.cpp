// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/numbers.h"

#include <algorithm>
#include <unordered_set>

namespace linecheck::scheduler {

CallerNumbers caller_numbers(const Job& job, const Trunk& trunk) {
  CallerNumbers numbers;
  numbers.mode = job.mode;
  numbers.reuse = job.reuse_numbers && job.mode == NumberMode::different_numbers;
  if (!job.own_number.empty()) {
    numbers.pool.push_back(job.own_number);
    return numbers;
  }
  std::unordered_set<std::string_view> seen;
  for (const std::string& number : trunk.caller_numbers) {
    if (seen.insert(number).second) numbers.pool.push_back(number);
    if (numbers.mode == NumberMode::same_number) break;
  }
  return numbers;
}

std::optional<std::string> numbers_problem(const CallerNumbers& numbers, std::uint64_t calls,
                                           std::string_view trunk) {
  const std::string name(trunk);
  if (calls == 0) return std::nullopt;
  if (numbers.pool.empty()) {
    return "trunk " + name + " has no caller numbers: list at least one under its caller_numbers";
  }
  if (numbers.mode == NumberMode::same_number || numbers.reuse) return std::nullopt;
  const std::uint64_t have = numbers.pool.size();
  if (have >= calls) return std::nullopt;
  const std::uint64_t missing = calls - have;
  return "different_numbers needs " + std::to_string(calls) + " caller numbers, trunk " + name + " has " +
         std::to_string(have) + ": " + std::to_string(missing) +
         (missing == 1 ? " is missing" : " are missing") +
         " (add caller_numbers, plan fewer calls, or allow reuse_numbers)";
}

NumberPool::NumberPool(NumberMode mode, bool reuse, std::size_t size)
    : mode_(mode), reuse_(reuse && mode == NumberMode::different_numbers && size > 0), size_(size) {
  if (!reuse_) return;
  for (std::size_t i = 0; i < size; ++i) free_.push_back(static_cast<std::uint32_t>(i));
}

bool NumberPool::available() const {
  return !reuse_ || !free_.empty();
}

std::uint32_t NumberPool::take(std::uint64_t plan_index) {
  if (mode_ == NumberMode::same_number || size_ == 0) return 0;
  if (!reuse_) return static_cast<std::uint32_t>(plan_index);
  const std::uint32_t index = free_.front();
  free_.pop_front();
  return index;
}

void NumberPool::take_back(std::uint32_t index) {
  if (!reuse_) return;
  const auto it = std::find(free_.begin(), free_.end(), index);
  if (it != free_.end()) free_.erase(it);
}

void NumberPool::give_back(std::uint32_t index) {
  if (reuse_) free_.push_back(index);
}

}  // namespace linecheck::scheduler
