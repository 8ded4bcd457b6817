// SPDX-License-Identifier: GPL-3.0-or-later
//
// A leg's life and what it sends. What it hears is in leg_receive.cpp.
#include "media/leg.h"

#include <algorithm>
#include <array>
#include <limits>
#include <random>
#include <utility>

namespace linecheck::media {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014): enough to spread one seed over a few fields.
std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

StreamNumbers::StreamNumbers(std::uint64_t seed) {
  if (seed == 0) {
    std::random_device device;
    seed = (std::uint64_t{device()} << 32) | device();
  }
  ssrc = static_cast<std::uint32_t>(next_random(seed));
  sequence = static_cast<std::uint16_t>(next_random(seed));
  timestamp = static_cast<std::uint32_t>(next_random(seed));
  control = next_random(seed);
}

Leg::Leg(LegSetup setup)
    : setup_(std::move(setup)),
      rate_(setup_.options.rate),
      session_(*setup_.port, setup_.numbers.ssrc, setup_.numbers.sequence, setup_.rtp),
      playout_(rate_),
      timestamp_base_(setup_.numbers.timestamp),
      rtcp_(setup_.numbers.ssrc, setup_.origin_wall_ns, setup_.numbers.control),
      map_(rate_),
      track_(rate_),
      ears_(rate_, setup_.options.hear_inband_keys),
      digits_(rate_) {
  report_.send.ssrc = setup_.numbers.ssrc;
  report_.send.loss_known = false;
  if (setup_.send_line) impair(std::move(setup_.send_line), setup_.origin_ns);
  if (setup_.hear_line) impair(std::move(setup_.hear_line), setup_.origin_ns);
}

void Leg::start(const Stream& stream, std::int64_t now_ns, std::unique_ptr<SrtpPair> srtp) {
  if (stream_) send_gathered();  // it belongs to the stream that was
  if (setup_.srtp != nullptr) setup_.srtp->rekey(std::move(srtp));
  if (!stream_) started_ns_ = now_ns;
  if (!encoder_ || stream_->codec != stream.codec || stream_->encoder != stream.encoder) {
    encoder_ = make_encoder(stream.codec, rate_, stream.encoder);
  }
  if (const int clock_rate = rtp_clock_rate(stream.codec); clock_rate != clock_rate_) {
    // Another clock in the same SSRC: it goes on from where the old one stood (RFC 7160 section 4.1).
    const std::int64_t position = position_of(next_frame_ns_ != 0 ? next_frame_ns_ : now_ns);
    timestamp_base_ = timestamp_of(position);
    position_base_ = position;
    clock_rate_ = clock_rate;
    playout_.set_clock_rate(clock_rate);
  }
  stream_ = stream;
  remote_.announce(stream.remote, stream.symmetric);
  if (stream.rtcp) {
    control_remote_.announce(stream.rtcp_remote, stream.symmetric);
    rtcp_.start(now_ns - setup_.origin_ns);
  }
  report_.send.codec = codec_name(stream.codec);
  report_.send.ptime_ms = kFrameMs * frames_in_packet();
}

void Leg::send_frame(std::int64_t tick_ns, const Clock& clock, std::vector<PlayNote>& notes, Outlet& outlet) {
  if (!stream_) return;
  if (next_frame_ns_ != 0 && tick_ns > next_frame_ns_) {
    // The stall was too long to catch up with: these frames are left out, and what follows is a new talk
    // spurt.
    report_.engine.skipped_frames +=
        static_cast<std::uint64_t>((tick_ns - next_frame_ns_) / (kFrameMs * kNsPerMs));
    send_gathered();
    marker_ = true;
    // The recording's window moves on before anything is written beyond it.
    if (setup_.ring) track_.settle(map_, position_of(tick_ns) - track_.hold_back(), *setup_.ring);
  }
  next_frame_ns_ = tick_ns + kFrameMs * kNsPerMs;

  const std::int64_t position = position_of(tick_ns);
  std::array<std::int16_t, kMaxFrameSamples> room;
  const auto audio = std::span(room).first(static_cast<std::size_t>(frame_samples(rate_)));
  fill_bed(position, audio);
  notes.clear();
  const CanSend can{stream_->may_send, stream_->telephone_event_payload_type >= 0};
  const auto digit = playout_.frame(position, audio, can, notes);
  if (send_line_) {
    send_line_->filter().process(audio);
    send_line_->carry(tick_ns, position, {});
  }
  const std::int64_t left_ns = clock.now_ns();
  bool left = true;
  if (digit) {
    send_gathered();
    send_digit(*digit);
  } else {
    left = send_audio(tick_ns, position, audio);
  }
  if (stream_->may_send && left) account(tick_ns, left_ns);
  publish(notes, position, left_ns + frames_to_come() * kFrameMs * kNsPerMs, outlet);
}

