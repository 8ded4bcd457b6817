// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/heard.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <future>
#include <string>

#include "engine/evaluation/evaluate.h"
#include "engine/persona/voices.h"
#include "media/inband_keys.h"
#include "media/tones/music.h"
#include "media/tones/plan.h"

using namespace linecheck;
using namespace linecheck::engine;

namespace {

void add_sines(std::vector<std::int16_t>& audio, int at_ms, int ms, double low, double high) {
  for (int i = 0; i < ms * 8; ++i) {
    const double t = i / 8000.0;
    audio[static_cast<std::size_t>(at_ms * 8 + i)] = static_cast<std::int16_t>(
        std::lround(3000 * (std::sin(2 * M_PI * low * t) + (high > 0 ? std::sin(2 * M_PI * high * t) : 0))));
  }
}

scheduler::Check tone(const std::string& name) {
  scheduler::Check check;
  check.what = scheduler::ToneHeard{name};
  check.text = "tone: " + name;
  return check;
}

}  // namespace

TEST_CASE("heard: ringback before the answer, keys and a beep, none of which is speech") {
  StereoRecording recording;
  recording.agent.resize(20 * 8000);
  recording.caller.resize(recording.agent.size());
  add_sines(recording.agent, 500, 2000, 440, 480);
  add_sines(recording.agent, 6500, 2000, 440, 480);
  add_sines(recording.agent, 10000, 100, 770, 1336);
  add_sines(recording.agent, 10200, 100, 770, 1336);
  add_sines(recording.agent, 12000, 500, 1000, 0);
  CallRecord call;
  call.answered_ms = 9000;
  call.ended_ms = 19000;
  call.recording_path = "call.wav";
  media::DigitEvent event;  // the first of the two came as telephone-event too
  event.digit = '5';
  event.start_ms = 10003;
  event.duration_ms = 100;
  call.media.digits.push_back(event);
  hear_signals(call, recording);

  REQUIRE(call.media.digits.size() == 2);
  CHECK(call.media.digits[0].digit == '5');
  CHECK(call.media.digits[0].start_ms == 10003);
  CHECK(call.media.digits[0].also[static_cast<std::size_t>(media::DigitTransport::inband)]);
  CHECK(call.media.digits[1].transport == media::DigitTransport::inband);
  REQUIRE(call.tones.size() == 2);
  CHECK(call.tones[0].kind == media::ToneEvent::Kind::ringback);
  CHECK(call.tones[0].bursts == 2);
  CHECK(call.tones[1].kind == media::ToneEvent::Kind::beep);

  scheduler::Scenario scenario;
  scenario.expect = {tone("beep"), tone("ringback"), tone("busy"), tone("fax")};
  const Evaluation evaluation = evaluate(call, scenario, recording);
  CHECK(evaluation.turns.empty());
  REQUIRE(evaluation.checks.size() == 4);
  CHECK(evaluation.checks[0].passed);
  CHECK(evaluation.checks[0].explanation == "There was a beep at 12.00 s, 1000 Hz.");
  CHECK(evaluation.checks[1].passed);
  CHECK_FALSE(evaluation.checks[2].passed);
  CHECK(evaluation.checks[2].explanation == "There was no busy, but ringback, beep.");
  CHECK_FALSE(evaluation.checks[3].passed);
  call.tones[0].kind = media::ToneEvent::Kind::fax_calling;
  CHECK(evaluate(call, scenario, recording).checks[3].passed);
}

TEST_CASE("heard: no tone, no key and no music in generated speech, with and without its pauses") {
  const std::string text =
      "Good morning, you have reached the booking desk of the central clinic. We are open from nine in the "
      "morning "
      "to five in the afternoon, and on Saturdays until noon. If you would like to make an appointment, "
      "please tell "
      "me your name and the day which suits you best. The doctor is free on Tuesday at eleven twenty, on "
      "Wednesday "
      "at half past two, or on Friday the seventeenth. Your number is four four seven one, zero zero nine. ";
  VoicesOptions options;
  options.program = LINECHECK_BINARY;
  Voices voices(options);
  for (const auto& [engine, voice, speed] :
       {std::tuple("flite", "slt", 1.0), std::tuple("flite", "rms", 1.1), std::tuple("flite", "awb", 0.9),
        std::tuple("espeak-ng", "en-us", 1.0)}) {
    for (const int rate : {8000, 16000}) {
      VoiceSpec spec;
      spec.engine = engine;
      spec.voice = voice;
      spec.speed = speed;
      spec.rate = rate;
      std::promise<SynthResult> spoken;
      voices.synthesize(spec, text, [&](const SynthResult& result) { spoken.set_value(result); });
      const SynthResult result = spoken.get_future().get();
      REQUIRE_MESSAGE(result.clip, result.error);
      std::vector<std::int16_t> audio;
      for (int n = 0; n < 2; ++n)
        audio.insert(audio.end(), result.clip->samples.begin(), result.clip->samples.end());
      std::vector<std::int16_t> hurried;
      for (const media::Span& span : result.clip->speech) {
        const auto at = [&](double ms) { return static_cast<std::ptrdiff_t>(ms * rate / 1000); };
        hurried.insert(hurried.end(), result.clip->samples.begin() + at(span.start_ms),
                       result.clip->samples.begin() + at(span.end_ms));
      }
      CAPTURE(spec.engine);
      CAPTURE(spec.voice);
      CAPTURE(rate);
      CHECK(audio.size() > static_cast<std::size_t>(30 * rate));
      for (const auto* speech : {&audio, &hurried}) {
        CHECK(media::find_keys(*speech, rate).empty());
        CHECK(media::tones::find_tones(*speech, rate).empty());
        CHECK(media::tones::find_music(*speech, rate).empty());
      }
    }
  }
}
