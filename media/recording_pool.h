// SPDX-License-Identifier: GPL-3.0-or-later
//
// The memory between the media workers, which fill blocks of recorded audio, and the recorder thread, which
// empties them. All recordings share it: what one needs in a second is a few blocks, what all of them need
// while the disk stalls is 4 s each, and only what is really used is ever touched. The block that was given
// back last is handed out first, so that the same few stay in use.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace linecheck::media {

/// One sample of each side.
struct RecordingFrame {
  std::int16_t caller = 0;
  std::int16_t agent = 0;
};

/// A page of audio without a gap. Not initialised: a block that nobody needs is never touched.
struct RecordingBlock {
  static constexpr std::size_t kFrames = 1020;  // 127 ms at 8 kHz
  std::int64_t position;                        ///< of the first frame
  std::uint32_t count;
  std::uint32_t index;  ///< the pool's
  struct {
    std::int16_t caller;
    std::int16_t agent;
  } frames[kFrames];
};
static_assert(sizeof(RecordingBlock) == 4096);

class RecordingPool {
 public:
  /// Any thread but a worker: room for one more recording of so many blocks. Throws std::bad_alloc.
  void reserve(std::size_t blocks);
  /// The recording is over.
  void release(std::size_t blocks);

  // Any thread; neither locks nor allocates.

  /// Null: everything is in use.
  RecordingBlock* take() noexcept;
  void give_back(RecordingBlock* block) noexcept;

 private:
  static constexpr std::size_t kSlabBlocks = 256;  // 1 MB
  static constexpr std::size_t kMostSlabs = 8192;
  static constexpr std::uint64_t kNone = 0xFFFFFFFFu;

  struct Slab {
    Slab() : blocks(std::make_unique_for_overwrite<RecordingBlock[]>(kSlabBlocks)) {}
    std::unique_ptr<RecordingBlock[]> blocks;
    std::array<std::atomic<std::uint32_t>, kSlabBlocks> next{};  // of a free block; apart, to touch none
  };

  void grow();
  [[nodiscard]] Slab& slab_of(std::uint32_t index) const { return *slabs_[index / kSlabBlocks]; }
  void push(std::uint32_t first, std::uint32_t last) noexcept;

  std::mutex mutex_;  // reserve, release
  std::size_t reserved_ = 0;
  std::size_t slab_count_ = 0;
  // Filled from the front and never moved: indices that are handed out stay good.
  std::vector<std::unique_ptr<Slab>> slabs_ = std::vector<std::unique_ptr<Slab>>(kMostSlabs);
  // A stack of free blocks: index in the low half, in the high half a count that makes every state of the top
  // another one, so that a slow thread's compare-and-swap cannot succeed on a top that left and came back.
  std::atomic<std::uint64_t> top_{kNone};
};

}  // namespace linecheck::media