void Leg::fill_bed(std::int64_t position, std::span<std::int16_t> audio) const {
  const ClipPtr& bed = setup_.options.noise_bed;
  if (!bed || bed->samples.empty()) {
    std::fill(audio.begin(), audio.end(), std::int16_t{0});
    return;
  }
  const std::size_t length = bed->samples.size();
  std::size_t at = static_cast<std::size_t>(position) % length;
  for (std::int16_t& sample : audio) {
    sample = bed->samples[at];
    if (++at == length) at = 0;
  }
}

int Leg::frames_in_packet() const {
  if (stream_->codec == Codec::opus || send_line_) return 1;
  return std::clamp(stream_->ptime_ms / kFrameMs, 1, 3);
}

bool Leg::gather(std::int64_t position, std::span<const std::uint8_t> payload) {
  if (gathered_.frames == 0) gathered_.position = position;
  std::copy(payload.begin(), payload.end(),
            gathered_.bytes.begin() + static_cast<std::ptrdiff_t>(gathered_.size));
  gathered_.size += payload.size();
  return ++gathered_.frames >= frames_in_packet() && send_gathered();
}

bool Leg::send_gathered() {
  if (gathered_.frames == 0) return false;
  const auto payload = std::span<const std::uint8_t>(gathered_.bytes).first(gathered_.size);
  if (!session_.send(payload, stream_->payload_type, std::exchange(marker_, false),
                     timestamp_of(gathered_.position), remote_.destination())) {
    ++report_.send.malformed;
  }
  ++report_.send.packets;
  report_.send.bytes += payload.size();
  gathered_.size = 0;
  gathered_.frames = 0;
  return true;
}

bool Leg::send_audio(std::int64_t tick_ns, std::int64_t position, std::span<const std::int16_t> audio) {
  if (!stream_->may_send) {
    // On hold nothing leaves, and what is said meanwhile is said to nobody. The clock goes on; what comes
    // after the hold is a new talk spurt.
    marker_ = true;
    return false;
  }
  std::array<std::uint8_t, kMaxFrameSamples> room;
  const std::span<const std::uint8_t> payload = std::span(room).first(encoder_->encode(audio, room));
  std::array<std::int16_t, kMaxFrameSamples> heard;
  // The usual case keeps the bytes that it has.
  const bool plain = stream_->codec == Codec::pcmu && rate_ == kNarrowRate && !send_line_;
  const bool kept = setup_.ring && !plain;
  const auto sound = std::span<const std::int16_t>(heard).first(kept ? audio.size() : 0);
  if (kept) encoder_->heard(audio, payload, heard);
  bool left = true;
  if (frames_in_packet() > 1) {
    left = gather(position, payload);
  } else if (payload.empty()) {
    marker_ = true;  // what comes after silence that was not sent is a talk spurt (RFC 7587 section 4.1)
  } else {
    if (send_line_) send_line_->carry(tick_ns, position + encoder_->delay(), sound);
    if (!session_.send(payload, stream_->payload_type, std::exchange(marker_, false), timestamp_of(position),
                       remote_.destination())) {
      ++report_.send.malformed;
    }
    if (send_line_) return true;  // it counts and records what leaves
    ++report_.send.packets;
    report_.send.bytes += payload.size();
  }
  if (!setup_.ring) return left;
  if (plain) {
    setup_.ring->write_caller_ulaw(position, payload);
  } else {
    setup_.ring->write_caller(position + encoder_->delay(), sound);
  }
  return left;
}

void Leg::send_digit(const DtmfSender::Packet& packet) {
  if (!stream_->may_send) return;
  if (!session_.send(packet.payload, stream_->telephone_event_payload_type, packet.marker,
                     timestamp_of(packet.begin), remote_.destination())) {
    ++report_.send.malformed;
  }
  if (send_line_) return;
  ++report_.send.packets;
  report_.send.bytes += packet.payload.size();
}

