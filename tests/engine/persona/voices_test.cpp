// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/voices.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "media/speech/annotate.h"
#include "media/speech/level.h"
#include "tests/temporary_directory.h"

using namespace linecheck;
using namespace linecheck::engine;
using namespace std::chrono_literals;

namespace {

constexpr auto kPatience = 120s;
const std::string kSentence = "Hello, this is Jane Smith. I would like to make an appointment for Tuesday.";

/// Collects results, which arrive on the voices thread.
class Results {
 public:
  Voices::Done add() {
    return [this](const SynthResult& result) {
      const std::lock_guard lock(mutex_);
      all_.push_back(result);
      changed_.notify_all();
    };
  }
  std::vector<SynthResult> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    const bool enough = changed_.wait_for(lock, kPatience, [&] { return all_.size() >= count; });
    REQUIRE(enough);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<SynthResult> all_;
};

SynthResult speak(Voices& voices, VoiceSpec voice, std::string text) {
  Results results;
  voices.synthesize(std::move(voice), std::move(text), results.add());
  return results.wait_for(1).front();
}

VoiceSpec flite(std::string voice, double speed = 1.0) {
  VoiceSpec spec;
  spec.engine = "flite";
  spec.voice = std::move(voice);
  spec.speed = speed;
  return spec;
}

VoiceSpec espeak(std::string voice, double speed = 1.0, int pitch = 50) {
  VoiceSpec spec;
  spec.engine = "espeak-ng";
  spec.voice = std::move(voice);
  spec.speed = speed;
  spec.pitch = pitch;
  return spec;
}

VoicesOptions test_options() {
  VoicesOptions options;
  options.program = LINECHECK_BINARY;
  return options;
}

double active_dbov(const media::Clip& clip) {
  const auto level = media::speech::active_level(clip.samples, clip.rate);
  REQUIRE(level.has_value());
  return level->active_dbov;
}

/// The utterance that a voices process is at: its child. 0 if there is none.
pid_t child_of(pid_t parent) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream stat(entry.path() / "stat");
    std::string line;
    std::getline(stat, line);
    const std::size_t bracket = line.rfind(')');
    if (bracket == std::string::npos || bracket + 4 >= line.size() || line[bracket + 2] == 'Z') continue;
    if (std::stol(line.substr(bracket + 4)) == parent) return static_cast<pid_t>(std::stol(name));
  }
  return 0;
}

template <typename Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

/// Takes flite a few seconds.
std::string long_text() {
  std::string text;
  while (text.size() < 2500)
    text += "And then there was another thing to say, number " + std::to_string(text.size()) + ". ";
  return text;
}

}  // namespace

TEST_CASE("every voice says a sentence at -26 dBov, trimmed and annotated") {
  Voices voices(test_options());
  std::vector<VoiceSpec> specs = {flite("slt"), flite("rms"), flite("awb"), flite("kal"), flite("kal16")};
  for (const char* name :
       {"en-us", "en-gb", "en-gb-scotland", "en-us-nyc", "en-us+f3", "en-us+m3", "de", "fr-fr", "es-419"}) {
    specs.push_back(espeak(name));
  }
  for (const VoiceSpec& spec : specs) {
    CAPTURE(spec.voice);
    const SynthResult result = speak(voices, spec, kSentence);
    REQUIRE_MESSAGE(result.clip != nullptr, result.error);
    const media::Clip& clip = *result.clip;
    CHECK(clip.rate == 8000);
    CHECK(clip.text == kSentence);
    CHECK(clip.duration_ms() > 2500);
    CHECK(clip.duration_ms() < 9000);
    CHECK(active_dbov(clip) == doctest::Approx(-26).epsilon(0.02));
    CHECK(media::speech::clipped_percent(clip.samples) == 0);
    REQUIRE(!clip.speech.empty());
    CHECK(clip.speech.front().start_ms >= 5);
    CHECK(clip.speech.front().start_ms <= 20);
    CHECK(clip.speech.back().end_ms <= clip.duration_ms() - 5);
    CHECK(clip.speech.back().end_ms >= clip.duration_ms() - 20);
    CHECK(result.took_ms > 0);
  }
  CHECK(voices.statistics().synthesized == specs.size());
  CHECK(voices.statistics().launches == 1);
}

