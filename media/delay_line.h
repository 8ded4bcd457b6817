// SPDX-License-Identifier: GPL-3.0-or-later
//
// Things that wait for their time. Room is made once, away from the media thread; what finds none is refused.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

namespace linecheck::media {

template <typename Item>
class DelayLine {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  explicit DelayLine(std::size_t room) : items_(room) {
    waiting_.reserve(room);
    free_.reserve(room);
    for (std::size_t i = room; i > 0; --i) free_.push_back(i - 1);
  }

  [[nodiscard]] std::size_t room() const { return items_.size(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  /// A place to be filled in, or null: no room. What is due at the same time comes out in the order of push.
  Item* push(std::int64_t due_ns) {
    if (free_.empty()) return nullptr;
    const std::size_t place = free_.back();
    free_.pop_back();
    waiting_.push_back({due_ns, order_++, place});
    std::push_heap(waiting_.begin(), waiting_.end(), later);
    return &items_[place];
  }

  [[nodiscard]] std::int64_t next_due_ns() const {
    return waiting_.empty() ? kNever : waiting_.front().due_ns;
  }
  /// The one that is due first. Only where something waits.
  [[nodiscard]] Item& front() { return items_[waiting_.front().place]; }
  void pop() {
    free_.push_back(waiting_.front().place);
    std::pop_heap(waiting_.begin(), waiting_.end(), later);
    waiting_.pop_back();
  }

 private:
  struct Waiting {
    std::int64_t due_ns = 0;
    std::uint64_t order = 0;
    std::size_t place = 0;
  };
  static bool later(const Waiting& a, const Waiting& b) {
    return a.due_ns != b.due_ns ? a.due_ns > b.due_ns : a.order > b.order;
  }

  std::vector<Item> items_;
  std::vector<Waiting> waiting_;  // a heap, the first one due at its front
  std::vector<std::size_t> free_;
  std::uint64_t order_ = 0;
};

/// Moves what waits into the other one's room where that is larger; it keeps its time. Either may be null.
template <typename Item>
void take_larger(std::unique_ptr<DelayLine<Item>>& mine, std::unique_ptr<DelayLine<Item>>& other) {
  if (!other || (mine && mine->room() >= other->room())) return;
  std::swap(mine, other);
  while (other && other->waiting() > 0) {
    if (Item* place = mine->push(other->next_due_ns())) *place = other->front();
    other->pop();
  }
}

}  // namespace linecheck::media
