// SPDX-License-Identifier: GPL-3.0-or-later
//
// A leg on a worker that is driven by hand: virtual time, datagrams in memory.
#pragma once

#include <cmath>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "media/clock.h"
#include "media/g711.h"
#include "media/leg.h"
#include "media/rtp_packet.h"
#include "media/worker.h"

namespace linecheck::media::test {

/// Both ends of the wire, kept by the test while the leg owns the port.
struct Wire {
  struct Sent {
    std::int64_t at_ns = 0;
    Address to;
    std::vector<std::uint8_t> bytes;
    [[nodiscard]] RtpPacket rtp() const { return parse_rtp(bytes).value(); }
  };
  std::vector<Sent> sent;
  std::deque<Datagram> incoming;  // by rising arrival
  std::vector<Sent> control_sent;
  std::deque<Datagram> control_incoming;
};

class MemoryPort final : public DatagramPort {
 public:
  MemoryPort(std::shared_ptr<Wire> wire, const Clock& clock) : wire_(std::move(wire)), clock_(clock) {}

  [[nodiscard]] std::uint16_t number() const override { return 4000; }
  [[nodiscard]] int family() const override { return AF_INET; }
  bool send(std::span<const std::uint8_t> packet, const Address& to) noexcept override {
    wire_->sent.push_back({clock_.now_ns(), to, {packet.begin(), packet.end()}});
    return true;
  }
  void receive(DatagramBatch& batch) noexcept override { take(wire_->incoming, batch); }
  bool send_control(std::span<const std::uint8_t> packet, const Address& to) noexcept override {
    wire_->control_sent.push_back({clock_.now_ns(), to, {packet.begin(), packet.end()}});
    return true;
  }
  void receive_control(DatagramBatch& batch) noexcept override { take(wire_->control_incoming, batch); }

 private:
  void take(std::deque<Datagram>& incoming, DatagramBatch& batch) {
    batch.count = 0;
    while (batch.count < DatagramBatch::kMax && !incoming.empty() &&
           incoming.front().arrival_ns <= clock_.now_ns()) {
      batch.items[batch.count++] = incoming.front();
      incoming.pop_front();
    }
  }

  std::shared_ptr<Wire> wire_;
  const Clock& clock_;
};

inline Datagram rtp_datagram(std::int64_t arrival_ns, int payload_type, std::uint16_t sequence,
                             std::uint32_t timestamp, std::uint32_t ssrc,
                             std::span<const std::uint8_t> payload, bool marker = false) {
  Datagram datagram;
  datagram.from = *Address::parse("192.0.2.1", 5004);
  datagram.arrival_ns = arrival_ns;
  datagram.size = static_cast<std::uint16_t>(kRtpHeaderSize + payload.size());
  auto* at = datagram.bytes.data();
  at[0] = 0x80;
  at[1] = static_cast<std::uint8_t>((marker ? 0x80 : 0) | payload_type);
  at[2] = static_cast<std::uint8_t>(sequence >> 8);
  at[3] = static_cast<std::uint8_t>(sequence);
  for (int i = 0; i < 4; ++i) {
    at[4 + i] = static_cast<std::uint8_t>(timestamp >> (24 - 8 * i));
    at[8 + i] = static_cast<std::uint8_t>(ssrc >> (24 - 8 * i));
  }
  std::copy(payload.begin(), payload.end(), datagram.bytes.begin() + kRtpHeaderSize);
  return datagram;
}

inline ClipPtr tone_clip(std::size_t samples, double hz = 1000.0, int amplitude = 8000,
                         int rate = kNarrowRate) {
  auto clip = std::make_shared<Clip>();
  clip->rate = rate;
  for (std::size_t i = 0; i < samples; ++i) {
    // A cosine, so that the very first sample is already loud.
    const double phase = 2.0 * M_PI * hz * static_cast<double>(i) / rate;
    clip->samples.push_back(static_cast<std::int16_t>(std::lround(amplitude * std::cos(phase))));
  }
  return clip;
}

/// What a sample is after G.711.
inline std::int16_t through(Codec codec, std::int16_t sample) {
  std::uint8_t byte = 0;
  std::int16_t back = 0;
  g711_encode(codec, std::span(&sample, 1), std::span(&byte, 1));
  g711_decode(codec, std::span<const std::uint8_t>(&byte, 1), std::span(&back, 1));
  return back;
}

class VirtualLeg {
 public:
  static constexpr std::int64_t kOriginWallNs = 1'700'000'000'123'456'789;

  explicit VirtualLeg(LegOptions options = {}, bool record = false, std::size_t event_room = 4096)
      : outlet(event_room, 4, event_ready_, leg_ready_), worker(clock, 4, 256, outlet) {
    if (options.seed == 0) options.seed = 7;
    LegSetup setup;
    setup.id = (std::uint64_t{1} << 32);
    setup.port = std::make_unique<MemoryPort>(wire, clock);
    setup.origin_ns = origin_ns = clock.now_ns();
    setup.origin_wall_ns = kOriginWallNs;
    setup.control = control;
    setup.numbers = StreamNumbers(options.seed);
    if (record) ring = setup.ring = std::make_shared<RecordingRing>(options.rate);
    numbers = setup.numbers;
    rate = options.rate;
    if (options.send_line.any()) {
      setup.send_line = std::make_unique<SendLine>(LinePlan(options.send_line), options.seed);
    }
    if (options.receive_line.any()) {
      setup.hear_line = std::make_unique<HearLine>(LinePlan(options.receive_line), options.seed);
    }
    setup.options = std::move(options);
    if (setup.options.srtp) {
      auto encrypting = std::make_unique<SrtpPort>(std::move(setup.port));
      setup.srtp = encrypting.get();
      setup.port = std::move(encrypting);
    }
    id = setup.id;
    worker.submit(AttachLeg{std::make_unique<Leg>(std::move(setup))});
  }

