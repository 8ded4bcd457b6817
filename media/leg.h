// SPDX-License-Identifier: GPL-3.0-or-later
//
// One leg: an RTP stream each way on one clock. Made by whoever opens it, then owned by one worker, and in
// the end by the recorder; never by two threads at once. What runs on a tick (send_frame, receive) neither
// blocks nor locks nor logs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "media/agent_track.h"
#include "media/clock.h"
#include "media/clock_map.h"
#include "media/codecs/coder.h"
#include "media/datagram_port.h"
#include "media/dtmf_receiver.h"
#include "media/ears.h"
#include "media/engine.h"
#include "media/hear_line.h"
#include "media/outlet.h"
#include "media/playout.h"
#include "media/receive_statistics.h"
#include "media/recording_ring.h"
#include "media/remote.h"
#include "media/rtcp_session.h"
#include "media/rtp_session.h"
#include "media/send_line.h"
#include "media/srtp_port.h"

namespace linecheck::media {

/// StreamOptions with its address parsed.
struct Stream {
  Address remote;
  Codec codec = Codec::pcmu;
  int payload_type = 0;
  EncoderSettings encoder;
  int telephone_event_payload_type = -1;
  int receive_telephone_event_payload_type = -1;
  PayloadTypes receive_payload_types{-1, -1, -1, -1};
  bool symmetric = true;
  int ptime_ms = kFrameMs;  ///< that the remote likes
  bool may_send = true;     ///< false: on hold
  bool may_receive = true;  ///< false: nothing is expected to come
  bool rtcp = true;
  bool rtcp_mux = false;
  Address rtcp_remote{};  ///< where not muxed
};

/// What a stream of ours begins with (RFC 3550 section 5.1: all of it random).
struct StreamNumbers {
  explicit StreamNumbers(std::uint64_t seed);  ///< 0: another one each time
  std::uint32_t ssrc = 0;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint64_t control = 0;  ///< seed of RTCP's intervals and name
};

/// Shared with whoever opened the leg: what must get through even where the command queue is full.
struct LegControl {
  std::atomic<bool> close_requested{false};
  std::atomic<std::uint64_t> dropped_commands{0};
};

struct LegSetup {
  LegId id = 0;
  std::unique_ptr<DatagramPort> port;
  SrtpPort* srtp = nullptr;  ///< that port, where the stream may be encrypted
  LegOptions options;
  std::int64_t origin_ns = 0;       ///< on the 1 ms grid of CLOCK_MONOTONIC
  std::int64_t origin_wall_ns = 0;  ///< the wall clock (since 1970) at that moment
  std::shared_ptr<LegControl> control;
  std::shared_ptr<RecordingRing> ring;  ///< null: no recording
  StreamNumbers numbers{0};
  std::unique_ptr<SendLine> send_line;  ///< null: a perfect line
  std::unique_ptr<HearLine> hear_line;
  RtpPath rtp = RtpPath::direct;
};

class Leg {
 public:
  explicit Leg(LegSetup setup);

  [[nodiscard]] LegId id() const { return setup_.id; }
  [[nodiscard]] bool close_requested() const {
    return setup_.control->close_requested.load(std::memory_order_acquire);
  }

  // The worker's.

  void use(IoRing* ring) { setup_.port->use(ring); }
  void start(const Stream& stream, std::int64_t now_ns, std::unique_ptr<SrtpPair> srtp = nullptr);
  void enqueue(std::unique_ptr<PlayItem> item) { playout_.enqueue(std::move(item)); }
  void stop_playing() { playout_.stop(); }
  /// The line is another one from here on.
  void impair(std::unique_ptr<SendLine> line, std::int64_t now_ns);
  void impair(std::unique_ptr<HearLine> line, std::int64_t now_ns);
  [[nodiscard]] bool sends_over_bad_line() const { return send_line_ != nullptr; }
  /// Sends what a bad line has held up until now.
  void release(std::int64_t tick_ns) { send_line_->release(tick_ns); }
  /// The frame whose exact time is `tick_ns`. `notes` is room to work in.
  void send_frame(std::int64_t tick_ns, const Clock& clock, std::vector<PlayNote>& notes, Outlet& outlet);
  /// receive() comes next, after the worker's ring was submitted.
  void expect() noexcept { setup_.port->expect(); }
  void receive(std::int64_t tick_ns, std::int64_t now_ns, DatagramBatch& batch, Outlet& outlet);
  /// The end: lays down what is still held back. The report is complete afterwards, but for what the recorder
  /// adds.
  void finish(std::int64_t tick_ns, bool realtime);

  // Whoever owns it after the worker.

  [[nodiscard]] LegReport& report() { return report_; }
  [[nodiscard]] double closed_ms() const { return closed_ms_; }
  std::unique_ptr<DatagramPort> take_port() { return std::move(setup_.port); }

