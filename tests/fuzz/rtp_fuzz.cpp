// SPDX-License-Identifier: GPL-3.0-or-later
//
// Datagrams as a leg gets them, in a row: a length byte, how late it comes, then its bytes. What is RTP goes
// through the statistics, the clock map and, where its payload type says so, the telephone-event receiver.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "media/clock_map.h"
#include "media/dtmf_receiver.h"
#include "media/receive_statistics.h"
#include "media/rtp_packet.h"

using namespace linecheck::media;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kEvents = 101;
  std::span<const std::uint8_t> left(data, size);
  ReceiveStatistics statistics;
  ClockMap map;
  DtmfReceiver digits;
  std::int64_t now_ns = 0;
  std::uint64_t packets = 0;
  while (left.size() >= 2) {
    const std::size_t length = std::min<std::size_t>(left[0], left.size() - 2);
    now_ns += std::int64_t{left[1]} * 1'000'000;
    const auto datagram = left.subspan(2, length);
    left = left.subspan(2 + length);
    if (const auto late = digits.pass(now_ns)) require(late->duration_ms >= 0);
    const auto packet = parse_rtp(datagram);
    if (!packet) {
      statistics.malformed();
      continue;
    }
    require(packet->payload.size() + kRtpHeaderSize <= datagram.size());
    require(packet->payload_type >= 0 && packet->payload_type < 128);
    ++packets;
    const auto order = statistics.add(*packet);
    if (order == ReceiveStatistics::Order::duplicate || packet->payload.empty()) continue;
    if (packet->payload_type == kEvents) {
      const auto heard = digits.packet(*packet, now_ns, map);
      for (const auto* digit : {&heard.before, &heard.own})
        if (*digit) require((*digit)->digit != '?' && (*digit)->duration_ms >= 0);
      continue;
    }
    const auto place = map.add(*packet, now_ns, static_cast<int>(packet->payload.size()));
    statistics.add_transit(*packet, now_ns, map.restarted());
    (void)map.live_position(place);
    (void)map.settled_position(place);
  }
  const RtpStatistics report = statistics.report();
  require(report.packets == packets);
  require(report.jitter_max_ms >= 0 && report.jitter_mean_ms >= 0);
  if (const auto percent = report.loss_percent()) require(*percent >= 0 && *percent <= 100);
  (void)map.skew_ppm();
  return 0;
}
