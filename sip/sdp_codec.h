// SPDX-License-Identifier: GPL-3.0-or-later
//
// The codecs that a description of ours can name, as RTP sees them (RFC 3551, RFC 7587), and the parameters
// that they carry in a=fmtp.
#pragma once

#include <string>
#include <string_view>

namespace linecheck::sip {

enum class Codec { pcmu, pcma, g722, opus };

/// "PCMU", "PCMA", "G722" or "opus", as in a=rtpmap.
[[nodiscard]] std::string_view encoding_name(Codec codec);
/// RFC 3551 table 4: PCMU 0, PCMA 8, G722 9. -1 for Opus, whose number is dynamic.
[[nodiscard]] int static_payload_type(Codec codec);
/// Of its RTP timestamps: 48000 for Opus, whatever it encodes; 8000 for the others, also for G.722 with its
/// 16 kHz of audio (RFC 3551, 4.5.2).
[[nodiscard]] int rtp_clock(Codec codec);

/// RFC 7587, 6.1: what one side says of itself: what it likes to receive, and (sprop) what it will send. The
/// values here are what holds where nothing is said.
struct OpusParameters {
  int max_playback_rate = 48000;  ///< Hz that it can play: more than that is wasted on it
  int max_average_bitrate = 0;    ///< bit/s; 0: not limited
  int min_ptime_ms = 3;
  bool stereo = false;  ///< it prefers to receive two channels
  bool use_inband_fec = false;
  bool use_dtx = false;
  bool cbr = false;
  int sprop_max_capture_rate = 48000;
  bool sprop_stereo = false;
  bool operator==(const OpusParameters&) const = default;
};

/// Ours: one channel of 16 kHz each way, with forward error correction.
[[nodiscard]] OpusParameters our_opus_parameters();

/// The value of a=fmtp after the payload type. What is not understood, or out of its range, is passed over.
[[nodiscard]] OpusParameters read_opus_parameters(std::string_view text);
[[nodiscard]] std::string opus_parameters_text(const OpusParameters& parameters);

}  // namespace linecheck::sip
