// SPDX-License-Identifier: GPL-3.0-or-later
//
// Packets of one leg on their way from the media worker to the file that captures them. One producer, one
// consumer, neither waits; what finds no room is lost and counted.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "media/address.h"
#include "media/queues.h"

namespace linecheck::media {

struct CapturedPacket {
  std::int64_t mono_ns = 0;
  Address remote;
  std::uint16_t size = 0;
  bool sent = false;     ///< by us
  bool control = false;  ///< on the RTCP port
};

// The padding keeps what two threads write on two cache lines.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
class CaptureRing {
 public:
  /// 5 s of a call with 20 ms packets of G.711, both ways.
  static constexpr std::size_t kBytes = 128 * 1024;

  CaptureRing() : bytes_(std::make_unique<std::uint8_t[]>(kBytes)) {}

  /// The producer. `packet.size` is set from the bytes.
  bool push(CapturedPacket packet, std::span<const std::uint8_t> bytes) noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    const std::uint64_t used = tail - head_.load(std::memory_order_acquire);
    if (used + sizeof(packet) + bytes.size() > kBytes) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    packet.size = static_cast<std::uint16_t>(bytes.size());
    put(tail, &packet, sizeof(packet));
    put(tail + sizeof(packet), bytes.data(), bytes.size());
    tail_.store(tail + sizeof(packet) + bytes.size(), std::memory_order_release);
    return true;
  }

  /// The consumer. False: nothing waits.
  bool pop(CapturedPacket& packet, std::vector<std::uint8_t>& bytes) {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    get(head, &packet, sizeof(packet));
    bytes.resize(packet.size);
    get(head + sizeof(packet), bytes.data(), bytes.size());
    head_.store(head + sizeof(packet) + bytes.size(), std::memory_order_release);
    return true;
  }

  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  static_assert(std::is_trivially_copyable_v<CapturedPacket>);

  void put(std::uint64_t at, const void* from, std::size_t size) noexcept {
    const std::size_t place = at % kBytes;
    const std::size_t first = std::min(size, kBytes - place);
    std::memcpy(bytes_.get() + place, from, first);
    std::memcpy(bytes_.get(), static_cast<const std::uint8_t*>(from) + first, size - first);
  }
  void get(std::uint64_t at, void* to, std::size_t size) const noexcept {
    const std::size_t place = at % kBytes;
    const std::size_t first = std::min(size, kBytes - place);
    std::memcpy(to, bytes_.get() + place, first);
    std::memcpy(static_cast<std::uint8_t*>(to) + first, bytes_.get(), size - first);
  }

  std::unique_ptr<std::uint8_t[]> bytes_;
  std::atomic<std::uint64_t> dropped_{0};
  alignas(kCacheLine) std::atomic<std::uint64_t> head_{0};
  alignas(kCacheLine) std::atomic<std::uint64_t> tail_{0};
};

}  // namespace linecheck::media
