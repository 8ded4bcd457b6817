// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a leg hears: counted, mapped onto the clock, recorded, listened to.
#include <algorithm>
#include <utility>

#include "media/leg.h"

namespace linecheck::media {
namespace {

// Of 16 datagrams each: what a leg may take of a tick before it is the next one's turn.
constexpr int kMostReads = 8;
// RFC 3389: what a sender with silence suppression says of its background noise.
constexpr int kComfortNoise = 13;
// The jitter buffer that the MOS assumes (docs/metrics.md): what comes later would not be heard.
constexpr std::int64_t kBufferNs = 40 * kNsPerMs;

}  // namespace

void Leg::receive(std::int64_t tick_ns, std::int64_t now_ns, DatagramBatch& batch, Outlet& outlet) {
  for (int i = 0; i < kMostReads; ++i) {
    setup_.port->receive(batch);
    if (batch.count == 0) break;
    for (std::size_t n = 0; n < batch.count; ++n) handle(batch.items[n], outlet);
    session_.receive(batch, ++receive_calls_);
    if (batch.count < DatagramBatch::kMax) break;
  }
  const std::int64_t position = position_of(tick_ns);
  if (const auto digit = digits_.pass(now_ns - setup_.origin_ns)) pressed(*digit, outlet);
  if (hear_line_) listen_to_line(now_ns, outlet);
  if (setup_.options.detect_speech) {
    ears_.pass(position, [&](const DetectorFeed::Decision& decision) { decided(decision, outlet); });
    while (const auto key = ears_.take_key()) pressed(*key, outlet);
  }
  if (setup_.ring) track_.settle(map_, position - track_.hold_back(), *setup_.ring);
  watch_silence(now_ns, outlet);
  received_.pass(now_ns - setup_.origin_ns);
  serve_control(now_ns, batch);
}

void Leg::handle(const Datagram& datagram, Outlet& outlet) {
  if (is_rtcp(datagram.view())) {
    hear_control(datagram);
    return;
  }
  const auto packet = parse_rtp(datagram.view());
  if (!packet) {
    received_.malformed();
    return;
  }
  const std::int64_t arrival_ns = std::max<std::int64_t>(0, datagram.arrival_ns - setup_.origin_ns);
  const double arrival_ms = static_cast<double>(arrival_ns) / static_cast<double>(kNsPerMs);
  const auto order = received_.add(*packet);
  if (last_packet_ns_ == 0) {
    report_.first_packet_ms = arrival_ms;
    emit(arrival_ms, FirstPacket{}, outlet);
  }
  last_packet_ns_ = std::max(last_packet_ns_, setup_.origin_ns + arrival_ns);
  if (std::exchange(timed_out_, false)) emit(arrival_ms, RtpResumed{}, outlet);

  if (setup_.srtp != nullptr && !stream_) {  // encrypted, as it seems, and the key is still to come
    ++unheard_early_;
    return;
  }
  const auto codec = codec_of(packet->payload_type);
  const int events_clock = codec ? 0 : telephone_event_clock(packet->payload_type);
  const bool noise = !codec && packet->payload_type == kComfortNoise;
  if (!codec && events_clock == 0 && !noise) {
    received_.unknown_payload();
    return;
  }
  if (remote_.elsewhere(datagram.from)) received_.other_source();
  remote_.heard(datagram.from);
  if (noise && order != ReceiveStatistics::Order::duplicate) received_.comfort_noise();
  if (noise) return;  // silence, as the packets that do not come after it
  if (order == ReceiveStatistics::Order::duplicate || packet->payload.empty()) return;
  if (codec) {
    hear(*packet, *codec, arrival_ns, outlet);
    return;
  }
  digits_.set_clock_rate(events_clock);
  const auto heard = digits_.packet(*packet, arrival_ns, map_);
  if (heard.before) pressed(*heard.before, outlet);
  if (heard.own) pressed(*heard.own, outlet);
}

void Leg::hear(const RtpPacket& packet, Codec codec, std::int64_t arrival_ns, Outlet& outlet) {
  const auto samples = static_cast<int>(payload_samples(codec, packet.payload, rate_));
  if (samples == 0) {
    received_.malformed();
    return;
  }
  const int clock_rate = rtp_clock_rate(codec);
  const ClockMap::Place place = map_.add(packet, arrival_ns, samples, clock_rate);
  received_.add_transit(packet, arrival_ns, map_.restarted(), clock_rate);
  if (arrival_ns - map_.live_position(place) * ns_per_sample(rate_) > kBufferNs) received_.discarded();
  received_.heard(codec_name(codec), samples * 1000 / rate_);
  if (setup_.ring && !track_.hold(map_, place, codec, packet.sequence, packet.payload, *setup_.ring))
    received_.late();
  if (!setup_.options.detect_speech) return;
  if (!hear_line_) {
    listen(codec, place, packet.payload, outlet);
    return;
  }
  hear_line_->packet(
      codec, place, packet.payload, setup_.origin_ns + arrival_ns,
      [&](Codec heard, ClockMap::Place there, auto payload) { listen(heard, there, payload, outlet); });
}

void Leg::listen(Codec codec, ClockMap::Place place, std::span<const std::uint8_t> payload, Outlet& outlet) {
  ears_.packet(map_, place, codec, payload, hear_line_ ? &hear_line_->filter() : nullptr,
               [&](const DetectorFeed::Decision& decision) { decided(decision, outlet); });
}

int Leg::telephone_event_clock(int payload_type) const {
  // The remote uses the number of our SDP; some use that of their own.
  if (stream_ && payload_type == stream_->receive_telephone_event_payload_type) {
    return rtp_clock_rate(stream_->codec);
  }
  if (payload_type == setup_.options.offered_telephone_event_payload_type) return 8000;
  if (payload_type == setup_.options.offered_wide_telephone_event_payload_type) return 48000;
  if (stream_ && payload_type == stream_->telephone_event_payload_type) return rtp_clock_rate(stream_->codec);
  return 0;
}

std::optional<Codec> Leg::codec_of(int payload_type) const {
  const PayloadTypes& known = stream_ ? stream_->receive_payload_types : setup_.options.offered_payload_types;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i] == payload_type) return static_cast<Codec>(i);
  }
  if (stream_ && payload_type == stream_->payload_type) return stream_->codec;
  return std::nullopt;
}

