// SPDX-License-Identifier: GPL-3.0-or-later
//
// RTCP on the wire: compound packets (RFC 3550 section 6) read and written, and of the extended reports (RFC
// 3611) the VoIP metrics read. Plain functions on bytes, for any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "media/leg_report.h"

namespace linecheck::media {

/// An NTP timestamp (RFC 3550 section 4): seconds since 1900 in the upper, their fraction in the lower half.
[[nodiscard]] std::uint64_t ntp_of_unix(std::int64_t unix_ns);
/// Its middle 32 bits: 65,536ths of a second.
[[nodiscard]] constexpr std::uint32_t middle_of_ntp(std::uint64_t ntp) {
  return static_cast<std::uint32_t>(ntp >> 16);
}

struct RtcpSenderInfo {
  std::uint64_t ntp = 0;
  std::uint32_t rtp_timestamp = 0;  ///< of the same instant
  std::uint32_t packets = 0;
  std::uint32_t octets = 0;  ///< of payload
};

/// RFC 3550 section 6.4.1.
struct RtcpReportBlock {
  std::uint32_t ssrc = 0;               ///< whose packets are reported
  std::uint8_t fraction_lost = 0;       ///< since the report before, 256ths
  std::int32_t cumulative_lost = 0;     ///< 24 bits; negative where duplicates outnumber the losses
  std::uint32_t highest_sequence = 0;   ///< extended by the count of its cycles
  std::uint32_t jitter = 0;             ///< timestamp units
  std::uint32_t last_report = 0;        ///< middle of the NTP timestamp of the last SR; 0: none
  std::uint32_t since_last_report = 0;  ///< 65,536ths of a second
};

/// What one compound packet says.
struct RtcpCompound {
  std::uint32_t sender = 0;  ///< its SSRC
  std::optional<RtcpSenderInfo> sender_info;
  std::optional<RtcpReportBlock> about_us;
  std::optional<VoipMetrics> voip;  ///< about our stream
  bool bye = false;                 ///< of the sender
};

/// Nullopt for what is no RTCP: another version, lengths that do not add up, a report that is cut short.
/// Packet types that we do not know are passed over (RFC 3550 section 6.1), and a packet that does not begin
/// with a report is taken (RFC 5506).
[[nodiscard]] std::optional<RtcpCompound> parse_rtcp(std::span<const std::uint8_t> datagram,
                                                     std::uint32_t our_ssrc);

/// Writes one compound packet: a report first, then the rest. Room for all that we ever send.
class RtcpWriter {
 public:
  void sender_report(std::uint32_t ssrc, const RtcpSenderInfo& info,
                     const std::optional<RtcpReportBlock>& block);
  void receiver_report(std::uint32_t ssrc, const std::optional<RtcpReportBlock>& block);
  void canonical_name(std::uint32_t ssrc, std::string_view name);  ///< SDES; at most 64 characters
  void bye(std::uint32_t ssrc);

  [[nodiscard]] std::span<const std::uint8_t> view() const { return std::span(bytes_).first(size_); }

 private:
  void header(int count, int type, std::size_t words_after_header);
  void block(const RtcpReportBlock& block);
  void put(std::uint64_t value, int bytes);

  std::array<std::uint8_t, 192> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace linecheck::media
