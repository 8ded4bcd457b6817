// SPDX-License-Identifier: GPL-3.0-or-later
//
// Telephone-events in a stream that is otherwise as it should be: five bytes each for the step of the
// timestamp, the step of the clock in 10 ms, and three of the payload.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "media/clock_map.h"
#include "media/dtmf_receiver.h"
#include "media/rtp_packet.h"

using namespace linecheck::media;

namespace {

bool sound(const std::optional<DigitEvent>& digit) {
  constexpr std::string_view kKeys = "0123456789*#ABCD";
  return !digit || (kKeys.find(digit->digit) != std::string_view::npos && digit->duration_ms >= 0 &&
                    digit->level_dbm0.value_or(1) <= 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)parse_telephone_event({data, size});
  ClockMap map;
  DtmfReceiver digits;
  RtpPacket audio;
  audio.ssrc = 1;
  (void)map.add(audio, 0, 160);
  std::int64_t now_ns = 0;
  std::uint32_t timestamp = 0;
  std::size_t packets = 0;
  std::size_t heard_digits = 0;
  for (std::size_t at = 0; at + 5 <= size; at += 5) {
    timestamp += 80U * data[at];
    now_ns += std::int64_t{data[at + 1]} * 10'000'000;
    const std::array<std::uint8_t, 4> payload{data[at + 2], data[at + 3], data[at + 4], 0};
    RtpPacket packet;
    packet.ssrc = 1 + (data[at + 1] >> 7U);
    packet.timestamp = timestamp;
    packet.payload = payload;
    const auto heard = digits.packet(packet, now_ns, map);
    const auto late = digits.pass(now_ns);
    if (!sound(heard.before) || !sound(heard.own) || !sound(late)) std::abort();
    ++packets;
    heard_digits += (heard.before ? 1U : 0U) + (heard.own ? 1U : 0U) + (late ? 1U : 0U);
  }
  // A press needs a packet.
  if (heard_digits > packets) std::abort();
  return 0;
}
