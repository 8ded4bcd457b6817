// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/dtmf_sender.h"

#include <algorithm>

#include "media/codec.h"
#include "media/rtp_packet.h"

namespace linecheck::media {
namespace {

constexpr int kEndPackets = 3;
constexpr std::int64_t kLongest = 0xFFFF;  // of a segment, in timestamp units

}  // namespace

void DtmfSender::begin(char digit, std::int64_t position, int tone_samples, int gap_samples,
                       DigitTransport transport) {
  if (active_) previous_end_ = tone_end();
  active_ = true;
  digit_ = digit;
  begin_ = segment_ = position;
  tone_ = tone_samples;
  gap_ = gap_samples;
  transport_ = transport;
  ends_sent_ = 0;
  first_ = true;
}

std::optional<DtmfSender::Packet> DtmfSender::packet(std::int64_t position) {
  if (!active_ || transport_ != DigitTransport::rfc4733 || ends_sent_ == kEndPackets) return std::nullopt;
  const std::int64_t frame = frame_samples(rate_);
  const std::int64_t elapsed = position - begin_ + frame;
  const bool end = elapsed >= tone_;
  // A tone that is longer than the field can say goes on as another segment, with a timestamp of its own
  // (RFC 4733 section 2.5.1.3).
  if ((position + frame - segment_) * clock_rate_ > kLongest * rate_ && ends_sent_ == 0) segment_ = position;
  const std::int64_t length = std::min<std::int64_t>(elapsed, tone_) - (segment_ - begin_);
  const std::int64_t duration = length * clock_rate_ / rate_;
  Packet packet;
  packet.begin = segment_;
  packet.marker = first_;
  packet.payload = {static_cast<std::uint8_t>(event_of_digit(digit_)),
                    static_cast<std::uint8_t>((end ? 0x80 : 0) | kVolume),
                    static_cast<std::uint8_t>(duration >> 8), static_cast<std::uint8_t>(duration)};
  first_ = false;
  if (end) ++ends_sent_;
  return packet;
}

void DtmfSender::cut_short(std::int64_t position) {
  const auto elapsed = static_cast<int>(position - begin_) + frame_samples(rate_);
  if (active_ && ends_sent_ == 0) tone_ = std::min(tone_, elapsed);
}

DigitEvent DtmfSender::event() const {
  const double per_ms = rate_ / 1000.0;
  DigitEvent event;
  event.digit = digit_;
  event.sent = true;
  event.start_ms = static_cast<double>(begin_) / per_ms;
  event.duration_ms = tone_ / per_ms;
  if (previous_end_) event.gap_ms = static_cast<double>(begin_ - *previous_end_) / per_ms;
  if (transport_ != DigitTransport::info) event.level_dbm0 = -kVolume;
  event.transport = transport_;
  return event;
}

}  // namespace linecheck::media
