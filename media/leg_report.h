// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a media leg reports when it is closed: statistics, digits, and how well the engine itself kept time.
// Plain values. Times are ms on the leg's sample clock (zero: the leg was opened).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linecheck::media {

/// A stretch of time, ms.
struct Span {
  double start_ms = 0;
  double end_ms = 0;
};

/// A telephone-event (RFC 4733).
struct DigitEvent {
  char digit = '0';
  bool sent = false;  ///< by us; else heard
  double start_ms = 0;
  double duration_ms = 0;
  std::optional<double> gap_ms;  ///< since the end of the digit before it in the same direction
  double level_dbm0 = 0;
  std::string transport = "rfc4733";
};

/// Deviation of packet departures from their exact time, ms. Log-spaced histogram so that many calls can be
/// merged (percentiles are never averaged).
struct PacingHistogram {
  static constexpr int kBuckets = 64;  ///< bucket b holds deviations in [1 us * 2^(b/2), 1 us * 2^((b+1)/2))
  std::array<std::uint32_t, kBuckets> counts{};
  std::uint64_t total = 0;
  double max_ms = 0;

  void add(double deviation_ms);
  void merge(const PacingHistogram& other);
  /// Upper edge of the bucket in which the q-quantile (0..1) falls; nullopt when empty.
  [[nodiscard]] std::optional<double> quantile(double q) const;
};

/// RFC 3550 counters of one direction.
struct RtpStatistics {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  ///< payload
  std::uint64_t lost = 0;
  /// False for what we send: without RTCP nobody tells us what was lost, and `lost` means nothing.
  bool loss_known = true;
  std::uint64_t reordered = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t late = 0;
  std::uint64_t unknown_payload = 0;
  std::uint64_t malformed = 0;  ///< datagrams that are no RTP (received), refused by the socket (sent)
  double jitter_mean_ms = 0;    ///< RFC 3550 6.4.1
  double jitter_max_ms = 0;
  double mean_burst_length = 0;  ///< packets lost in a row, mean
  std::uint32_t ssrc = 0;
  int ssrc_changes = 0;
  std::string codec;
  int ptime_ms = 0;
  std::optional<double> round_trip_ms;  ///< RTCP
  std::optional<double> clock_skew_ppm;

  [[nodiscard]] std::optional<double> loss_percent() const;  ///< nullopt without packets
};

/// What the engine says of itself on this leg.
struct EngineStatistics {
  PacingHistogram pacing;
  std::uint64_t late_ticks = 0;        ///< ticks later than 5 ms
  std::vector<double> late_tick_ms;    ///< when, at most 1,000 of them
  std::uint64_t skipped_frames = 0;    ///< frames that could not be sent in time and were left out
  std::uint64_t dropped_commands = 0;  ///< full queue
  std::uint64_t dropped_events = 0;    ///< full event queue
  bool realtime = false;               ///< the worker ran at SCHED_FIFO
};

struct LegReport {
  RtpStatistics send;
  RtpStatistics receive;
  EngineStatistics engine;
  std::vector<DigitEvent> digits;
  std::vector<Span> agent_speech_live;    ///< what the live turn detector said, for information
  std::optional<double> first_packet_ms;  ///< first RTP packet received
  std::optional<double> last_packet_ms;
  int clock_map_restarts = 0;
  std::string recording_error;  ///< why the recording is incomplete; empty: it is whole
};

}  // namespace linecheck::media
