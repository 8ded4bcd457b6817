// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/speaker.h"

#include <espeak-ng/speak_lib.h>
#include <flite/flite.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "engine/persona/spoken_text.h"

// Debian's flite has a library for each voice, and no header for what is in them.
extern "C" {
cst_voice* register_cmu_us_slt(const char* directory);
cst_voice* register_cmu_us_rms(const char* directory);
cst_voice* register_cmu_us_awb(const char* directory);
cst_voice* register_cmu_us_kal(const char* directory);
cst_voice* register_cmu_us_kal16(const char* directory);
}

namespace linecheck::engine {
namespace {

constexpr int kEspeakWordsPerMinute = 175;  ///< its own pace
constexpr double kEspeakSlowest = 80;       ///< words a minute; below, it stops slowing down
constexpr double kEspeakFastest = 450;

struct DeleteWave {
  void operator()(cst_wave* wave) const { delete_wave(wave); }
};

Spoken failure(std::string error) {
  return {0, std::move(error), false};
}

// Where espeak-ng's callback finds its sink: it carries no pointer of ours.
const SampleSink* espeak_sink = nullptr;

int on_espeak_samples(short* samples, int count, espeak_EVENT* /*events*/) {
  if (samples == nullptr || count <= 0 || espeak_sink == nullptr) return 0;
  const std::span<const std::int16_t> block(samples, static_cast<std::size_t>(count));
  return (*espeak_sink)(block) ? 0 : 1;  // 1 ends the utterance
}

}  // namespace

Speaker::Speaker() {
  flite_init();
  flite_voices_ = {
      FliteVoice{"slt", register_cmu_us_slt(nullptr)}, FliteVoice{"rms", register_cmu_us_rms(nullptr)},
      FliteVoice{"awb", register_cmu_us_awb(nullptr)}, FliteVoice{"kal", register_cmu_us_kal(nullptr)},
      FliteVoice{"kal16", register_cmu_us_kal16(nullptr)}};
  // Synchronous: samples come through the callback while espeak_Synth runs, and no thread is started.
  espeak_rate_ = espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, nullptr, espeakINITIALIZE_DONT_EXIT);
  if (espeak_rate_ > 0) {
    espeak_SetSynthCallback(on_espeak_samples);
  } else {
    espeak_rate_ = 0;
  }
}

Speaker::~Speaker() {
  if (espeak_rate_ > 0) espeak_Terminate();
}

Spoken Speaker::speak(std::string_view engine, const std::string& voice, double speed, int pitch,
                      const std::string& text, const SampleSink& sink) {
  const std::string clean = without_controls(text);
  if (engine == "flite") return speak_flite(voice, speed, clean, sink);
  if (engine == "espeak-ng") return speak_espeak(voice, speed, pitch, clean, sink);
  return failure("there is no voice engine \"" + std::string(engine) + "\"");
}

Spoken Speaker::speak_flite(const std::string& voice, double speed, const std::string& text,
                            const SampleSink& sink) {
  const auto* found = std::find_if(flite_voices_.begin(), flite_voices_.end(),
                                   [&](const FliteVoice& candidate) { return candidate.name == voice; });
  if (found == flite_voices_.end() || found->voice == nullptr) {
    return failure("flite has no voice \"" + voice + "\"");
  }
  const std::string ascii = as_ascii(text);
  if (!has_ascii_words(ascii)) {
    return failure("flite speaks English only, and nothing in this text is: use a voice of espeak-ng");
  }
  feat_set_float(found->voice->features, "duration_stretch", static_cast<float>(1.0 / speed));
  const std::unique_ptr<cst_wave, DeleteWave> wave(flite_text_to_wave(ascii.c_str(), found->voice));
  if (!wave) return failure("flite could not speak this text");
  const bool whole = sink({wave->samples, static_cast<std::size_t>(wave->num_samples)});
  return {wave->sample_rate, {}, !whole};
}

Spoken Speaker::speak_espeak(const std::string& voice, double speed, int pitch, const std::string& text,
                             const SampleSink& sink) {
  if (espeak_rate_ == 0) return failure("espeak-ng did not start: is the package espeak-ng-data installed?");
  if (espeak_SetVoiceByName(voice.c_str()) != EE_OK)
    return failure("espeak-ng has no voice \"" + voice + "\"");
  const double words_per_minute = std::clamp(kEspeakWordsPerMinute * speed, kEspeakSlowest, kEspeakFastest);
  espeak_SetParameter(espeakRATE, static_cast<int>(std::lround(words_per_minute)), 0);
  espeak_SetParameter(espeakPITCH, std::clamp(pitch, 0, 99), 0);
  bool whole = true;
  const SampleSink counted = [&](std::span<const std::int16_t> samples) {
    whole = sink(samples);
    return whole;
  };
  espeak_sink = &counted;
  const espeak_ERROR error =
      espeak_Synth(text.c_str(), text.size() + 1, 0, POS_CHARACTER, 0, espeakCHARS_UTF8, nullptr, nullptr);
  espeak_sink = nullptr;
  if (error != EE_OK) return failure("espeak-ng could not speak this text");
  return {espeak_rate_, {}, !whole};
}

}  // namespace linecheck::engine
