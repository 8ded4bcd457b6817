// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/voice_lists.h"

#include <espeak-ng/espeak_ng.h>
#include <espeak-ng/speak_lib.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "engine/lower_case.h"
#include "engine/persona/voice_choice.h"

namespace linecheck::engine {
namespace {

struct EspeakLists {
  std::vector<VoiceDescription> voices;
  std::map<std::string, std::string> by_name;  ///< lower-case code, name or file -> canonical code
  std::set<std::string, std::less<>> variants;
};

/// "English (America)" -> "america".
std::string accent_of(const std::string& name) {
  const std::size_t open = name.find('(');
  const std::size_t close = name.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  return lower_case(std::string_view(name).substr(open + 1, close - open - 1));
}

/// A voice goes by its file's name, which is what espeak-ng loads it by: a language code, such as "en-us" or
/// "en" (the British one).
void add_voice(EspeakLists& lists, const espeak_VOICE& voice, std::map<std::string, int>& priorities) {
  const std::string file = lower_case(voice.identifier);
  const char* entry = voice.languages;  // pairs of a priority byte and a code, ended by a zero priority
  if (entry == nullptr || *entry == 0 || file.starts_with("mb/")) return;
  const std::string code = file.substr(file.rfind('/') + 1);
  lists.voices.push_back({"espeak-ng", code, lower_case(entry + 1), accent_of(voice.name), "male"});
  const auto claim = [&](const std::string& name, int priority) {
    const auto ranked = priorities.find(name);
    if (ranked != priorities.end() && ranked->second <= priority) return;
    lists.by_name[name] = code;
    priorities[name] = priority;
  };
  claim(code, 0);
  claim(file, 0);
  claim(lower_case(voice.name), 0);
  // A code that several voices serve goes to the one that ranks it highest (the lowest number).
  for (; *entry != 0; entry += 2 + std::strlen(entry + 1)) {
    claim(lower_case(entry + 1), static_cast<unsigned char>(*entry));
  }
}

EspeakLists read_espeak_lists() {
  EspeakLists lists;
  espeak_ng_InitializePath(nullptr);
  std::map<std::string, int> priorities;
  const espeak_VOICE** voices = espeak_ListVoices(nullptr);
  for (; voices != nullptr && *voices != nullptr; ++voices) add_voice(lists, **voices, priorities);
  espeak_VOICE wanted{};
  wanted.languages = "variant";
  const espeak_VOICE** variants = espeak_ListVoices(&wanted);
  for (; variants != nullptr && *variants != nullptr; ++variants) {
    const std::string_view file = (*variants)->identifier;  // "!v/f3"
    lists.variants.emplace(file.substr(file.rfind('/') + 1));
  }
  return lists;
}

const EspeakLists& espeak_lists() {
  static const EspeakLists lists = read_espeak_lists();
  return lists;
}

const std::vector<VoiceDescription>& flite_voices() {
  // In order of preference: kal is intelligible but robotic, and is there for whoever names it.
  static const std::vector<VoiceDescription> voices = {
      {"flite", "slt", "en-us", "american", "female"},        {"flite", "rms", "en-us", "american", "male"},
      {"flite", "awb", "en-gb-scotland", "scottish", "male"}, {"flite", "kal16", "en-us", "american", "male"},
      {"flite", "kal", "en-us", "american", "male"},
  };
  return voices;
}

}  // namespace

const std::vector<VoiceDescription>& available_voices(std::string_view type) {
  static const std::vector<VoiceDescription> none;
  if (type == "flite") return flite_voices();
  if (type == "espeak-ng") return espeak_lists().voices;
  return none;
}

std::optional<std::string> canonical_espeak_voice(std::string_view wanted) {
  const EspeakLists& lists = espeak_lists();
  const std::size_t plus = wanted.find('+');
  const auto voice = lists.by_name.find(lower_case(wanted.substr(0, plus)));
  if (voice == lists.by_name.end()) return std::nullopt;
  if (plus == std::string_view::npos) return voice->second;
  const std::string_view variant = wanted.substr(plus + 1);
  if (!lists.variants.contains(variant)) return std::nullopt;
  return voice->second + "+" + std::string(variant);
}

}  // namespace linecheck::engine
