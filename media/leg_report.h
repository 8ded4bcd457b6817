// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a media leg reports when it is closed: statistics, digits, and how well the engine itself kept time.
// Plain values. Times are ms on the leg's sample clock (zero: the leg was opened).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "media/impairment.h"

namespace linecheck::media {

/// A tick that is later than this is counted as late (docs/metrics.md).
inline constexpr double kLateMs = 5.0;
/// Of each list of a report, so that no call grows without bound.
inline constexpr std::size_t kMostListed = 1000;

/// A stretch of time, ms.
struct Span {
  double start_ms = 0;
  double end_ms = 0;
};

/// How a key travels: as a telephone-event (RFC 4733), in the body of a SIP INFO, or as the sound that it
/// makes (ITU-T Q.23).
enum class DigitTransport : std::uint8_t { rfc4733, info, inband };
inline constexpr std::size_t kDigitTransports = 3;
constexpr const char* transport_name(DigitTransport transport) {
  constexpr const char* kNames[kDigitTransports] = {"rfc4733", "info", "inband"};
  return kNames[static_cast<std::size_t>(transport)];
}

/// A key that was pressed.
struct DigitEvent {
  char digit = '0';
  bool sent = false;  ///< by us; else heard
  double start_ms = 0;
  double duration_ms = 0;            ///< 0: not known (an INFO need not say it)
  std::optional<double> gap_ms;      ///< since the end of the digit before it in the same direction
  std::optional<double> level_dbm0;  ///< of both tones together; an INFO has none
  DigitTransport transport = DigitTransport::rfc4733;
  std::array<bool, kDigitTransports> also{};  ///< by which the same press was heard too
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

/// One second of a stream. Small, because an hour of them is kept.
struct RtpSecond {
  std::uint8_t packets = 0;       ///< received: without duplicates
  std::uint8_t lost = 0;          ///< received: never came; sent: left more than 5 ms late
  std::uint16_t jitter_10us = 0;  ///< received: mean RFC 3550 jitter; sent: the worst lateness of a packet

  [[nodiscard]] double jitter_ms() const { return jitter_10us / 100.0; }
};

/// How many packets were lost in a row, how often: 1, 2, 3, 4, 5-8, 9-16, 17-32 and 33 or more.
struct BurstHistogram {
  static constexpr std::size_t kBuckets = 8;
  std::array<std::uint32_t, kBuckets> counts{};
  std::uint64_t longest = 0;

  void add(std::uint64_t length);
};

/// RFC 3550 counters of one direction.
struct RtpStatistics {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  ///< payload
  std::uint64_t lost = 0;
  /// False for what we send, until the remote's RTCP says what it has lost: `lost` means nothing without.
  bool loss_known = true;
  /// Of how many packets `lost` is. 0: of those that came and those that were lost.
  std::uint64_t expected = 0;
  std::uint64_t reordered = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t late = 0;           ///< too late to be recorded
  std::uint64_t discarded = 0;      ///< came, but too late for a jitter buffer of 40 ms
  std::uint64_t comfort_noise = 0;  ///< RFC 3389: silence, not audio
  std::uint64_t other_source = 0;   ///< came from elsewhere than SDP announced
  std::uint64_t unknown_payload = 0;
  std::uint64_t malformed = 0;  ///< datagrams that are no RTP (received), refused by the socket (sent)
  // Of an encrypted stream, received. Replayed: a duplicate too is dropped before it could be counted as one.
  std::uint64_t forged = 0;    ///< not authentic: another key, or changed on the way; not among `packets`
  std::uint64_t replayed = 0;  ///< seen before, or too old to tell; not among `packets`
  /// Came before the answer with its key: counted, but not heard.
  std::uint64_t unheard_early = 0;
  double jitter_mean_ms = 0;  ///< RFC 3550 6.4.1
  double jitter_max_ms = 0;
  double mean_burst_length = 0;  ///< packets lost in a row, mean
  BurstHistogram bursts;
  std::uint32_t ssrc = 0;
  int ssrc_changes = 0;
  int sequence_restarts = 0;  ///< jumps of the sequence numbers, too far for losses
  std::string codec;
  int ptime_ms = 0;
  std::optional<double> round_trip_ms;  ///< RTCP
  std::optional<double> clock_skew_ppm;
  std::vector<RtpSecond> seconds;  ///< from the leg's zero on, at most kMostSeconds

  static constexpr std::size_t kMostSeconds = 3600;

  /// One packet of ours left at `leg_ms`, so much later than it should have.
  void count_departure(double leg_ms, double late_ms);
  [[nodiscard]] std::optional<double> loss_percent() const;  ///< nullopt without packets
};

/// What the remote measured itself (RTCP XR, RFC 3611 section 4.7). Of our stream, unless said otherwise.
struct VoipMetrics {
  double loss_percent = 0;
  double discard_percent = 0;  ///< by its jitter buffer
  double burst_density_percent = 0;
  double gap_density_percent = 0;
  int burst_ms = 0;  ///< mean
  int gap_ms = 0;    ///< mean
  int round_trip_ms = 0;
  int end_system_delay_ms = 0;
  std::optional<int> signal_dbm0;
  std::optional<int> noise_dbm0;
  std::optional<int> echo_return_loss_db;
  std::optional<double> r_factor;
  std::optional<double> mos_lq;
  std::optional<double> mos_cq;
  int buffer_nominal_ms = 0;
  int buffer_maximum_ms = 0;
};

/// One report of the remote about our stream.
struct RemoteReport {
  float t_ms = 0;
  float loss_percent = 0;  ///< since the report before
  float jitter_ms = 0;
  float round_trip_ms = -1;  ///< -1: it answers no report of ours
};

struct RtcpStatistics {
  std::uint64_t sent = 0;      ///< compound packets
  std::uint64_t received = 0;  ///< the same; malformed ones are not among them
  std::uint64_t malformed = 0;
  std::uint64_t send_failures = 0;
  bool muxed = false;            ///< on RTP's own port (RFC 5761)
  std::optional<double> bye_ms;  ///< when the remote said BYE
  std::optional<double> round_trip_min_ms;
  std::optional<double> round_trip_max_ms;
  std::vector<RemoteReport> reports;  ///< at most kMostReports
  std::optional<VoipMetrics> voip;    ///< the last one

  static constexpr std::size_t kMostReports = 1000;
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
  RtcpStatistics rtcp;
  EngineStatistics engine;
  std::vector<DigitEvent> digits;
  std::vector<Span> agent_speech_live;    ///< what the live turn detector said, for information
  std::optional<double> first_packet_ms;  ///< first RTP packet received
  std::optional<double> last_packet_ms;
  int clock_map_restarts = 0;
  std::string srtp_suite;                ///< in use at the end; empty: in the clear
  std::vector<LinePeriod> send_line;     ///< a simulated bad line, from change to change; empty: none
  std::vector<LinePeriod> receive_line;  ///< the same, before our ears only
  std::string recording_error;           ///< why the recording is incomplete; empty: it is whole
  std::string capture_error;             ///< the same of the capture
};

}  // namespace linecheck::media
