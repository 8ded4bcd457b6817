// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/send_line.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "media/rtp_packet.h"

namespace linecheck::media {

SendLine::SendLine(const LinePlan& plan, std::uint64_t seed)
    : next_(plan),
      history_(seed),
      waiting_(plan.asked.touches_packets() ? std::make_unique<DelayLine<Packet>>(plan.room()) : nullptr) {
}

void SendLine::begin(double now_ms, int rate) {
  rate_ = rate;
  history_.set(next_, now_ms);
  filter_.set(next_.asked, rate);
}

void SendLine::change(SendLine& to, double now_ms, int rate) {
  next_ = to.next_;
  take_larger(waiting_, to.waiting_);
  begin(now_ms, rate);
}

void SendLine::carry(std::int64_t at_ns, std::int64_t position, std::span<const std::int16_t> sound) {
  at_ns_ = at_ns;
  position_ = position + std::llround(floor_ms()) * rate_ / 1000;
  sound_ = sound.first(std::min(sound.size(), kMostSamples));
}

bool SendLine::send(std::span<const std::uint8_t> packet, const Address& to) noexcept {
  // RTCP on the same port (RFC 5761 section 4), see send_control().
  if (packet.size() >= 2 && packet[1] >= 192 && packet[1] <= 223) return wire_->send(packet, to);
  const std::uint64_t serial = serial_++;
  const auto sound = std::exchange(sound_, {});
  const auto fate = history_.impairer().decide(at_ns_);
  if (fate.copies == 0) return true;
  if (fate.leaves_ns > at_ns_) {
    Packet* held = packet.size() <= kMostBytes && waiting_ ? waiting_->push(fate.leaves_ns) : nullptr;
    if (held != nullptr) {
      held->serial = serial;
      held->at_ns = at_ns_;
      held->position = position_;
      held->copies = fate.copies;
      held->size = static_cast<std::uint16_t>(packet.size());
      held->samples = static_cast<std::uint16_t>(sound.size());
      held->to = to;
      std::copy(packet.begin(), packet.end(), held->bytes.begin());
      std::copy(sound.begin(), sound.end(), held->sound.begin());
      return true;
    }
    history_.impairer().overflowed();
  }
  return leave(serial, at_ns_, at_ns_, fate.copies, position_, sound, packet, to);
}

void SendLine::release(std::int64_t now_ns) {
  while (waiting_ && waiting_->next_due_ns() <= now_ns) {
    const Packet& held = waiting_->front();
    leave(held.serial, held.at_ns, now_ns, held.copies, held.position,
          std::span(held.sound).first(held.samples), std::span(held.bytes).first(held.size), held.to);
    waiting_->pop();
  }
}

bool SendLine::leave(std::uint64_t serial, std::int64_t at_ns, std::int64_t leaves_ns, int copies,
                     std::int64_t position, std::span<const std::int16_t> sound,
                     std::span<const std::uint8_t> bytes, const Address& to) {
  bool sent = true;
  for (int i = 0; i < copies; ++i) {
    sent = wire_->send(bytes, to) && sent;
    ++statistics_->packets;
    statistics_->bytes += bytes.size() - std::min(bytes.size(), kRtpHeaderSize);
  }
  history_.impairer().left(serial, at_ns, leaves_ns, copies);
  if (ring_ != nullptr && !sound.empty()) ring_->write_caller(position, sound);
  return sent;
}

}  // namespace linecheck::media
