// SPDX-License-Identifier: GPL-3.0-or-later
//
// The media engine: opens legs (one RTP stream each way), plays, listens and records. This is the whole face
// of `media` to the rest of the program.
//
// Threads: every method may be called from any thread but drain(), which has one consumer. No call waits for
// the network or the disk: commands travel to the media worker in bounded queues, answers come back as
// events.
//
// Time: each leg has a sample clock of 8,000 or 16,000 Hz driven by CLOCK_MONOTONIC. Its zero is
// origin_mono_ns(): the moment of open(), brought down to the worker's 1 ms grid (so at most 1 ms before it).
// Packets leave at absolute ticks, every 20 ms; the RTP timestamp runs with the leg's clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "media/clip.h"
#include "media/codec.h"
#include "media/codecs/coder.h"
#include "media/events.h"
#include "media/impairment.h"
#include "media/srtp_keys.h"
#include "media/wav_format.h"

namespace linecheck::media {

/// How our RTP packets are made: by us in place, or by an oRTP session for each leg (rtp_session.h).
enum class RtpPath { direct, ortp };
/// How sockets are read and written: io_uring where the kernel has it, else a system call each.
enum class IoPath { automatic, plain };

struct Options {
  enum class Realtime { automatic, off, require };

  std::uint16_t port_first = 10000;
  std::uint16_t port_last = 29999;
  std::string bind_address = "0.0.0.0";  ///< IPv4 or IPv6 literal
  int workers = 1;
  /// SCHED_FIFO for the workers: automatic takes it where permitted, require throws where it is not.
  Realtime realtime = Realtime::automatic;
  RtpPath rtp = RtpPath::direct;
  IoPath io = IoPath::automatic;
  /// How long a closed leg's ports stay bound and drained, so that no later leg inherits its stale media.
  std::chrono::milliseconds port_quarantine{2000};
};

struct LegOptions {
  /// Of the sample clock, the recording and the clips, Hz: 8000, or 16000 where a wide-band codec was
  /// offered. Any codec works at either.
  int rate = kNarrowRate;
  std::string recording_path;  ///< stereo WAV, left caller, right agent; empty: none. Its folder must exist
  WavFormat recording_format = WavFormat::pcm16;
  /// pcap of the leg's packets as they cross the wire; empty: none. `capture_address`: a literal, our own
  /// address as the remote sees it (sockets that are bound to any address do not know it).
  std::string capture_path;
  std::string capture_address;
  ClipPtr noise_bed;  ///< of `rate`; looped without a break beneath everything that is said; may be null
  bool detect_speech = true;  ///< run the live turn detector on the agent's channel
  /// Hear keys by their sound, too, while the call runs. Costs 2 us a frame; needs detect_speech.
  bool hear_inband_keys = false;
  std::uint64_t seed = 0;  ///< of SSRC and the first sequence number and timestamp; 0: random
  std::chrono::milliseconds rtp_timeout{10000};
  int dscp = -1;  ///< 0..63: class of service of what we send (RFC 2474); -1: the system's default
  /// Simulated bad lines, seeded by `seed`. What we send leaves over the one, and is recorded as it leaves;
  /// what comes is counted and recorded before the other, and heard after it.
  Impairment send_line;
  Impairment receive_line;
  /// The payload types of our own SDP, heard also before start(): early media.
  PayloadTypes offered_payload_types{0, 8, -1, -1};
  /// Of telephone-event with a clock of 8,000 Hz, and of 48,000 Hz. -1: none.
  int offered_telephone_event_payload_type = 101;
  int offered_wide_telephone_event_payload_type = -1;
  /// The stream may be encrypted: StreamOptions::srtp is possible. What comes before start() is then counted,
  /// but not heard: the key that it was encrypted with comes with the remote's answer.
  bool srtp = false;
};

/// Where to send, in which codec. Before the first start() a leg receives (early media is counted, heard and
/// recorded by the payload types that were offered) and sends nothing.
struct StreamOptions {
  std::string remote_address;  ///< IPv4 or IPv6 literal, as SDP gives it
  std::uint16_t remote_port = 0;
  Codec codec = Codec::pcmu;
  int payload_type = 0;
  EncoderSettings encoder;  ///< what the remote likes to hear
  /// Of the codec's clock. -1: the remote takes none, send_digits() then ends at once as stopped.
  int telephone_event_payload_type = -1;
  /// The same of what the remote sends, where it differs. -1: it does not.
  int receive_telephone_event_payload_type = -1;
  /// What the remote may send, beside `payload_type`. Packets of anything else count as unknown_payload and
  /// are not heard.
  PayloadTypes receive_payload_types{-1, -1, -1, -1};
  /// Follow the source of what we receive where it differs from remote_address:remote_port: after 3 valid
  /// packets from there and none from the announced address. The announced address wins again as soon as it
  /// sends.
  bool symmetric = true;
  /// False: on hold (RFC 3264 section 8.4). Nothing is sent but RTCP; what plays meanwhile is heard by
  /// nobody.
  bool may_send = true;
  bool may_receive = true;  ///< false: nothing is expected to come, so its absence is no timeout
  /// How much audio the remote likes in a packet (a=ptime, RFC 4566 section 6). Honoured are 40 and 60 of
  /// G.711 and G.722, over a line that is not made worse; whatever else it is, packets hold 20 ms.
  int ptime_ms = kFrameMs;
  bool rtcp = true;
  bool rtcp_mux = false;               ///< agreed in SDP (RFC 5761): RTCP on RTP's ports
  std::string remote_rtcp_address;     ///< of a=rtcp (RFC 3605); empty: remote_address
  std::uint16_t remote_rtcp_port = 0;  ///< of a=rtcp; 0: the one above remote_port
  /// Keys of an encrypted stream; absent: in the clear. Needs LegOptions::srtp.
  std::optional<SrtpKeys> srtp;
};

/// No free pair of ports is left (or bind_address is not ours: the text says which).
class PortsExhausted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct EngineStatus {
  int workers = 0;
  int realtime_workers = 0;   ///< at SCHED_FIFO
  std::string realtime_note;  ///< why some are not; empty where all are
  std::string io;             ///< io_uring, or plain system calls and why
  std::size_t open_legs = 0;  ///< opened, Closed not yet queued
  std::size_t quarantined_ports = 0;
  std::uint64_t dropped_events = 0;    ///< full event queue: the consumer was too slow
  std::uint64_t dropped_commands = 0;  ///< full command queue
};

class Engine {
 public:
  /// Starts the workers and the recorder, binds nothing. Raises the process's limit of open descriptors to
  /// its hard limit. Throws std::runtime_error (a bad address or range, real-time required and not
  /// permitted).
  explicit Engine(Options options = {});
  /// Closes what is open (recordings are completed) and joins the threads.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Binds an even RTP port and the odd one above it, starts the leg's clock. Throws PortsExhausted.
  LegId open(LegOptions options);
  [[nodiscard]] std::uint16_t port(LegId leg) const;           ///< 0 for an unknown leg
  [[nodiscard]] std::int64_t origin_mono_ns(LegId leg) const;  ///< 0 for an unknown leg

