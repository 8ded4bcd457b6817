// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which of the embedded voices a personality speaks with. Pure functions over the personality and the
// configured providers: `linecheck check` asks them long before anything is spoken, so that a personality
// whose voice does not exist is refused with the list of those that do.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/model.h"

namespace linecheck::engine {

/// One entry of linecheck.yaml's `providers.voices`.
struct VoiceProvider {
  std::string name;
  std::string type;  ///< "flite" or "espeak-ng"
};

/// A voice, and how it is to speak: all that decides the sound of a given text.
struct VoiceSpec {
  std::string engine;  ///< "flite" or "espeak-ng"
  std::string
      voice;  ///< flite: "slt"; espeak-ng: its language code with an optional variant, "en-gb-scotland+f3"
  double speed = 1.0;  ///< 1 is the voice's own pace, 1.2 is a fifth faster
  int pitch = 50;      ///< espeak-ng only, 0..99; 50 is the voice's own
  std::string language;
  std::string accent;
  std::string gender;
  int rate = 8000;  ///< of the clips, Hz: 8000, or 16000 for a wide-band call
};

/// What one voice is, for lists and messages.
struct VoiceDescription {
  std::string engine;
  std::string voice;
  std::string language;  ///< BCP 47, lower case: "en-us"
  std::string accent;    ///< espeak-ng: what its name says in brackets; empty where it says nothing
  std::string gender;    ///< "male" or "female"; espeak-ng's change with a variant
};

/// The providers that there are when the configuration names none: "flite" and "espeak-ng", in that order.
std::vector<VoiceProvider> default_voice_providers();

/// The voices of one provider type, as the installed library lists them; empty for an unknown type.
/// Thread-safe.
const std::vector<VoiceDescription>& available_voices(std::string_view type);

/// Why this personality cannot speak, with the voices that could be named instead; nullopt: it can.
/// An empty `providers` stands for default_voice_providers().
///
/// A personality's `provider` picks the provider by name; without one the first that has a fitting voice is
/// taken. `voice_id` wins over language, accent and gender, which otherwise must all be met: a personality
/// never gets a voice other than the one it asked for without being told.
std::optional<std::string> voice_problem(const scheduler::Personality& personality,
                                         const std::vector<VoiceProvider>& providers);

/// The personality's voice. Throws std::invalid_argument with voice_problem's text if there is none.
VoiceSpec choose_voice(const scheduler::Personality& personality,
                       const std::vector<VoiceProvider>& providers);

/// The same question for a voice that is already spelt out (as the reference agent's file does).
std::optional<std::string> voice_problem(const VoiceSpec& voice);

/// Longest text that one request may speak, in characters; about three minutes of speech.
inline constexpr std::size_t kMaxSpokenCharacters = 3000;

/// Why this text cannot be spoken (empty, over-long, not UTF-8, nothing but marks); nullopt: it can.
std::optional<std::string> spoken_text_problem(std::string_view text);

}  // namespace linecheck::engine
