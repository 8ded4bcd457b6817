// SPDX-License-Identifier: GPL-3.0-or-later
//
// io_uring for a worker's sockets: what the legs of a tick send and read goes to the kernel together, instead
// of by a system call each. Everything is non-blocking and so has been done when submit() returns; nothing
// stays in flight between two calls. Where the kernel or its policy has no io_uring, the ports use plain
// system calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "media/datagram_port.h"

namespace linecheck::media {

/// One thread at a time.
class IoRing {
 public:
  /// Packets that leave together. More would save little, and the times of departure are taken before.
  static constexpr unsigned kSends = 16;
  /// Sockets that are read together.
  static constexpr unsigned kReceives = 64;

  /// Null where there is none; `why` says why.
  static std::unique_ptr<IoRing> make(std::string& why);
  ~IoRing();
  IoRing(const IoRing&) = delete;
  IoRing& operator=(const IoRing&) = delete;

  /// Copies the packet; it leaves with the next submit(), which comes at once where kSends are waiting.
  /// `failures` is counted up where the socket does not take it; it must live until then.
  void send(int fd, std::span<const std::uint8_t> packet, const Address& to,
            std::uint64_t& failures) noexcept;
  /// Reads one datagram with the next submit(). Returns a token for take(); -1: no room, read it yourself.
  int receive(int fd) noexcept;
  void submit() noexcept;
  /// What was read, and the time of the submit(); false: nothing waited. The token is good until the next
  /// receive() after a submit().
  bool take(int token, Datagram& datagram, std::int64_t& now_ns) noexcept;

 private:
  class Impl;
  explicit IoRing(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace linecheck::media
