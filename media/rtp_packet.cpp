// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/rtp_packet.h"

#include <string_view>

#include "media/wire_order.h"

namespace linecheck::media {
namespace {

constexpr std::string_view kDigits = "0123456789*#ABCD";

}  // namespace

std::optional<RtpPacket> parse_rtp(std::span<const std::uint8_t> datagram) {
  if (datagram.size() < kRtpHeaderSize || (datagram[0] >> 6) != 2) return std::nullopt;
  RtpPacket packet;
  packet.marker = (datagram[1] & 0x80) != 0;
  packet.payload_type = datagram[1] & 0x7F;
  if (packet.marker && packet.payload_type >= 64 && packet.payload_type <= 95) return std::nullopt;
  packet.sequence = read16(datagram, 2);
  packet.timestamp = read32(datagram, 4);
  packet.ssrc = read32(datagram, 8);

  std::size_t begin = kRtpHeaderSize + 4 * static_cast<std::size_t>(datagram[0] & 0x0F);
  std::size_t end = datagram.size();
  if ((datagram[0] & 0x10) != 0) {  // header extension: 16 bits of its own, then its length in words
    if (begin + 4 > end) return std::nullopt;
    begin += 4 + 4 * std::size_t{read16(datagram, begin + 2)};
  }
  if (begin > end) return std::nullopt;
  if ((datagram[0] & 0x20) != 0) {  // padding: the last byte says how much, itself included
    const std::size_t padding = datagram[end - 1];
    if (padding == 0 || padding > end - begin) return std::nullopt;
    end -= padding;
  }
  packet.payload = datagram.subspan(begin, end - begin);
  return packet;
}

std::optional<TelephoneEvent> parse_telephone_event(std::span<const std::uint8_t> payload) {
  if (payload.size() < 4) return std::nullopt;
  TelephoneEvent event;
  event.event = payload[0];
  event.end = (payload[1] & 0x80) != 0;
  event.volume = payload[1] & 0x3F;
  event.duration = read16(payload, 2);
  return event;
}

char digit_of_event(int event) {
  return event >= 0 && event < static_cast<int>(kDigits.size()) ? kDigits[static_cast<std::size_t>(event)]
                                                                : '?';
}

int event_of_digit(char digit) {
  const char upper = digit >= 'a' && digit <= 'd' ? static_cast<char>(digit - 'a' + 'A') : digit;
  const std::size_t at = kDigits.find(upper);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace linecheck::media