 private:
  [[nodiscard]] std::int64_t position_of(std::int64_t mono_ns) const {
    return (mono_ns - setup_.origin_ns) / ns_per_sample(rate_);
  }
  [[nodiscard]] double ms_of(std::int64_t mono_ns) const {
    return static_cast<double>(mono_ns - setup_.origin_ns) / static_cast<double>(kNsPerMs);
  }
  [[nodiscard]] double position_ms(std::int64_t position) const {
    return static_cast<double>(position) * 1000.0 / rate_;
  }
  /// On the RTP clock of the codec that is sent, which need not be the leg's.
  [[nodiscard]] std::uint32_t timestamp_of(std::int64_t position) const {
    return timestamp_base_ + static_cast<std::uint32_t>((position - position_base_) * clock_rate_ / rate_);
  }

  void fill_bed(std::int64_t position, std::span<std::int16_t> audio) const;
  /// Whether a packet left.
  bool send_audio(std::int64_t tick_ns, std::int64_t position, std::span<const std::int16_t> audio);
  bool gather(std::int64_t position, std::span<const std::uint8_t> payload);
  bool send_gathered();
  /// Of the packets that the remote likes.
  [[nodiscard]] int frames_in_packet() const;
  /// How many frames later than its own the packet leaves that holds the frame given last.
  [[nodiscard]] int frames_to_come() const {
    return gathered_.frames == 0 ? 0 : frames_in_packet() - gathered_.frames;
  }
  void send_digit(const DtmfSender::Packet& packet);
  void account(std::int64_t tick_ns, std::int64_t left_ns);
  void publish(std::vector<PlayNote>& notes, std::int64_t position, std::int64_t left_ns, Outlet& outlet);

  // RTCP (leg_rtcp.cpp).
  void serve_control(std::int64_t now_ns, DatagramBatch& batch);
  void read_control(DatagramBatch& batch);
  void hear_control(const Datagram& datagram);
  void send_control(std::int64_t now_ns, bool bye);
  void finish_control(std::int64_t tick_ns);

  void handle(const Datagram& datagram, Outlet& outlet);
  void hear(const RtpPacket& packet, Codec codec, std::int64_t arrival_ns, Outlet& outlet);
  void listen(Codec codec, ClockMap::Place place, std::span<const std::uint8_t> payload, Outlet& outlet);
  void listen_to_line(std::int64_t now_ns, Outlet& outlet);
  [[nodiscard]] double line_delay_ms() const { return send_line_ ? send_line_->floor_ms() : 0; }
  /// The clock of the telephone-events that have this payload type, Hz; 0: they are none.
  [[nodiscard]] int telephone_event_clock(int payload_type) const;
  [[nodiscard]] std::optional<Codec> codec_of(int payload_type) const;
  void decided(const DetectorFeed::Decision& decision, Outlet& outlet);
  void pressed(const DigitEvent& digit, Outlet& outlet);
  void watch_silence(std::int64_t now_ns, Outlet& outlet);
  void emit(double t_ms, LiveEvent what, Outlet& outlet, std::unique_ptr<PlayItem> done = nullptr);

  LegSetup setup_;
  int rate_;
  RtpSessionHandle session_;
  LegReport report_;
  double closed_ms_ = 0;
  std::unique_ptr<SendLine> send_line_;  // null: a perfect line, as long as nobody asked for another one
  std::unique_ptr<HearLine> hear_line_;

  // Sending.
  std::optional<Stream> stream_;
  Remote remote_;
  Playout playout_;
  std::unique_ptr<Encoder> encoder_;
  int clock_rate_ = 8000;  // of our timestamps; from `position_base_` on they count from `timestamp_base_`
  std::int64_t position_base_ = 0;
  std::uint32_t timestamp_base_ = 0;
  std::int64_t next_frame_ns_ = 0;  // 0: nothing has been sent
  bool marker_ = true;
  // Of a packet that holds more than one frame: what it has so far.
  struct Gathered {
    std::array<std::uint8_t, 3 * kMaxFrameSamples / 2> bytes;  // three frames of G.711 or G.722: 480 bytes
    std::size_t size = 0;
    int frames = 0;
    std::int64_t position = 0;  // of its first sample
  };
  Gathered gathered_;

  RtcpSession rtcp_;
  Remote control_remote_;
  std::uint32_t control_frames_ = 0;

  // Receiving.
  ReceiveStatistics received_;
  ClockMap map_;
  AgentTrack track_;
  Ears ears_;
  DtmfReceiver digits_;
  std::int64_t started_ns_ = 0;
  std::int64_t last_packet_ns_ = 0;  // 0: none
  bool timed_out_ = false;
  std::uint64_t unheard_early_ = 0;
  bool speaking_ = false;            // agent_speech_live's last span is open
  std::uint32_t receive_calls_ = 0;  // oRTP reads its transport only where it is asked for another timestamp
};

}  // namespace linecheck::media
