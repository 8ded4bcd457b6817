// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a leg tells its owner. Events of one leg come in order, Closed is its last. `t_ms` is on the leg's
// sample clock (zero: Engine::open, and the first sample of the recording) and says when the thing happened,
// not when it was noticed: for what we send it is the exact place of the sample in the recording.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "media/leg_report.h"

namespace linecheck::media {

/// Slot and generation: an id is never used twice, so that a late command cannot hit another call's leg. 0:
/// no leg.
using LegId = std::uint64_t;

/// t_ms: the clip's first sample.
struct PlayStarted {
  std::uint64_t tag = 0;
  std::uint32_t rtp_timestamp = 0;  ///< of the clip's first sample
  std::int64_t mono_ns = 0;         ///< CLOCK_MONOTONIC when the packet that begins it left
  double recorded_ms = 0;  ///< where it lies in the recording: t_ms, or later on a simulated bad line
};

/// t_ms: end of the last sample played. A clip that was stopped before it began has samples_played 0 and no
/// PlayStarted.
struct PlayEnded {
  std::uint64_t tag = 0;
  bool stopped = false;  ///< by stop_playing (or the queue was dropped); else it played to its end
  std::uint32_t samples_played = 0;  ///< the fade of a stopped clip included
};

/// A mark of a clip has left. t_ms: exact time of that sample. Marks past the place where a clip was stopped
/// do not come.
struct MarkSent {
  std::uint64_t tag = 0;
  std::uint32_t index = 0;          ///< into the marks given to play()
  std::uint32_t offset = 0;         ///< sample offset in the clip
  std::uint32_t rtp_timestamp = 0;  ///< of that sample
  std::int64_t packet_mono_ns = 0;  ///< CLOCK_MONOTONIC when the packet left that was made of it
  /// From that packet's first sample. A codec's delay is in it, so that it may lie beyond the packet's last.
  std::uint32_t sample_in_packet = 0;
  std::uint32_t ssrc = 0;
};

/// The agent's channel, live turn detector. t_ms is back-dated to where speech began or ended.
struct SpeechStarted {
  double decided_ms = 0;  ///< leg clock, when the detector was sure
};
struct SpeechEnded {
  double decided_ms = 0;
};

/// The agent pressed a key (RFC 4733, or in-band where LegOptions asks for it). Sent once for each press and
/// transport, as soon as its end is known. t_ms: its start.
struct DigitReceived {
  DigitEvent digit;
};

/// A key of send_digits() that does not travel in RTP has its turn: whoever asked for it sends it now. t_ms:
/// when the key goes down.
struct DigitDue {
  std::uint64_t tag = 0;
  char digit = '0';
  double duration_ms = 0;
};

/// All digits of one send_digits have left. t_ms: the end of the last tone.
struct DigitsSent {
  std::uint64_t tag = 0;
  std::string digits;
  bool stopped = false;  ///< stop_playing dropped (the rest of) them
  DigitTransport transport = DigitTransport::rfc4733;
};

/// First RTP packet received. t_ms: its arrival.
struct FirstPacket {};

/// No RTP for LegOptions::rtp_timeout, counted from the last packet or from start(). t_ms: when the time ran
/// out.
struct RtpTimeout {};
/// RTP came again after an RtpTimeout. t_ms: arrival.
struct RtpResumed {};

/// The leg is gone and its recording is on disk.
struct Closed {
  LegReport report;
};

struct Event {
  LegId leg = 0;
  double t_ms = 0;
  std::variant<PlayStarted, PlayEnded, MarkSent, SpeechStarted, SpeechEnded, DigitReceived, DigitDue,
               DigitsSent, FirstPacket, RtpTimeout, RtpResumed, Closed>
      what;
};

}  // namespace linecheck::media