void Leg::account(std::int64_t tick_ns, std::int64_t left_ns) {
  const double late_ms = static_cast<double>(left_ns - tick_ns) / static_cast<double>(kNsPerMs);
  report_.engine.pacing.add(late_ms);
  report_.send.count_departure(ms_of(tick_ns), late_ms);
  if (late_ms > kLateMs) {
    ++report_.engine.late_ticks;
    if (report_.engine.late_tick_ms.size() < kMostListed)
      report_.engine.late_tick_ms.push_back(ms_of(tick_ns));
  }
}

void Leg::publish(std::vector<PlayNote>& notes, std::int64_t position, std::int64_t left_ns, Outlet& outlet) {
  for (PlayNote& note : notes) {
    // Audio is heard later than it was given to the codec; digits that are no sound go past it.
    const auto* digits = std::get_if<DigitsSent>(&note.what);
    const bool past = std::holds_alternative<DigitDue>(note.what) ||
                      (digits != nullptr && digits->transport != DigitTransport::inband);
    if (!past) note.position += encoder_->delay();
    if (auto* started = std::get_if<PlayStarted>(&note.what)) {
      started->rtp_timestamp = timestamp_of(note.position);
      started->mono_ns = left_ns;
      started->recorded_ms = position_ms(note.position) + line_delay_ms();
    } else if (auto* mark = std::get_if<MarkSent>(&note.what)) {
      mark->rtp_timestamp = timestamp_of(note.position);
      mark->packet_mono_ns = left_ns;
      mark->sample_in_packet = static_cast<std::uint32_t>(note.position - position);
      mark->ssrc = setup_.numbers.ssrc;
    }
    std::visit(
        [&](auto& what) { emit(position_ms(note.position), std::move(what), outlet, std::move(note.done)); },
        note.what);
  }
  notes.clear();
  if (const auto digit = playout_.take_sent_digit(); digit && report_.digits.size() < kMostListed) {
    DigitEvent& sent = report_.digits.emplace_back(*digit);
    if (sent.transport == DigitTransport::inband) sent.start_ms += position_ms(encoder_->delay());
    if (sent.transport != DigitTransport::info) sent.start_ms += line_delay_ms();
  }
}

void Leg::emit(double t_ms, LiveEvent what, Outlet& outlet, std::unique_ptr<PlayItem> done) {
  if (!outlet.emit({setup_.id, t_ms, std::move(what), std::move(done)})) ++report_.engine.dropped_events;
}

void Leg::finish(std::int64_t tick_ns, bool realtime) {
  send_gathered();
  received_.pass(tick_ns - setup_.origin_ns);
  const std::int64_t position =
      position_of(tick_ns) + frame_samples(rate_);  // the end of the frame that has just left
  closed_ms_ = position_ms(position);
  if (setup_.ring) track_.finish(map_, position, *setup_.ring);
  // A key that was still down.
  if (const auto digit = digits_.pass(std::numeric_limits<std::int64_t>::max()))
    report_.digits.push_back(*digit);
  std::sort(report_.digits.begin(), report_.digits.end(),
            [](const DigitEvent& a, const DigitEvent& b) { return a.start_ms < b.start_ms; });
  if (speaking_) report_.agent_speech_live.back().end_ms = position_ms(position);

  report_.receive = received_.report();
  if (setup_.srtp != nullptr) {
    report_.srtp_suite = setup_.srtp->suite();
    report_.receive.forged = setup_.srtp->counters().forged;
    report_.receive.replayed = setup_.srtp->counters().replayed;
    report_.receive.malformed += setup_.srtp->counters().broken;
    report_.receive.unheard_early = unheard_early_;
  }
  report_.receive.clock_skew_ppm = map_.skew_ppm();
  finish_control(tick_ns);
  report_.clock_map_restarts = map_.restarts();
  if (last_packet_ns_ != 0) report_.last_packet_ms = ms_of(last_packet_ns_);
  if (send_line_) report_.send_line = send_line_->take_periods();
  if (hear_line_) report_.receive_line = hear_line_->take_periods();
  report_.engine.realtime = realtime;
  report_.engine.dropped_commands = setup_.control->dropped_commands.load(std::memory_order_relaxed);
}

}  // namespace linecheck::media
