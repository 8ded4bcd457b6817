// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/recording_ring.h"

#include <algorithm>
#include <array>

#include "media/g711.h"

namespace linecheck::media {
namespace {

constexpr std::size_t kPiece = 320;  // samples that are worked on at a time

// The agent's side is held back for a second; the rest is room for a few frames and a codec's delay.
std::size_t caller_window(int rate) {
  return static_cast<std::size_t>(rate + rate / 8);
}
// The longest packet that is laid down in one piece, and some.
std::size_t agent_window(int rate) {
  return static_cast<std::size_t>(rate / 8);
}
// 4 s of a disk that stalls, the block that is being filled, and the one that is being emptied.
std::size_t blocks_for(int rate) {
  return static_cast<std::size_t>(rate) * 4 / RecordingBlock::kFrames + 2;
}

}  // namespace

RecordingRing::RecordingRing(int rate, std::shared_ptr<RecordingPool> pool)
    : rate_(rate),
      pool_(pool ? std::move(pool) : std::make_shared<RecordingPool>()),
      reserved_(blocks_for(rate)),
      caller_size_(caller_window(rate)),
      caller_ulaw_(caller_size_, g711_silence(Codec::pcmu)),
      agent_(agent_window(rate)) {
  pool_->reserve(reserved_);
}

RecordingRing::~RecordingRing() {
  for (RecordingBlock* block : {filling_, emptying_}) {
    if (block != nullptr) pool_->give_back(block);
  }
  RecordingBlock* block = nullptr;
  while (full_.pop(block)) pool_->give_back(block);
  pool_->release(reserved_);
}

template <typename Sample>
void RecordingRing::put(std::vector<Sample>& window, std::int64_t position, std::span<const Sample> samples) {
  const std::int64_t room = committed_ + static_cast<std::int64_t>(window.size()) - position;
  if (room < static_cast<std::int64_t>(samples.size())) {
    const auto fits = static_cast<std::size_t>(std::max<std::int64_t>(room, 0));
    overrun_.fetch_add(samples.size() - fits, std::memory_order_relaxed);
    samples = samples.first(fits);
  }
  if (position < committed_) {
    const auto late = static_cast<std::size_t>(committed_ - position);
    if (late >= samples.size()) return;
    samples = samples.subspan(late);
    position = committed_;
  }
  auto at = static_cast<std::size_t>(position) % window.size();
  const std::size_t before_end = std::min(samples.size(), window.size() - at);
  std::copy_n(samples.begin(), before_end, window.begin() + static_cast<std::ptrdiff_t>(at));
  std::copy(samples.begin() + static_cast<std::ptrdiff_t>(before_end), samples.end(), window.begin());
}

void RecordingRing::write_caller(std::int64_t position, std::span<const std::int16_t> samples) {
  if (caller_.empty()) widen_caller();
  put(caller_, position, samples);
}

void RecordingRing::write_caller_ulaw(std::int64_t position, std::span<const std::uint8_t> bytes) {
  if (caller_.empty()) {
    put(caller_ulaw_, position, bytes);
    return;
  }
  std::array<std::int16_t, kPiece> samples;
  while (!bytes.empty()) {
    const auto now = bytes.first(std::min(bytes.size(), samples.size()));
    const auto decoded = std::span(samples).first(now.size());
    g711_decode(Codec::pcmu, now, decoded);
    put<std::int16_t>(caller_, position, decoded);
    position += static_cast<std::int64_t>(now.size());
    bytes = bytes.subspan(now.size());
  }
}

void RecordingRing::widen_caller() {
  caller_.resize(caller_size_);
  g711_decode(Codec::pcmu, caller_ulaw_, caller_);
  caller_ulaw_ = {};
}

// Leaves silence behind.
void RecordingRing::take_caller(std::size_t at, std::span<std::int16_t> out) {
  if (caller_.empty()) {
    const auto bytes = std::span(caller_ulaw_).subspan(at, out.size());
    g711_decode(Codec::pcmu, bytes, out);
    std::fill(bytes.begin(), bytes.end(), g711_silence(Codec::pcmu));
  } else {
    const auto samples = std::span(caller_).subspan(at, out.size());
    std::copy(samples.begin(), samples.end(), out.begin());
    std::fill(samples.begin(), samples.end(), std::int16_t{0});
  }
}

void RecordingRing::write_agent(std::int64_t position, std::span<const std::int16_t> samples) {
  const std::size_t piece = agent_.size() / 2;
  while (!samples.empty()) {
    const auto now = samples.first(std::min(piece, samples.size()));
    commit(position + static_cast<std::int64_t>(now.size()) - static_cast<std::int64_t>(agent_.size()));
    put<std::int16_t>(agent_, position, now);
    position += static_cast<std::int64_t>(now.size());
    samples = samples.subspan(now.size());
  }
}

void RecordingRing::commit(std::int64_t position) {
  auto caller_at = static_cast<std::size_t>(committed_) % caller_size_;
  auto agent_at = static_cast<std::size_t>(committed_) % agent_.size();
  while (committed_ < position) {
    if (filling_ == nullptr) {
      filling_ = pool_->take();
      if (filling_ != nullptr) {
        filling_->position = committed_;
        filling_->count = 0;
      }
    }
    auto count = static_cast<std::size_t>(position - committed_);
    count = std::min({count, caller_size_ - caller_at, agent_.size() - agent_at, kPiece});
    if (filling_ != nullptr) count = std::min(count, RecordingBlock::kFrames - filling_->count);
    std::array<std::int16_t, kPiece> caller;
    take_caller(caller_at, std::span(caller).first(count));
    if (filling_ != nullptr) {
      auto* frame = &filling_->frames[filling_->count];
      for (std::size_t i = 0; i < count; ++i) {
        frame[i].caller = caller[i];
        frame[i].agent = agent_[agent_at + i];
      }
      filling_->count += static_cast<std::uint32_t>(count);
    } else {
      overrun_.fetch_add(count, std::memory_order_relaxed);
    }
    std::fill_n(agent_.begin() + static_cast<std::ptrdiff_t>(agent_at), count, std::int16_t{0});
    committed_ += static_cast<std::int64_t>(count);
    caller_at = caller_at + count == caller_size_ ? 0 : caller_at + count;
    agent_at = agent_at + count == agent_.size() ? 0 : agent_at + count;
    if (filling_ != nullptr && filling_->count == RecordingBlock::kFrames) close_block();
  }
}

void RecordingRing::close_block() {
  const std::uint32_t count = filling_->count;
  if (full_.push(std::move(filling_))) {
    given_.store(committed_, std::memory_order_release);
  } else {
    overrun_.fetch_add(count, std::memory_order_relaxed);
    pool_->give_back(filling_);
  }
  filling_ = nullptr;
}

void RecordingRing::flush() {
  if (filling_ != nullptr && filling_->count > 0) close_block();
  given_.store(committed_, std::memory_order_release);
}

std::size_t RecordingRing::take(std::span<Frame> out) {
  std::int64_t at = taken_.load(std::memory_order_relaxed);
  const std::int64_t end =
      std::min(given_.load(std::memory_order_acquire), at + static_cast<std::int64_t>(out.size()));
  std::size_t done = 0;
  while (at < end) {
    if (emptying_ == nullptr && full_.pop(emptying_)) emptied_ = 0;
    // What found no room is silence.
    const std::int64_t next = emptying_ != nullptr ? emptying_->position + emptied_ : end;
    for (; at < std::min(next, end); ++at) out[done++] = Frame{};
    if (emptying_ == nullptr) break;
    for (; at < end && emptied_ < emptying_->count; ++at, ++emptied_) {
      const auto& frame = emptying_->frames[emptied_];
      out[done++] = {frame.caller, frame.agent};
    }
    if (emptied_ == emptying_->count) {
      pool_->give_back(emptying_);
      emptying_ = nullptr;
    }
  }
  taken_.store(at, std::memory_order_release);
  return done;
}

}  // namespace linecheck::media
