// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/voice_choice.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include "engine/persona/spoken_text.h"
#include "engine/persona/voice_lists.h"

using namespace linecheck;
using namespace linecheck::engine;

namespace {

const std::vector<VoiceProvider> kBoth = {{"local", "flite"}, {"languages", "espeak-ng"}};

scheduler::Personality person(std::string language, std::string accent = {}, std::string gender = {},
                              std::string voice_id = {}, std::string provider = {}) {
  scheduler::Personality personality;
  personality.language = std::move(language);
  personality.accent = std::move(accent);
  personality.gender = std::move(gender);
  personality.voice_id = std::move(voice_id);
  personality.provider = std::move(provider);
  return personality;
}

/// "flite/slt", or the problem.
std::string chosen(const scheduler::Personality& personality,
                   const std::vector<VoiceProvider>& providers = kBoth) {
  if (const auto problem = voice_problem(personality, providers)) {
    CHECK_THROWS_AS(choose_voice(personality, providers), std::invalid_argument);
    return *problem;
  }
  const VoiceSpec voice = choose_voice(personality, providers);
  CHECK(!voice_problem(voice));
  return voice.engine + "/" + voice.voice;
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("language, accent and gender choose the voice") {
  CHECK(chosen(person("en-US")) == "flite/slt");
  CHECK(chosen(person("")) == "flite/slt");
  CHECK(chosen(person("en-US", "American", "male")) == "flite/rms");
  CHECK(chosen(person("en_us", "", "Female")) == "flite/slt");
  CHECK(chosen(person("en-US", "scottish")) == "flite/awb");
  CHECK(chosen(person("en-US", "scottish", "female")) == "espeak-ng/en-gb-scotland+f3");
  CHECK(chosen(person("en-GB")) == "espeak-ng/en");
  CHECK(chosen(person("en", "British", "female")) == "espeak-ng/en+f3");
  CHECK(chosen(person("en", "rp")) == "espeak-ng/en-gb-x-rp");
  CHECK(chosen(person("en", "New York")) == "espeak-ng/en-us-nyc");
  CHECK(chosen(person("de-AT")) == "espeak-ng/de");
  CHECK(chosen(person("fr")) == "espeak-ng/fr");
  CHECK(chosen(person("fr-CH")) == "espeak-ng/fr-ch");
  CHECK(chosen(person("pt", "brazilian")) == "espeak-ng/pt-br");
  CHECK(chosen(person("es-MX", "", "female")) == "espeak-ng/es-419+f3");
  CHECK(chosen(person("zh-CN")) == "espeak-ng/cmn");
}

TEST_CASE("a voice and a provider that are named win") {
  CHECK(chosen(person("de", "", "", "rms")) == "flite/rms");
  CHECK(chosen(person("en-US", "", "", "", "languages")) == "espeak-ng/en-us");
  CHECK(chosen(person("en-US", "", "", "en-gb+f2")) == "espeak-ng/en+f2");
  CHECK(chosen(person("en-US", "", "", "English (Scotland)", "languages")) == "espeak-ng/en-gb-scotland");
  CHECK(chosen(person("en-US"), {}) == "flite/slt");
  CHECK(chosen(person("nl"), {}) == "espeak-ng/nl");
  scheduler::Personality fast = person("en-US");
  fast.speed = 1.2;
  CHECK(choose_voice(fast, kBoth).speed == 1.2);
}

TEST_CASE("what there is not is refused with what there is") {
  CHECK(says(chosen(person("en-US", "", "", "sltt", "local")),
             "flite has no voice \"sltt\"; its voices: slt (female, american), rms"));
  CHECK(says(chosen(person("en-US", "", "", "en-xx", "languages")), "en-gb-scotland (scotland)"));
  CHECK(says(chosen(person("en-US", "", "", "en-us+f9", "languages")), "with +f1 to +f5"));
  CHECK(says(chosen(person("en-US", "", "", "", "nobody")),
             "there is no voices provider \"nobody\"; there are local (flite), languages (espeak-ng)"));
  CHECK(says(chosen(person("fr", "", "", "", "local")), "flite speaks English only"));
  CHECK(says(chosen(person("en", "british", "", "", "local")), "flite has no voice with accent \"british\""));
  CHECK(says(chosen(person("en", "indian")), "espeak-ng has no en voice with accent \"indian\""));
  CHECK(says(chosen(person("xx-YY", "", "", "", "languages")), "no voice for language \"xx-YY\""));
  CHECK(says(chosen(person("en-US", "", "robot")), "gender \"robot\""));
  CHECK(says(chosen(person("en-US"), {{"cloud", "openai-speech"}}), "not available in this version"));
  scheduler::Personality fast = person("en-US");
  fast.speed = 7;
  CHECK(says(chosen(fast), "speed"));
}

TEST_CASE("espeak-ng's voices go by any of their names") {
  CHECK(canonical_espeak_voice("EN-US") == "en-us");
  CHECK(canonical_espeak_voice("en-gb") == "en");
  CHECK(canonical_espeak_voice("gmw/en-US") == "en-us");
  CHECK(canonical_espeak_voice("German") == "de");
  CHECK(canonical_espeak_voice("zh-yue") == "yue");
  CHECK(canonical_espeak_voice("de+Andrea") == "de+Andrea");
  CHECK(!canonical_espeak_voice("de+nobody"));
  CHECK(!canonical_espeak_voice(""));
  CHECK(!canonical_espeak_voice("+f3"));
  CHECK(!canonical_espeak_voice("mb/mb-us1"));
}

TEST_CASE("UTF-8, and what flite gets of it") {
  CHECK(as_ascii("plain, text!") == "plain, text!");
  CHECK(as_ascii("Caf\u00E9 Mu\u0308ller \u0141\u00F3d\u017A") == "Cafe Muller Lodz");
  CHECK(as_ascii("\u2018so\u2019 \u201Csaid\u201D\u2026") == "'so' \"said\"... ");
  CHECK(as_ascii("5\u20AC") == "5 euros ");
  CHECK(!has_ascii_words(as_ascii("Привет!")));
  CHECK(without_controls(std::string("a\0b\n\x7F"
                                     "c",
                                     6)) == "a b  c");
  for (const std::string bad : {"\x80", "\xC0\xAF", "\xE2\x82", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"}) {
    CHECK(spoken_text_problem("ok " + bad).value_or("").find("not valid UTF-8 (at byte 4)") !=
          std::string::npos);
  }
  CHECK(!spoken_text_problem("日本語"));
  CHECK(!spoken_text_problem("7"));
  CHECK(spoken_text_problem("\u3000\u00A0"));
  CHECK(spoken_text_problem("\u2014\U0001F600"));
  std::string limit;
  for (std::size_t i = 0; i < kMaxSpokenCharacters; ++i) limit += "\u00E9";
  CHECK(!spoken_text_problem(limit));
  CHECK(spoken_text_problem(limit + "a"));
}