TEST_CASE("a voice for a wide-band call keeps what a telephone would cut, and its times") {
  Voices voices(test_options());
  VoiceSpec spec = flite("rms");  // 16 kHz
  const SynthResult narrow = speak(voices, spec, kSentence);
  spec.rate = 16'000;
  const SynthResult wide = speak(voices, spec, kSentence);
  REQUIRE(narrow.clip);
  REQUIRE(wide.clip);
  CHECK(wide.clip->rate == 16'000);
  CHECK(active_dbov(*wide.clip) == doctest::Approx(-26).epsilon(0.02));
  CHECK(std::abs(wide.clip->duration_ms() - narrow.clip->duration_ms()) < 60);
  CHECK(wide.clip->speech.front().start_ms >= 5);
  CHECK(wide.clip->speech.front().start_ms <= 20);
  // Fricatives: in steps from sample to sample there is more than 4 kHz could make.
  double above = 0;
  double all = 0;
  for (std::size_t n = 2; n < wide.clip->samples.size(); ++n) {
    const double high = wide.clip->samples[n] - 2.0 * wide.clip->samples[n - 1] + wide.clip->samples[n - 2];
    above += high * high;
    all += static_cast<double>(wide.clip->samples[n]) * wide.clip->samples[n];
  }
  CHECK(above > 0.001 * all);
}

TEST_CASE("a single short word is a clip too") {
  Voices voices(test_options());
  for (const VoiceSpec& spec : {flite("slt"), flite("kal"), espeak("en-us")}) {
    for (const char* word : {"Hi.", "no", "4"}) {
      CAPTURE(spec.voice);
      CAPTURE(word);
      const SynthResult result = speak(voices, spec, word);
      REQUIRE_MESSAGE(result.clip != nullptr, result.error);
      CHECK(result.clip->duration_ms() > 100);
      CHECK(result.clip->duration_ms() < 1500);
      CHECK(media::speech::rms_dbov(result.clip->samples) == doctest::Approx(-27).epsilon(0.1));
    }
  }
}

TEST_CASE("every installed voice of espeak-ng can be loaded by the name it is listed under") {
  Voices voices(test_options());
  Results results;
  std::vector<VoiceSpec> specs;
  for (const VoiceDescription& voice : available_voices("espeak-ng")) specs.push_back(espeak(voice.voice));
  CHECK(specs.size() > 100);
  for (const VoiceSpec& spec : specs) {
    const SynthResult result = speak(voices, spec, "1 2 3");
    // Some languages have no words for figures yet.
    const bool loaded =
        result.clip != nullptr || result.error.find("makes no sound of this text") != std::string::npos;
    CHECK_MESSAGE(loaded, result.error, " (", spec.voice, ")");
  }
}

TEST_CASE("speed and pitch") {
  Voices voices(test_options());
  for (const auto& make :
       {+[](double speed) { return flite("slt", speed); }, +[](double speed) { return flite("kal", speed); },
        +[](double speed) { return espeak("en-us", speed); }}) {
    std::vector<double> ms;
    for (const double speed : {0.8, 1.0, 1.2}) {
      const SynthResult result = speak(voices, make(speed), kSentence);
      REQUIRE_MESSAGE(result.clip != nullptr, result.error);
      ms.push_back(result.clip->duration_ms());
    }
    CHECK(ms[0] > ms[1] * 1.1);
    CHECK(ms[1] > ms[2] * 1.08);
    CHECK(ms[0] < ms[2] * 1.8);
  }
  const SynthResult low = speak(voices, espeak("en-us", 1.0, 20), kSentence);
  const SynthResult high = speak(voices, espeak("en-us", 1.0, 80), kSentence);
  REQUIRE(low.clip);
  REQUIRE(high.clip);
  CHECK(low.clip->samples != high.clip->samples);
}

TEST_CASE("espeak-ng repeats itself byte for byte, whatever it said in between") {
  std::vector<media::ClipPtr> clips;
  for (int round = 0; round < 2; ++round) {
    Voices voices(test_options());
    if (round == 1) speak(voices, espeak("de"), "Etwas anderes.");
    const SynthResult result = speak(voices, espeak("en-us"), kSentence);
    REQUIRE_MESSAGE(result.clip != nullptr, result.error);
    clips.push_back(result.clip);
  }
  CHECK(clips[0]->samples == clips[1]->samples);
}

TEST_CASE("a clip is made once: memory, folder, and requests in flight") {
  const tests::TemporaryDirectory directory;
  VoicesOptions options = test_options();
  options.cache_directory = directory.path() / "voices";
  media::ClipPtr first;
  {
    Voices voices(options);
    const SynthResult made = speak(voices, flite("slt"), kSentence);
    REQUIRE_MESSAGE(made.clip != nullptr, made.error);
    CHECK(!made.cached);
    first = made.clip;
    const SynthResult again = speak(voices, flite("slt"), kSentence);
    CHECK(again.cached);
    CHECK(again.clip == first);
    const SynthResult faster = speak(voices, flite("slt", 1.1), kSentence);
    CHECK(!faster.cached);
    CHECK(voices.statistics().memory_hits == 1);
    CHECK(voices.statistics().synthesized == 2);
  }
  {
    Voices voices(options);
    const SynthResult kept = speak(voices, flite("slt"), kSentence);
    REQUIRE_MESSAGE(kept.clip != nullptr, kept.error);
    CHECK(kept.cached);
    CHECK(kept.clip->samples == first->samples);
    CHECK(kept.clip->text == kSentence);
    REQUIRE(kept.clip->speech.size() == first->speech.size());
    CHECK(kept.clip->speech.back().end_ms == first->speech.back().end_ms);
    CHECK(voices.statistics().disk_hits == 1);
    CHECK(voices.statistics().synthesized == 0);
  }
  for (const auto& entry : std::filesystem::directory_iterator(options.cache_directory)) {
    CHECK(entry.path().extension() == ".clip");
    std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
  }
  Voices voices(options);
  Results results;
  for (int i = 0; i < 5; ++i) voices.synthesize(flite("slt"), kSentence, results.add());
  for (const SynthResult& result : results.wait_for(5)) {
    REQUIRE_MESSAGE(result.clip != nullptr, result.error);
    CHECK(result.clip->samples.size() == first->samples.size());
  }
  CHECK(voices.statistics().synthesized == 1);
  CHECK(voices.statistics().merged + voices.statistics().memory_hits == 4);
}

TEST_CASE("a folder that cannot be written is no error") {
  VoicesOptions options = test_options();
  options.cache_directory = "/proc/linecheck-cannot-be-here";
  Voices voices(options);
  const SynthResult result = speak(voices, espeak("en-us"), "Still here.");
  CHECK_MESSAGE(result.clip != nullptr, result.error);
}

TEST_CASE("twenty requests at once") {
  Voices voices(test_options());
  Results results;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        const VoiceSpec spec = i % 2 == 0 ? flite("kal16") : espeak("en-us");
        voices.synthesize(spec, "Caller " + std::to_string(t) + " says sentence " + std::to_string(i) + ".",
                          results.add());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const SynthResult& result : results.wait_for(20)) CHECK_MESSAGE(result.clip != nullptr, result.error);
  CHECK(voices.statistics().synthesized == 20);
  CHECK(voices.statistics().failed == 0);
}

