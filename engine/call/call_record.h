// SPDX-License-Identifier: GPL-3.0-or-later
//
// What one call left behind: facts only, no judgement. The call coroutine fills it, the evaluation reads it.
//
// Every *_ms is in milliseconds on the call's sample clock, whose zero is the opening of the call's media
// leg, just before the INVITE leaves; the recording starts at the same zero, so a time here is a position in
// the WAV file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "media/leg_report.h"
#include "media/tones/tone.h"

namespace linecheck::engine {

enum class Party { caller, agent };

/// Contract 2a: who is to blame when a run did not end as a fair, successful conversation.
enum class FailureCategory { agent, network, engine, provider, configuration };

struct Failure {
  FailureCategory category = FailureCategory::engine;
  std::string reason;  ///< plain words for the user
  std::optional<int> sip_status;
  std::optional<int> q850;
  std::optional<int> retry_after_s;
};

/// A SIP message of the call as it crossed the wire, secrets masked.
struct TracedMessage {
  double t_ms = 0;
  bool sent = false;  ///< by us
  std::string from;   ///< address:port
  std::string to;
  std::string transport;  ///< udp, tcp, tls
  std::string start_line;
  std::string message;
};

/// Something that the caller said, from the send timeline (never from a detector).
struct Utterance {
  std::string text;
  double start_ms = 0;              ///< first audible sample as it left
  double end_ms = 0;                ///< last audible sample as it left
  bool interrupted = false;         ///< cut short because the agent spoke
  bool barge_in = false;            ///< started on purpose while the agent spoke
  bool idle_prompt = false;         ///< "are you there?"
  std::vector<media::Span> speech;  ///< audible spans inside, pauses left out
};

/// A moment for the trace viewer: decisions of the persona and signalling events.
struct TimelineEvent {
  double t_ms = 0;
  std::string what;  ///< answered, agent_turn_end, cue, persona_wait, hang_up, ...
  std::string detail;
};

struct CallRecord {
  std::int64_t run_id = 0;
  int attempt = 1;
  std::string call_id;
  std::string codec;
  std::string srtp;         ///< the suite that encrypted the media; empty: none did
  std::string agent_media;  ///< address:port of its SDP
  std::string own_media;    ///< of ours
  std::string trunk;
  std::string caller_number;
  std::string agent_number;
  std::string recording_path;       ///< stereo WAV: left caller, right agent; empty where there is none
  std::string capture_path;         ///< pcap of SIP and RTP; empty where there is none
  std::string executed_at;          ///< RFC 3339, UTC
  std::int64_t origin_mono_ns = 0;  ///< CLOCK_MONOTONIC at the zero of the call's clock

  std::string dial_window_opens_at;   ///< RFC 3339, UTC; empty: we dialled
  std::string dial_window_closes_at;  ///< likewise
  double dial_window_s = 0;

  std::optional<double> invite_ms;
  std::optional<double> ringing_ms;   ///< first 18x
  std::optional<double> answered_ms;  ///< 200 received
  std::optional<double> ended_ms;     ///< BYE or what ended it
  std::optional<int> sip_status;      ///< final status of the INVITE
  std::optional<Party> hung_up_by;
  std::optional<int> q850;   ///< cause in the Reason header of the BYE, or of the refusal
  std::string sip_reason;    ///< its text
  std::string ended_reason;  ///< caller-ended-call, agent-ended-call, max-duration, no-answer, rejected,
                             ///< cancelled, ...
  std::optional<Failure> failure;
  bool cancelled = false;
  std::string transferred_to;  ///< URI that the agent sent us to, and that answered
  std::string
      transfer_not_made;  ///< why a transfer that the agent asked for was not made; empty: none was asked

  std::vector<Utterance> utterances;
  std::string digits_sent;
  std::vector<TimelineEvent> timeline;
  std::vector<TracedMessage> sip;
  media::LegReport media;
  std::vector<media::ToneEvent> tones;   ///< of the agent's side, from the recording
  std::vector<double> persona_delay_ms;  ///< how much later than the personality's delay each utterance began
};

}  // namespace linecheck::engine