  void start(Codec codec = Codec::pcmu, int telephone_event = 101) {
    Stream stream;
    stream.remote = *Address::parse("192.0.2.1", 5004);
    stream.codec = codec;
    stream.payload_type = static_payload_type(codec);
    stream.telephone_event_payload_type = telephone_event;
    start(stream);
  }
  void start(Stream stream) {
    stream.rtcp_remote = *Address::parse("192.0.2.1", 5005);
    worker.submit(StartStream{id, stream, nullptr});
  }
  void start_encrypted(const SrtpKeys& keys) {
    Stream stream;
    stream.remote = *Address::parse("192.0.2.1", 5004);
    stream.rtcp_remote = *Address::parse("192.0.2.1", 5005);
    worker.submit(StartStream{id, stream, std::make_unique<SrtpPair>(keys)});
  }
  void hold(bool held) {
    Stream stream;
    stream.remote = *Address::parse("192.0.2.1", 5004);
    stream.rtcp_remote = *Address::parse("192.0.2.1", 5005);
    stream.may_send = stream.may_receive = !held;
    worker.submit(StartStream{id, stream, nullptr});
  }
  void play(ClipPtr clip, std::uint64_t tag, std::vector<Mark> marks = {}) {
    auto item = std::make_unique<PlayItem>();
    item->tag = tag;
    item->what = ClipItem{std::move(clip), std::move(marks), 0, 0};
    worker.submit(EnqueueItem{id, std::move(item)});
  }
  void digits(std::string digits, int tone_ms = 100, int gap_ms = 100, std::uint64_t tag = 0,
              DigitTransport transport = DigitTransport::rfc4733) {
    auto item = std::make_unique<PlayItem>();
    item->tag = tag;
    item->what = DigitsItem{std::move(digits), tone_ms * rate / 1000, gap_ms * rate / 1000, 0, transport};
    worker.submit(EnqueueItem{id, std::move(item)});
  }
  void stop() { worker.submit(StopPlaying{id}); }

  /// Lets the time pass, a tick a millisecond, and collects what comes of it.
  void run_ms(int ms) {
    for (int i = 0; i < ms; ++i) {
      clock.advance(kNsPerMs);
      worker.run();
      if (ring && keep_recording) take_recording();
    }
    collect();
  }
  /// The machine stalls, then the worker runs again.
  void stall_ms(int ms) {
    clock.advance(ms * kNsPerMs);
    worker.run();
    collect();
  }
  void collect() {
    WorkerEvent event;
    while (outlet.next_event(event)) events.push_back(std::move(event));
  }
  LegReport close() {
    control->close_requested = true;
    run_ms(40);
    std::unique_ptr<Leg> leg;
    if (!outlet.next_retired(leg)) return {};
    if (ring) {
      ring->flush();
      take_recording();
    }
    closed_ms = leg->closed_ms();
    return std::move(leg->report());
  }
  void take_recording() {
    std::vector<RecordingRing::Frame> batch(4096);
    while (const std::size_t count = ring->take(batch)) {
      recording.insert(recording.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(count));
    }
  }

  void arrive(double at_ms, int payload_type, std::uint16_t sequence, std::uint32_t timestamp,
              std::span<const std::uint8_t> payload, std::uint32_t ssrc = 0xABCD) {
    auto datagram = rtp_datagram(origin_ns + static_cast<std::int64_t>(std::llround(at_ms * 1e6)),
                                 payload_type, sequence, timestamp, ssrc, payload);
    auto& incoming = wire->incoming;
    const auto place = std::upper_bound(
        incoming.begin(), incoming.end(), datagram.arrival_ns,
        [](std::int64_t arrival, const Datagram& other) { return arrival < other.arrival_ns; });
    incoming.insert(place, datagram);
  }

  template <typename What>
  std::vector<std::pair<double, What>> all() const {
    std::vector<std::pair<double, What>> found;
    for (const auto& event : events) {
      if (const auto* what = std::get_if<What>(&event.what)) found.emplace_back(event.t_ms, *what);
    }
    return found;
  }

  ManualClock clock{5'000'000'000};
  std::shared_ptr<Wire> wire = std::make_shared<Wire>();
  std::shared_ptr<LegControl> control = std::make_shared<LegControl>();
  std::shared_ptr<RecordingRing> ring;
  std::vector<RecordingRing::Frame> recording;
  bool keep_recording = true;
  double closed_ms = 0;
  int rate = kNarrowRate;
  StreamNumbers numbers{7};
  LegId id = 0;
  std::int64_t origin_ns = 0;
  std::vector<WorkerEvent> events;

 private:
  WakeUp event_ready_;
  WakeUp leg_ready_;

 public:
  Outlet outlet;
  Worker worker;
};

}  // namespace linecheck::media::test
