// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where a leg's datagrams come from and go to: UDP sockets (udp_port.h), or memory in tests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "media/address.h"

namespace linecheck::media {

class IoRing;

inline constexpr std::size_t kMaxDatagram = 1500;

struct Datagram {
  Address from;
  std::int64_t arrival_ns = 0;  ///< CLOCK_MONOTONIC when the kernel got it
  std::uint16_t size = 0;
  std::array<std::uint8_t, kMaxDatagram> bytes{};

  [[nodiscard]] std::span<const std::uint8_t> view() const { return {bytes.data(), size}; }
};

/// What one read brings. Owned by the worker and used for one leg after the other.
struct DatagramBatch {
  static constexpr std::size_t kMax = 16;
  std::array<Datagram, kMax> items;
  std::size_t count = 0;
};

/// Used by one thread at a time; never blocks.
class DatagramPort {
 public:
  DatagramPort() = default;
  DatagramPort(const DatagramPort&) = delete;
  DatagramPort& operator=(const DatagramPort&) = delete;
  virtual ~DatagramPort() = default;

  [[nodiscard]] virtual std::uint16_t number() const = 0;
  [[nodiscard]] virtual int family() const = 0;
  /// False where the socket did not take it.
  virtual bool send(std::span<const std::uint8_t> packet, const Address& to) noexcept = 0;
  /// Fills the batch with what waits; a full batch says that more may be there.
  virtual void receive(DatagramBatch& batch) noexcept = 0;

  // RTCP on a port of its own, one above the other (RFC 3550 section 11). Muxed RTCP (RFC 5761) goes through
  // send() and receive(). Whoever has no RTCP calls neither.

  /// False where the socket did not take it.
  virtual bool send_control(std::span<const std::uint8_t> packet, const Address& to) noexcept = 0;
  virtual void receive_control(DatagramBatch& batch) noexcept = 0;

  /// A port that stands around another one (encryption, a capture) gives it up: at the end of its life. Null:
  /// it is the socket itself.
  virtual std::unique_ptr<DatagramPort> take_inner() { return nullptr; }

  // A worker's sockets are read and written together where it has a ring (io_ring.h). A port that stands
  // around another one hands both on.

  /// send() may now leave packets in the ring, until it is submitted. A packet that the socket did not take
  /// then makes a later send() return false.
  virtual void use(IoRing* ring) noexcept { static_cast<void>(ring); }
  /// The ring is about to be submitted and then receive() called: what waits may be read on that way.
  virtual void expect() noexcept {}
};

}  // namespace linecheck::media
