// SPDX-License-Identifier: GPL-3.0-or-later
//
// The two bounded queues between a media worker and the rest. Neither locks nor allocates after construction;
// a full queue refuses, and who pushes counts it.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <utility>

namespace linecheck::media {

inline constexpr std::size_t kCacheLine = 64;

/// One producer, one consumer.
template <typename T>
// The padding keeps what two threads write on two cache lines.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
class SpscQueue {
 public:
  /// Capacity is rounded up to a power of two.
  explicit SpscQueue(std::size_t capacity)
      : mask_(std::bit_ceil(capacity) - 1), items_(std::make_unique<T[]>(mask_ + 1)) {}

  /// Moves from `item` only where it returns true.
  bool push(T&& item) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) > mask_) return false;
    items_[tail & mask_] = std::move(item);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  bool pop(T& item) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    item = std::exchange(items_[head & mask_], T{});
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

 private:
  const std::size_t mask_;
  std::unique_ptr<T[]> items_;
  alignas(kCacheLine) std::atomic<std::size_t> head_{0};
  alignas(kCacheLine) std::atomic<std::size_t> tail_{0};
};

/// Many producers, one consumer. Each cell carries a turn number: a producer takes the cell whose turn it is
/// by a compare-and-swap on the tail, writes it, and passes the turn on to the consumer (Dmitry Vyukov's
/// bounded queue).
template <typename T>
// The padding keeps what two threads write on two cache lines.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
class MpscQueue {
 public:
  explicit MpscQueue(std::size_t capacity)
      : mask_(std::bit_ceil(capacity) - 1), cells_(std::make_unique<Cell[]>(mask_ + 1)) {
    for (std::size_t i = 0; i <= mask_; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }

  /// Moves from `item` only where it returns true.
  bool push(T&& item) {
    std::size_t tail = tail_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[tail & mask_];
      const std::size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == tail) {
        if (tail_.compare_exchange_weak(tail, tail + 1, std::memory_order_relaxed)) {
          cell.item = std::move(item);
          cell.turn.store(tail + 1, std::memory_order_release);
          return true;
        }
      } else if (turn < tail) {
        return false;  // the consumer has not been here since the last round: full
      } else {
        tail = tail_.load(std::memory_order_relaxed);
      }
    }
  }

  bool pop(T& item) {
    Cell& cell = cells_[head_ & mask_];
    if (cell.turn.load(std::memory_order_acquire) != head_ + 1) return false;
    item = std::exchange(cell.item, T{});
    cell.turn.store(head_ + mask_ + 1, std::memory_order_release);
    ++head_;
    return true;
  }

 private:
  struct Cell {
    std::atomic<std::size_t> turn{0};
    T item{};
  };

  const std::size_t mask_;
  std::unique_ptr<Cell[]> cells_;
  alignas(kCacheLine) std::atomic<std::size_t> tail_{0};
  alignas(kCacheLine) std::size_t head_ = 0;  // the consumer's alone
};

}  // namespace linecheck::media
