// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/dtmf_sender.h"

#include <algorithm>

#include "media/codec.h"
#include "media/rtp_packet.h"

namespace linecheck::media {
namespace {

constexpr int kEndPackets = 3;

}  // namespace

void DtmfSender::begin(char digit, std::int64_t position, int tone_samples, int gap_samples) {
  if (active_) previous_end_ = tone_end();
  active_ = true;
  digit_ = digit;
  begin_ = position;
  tone_ = tone_samples;
  gap_ = gap_samples;
  ends_sent_ = 0;
  first_ = true;
}

std::optional<DtmfSender::Packet> DtmfSender::packet(std::int64_t position) {
  if (!active_ || ends_sent_ == kEndPackets) return std::nullopt;
  const auto elapsed = static_cast<int>(position - begin_) + kFrameSamples;
  const bool end = elapsed >= tone_;
  const int duration = std::min(elapsed, tone_);
  Packet packet;
  packet.begin = begin_;
  packet.marker = first_;
  packet.payload = {static_cast<std::uint8_t>(event_of_digit(digit_)),
                    static_cast<std::uint8_t>((end ? 0x80 : 0) | kVolume),
                    static_cast<std::uint8_t>(duration >> 8), static_cast<std::uint8_t>(duration)};
  first_ = false;
  if (end) ++ends_sent_;
  return packet;
}

void DtmfSender::cut_short(std::int64_t position) {
  const auto elapsed = static_cast<int>(position - begin_) + kFrameSamples;
  if (active_ && ends_sent_ == 0) tone_ = std::min(tone_, elapsed);
}

DigitEvent DtmfSender::event() const {
  constexpr double kPerMs = kSampleRate / 1000.0;
  DigitEvent event;
  event.digit = digit_;
  event.sent = true;
  event.start_ms = static_cast<double>(begin_) / kPerMs;
  event.duration_ms = tone_ / kPerMs;
  if (previous_end_) event.gap_ms = static_cast<double>(begin_ - *previous_end_) / kPerMs;
  event.level_dbm0 = -kVolume;
  return event;
}

}  // namespace linecheck::media
