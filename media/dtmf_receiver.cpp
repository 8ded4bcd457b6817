// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/dtmf_receiver.h"

#include <algorithm>
#include <cmath>

#include "media/codec.h"

namespace linecheck::media {
namespace {

constexpr std::int64_t kSilentNs = 120 * kNsPerMs;
constexpr double kNs = static_cast<double>(kNsPerMs);

}  // namespace

bool DtmfReceiver::is_done(const RtpPacket& packet) const {
  return std::any_of(done_.begin(), done_.end(), [&](const Done& done) {
    return done.used && done.ssrc == packet.ssrc && done.timestamp == packet.timestamp;
  });
}

DtmfReceiver::Heard DtmfReceiver::packet(const RtpPacket& packet, std::int64_t arrival_ns,
                                         const ClockMap& map) {
  Heard heard;
  const auto event = parse_telephone_event(packet.payload);
  if (!event || digit_of_event(event->event) == '?' || is_done(packet)) return heard;
  if (current_ && (current_->ssrc != packet.ssrc || current_->timestamp != packet.timestamp)) {
    heard.before = finish();
  }
  if (!current_) {
    Press press;
    press.ssrc = packet.ssrc;
    press.timestamp = packet.timestamp;
    press.event = event->event;
    // The first packet that comes may be a later one, or late itself: the timestamp says when the key went
    // down.
    press.start_ms = static_cast<double>(arrival_ns) / kNs;
    // (Only where it is of the same clock as the audio's: some count events at 8,000 Hz beside Opus.)
    const auto position =
        map.clock_rate() == clock_rate_ ? map.position_of(packet.ssrc, packet.timestamp) : std::nullopt;
    if (position) {
      const double mapped_ms = static_cast<double>(*position) * 1000.0 / rate_;
      if (std::abs(mapped_ms - press.start_ms) < 1000.0) press.start_ms = mapped_ms;
    }
    current_ = press;
  }
  current_->last_arrival_ns = arrival_ns;
  current_->duration = std::max(current_->duration, event->duration);
  current_->volume = event->volume;
  if (event->end) heard.own = finish();
  return heard;
}

std::optional<DigitEvent> DtmfReceiver::pass(std::int64_t now_ns) {
  if (!current_ || now_ns - current_->last_arrival_ns < kSilentNs) return std::nullopt;
  return finish();
}

std::optional<DigitEvent> DtmfReceiver::finish() {
  DigitEvent digit;
  digit.digit = digit_of_event(current_->event);
  digit.start_ms = current_->start_ms;
  digit.duration_ms = current_->duration * 1000.0 / clock_rate_;
  if (previous_end_ms_) digit.gap_ms = digit.start_ms - *previous_end_ms_;
  digit.level_dbm0 = -current_->volume;
  previous_end_ms_ = digit.start_ms + digit.duration_ms;
  done_[next_done_] = {current_->ssrc, current_->timestamp, true};
  next_done_ = (next_done_ + 1) % done_.size();
  current_.reset();
  return digit;
}

}  // namespace linecheck::media
