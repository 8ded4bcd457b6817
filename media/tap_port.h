// SPDX-License-Identifier: GPL-3.0-or-later
//
// Stands next to the socket and notes every packet that passes: what really leaves and comes, after
// encryption and after a simulated bad line.
#pragma once

#include <memory>
#include <utility>

#include "media/capture_ring.h"
#include "media/clock.h"
#include "media/datagram_port.h"

namespace linecheck::media {

class TapPort final : public DatagramPort {
 public:
  /// The clock must outlive it.
  TapPort(std::unique_ptr<DatagramPort> wire, std::shared_ptr<CaptureRing> ring, const Clock& clock)
      : wire_(std::move(wire)), ring_(std::move(ring)), clock_(clock) {}

  [[nodiscard]] std::uint16_t number() const override { return wire_->number(); }
  [[nodiscard]] int family() const override { return wire_->family(); }
  bool send(std::span<const std::uint8_t> packet, const Address& to) noexcept override {
    const bool sent = wire_->send(packet, to);
    if (sent) ring_->push({clock_.now_ns(), to, 0, true, false}, packet);
    return sent;
  }
  void receive(DatagramBatch& batch) noexcept override {
    wire_->receive(batch);
    note(batch, false);
  }
  bool send_control(std::span<const std::uint8_t> packet, const Address& to) noexcept override {
    const bool sent = wire_->send_control(packet, to);
    if (sent) ring_->push({clock_.now_ns(), to, 0, true, true}, packet);
    return sent;
  }
  void receive_control(DatagramBatch& batch) noexcept override {
    wire_->receive_control(batch);
    note(batch, true);
  }
  void use(IoRing* ring) noexcept override { wire_->use(ring); }
  void expect() noexcept override { wire_->expect(); }
  std::unique_ptr<DatagramPort> take_inner() override { return std::move(wire_); }

 private:
  void note(const DatagramBatch& batch, bool control) noexcept {
    for (std::size_t i = 0; i < batch.count; ++i) {
      const Datagram& item = batch.items[i];
      ring_->push({item.arrival_ns, item.from, 0, false, control}, item.view());
    }
  }

  std::unique_ptr<DatagramPort> wire_;
  std::shared_ptr<CaptureRing> ring_;
  const Clock& clock_;
};

}  // namespace linecheck::media
