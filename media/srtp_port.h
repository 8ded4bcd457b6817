// SPDX-License-Identifier: GPL-3.0-or-later
//
// A datagram port whose packets are encrypted on the wire (RFC 3711), once it has keys; until then it is
// transparent. What is not authentic, or was seen before, is counted and goes no further.
//
// Keys that change (a re-INVITE) begin a stream of their own, as other stacks have it: a send key that stays
// the same goes on where it was. Packets under the receive key before are taken until the first one under the
// new key: those were on their way.
#pragma once

#include <memory>
#include <optional>

#include "media/datagram_port.h"
#include "media/srtp_keys.h"
#include "media/srtp_session.h"

namespace linecheck::media {

struct SrtpCounters {
  std::uint64_t forged = 0;    ///< failed their authentication
  std::uint64_t replayed = 0;  ///< came again, or far too late
  std::uint64_t broken = 0;    ///< too short, or no RTP
};

/// Both directions, made ready away from the media worker: setting up ciphers takes its time.
class SrtpPair {
 public:
  /// Throws std::invalid_argument or std::runtime_error (see SrtpSession).
  explicit SrtpPair(SrtpKeys keys);

  const SrtpKeys keys;
  std::unique_ptr<SrtpSession> send;
  std::unique_ptr<SrtpSession> receive;
};

class SrtpPort final : public DatagramPort {
 public:
  explicit SrtpPort(std::unique_ptr<DatagramPort> inner) : inner_(std::move(inner)) {}

  /// From now on with these keys; null: in the clear.
  void rekey(std::unique_ptr<SrtpPair> pair) noexcept;
  [[nodiscard]] bool encrypted() const { return pair_ != nullptr; }
  [[nodiscard]] const SrtpCounters& counters() const { return counters_; }
  [[nodiscard]] const char* suite() const { return pair_ ? suite_name(pair_->keys.suite) : ""; }

  [[nodiscard]] std::uint16_t number() const override { return inner_->number(); }
  [[nodiscard]] int family() const override { return inner_->family(); }
  bool send(std::span<const std::uint8_t> packet, const Address& to) noexcept override;
  void receive(DatagramBatch& batch) noexcept override;
  bool send_control(std::span<const std::uint8_t> packet, const Address& to) noexcept override;
  void receive_control(DatagramBatch& batch) noexcept override;
  void use(IoRing* ring) noexcept override { inner_->use(ring); }
  void expect() noexcept override { inner_->expect(); }
  std::unique_ptr<DatagramPort> take_inner() override { return std::move(inner_); }

 private:
  [[nodiscard]] bool protect(std::span<const std::uint8_t> packet, bool control) noexcept;
  [[nodiscard]] bool unprotect(Datagram& datagram, bool control) noexcept;
  void unprotect(DatagramBatch& batch, bool control) noexcept;

  std::unique_ptr<DatagramPort> inner_;
  std::unique_ptr<SrtpPair> pair_;
  std::unique_ptr<SrtpPair> before_;  // its receive key is still taken
  SrtpCounters counters_;
  SrtpPacket work_;
};

}  // namespace linecheck::media