TEST_CASE("what cannot be spoken is refused with a reason") {
  Voices voices(test_options());
  const auto error = [&](const VoiceSpec& spec, const std::string& text) {
    return speak(voices, spec, text).error;
  };
  CHECK(error(flite("slt"), "") == "there is no text to speak");
  CHECK(error(flite("slt"), " \n\t ") == "there is no text to speak");
  CHECK(error(flite("slt"), "... ?!") == "the text to speak has neither a letter nor a digit in it");
  CHECK(error(flite("slt"), std::string(10'000, 'a')).find("10000 characters; at most 3000") !=
        std::string::npos);
  CHECK(error(flite("slt"), "caf\xC3").find("not valid UTF-8 (at byte 4)") != std::string::npos);
  CHECK(error(flite("slt"), "Привет").find("flite speaks English only") != std::string::npos);
  CHECK(error(flite("nobody"), "Hello").find("slt (female, american)") != std::string::npos);
  CHECK(error(espeak("../../etc/passwd"), "Hello").find("espeak-ng has no voice") != std::string::npos);
  CHECK(error(flite("slt", 99), "Hello").find("speed") != std::string::npos);
  const VoicesStatistics statistics = voices.statistics();
  CHECK(statistics.failed == 9);
  CHECK(statistics.deaths == 0);
}

TEST_CASE("odd text is spoken") {
  Voices voices(test_options());
  const std::vector<std::string> texts = {
      "Caf\u00E9 na\u00EFve \u2014 \u201Cquoted\u201D \u2026 \u20AC5",
      "<speak>not & markup</speak>",
      "[[h@l'oU]] %s %n $HOME",
      std::string("tab\tand\x01\x02 bell\a nul") + '\0' + "end",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "\U0001F600 smile",
      "123456789012345678901234567890"};
  for (const std::string& text : texts) {
    for (const VoiceSpec& spec : {flite("slt"), flite("kal"), espeak("en-us")}) {
      CAPTURE(text);
      CAPTURE(spec.voice);
      const SynthResult result = speak(voices, spec, text);
      CHECK_MESSAGE(result.clip != nullptr, result.error);
    }
  }
  const SynthResult russian = speak(voices, espeak("ru"), "Привет, как дела?");
  CHECK_MESSAGE(russian.clip != nullptr, russian.error);
  CHECK(voices.statistics().deaths == 0);
}

TEST_CASE("an utterance that crashes is an error of its own") {
  Voices voices(test_options());
  Results results;
  voices.synthesize(flite("rms"), long_text(), results.add());
  REQUIRE(eventually([&] { return voices.process_id() != 0 && child_of(voices.process_id()) != 0; }));
  ::kill(child_of(voices.process_id()), SIGABRT);
  const SynthResult crashed = results.wait_for(1).front();
  CHECK(crashed.clip == nullptr);
  CHECK(crashed.error.find("crashed on this text") != std::string::npos);
  CHECK(speak(voices, flite("kal"), "Still there.").clip != nullptr);
  CHECK(voices.statistics().deaths == 0);
}

TEST_CASE("the voices process dies: an error for what it spoke, then a new process") {
  Voices voices(test_options());
  Results results;
  for (int round = 1; round <= 2; ++round) {
    voices.synthesize(flite("rms"), long_text(), results.add());
    pid_t utterance = 0;
    REQUIRE(eventually([&] {
      utterance = voices.process_id() == 0 ? 0 : child_of(voices.process_id());
      return utterance != 0;
    }));
    ::kill(voices.process_id(), SIGKILL);
    const SynthResult lost = results.wait_for(static_cast<std::size_t>(round)).back();
    CHECK(lost.clip == nullptr);
    CHECK(lost.error.find("the voices process ended by a signal (Killed)") != std::string::npos);
    CHECK(speak(voices, flite("kal"), "Recovered, round " + std::to_string(round)).clip != nullptr);
    CHECK(voices.statistics().deaths == static_cast<std::uint64_t>(round));
    CHECK(voices.statistics().launches == static_cast<std::uint64_t>(round) + 1);
    // The utterance does not outlive the process.
    CHECK(eventually([&] { return !std::filesystem::exists("/proc/" + std::to_string(utterance)); }));
  }
}

TEST_CASE("a voices process that does not start is an error, not a wait") {
  for (const char* program : {"/nonexistent/linecheck", "/bin/false"}) {
    VoicesOptions options;
    options.program = program;
    Voices voices(options);
    const SynthResult result = speak(voices, flite("slt"), "Hello");
    CHECK(result.clip == nullptr);
    CHECK(result.error.find("the voices process keeps failing") != std::string::npos);
  }
}

TEST_CASE("shutdown fails what is waiting and ends the process") {
  Voices voices(test_options());
  Results results;
  for (int i = 0; i < 6; ++i) voices.synthesize(flite("rms"), long_text() + std::to_string(i), results.add());
  REQUIRE(eventually([&] { return voices.process_id() != 0; }));
  const pid_t process = voices.process_id();
  voices.shutdown();
  for (const SynthResult& result : results.wait_for(6)) CHECK(result.error == "the voices are shut down");
  CHECK(!std::filesystem::exists("/proc/" + std::to_string(process)));
  CHECK(speak(voices, flite("slt"), "Hello").error == "the voices are shut down");
}

TEST_CASE("the voices process has neither capabilities nor priority, and sits out Ctrl-C") {
  Voices voices(test_options());
  REQUIRE(speak(voices, espeak("en-us"), "Ready").clip != nullptr);
  const pid_t process = voices.process_id();
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  std::string line;
  int seen = 0;
  while (std::getline(status, line)) {
    for (const char* set : {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:"}) {
      if (!line.starts_with(set)) continue;
      CHECK(line.substr(line.find('\t') + 1) == "0000000000000000");
      ++seen;
    }
  }
  CHECK(seen == 4);
  ::kill(process, SIGINT);
  ::kill(process, SIGTERM);
  CHECK(speak(voices, espeak("en-us"), "Still ready").clip != nullptr);
  CHECK(voices.process_id() == process);
}
