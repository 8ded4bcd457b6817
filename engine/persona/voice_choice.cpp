// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/voice_choice.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <variant>

#include "engine/lower_case.h"
#include "engine/persona/voice_lists.h"

namespace linecheck::engine {
namespace {

constexpr double kSlowest = 0.5;
constexpr double kFastest = 2.0;
constexpr int kHighestPitch = 99;

// As BCP 47 writes a language's name.
std::string tag(std::string_view text) {
  std::string out = lower_case(text);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

std::string_view primary_language(std::string_view language) {
  return language.substr(0, language.find('-'));
}

/// How people name an accent, and how espeak-ng's voices name the place. Names that agree are not listed.
constexpr std::array<std::pair<std::string_view, std::string_view>, 24> kPlaces = {{
    {"american", "america"},
    {"us", "america"},
    {"usa", "america"},
    {"new york", "new york city"},
    {"british", "great britain"},
    {"english", "great britain"},
    {"uk", "great britain"},
    {"scottish", "scotland"},
    {"rp", "received pronunciation"},
    {"lancashire", "lancaster"},
    {"brazilian", "brazil"},
    {"portuguese", "portugal"},
    {"latin american", "latin america"},
    {"mexican", "latin america"},
    {"castilian", "spain"},
    {"spanish", "spain"},
    {"belgian", "belgium"},
    {"swiss", "switzerland"},
    {"french", "france"},
    {"mandarin", "mandarin, latin as english"},
    {"irish", "irish"},
    {"northern vietnamese", "northern"},
    {"central vietnamese", "central"},
    {"southern vietnamese", "southern"},
}};

std::string place_of(const std::string& accent) {
  const auto* found =
      std::find_if(kPlaces.begin(), kPlaces.end(), [&](const auto& entry) { return entry.first == accent; });
  return found == kPlaces.end() ? accent : std::string(found->second);
}

/// "america, new york city" is both.
bool names_place(const std::string& description, const std::string& place) {
  if (description == place) return true;
  const std::size_t comma = description.find(", ");
  return comma != std::string::npos && (description.substr(comma + 2) == place);
}

/// "de-at", then "de", as RFC 4647 section 3.4 looks a language up.
std::vector<std::string> lookup_order(std::string language) {
  std::vector<std::string> order;
  while (!language.empty()) {
    order.push_back(language);
    const std::size_t cut = language.rfind('-');
    language = cut == std::string::npos ? std::string() : language.substr(0, cut);
  }
  return order;
}

std::string in_quotes(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

/// The voices worth naming where one was not found: those of the language, else all.
std::string list_voices(std::string_view type, const std::string& language) {
  std::string same;
  std::string all;
  for (const VoiceDescription& voice : available_voices(type)) {
    std::string entry = voice.voice;
    const std::string gender = type == "flite" ? voice.gender : std::string();
    if (!voice.accent.empty() || !gender.empty()) {
      entry += " (" + gender + (gender.empty() || voice.accent.empty() ? "" : ", ") + voice.accent + ")";
    }
    if (primary_language(voice.language) == primary_language(language))
      same += (same.empty() ? "" : ", ") + entry;
    all += (all.empty() ? "" : ", ") + voice.voice;
  }
  std::string list = same.empty() ? all : same;
  if (type == "espeak-ng") list += "; each with +f1 to +f5 or +m1 to +m8 for another speaker, as in en-us+f3";
  return list;
}

using Found = std::variant<VoiceSpec, std::string>;  // or why there is none

Found by_voice_id(const scheduler::Personality& personality, std::string_view type, VoiceSpec spec) {
  spec.voice = personality.voice_id;
  if (const auto problem = voice_problem(spec)) return *problem;
  if (type == "espeak-ng")
    spec.voice = canonical_espeak_voice(personality.voice_id).value_or(personality.voice_id);
  return spec;
}

Found flite_by_traits(const scheduler::Personality& personality, VoiceSpec spec) {
  if (primary_language(spec.language) != "en") {
    return "flite speaks English only, not " + in_quotes(personality.language) +
           ": use a voices provider of type espeak-ng";
  }
  const bool any_accent = spec.accent.empty();
  for (const VoiceDescription& voice : available_voices("flite")) {
    if (!spec.gender.empty() && voice.gender != spec.gender) continue;
    if (any_accent ? (spec.language != "en" && spec.language != voice.language)
                   : place_of(voice.accent) != place_of(spec.accent)) {
      continue;
    }
    spec.voice = voice.voice;
    return spec;
  }
  return "flite has no " + (spec.gender.empty() ? std::string() : spec.gender + " ") + "voice with " +
         (any_accent ? "language " + in_quotes(personality.language)
                     : "accent " + in_quotes(personality.accent)) +
         "; its voices: " + list_voices("flite", "en");
}

Found espeak_by_traits(const scheduler::Personality& personality, VoiceSpec spec) {
  const std::vector<VoiceDescription>& voices = available_voices("espeak-ng");
  if (voices.empty()) return "espeak-ng has no voices here: is the package espeak-ng-data installed?";
  std::optional<std::string> code;
  if (spec.accent.empty()) {
    for (const std::string& language : lookup_order(spec.language)) {
      code = canonical_espeak_voice(language);
      if (code) break;
    }
    if (!code) {
      return "espeak-ng has no voice for language " + in_quotes(personality.language) +
             "; its voices: " + list_voices("espeak-ng", spec.language);
    }
  } else {
    const std::string place = place_of(spec.accent);
    const auto found = std::find_if(voices.begin(), voices.end(), [&](const VoiceDescription& voice) {
      return primary_language(voice.language) == primary_language(spec.language) &&
             names_place(voice.accent, place);
    });
    if (found == voices.end()) {
      return "espeak-ng has no " + std::string(primary_language(spec.language)) + " voice with accent " +
             in_quotes(personality.accent) + "; its voices: " + list_voices("espeak-ng", spec.language);
    }
    code = found->voice;
  }
  spec.voice = *code + (spec.gender == "female" ? "+f3" : "");
  return spec;
}

Found from_provider(const scheduler::Personality& personality, const VoiceProvider& provider) {
  if (provider.type != "flite" && provider.type != "espeak-ng") {
    return "the voices provider " + in_quotes(provider.name) + " is of type " + in_quotes(provider.type) +
           ", which is not available in this version; there are flite and espeak-ng";
  }
  VoiceSpec spec;
  spec.engine = provider.type;
  spec.speed = personality.speed;
  spec.language = personality.language.empty() ? "en-us" : tag(personality.language);
  spec.accent = tag(personality.accent);
  spec.gender = tag(personality.gender);
  if (!personality.voice_id.empty()) return by_voice_id(personality, provider.type, std::move(spec));
  if (spec.gender == "neutral") spec.gender.clear();
  if (!spec.gender.empty() && spec.gender != "male" && spec.gender != "female") {
    return "gender " + in_quotes(personality.gender) + " has no voice; there are male, female and neutral";
  }
  return provider.type == "flite" ? flite_by_traits(personality, std::move(spec))
                                  : espeak_by_traits(personality, std::move(spec));
}

Found find_voice(const scheduler::Personality& personality, const std::vector<VoiceProvider>& configured) {
  const std::vector<VoiceProvider> providers = configured.empty() ? default_voice_providers() : configured;
  std::string problems;
  std::string names;
  for (const VoiceProvider& provider : providers) {
    names += (names.empty() ? "" : ", ") + provider.name + " (" + provider.type + ")";
    if (!personality.provider.empty() && personality.provider != provider.name) continue;
    Found found = from_provider(personality, provider);
    if (std::holds_alternative<VoiceSpec>(found) || !personality.provider.empty()) return found;
    problems += (problems.empty() ? "" : "; ") + std::get<std::string>(found);
  }
  if (!personality.provider.empty()) {
    return "there is no voices provider " + in_quotes(personality.provider) + "; there are " + names;
  }
  return problems;
}

}  // namespace

std::vector<VoiceProvider> default_voice_providers() {
  return {{"flite", "flite"}, {"espeak-ng", "espeak-ng"}};
}

std::optional<std::string> voice_problem(const VoiceSpec& voice) {
  if (!(voice.speed >= kSlowest && voice.speed <= kFastest)) {
    return "speed " + std::to_string(voice.speed) + " is outside 0.5 .. 2";
  }
  if (voice.pitch < 0 || voice.pitch > kHighestPitch) {
    return "pitch " + std::to_string(voice.pitch) + " is outside 0 .. 99";
  }
  if (voice.engine == "flite") {
    const std::vector<VoiceDescription>& voices = available_voices("flite");
    const bool known = std::any_of(voices.begin(), voices.end(),
                                   [&](const VoiceDescription& one) { return one.voice == voice.voice; });
    if (known) return std::nullopt;
    return "flite has no voice " + in_quotes(voice.voice) + "; its voices: " + list_voices("flite", "en");
  }
  if (voice.engine == "espeak-ng") {
    if (canonical_espeak_voice(voice.voice)) return std::nullopt;
    const std::string wanted = tag(voice.voice.substr(0, voice.voice.find('+')));
    const bool of_a_language =
        !lookup_order(wanted).empty() && canonical_espeak_voice(std::string(primary_language(wanted)));
    return "espeak-ng has no voice " + in_quotes(voice.voice) +
           "; its voices: " + list_voices("espeak-ng", of_a_language ? wanted : tag(voice.language));
  }
  return "there is no voice engine " + in_quotes(voice.engine) + "; there are flite and espeak-ng";
}

std::optional<std::string> voice_problem(const scheduler::Personality& personality,
                                         const std::vector<VoiceProvider>& providers) {
  Found found = find_voice(personality, providers);
  if (const auto* spec = std::get_if<VoiceSpec>(&found)) return voice_problem(*spec);
  return std::get<std::string>(found);
}

VoiceSpec choose_voice(const scheduler::Personality& personality,
                       const std::vector<VoiceProvider>& providers) {
  Found found = find_voice(personality, providers);
  if (auto* problem = std::get_if<std::string>(&found)) throw std::invalid_argument(*problem);
  VoiceSpec spec = std::get<VoiceSpec>(std::move(found));
  if (auto problem = voice_problem(spec)) throw std::invalid_argument(*problem);
  return spec;
}

}  // namespace linecheck::engine
