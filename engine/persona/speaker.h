// SPDX-License-Identifier: GPL-3.0-or-later
//
// The two voice libraries behind one function. Only the voices process has one of these: the libraries keep
// global state that no thread may share and that one utterance must not leave to the next.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

struct cst_voice_struct;

namespace linecheck::engine {

/// Takes 16-bit mono samples; returns false when it has had enough.
using SampleSink = std::function<bool(std::span<const std::int16_t>)>;

struct Spoken {
  int rate = 0;            ///< Hz
  std::string error;       ///< empty: the text was spoken
  bool cut_short = false;  ///< the sink had enough before it was over
};

class Speaker {
 public:
  /// Loads both libraries. What is missing is reported when a voice of it is asked for.
  Speaker();
  ~Speaker();
  Speaker(const Speaker&) = delete;
  Speaker& operator=(const Speaker&) = delete;

  /// Speaks once; the process is then spent and should end. The text has passed spoken_text_problem.
  Spoken speak(std::string_view engine, const std::string& voice, double speed, int pitch,
               const std::string& text, const SampleSink& sink);

 private:
  Spoken speak_flite(const std::string& voice, double speed, const std::string& text, const SampleSink& sink);
  Spoken speak_espeak(const std::string& voice, double speed, int pitch, const std::string& text,
                      const SampleSink& sink);

  struct FliteVoice {
    std::string_view name;
    cst_voice_struct* voice;
  };
  std::array<FliteVoice, 5> flite_voices_;
  int espeak_rate_ = 0;  ///< 0: espeak-ng did not start
};

}  // namespace linecheck::engine
