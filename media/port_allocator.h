// SPDX-License-Identifier: GPL-3.0-or-later
//
// Hands out pairs of ports and takes them back. A returned pair stays bound and is drained for the
// quarantine, and for as long as somebody still sends to it (up to ten times the quarantine): no later leg
// inherits its stale media. Pairs are handed out round robin, so that a freed one is used again as late as
// can be.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "media/clock.h"
#include "media/udp_port.h"

namespace linecheck::media {

/// Any thread but a media worker: it makes system calls under a lock.
class PortAllocator {
 public:
  /// Ports from the first even one >= first to the last odd one <= last. Throws std::runtime_error where that
  /// is none, or where bind_address is no literal.
  PortAllocator(std::uint16_t first, std::uint16_t last, std::string bind_address, std::int64_t quarantine_ns,
                const Clock& clock);

  /// Throws PortsExhausted (media/engine.h).
  std::unique_ptr<UdpPort> acquire();
  /// Into quarantine.
  void release(std::unique_ptr<UdpPort> port);
  /// Drains what is in quarantine and closes what has served its time. To be called every so often.
  void sweep();

  [[nodiscard]] std::size_t quarantined() const;
  [[nodiscard]] std::size_t pairs() const { return pairs_; }

 private:
  struct Retired {
    std::unique_ptr<UdpPort> port;
    std::int64_t free_at_ns;  // pushed on while media still comes
    std::int64_t give_up_ns;
  };
  void sweep_locked();

  const std::uint16_t first_;
  const std::size_t pairs_;
  const std::string bind_address_;
  const std::int64_t quarantine_ns_;
  const Clock& clock_;

  mutable std::mutex mutex_;
  std::size_t next_ = 0;
  std::deque<Retired> retired_;
};

}  // namespace linecheck::media
