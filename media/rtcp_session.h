// SPDX-License-Identifier: GPL-3.0-or-later
//
// RTCP of one leg (RFC 3550 section 6): when to report, what to report, and what the remote's reports mean.
//
// It is our own and not oRTP's, which would send its reports inside the call that sends an RTP packet, on
// timers of its own that no test can move, and would report the losses of its own receive path, where
// reordered packets count as lost. Here a report leaves after the packets of its tick.
//
// Owned by a leg, used on its worker; neither blocks nor logs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "media/leg_report.h"
#include "media/receive_statistics.h"
#include "media/rtcp_packet.h"

namespace linecheck::media {

class RtcpSession {
 public:
  /// `wall_offset_ns`: wall clock minus leg clock. Taken once for a leg, so that no step of the wall clock
  /// can come between a report and its answer. `seed`: of the intervals and the canonical name.
  RtcpSession(std::uint32_t ssrc, std::int64_t wall_offset_ns, std::uint64_t seed);

  /// The first report is due half an interval from now. Again: nothing.
  void start(std::int64_t now_ns);

  /// What the leg knows of its sending at the moment of a report.
  struct Sending {
    std::uint32_t rtp_timestamp = 0;  ///< of that moment
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
  };

  /// Whether a report is to be sent now. Asked once a frame; moves the timer.
  [[nodiscard]] bool due(std::int64_t now_ns);
  /// The report of now: SR or RR and SDES, with BYE at the end of the call.
  [[nodiscard]] RtcpWriter report(std::int64_t now_ns, const Sending& sending, const ReceiverState& received,
                                  bool bye);
  void sent(bool taken);
  /// BYE is owed only where somebody has heard of us (RFC 3550 section 6.3.7).
  [[nodiscard]] bool has_sent() const { return statistics_.sent > 0; }

  /// What came, at `arrival_ns` on the leg's clock. `clock_rate`: of our timestamps. `packets`: sent so far.
  /// False: malformed.
  bool receive(std::span<const std::uint8_t> datagram, std::int64_t arrival_ns, int clock_rate,
               std::uint64_t packets);

  /// Puts what the remote said of our stream into `send`, and the round trip into both.
  void conclude(std::uint16_t first_sequence, RtpStatistics& send, RtpStatistics& receive) const;
  [[nodiscard]] RtcpStatistics& statistics() { return statistics_; }

 private:
  [[nodiscard]] std::int64_t interval_ns();
  [[nodiscard]] double random();
  [[nodiscard]] std::optional<RtcpReportBlock> block(std::int64_t now_ns, const ReceiverState& received);
  void take(const RtcpReportBlock& block, std::int64_t arrival_ns, int clock_rate);
  [[nodiscard]] std::optional<double> round_trip_ms(const RtcpReportBlock& block,
                                                    std::int64_t arrival_ns) const;

  std::uint32_t ssrc_;
  std::int64_t wall_offset_ns_;
  std::uint64_t random_;
  std::array<char, 16> name_{};
  RtcpStatistics statistics_;

  // Timer (RFC 3550 section 6.3): previous and next transmission.
  bool initial_ = true;
  std::int64_t previous_ns_ = 0;
  std::int64_t next_ns_ = 0;  // 0: not started

  // Sending.
  std::array<std::uint64_t, 2> packets_before_{};  // at the last report and the one before it
  std::array<std::uint32_t, 4> our_reports_{};     // middles of the NTP times of our last SRs
  std::size_t our_report_ = 0;
  ReceiverState reported_;

  // The remote's last SR.
  std::uint32_t sender_ = 0;
  std::uint32_t last_report_ = 0;
  std::int64_t last_report_ns_ = 0;

  // What the remote says of our stream.
  std::optional<RtcpReportBlock> last_block_;
  std::uint64_t packets_at_block_ = 0;
  std::uint64_t blocks_ = 0;
  double jitter_sum_ms_ = 0;
  double jitter_max_ms_ = 0;
  std::uint64_t round_trips_ = 0;
  double round_trip_sum_ms_ = 0;
};

}  // namespace linecheck::media
