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

/// What a reception report says of one source (RFC 3550 section 6.4.1 and A.3).
struct ReceiverState {
  std::uint32_t segment = 0;  ///< counts SSRCs and restarted sequences; 0: nothing has come
  std::uint32_t ssrc = 0;
  std::uint64_t expected = 0;
  std::uint64_t received = 0;          ///< with duplicates, as the RFC has it
  std::uint32_t highest_sequence = 0;  ///< extended
  std::uint32_t jitter = 0;            ///< timestamp units
};

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
  void discarded() { ++totals_.discarded; }
  void comfort_noise() { ++totals_.comfort_noise; }
  void other_source() { ++totals_.other_source; }
  void heard(const char* codec, int ptime_ms) {
    codec_ = codec;
    totals_.ptime_ms = ptime_ms;
  }

  /// Time goes by; `leg_ns` is of the leg's clock. Closes the seconds of the series that are over.
  void pass(std::int64_t leg_ns) {
    if (leg_ns >= second_end_ns_) close_seconds(leg_ns);
  }

  [[nodiscard]] ReceiverState state() const;

  /// As if the stream ended here: what is missing up to the highest sequence number is lost.
  [[nodiscard]] RtpStatistics report() const;

 private:
  static constexpr int kWindow = 128;
  static constexpr std::int64_t kSecondNs = 1'000'000'000;

  void begin(const RtpPacket& packet);
  void settle_window();
  void advance(std::uint64_t highest);
  void settle(bool received);
  void close_seconds(std::int64_t leg_ns);
  void close_second();

  RtpStatistics totals_;
  const char* codec_ = "";
  std::uint32_t segment_ = 0;  // 0: nothing has come
  std::uint64_t first_ = 0;    // extended sequence number that the segment began with
  std::uint64_t highest_ = 0;  // extended
  std::uint64_t segment_packets_ = 0;
  std::bitset<kWindow> seen_;
  std::optional<std::uint16_t> after_jump_;

  std::uint64_t loss_runs_ = 0;
  std::uint64_t loss_run_ = 0;  // length of the one that is open

  std::optional<std::int64_t> last_arrival_ns_;
  std::uint32_t last_timestamp_ = 0;
  int clock_rate_ = 8000;
  double jitter_ns_ = 0;
  double jitter_sum_ns_ = 0;
  double jitter_max_ns_ = 0;
  std::uint64_t jitter_count_ = 0;

  // The second that is running: where the counters stood when it began.
  std::int64_t second_end_ns_ = kSecondNs;
  std::uint64_t owed_ = 0;  // sequence numbers that have gone by, of all segments
  std::uint64_t second_owed_ = 0;
  std::uint64_t second_unique_ = 0;
  double second_jitter_sum_ns_ = 0;
  std::uint64_t second_jitter_count_ = 0;
};

}  // namespace linecheck::media
