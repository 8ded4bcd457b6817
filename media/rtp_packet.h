// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reading an RTP packet (RFC 3550 section 5.1) and a telephone-event payload (RFC 4733 section 2.3) off the
// wire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace linecheck::media {

inline constexpr std::size_t kRtpHeaderSize = 12;

struct RtpPacket {
  bool marker = false;
  int payload_type = 0;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
  std::span<const std::uint8_t> payload;  ///< padding, CSRCs and header extension left out
};

/// RTCP among RTP on one port (RFC 5761 section 4): packet types 192-223, which read as payload types 64-95
/// with a marker.
[[nodiscard]] constexpr bool is_rtcp(std::span<const std::uint8_t> datagram) {
  return datagram.size() >= 8 && (datagram[0] >> 6) == 2 && datagram[1] >= 192 && datagram[1] <= 223;
}

/// Nullopt for what is no RTP of version 2, or is cut short. RTCP is none either.
std::optional<RtpPacket> parse_rtp(std::span<const std::uint8_t> datagram);

struct TelephoneEvent {
  int event = 0;  ///< 0-15: the digits 0-9 * # A-D
  bool end = false;
  int volume = 0;    ///< -dBm0, 0..63
  int duration = 0;  ///< in timestamp units
};

std::optional<TelephoneEvent> parse_telephone_event(std::span<const std::uint8_t> payload);

/// '?' for events that are no digit.
char digit_of_event(int event);
/// -1 for what is no digit. Letters in either case.
int event_of_digit(char digit);

}  // namespace linecheck::media
