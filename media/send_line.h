// SPDX-License-Identifier: GPL-3.0-or-later
//
// What we send, over a bad line. It stands between the RTP session and the port: packets have their sequence
// numbers and timestamps when they come here, so that a lost one is missing and a late one is late. The
// caller's channel of the recording is laid down from here, as packets leave.
//
// On the recording a packet lies where its timestamp says plus the shortest time that the line takes: as on
// the agent's side, jitter does not move speech. What is lost is silence, what leaves twice is there once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "media/datagram_port.h"
#include "media/delay_line.h"
#include "media/leg_report.h"
#include "media/line_filter.h"
#include "media/line_history.h"
#include "media/recording_ring.h"

namespace linecheck::media {

class SendLine final : public DatagramPort {
 public:
  /// Makes room for all that may wait: away from the media thread.
  SendLine(const LinePlan& plan, std::uint64_t seed);

  /// What is behind it, and what counts the packets that leave. `ring` may be null.
  void attach(DatagramPort& wire, RecordingRing* ring, RtpStatistics& statistics) {
    wire_ = &wire;
    ring_ = ring;
    statistics_ = &statistics;
  }
  /// The plan takes effect. `rate`: of the audio.
  void begin(double now_ms, int rate);
  /// Takes over the plan of another one, and its room where that is larger; what waits goes on waiting.
  void change(SendLine& to, double now_ms, int rate);

  [[nodiscard]] LineFilter& filter() { return filter_; }
  [[nodiscard]] double floor_ms() const { return history_.plan().floor_ms(); }

  /// Says what the next packet is: when its time is, where it lies, and its sound (for the recording).
  void carry(std::int64_t at_ns, std::int64_t position, std::span<const std::int16_t> sound);
  /// Sends what is due.
  void release(std::int64_t now_ns);
  [[nodiscard]] std::vector<LinePeriod> take_periods() { return history_.take(); }

  [[nodiscard]] std::uint16_t number() const override { return wire_->number(); }
  [[nodiscard]] int family() const override { return wire_->family(); }
  bool send(std::span<const std::uint8_t> packet, const Address& to) noexcept override;
  void receive(DatagramBatch& batch) noexcept override { wire_->receive(batch); }
  // A bad line in truth hits RTCP too; here it stays whole, or the remote's reports of the line would be lost
  // with it.
  bool send_control(std::span<const std::uint8_t> packet, const Address& to) noexcept override {
    return wire_->send_control(packet, to);
  }
  void receive_control(DatagramBatch& batch) noexcept override { wire_->receive_control(batch); }

 private:
  static constexpr std::size_t kMostBytes = 512;
  static constexpr std::size_t kMostSamples = 320;  // 20 ms at 16 kHz, 40 ms at 8 kHz

  struct Packet {
    std::uint64_t serial = 0;
    std::int64_t at_ns = 0;
    std::int64_t position = 0;  // on the recording
    int copies = 1;
    std::uint16_t size = 0;
    std::uint16_t samples = 0;
    Address to;
    std::array<std::uint8_t, kMostBytes> bytes{};
    std::array<std::int16_t, kMostSamples> sound{};
  };

  bool leave(std::uint64_t serial, std::int64_t at_ns, std::int64_t leaves_ns, int copies,
             std::int64_t position, std::span<const std::int16_t> sound, std::span<const std::uint8_t> bytes,
             const Address& to);

  DatagramPort* wire_ = nullptr;
  RecordingRing* ring_ = nullptr;
  RtpStatistics* statistics_ = nullptr;
  LinePlan next_;  // until begin()
  LineHistory history_;
  LineFilter filter_;
  std::unique_ptr<DelayLine<Packet>> waiting_;
  std::uint64_t serial_ = 0;
  int rate_ = 0;

  // Of the packet that comes next.
  std::int64_t at_ns_ = 0;
  std::int64_t position_ = 0;
  std::span<const std::int16_t> sound_;
};

}  // namespace linecheck::media
