// SPDX-License-Identifier: GPL-3.0-or-later
//
// One direction of an encrypted stream, RTP and RTCP: libsrtp2 beneath. Made anywhere (that takes its time),
// then used by one thread at a time, without blocking or logging.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "media/datagram_port.h"
#include "media/srtp_keys.h"

namespace linecheck::media {

/// Room for a packet and what encryption adds to it, aligned as libsrtp wants it.
struct SrtpPacket {
  static constexpr std::size_t kRoom = kMaxDatagram + 16 + 128 + 4;  // tag, MKI, SRTCP index

  alignas(8) std::array<std::uint8_t, kRoom> bytes;
  std::size_t size = 0;

  /// Cut off at kMaxDatagram.
  void assign(std::span<const std::uint8_t> packet) noexcept;
  [[nodiscard]] std::span<const std::uint8_t> view() const { return {bytes.data(), size}; }
};

class SrtpSession {
 public:
  enum class Direction { send, receive };
  enum class Result {
    done,
    forged,    ///< not authentic: another key, or changed on its way
    replayed,  ///< seen before, or too old to tell
    broken,    ///< no RTP or RTCP, or too short
  };

  /// `mki` is of what is received; empty: packets carry none. Throws std::invalid_argument for a key of the
  /// wrong length, std::runtime_error where libsrtp has no such cipher.
  SrtpSession(Direction direction, SrtpSuite suite, std::span<const std::uint8_t> key,
              std::span<const std::uint8_t> mki = {});
  ~SrtpSession();
  SrtpSession(const SrtpSession&) = delete;
  SrtpSession& operator=(const SrtpSession&) = delete;

  /// Encrypts in place; `control`: it is RTCP.
  Result protect(SrtpPacket& packet, bool control) noexcept;
  /// Decrypts in place. Where it fails the packet may be damaged.
  Result unprotect(SrtpPacket& packet, bool control) noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linecheck::media
