// SPDX-License-Identifier: GPL-3.0-or-later
//
// A leg's RTCP: behind the packets of a tick, never before them.
#include <algorithm>

#include "media/leg.h"

namespace linecheck::media {
namespace {

// RTCP's own port is looked at every 200 ms: the kernel has stamped what waits there, so nothing is lost by
// it.
constexpr std::uint32_t kFramesBetweenReads = 10;

}  // namespace

void Leg::serve_control(std::int64_t now_ns, DatagramBatch& batch) {
  if (!stream_ || !stream_->rtcp) return;
  if (++control_frames_ % kFramesBetweenReads == 0) read_control(batch);
  if (rtcp_.due(now_ns - setup_.origin_ns)) send_control(now_ns, false);
}

void Leg::read_control(DatagramBatch& batch) {
  if (stream_->rtcp_mux) return;
  setup_.port->receive_control(batch);
  for (std::size_t i = 0; i < batch.count; ++i) hear_control(batch.items[i]);
}

void Leg::hear_control(const Datagram& datagram) {
  const std::int64_t arrival_ns = std::max<std::int64_t>(0, datagram.arrival_ns - setup_.origin_ns);
  if (rtcp_.receive(datagram.view(), arrival_ns, clock_rate_, report_.send.packets)) {
    control_remote_.heard(datagram.from);
  }
}

void Leg::send_control(std::int64_t now_ns, bool bye) {
  const RtcpSession::Sending sending{timestamp_of(position_of(now_ns)), report_.send.packets,
                                     report_.send.bytes};
  const RtcpWriter packet = rtcp_.report(now_ns - setup_.origin_ns, sending, received_.state(), bye);
  const Address& to = control_remote_.destination();
  rtcp_.sent(stream_->rtcp_mux ? setup_.port->send(packet.view(), remote_.destination())
                               : to.valid() && setup_.port->send_control(packet.view(), to));
}

void Leg::finish_control(std::int64_t tick_ns) {
  if (stream_ && stream_->rtcp) {
    DatagramBatch batch;
    read_control(batch);  // what came since the last look: often the remote's BYE
    if (report_.send.packets > 0 || rtcp_.has_sent()) send_control(tick_ns, true);
    rtcp_.statistics().muxed = stream_->rtcp_mux;
  }
  rtcp_.conclude(setup_.numbers.sequence, report_.send, report_.receive);
  report_.rtcp = std::move(rtcp_.statistics());
}

}  // namespace linecheck::media