  /// The remote is known: send from the next frame on (silence and the noise bed run at once). Again: change
  /// the remote or codec; SSRC, sequence and timestamps go on. Throws std::invalid_argument for an address
  /// that is none.
  void start(LegId leg, const StreamOptions& stream);
  /// Queued after what plays. `marks` are sample offsets in the clip, at most its length. Clips must be of
  /// the leg's rate (std::invalid_argument).
  void play(LegId leg, ClipPtr clip, std::uint64_t tag, const std::vector<std::uint32_t>& marks = {});
  /// Drops the queue (digits included) and ends the clip in progress with a 5 ms fade at the start of the
  /// next frame; a tone in progress ends at the next frame, with its end packets.
  void stop_playing(LegId leg);
  /// Keys, queued after what plays: clips and digits leave in the order of the calls. 0-9, *, #, A-D
  /// (std::invalid_argument otherwise). tone 40..8000 ms, gap at least 60 ms; both are brought into range. Of
  /// those that go by INFO the leg only keeps the time: a DigitDue says when each has its turn.
  void send_digits(LegId leg, const std::string& digits,
                   std::chrono::milliseconds tone = std::chrono::milliseconds{100},
                   std::chrono::milliseconds gap = std::chrono::milliseconds{100}, std::uint64_t tag = 0,
                   DigitTransport transport = DigitTransport::rfc4733);
  /// The line is like that from here on, in this direction.
  void impair(LegId leg, Direction direction, const Impairment& impairment);
  /// Asynchronous: the Closed event carries the report, after the recording is on disk. A second close does
  /// nothing.
  void close(LegId leg);

  /// An eventfd, readable while events wait (for epoll or asio). Owned by the engine; drain() clears it.
  [[nodiscard]] int event_fd() const;
  /// Appends what has happened. One consumer thread.
  void drain(std::vector<Event>& out);

  [[nodiscard]] EngineStatus status() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linecheck::media
