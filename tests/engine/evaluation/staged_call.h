// SPDX-License-Identifier: GPL-3.0-or-later
//
// A call that never happened: what a caller and an agent would have left behind, with every time known.
#pragma once

#include <string>

#include "engine/call/call_record.h"
#include "engine/evaluation/recording.h"
#include "media/speech/annotate.h"
#include "tests/media/speech_signals.h"

namespace linecheck::tests {

class StagedCall {
 public:
  explicit StagedCall(double ms = 20'000) : caller_(ms), agent_(ms) {
    record.invite_ms = 20;
    record.ringing_ms = 120;
    record.answered_ms = 500;
    record.ended_ms = ms - 200;
    record.sip_status = 200;
    record.hung_up_by = engine::Party::caller;
    record.ended_reason = "caller-ended-call";
    record.codec = "pcmu";
    record.recording_path = "staged.wav";
    record.media.send.packets = record.media.receive.packets = static_cast<std::uint64_t>(ms / 20);
    record.media.send.loss_known = false;
    record.media.receive.codec = "pcmu";
    record.media.receive.jitter_mean_ms = 0.4;
    record.media.receive.jitter_max_ms = 2.5;
    record.media.last_packet_ms = ms - 210;
  }

  /// Returns the audible span, which is the truth.
  media::Span caller_says(double at_ms, double ms, const std::string& text = "Hello.",
                          bool barge_in = false) {
    const Samples clip = voice(ms, {.pitch_hz = 180, .seed = ++seed_});
    caller_.put(at_ms, clip);
    engine::Utterance utterance;
    utterance.text = text;
    utterance.barge_in = barge_in;
    for (const media::Span& span : media::speech::audible_spans(clip, 8000))
      utterance.speech.push_back({at_ms + span.start_ms, at_ms + span.end_ms});
    utterance.start_ms = utterance.speech.front().start_ms;
    utterance.end_ms = utterance.speech.back().end_ms;
    record.utterances.push_back(utterance);
    return {utterance.start_ms, utterance.end_ms};
  }

  media::Span agent_says(double at_ms, double ms) {
    const Samples clip = voice(ms, {.pitch_hz = 110, .seed = ++seed_});
    agent_.put(at_ms, clip);
    const auto spans = media::speech::audible_spans(clip, 8000);
    return {at_ms + spans.front().start_ms, at_ms + spans.back().end_ms};
  }

  Line& agent_line() { return agent_; }

  [[nodiscard]] engine::StereoRecording recording() {
    engine::StereoRecording out;
    agent_.mu_law();
    out.caller = caller_.samples();
    out.agent = agent_.samples();
    return out;
  }

  engine::CallRecord record;

 private:
  Line caller_;
  Line agent_;
  unsigned seed_ = 0;
};

}  // namespace linecheck::tests
