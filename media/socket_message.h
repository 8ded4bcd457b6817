// SPDX-License-Identifier: GPL-3.0-or-later
//
// One datagram as recvmsg(2) brings it: where from, and when the kernel got it.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "media/datagram_port.h"

namespace linecheck::media {

/// The kernel stamps with the wall clock; brought over to CLOCK_MONOTONIC by reading both.
struct BothClocks {
  std::int64_t mono_ns = 0;
  std::int64_t wall_ns = 0;

  static BothClocks read() noexcept { return {of(CLOCK_MONOTONIC), of(CLOCK_REALTIME)}; }

 private:
  static std::int64_t of(clockid_t clock) noexcept {
    timespec now{};
    clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  }
};

/// Points into itself: stays where it is.
struct SocketMessage {
  msghdr header{};
  iovec buffer{};
  sockaddr_storage source;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec))> control;

  /// Before each call: the kernel shortens what it was given.
  void prepare(std::span<std::uint8_t> room) noexcept {
    buffer = {room.data(), room.size()};
    header.msg_name = &source;
    header.msg_namelen = sizeof(source);
    header.msg_iov = &buffer;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    header.msg_flags = 0;
  }

  /// After a call that brought `size` bytes: everything of the datagram but its bytes.
  void finish(std::size_t size, const BothClocks& now, Datagram& datagram) const noexcept {
    datagram.from = Address::from(source);
    datagram.arrival_ns = arrival_ns(now);
    // Larger than any packet of ours or of a sane peer: its rest is gone, so it is nothing (size 0 counts as
    // malformed).
    datagram.size = (header.msg_flags & MSG_TRUNC) != 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(size);
  }

 private:
  // A stamp that cannot be right (the wall clock was stepped meanwhile) gives way to the time of the read.
  [[nodiscard]] std::int64_t arrival_ns(const BothClocks& now) const noexcept {
    constexpr std::int64_t kOldest = 1'000'000'000;
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr;
         c = CMSG_NXTHDR(const_cast<msghdr*>(&header), c)) {
      if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
      timespec stamp{};
      std::memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
      const std::int64_t age = now.wall_ns - (std::int64_t{stamp.tv_sec} * 1'000'000'000 + stamp.tv_nsec);
      if (age >= 0 && age <= kOldest) return now.mono_ns - age;
    }
    return now.mono_ns;
  }
};

}  // namespace linecheck::media
