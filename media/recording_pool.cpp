// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/recording_pool.h"

#include <new>

namespace linecheck::media {

void RecordingPool::reserve(std::size_t blocks) {
  const std::scoped_lock lock(mutex_);
  while (slab_count_ * kSlabBlocks < reserved_ + blocks) grow();
  reserved_ += blocks;
}

void RecordingPool::release(std::size_t blocks) {
  const std::scoped_lock lock(mutex_);
  reserved_ -= blocks;
}

void RecordingPool::grow() {
  if (slab_count_ == kMostSlabs) throw std::bad_alloc();
  auto slab = std::make_unique<Slab>();
  const auto first = static_cast<std::uint32_t>(slab_count_ * kSlabBlocks);
  constexpr auto kCount = static_cast<std::uint32_t>(kSlabBlocks);
  for (std::uint32_t i = 0; i + 1 < kCount; ++i) {
    slab->next[i].store(first + i + 1, std::memory_order_relaxed);
  }
  slabs_[slab_count_++] = std::move(slab);
  push(first, first + kCount - 1);
}

void RecordingPool::push(std::uint32_t first, std::uint32_t last) noexcept {
  auto& next = slab_of(last).next[last % kSlabBlocks];
  std::uint64_t top = top_.load(std::memory_order_relaxed);
  std::uint64_t changed = 0;
  do {
    next.store(static_cast<std::uint32_t>(top), std::memory_order_relaxed);
    changed = ((top >> 32) + 1) << 32 | first;
  } while (!top_.compare_exchange_weak(top, changed, std::memory_order_release, std::memory_order_relaxed));
}

RecordingBlock* RecordingPool::take() noexcept {
  std::uint64_t top = top_.load(std::memory_order_acquire);
  for (;;) {
    const auto index = static_cast<std::uint32_t>(top);
    if (index == kNone) return nullptr;
    Slab& slab = slab_of(index);
    const std::uint32_t next = slab.next[index % kSlabBlocks].load(std::memory_order_relaxed);
    const std::uint64_t changed = ((top >> 32) + 1) << 32 | next;
    if (!top_.compare_exchange_weak(top, changed, std::memory_order_acquire, std::memory_order_acquire)) {
      continue;
    }
    RecordingBlock* block = &slab.blocks[index % kSlabBlocks];
    block->index = index;
    return block;
  }
}

void RecordingPool::give_back(RecordingBlock* block) noexcept {
  push(block->index, block->index);
}

}  // namespace linecheck::media
