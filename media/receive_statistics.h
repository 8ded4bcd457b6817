// SPDX-License-Identifier: GPL-3.0-or-later
//
// RFC 3550 counters of what we receive, taken where the datagram arrives. Losses are judged once a sequence
// number has left a window of 128 packets, so that reordered ones are never counted as lost, and runs of
// losses are measured exactly.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>

#include "media/leg_report.h"
#include "media/rtp_packet.h"

namespace linecheck::media {

class ReceiveStatistics {
 public:
  enum class Order { in_order, reordered, duplicate };

  /// Every RTP packet, of whatever payload type: they share the sequence numbers.
  Order add(const RtpPacket& packet);
  /// Audio packets only: jitter (RFC 3550 section 6.4.1 and A.8), in arrival order. `restarted`: the
  /// timestamps jumped, so the step from the packet before says nothing. `clock_rate`: of the timestamps.
  void add_transit(const RtpPacket& packet, std::int64_t arrival_ns, bool restarted, int clock_rate = 8000);

  void malformed() { ++totals_.malformed; }
  void unknown_payload() { ++totals_.unknown_payload; }
  void late() { ++totals_.late; }
  void heard(const char* codec, int ptime_ms) {
    codec_ = codec;
    totals_.ptime_ms = ptime_ms;
  }

  /// As if the stream ended here: what is missing up to the highest sequence number is lost.
  [[nodiscard]] RtpStatistics report() const;

 private:
  static constexpr int kWindow = 128;

  void begin(const RtpPacket& packet);
  void settle_window();
  void advance(std::uint64_t highest);
  void settle(bool received);

  RtpStatistics totals_;
  const char* codec_ = "";
  bool any_ = false;
  std::uint64_t first_ = 0;    // extended sequence number that the segment began with
  std::uint64_t highest_ = 0;  // extended
  std::bitset<kWindow> seen_;
  std::optional<std::uint16_t> after_jump_;

  std::uint64_t loss_runs_ = 0;
  bool in_loss_ = false;

  std::optional<std::int64_t> last_arrival_ns_;
  std::uint32_t last_timestamp_ = 0;
  double jitter_ns_ = 0;
  double jitter_sum_ns_ = 0;
  double jitter_max_ns_ = 0;
  std::uint64_t jitter_count_ = 0;
};

}  // namespace linecheck::media