void Leg::decided(const DetectorFeed::Decision& decision, Outlet& outlet) {
  auto& spans = report_.agent_speech_live;
  if (decision.started) {
    speaking_ = spans.size() < kMostListed;
    if (speaking_) spans.push_back({decision.at_ms, decision.at_ms});
    emit(decision.at_ms, SpeechStarted{decision.decided_ms}, outlet);
  } else {
    if (std::exchange(speaking_, false)) spans.back().end_ms = decision.at_ms;
    emit(decision.at_ms, SpeechEnded{decision.decided_ms}, outlet);
  }
}

void Leg::pressed(const DigitEvent& digit, Outlet& outlet) {
  if (report_.digits.size() < kMostListed) report_.digits.push_back(digit);
  emit(digit.start_ms, DigitReceived{digit}, outlet);
}

void Leg::watch_silence(std::int64_t now_ns, Outlet& outlet) {
  const std::int64_t timeout_ns = setup_.options.rtp_timeout.count() * kNsPerMs;
  if (!stream_ || timed_out_ || timeout_ns <= 0) return;
  if (!stream_->may_receive) {  // on hold: the wait begins anew when it ends
    started_ns_ = now_ns;
    return;
  }
  const std::int64_t end_ns = std::max(last_packet_ns_, started_ns_) + timeout_ns;
  if (now_ns < end_ns) return;
  timed_out_ = true;
  emit(ms_of(end_ns), RtpTimeout{}, outlet);
}

}  // namespace linecheck::media
