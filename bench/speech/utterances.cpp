// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/speech/utterances.h"

#include <sndfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>

#include "bench/speech/sentences.h"
#include "engine/persona/clip_shaping.h"
#include "engine/persona/sound_file.h"
#include "engine/persona/speaker.h"
#include "media/speech/annotate.h"
#include "media/speech/level.h"

namespace linecheck::bench {
namespace {

struct Voice {
  const char* name;
  const char* engine;
  const char* voice;
  std::size_t every;  ///< speaks each nth sentence
};
constexpr std::array<Voice, 6> kVoices{{{"rms", "flite", "rms", 1},
                                        {"slt", "flite", "slt", 1},
                                        {"awb", "flite", "awb", 1},
                                        {"kal16", "flite", "kal16", 4},
                                        {"espeak-us", "espeak-ng", "en-us", 4},
                                        {"espeak-rp", "espeak-ng", "en-gb-x-rp", 4}}};

bool write_all(int fd, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(fd, at, size);
    if (written <= 0) return false;
    at += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

/// In a process of its own: the voice libraries carry state from one utterance to the next.
std::vector<std::int16_t> speak(engine::Speaker& speaker, const Voice& voice, const std::string& text,
                                int& rate) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) {
    std::vector<std::int16_t> said;
    const engine::Spoken spoken =
        speaker.speak(voice.engine, voice.voice, 1.0, 50, text, [&](std::span<const std::int16_t> part) {
          said.insert(said.end(), part.begin(), part.end());
          return true;
        });
    const int at = spoken.error.empty() ? spoken.rate : 0;
    const bool sent = write_all(ends[1], &at, sizeof at) && write_all(ends[1], said.data(), said.size() * 2);
    ::_exit(sent ? 0 : 1);
  }
  ::close(ends[1]);
  std::vector<char> bytes;
  char block[65536];
  for (ssize_t got = 0; (got = ::read(ends[0], block, sizeof block)) > 0;)
    bytes.insert(bytes.end(), block, block + got);
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  rate = 0;
  if (bytes.size() >= sizeof rate) std::copy_n(bytes.data(), sizeof rate, reinterpret_cast<char*>(&rate));
  if (rate <= 0) throw std::runtime_error(std::string(voice.name) + " cannot say '" + text + "'");
  std::vector<std::int16_t> samples((bytes.size() - sizeof rate) / 2);
  std::copy_n(bytes.data() + sizeof rate, samples.size() * 2, reinterpret_cast<char*>(samples.data()));
  return samples;
}

/// To 8 kHz and -26 dBov, nothing trimmed, annotated; nullopt where nothing is audible. The level that
/// a boundary is defined against is that of the audible part alone, as in the caller's own clips
/// (engine::shape_clip); what fades away below it stays in the samples.
std::optional<Utterance> shaped(std::span<const std::int16_t> raw, int rate) {
  std::vector<float> samples = engine::resample(engine::to_float(raw), rate, kRate);
  samples.insert(samples.begin(), kRate / 20, 0.0F);
  samples.insert(samples.end(), kRate / 20, 0.0F);
  const std::vector<std::int16_t> whole = engine::to_s16(samples);
  std::size_t first = 0;
  std::size_t last = whole.size();
  Utterance utterance;
  double level_dbov = 0;
  for (int round = 0; round < 8; ++round) {
    const auto part = std::span(whole).subspan(first, last - first);
    const auto level = media::speech::active_level(part, kRate);
    utterance.audible = media::speech::audible_spans(part, kRate);
    if (!level || utterance.audible.empty()) return std::nullopt;
    level_dbov = level->active_dbov;
    const double offset_ms = static_cast<double>(first) * 1000 / kRate;
    for (media::Span& span : utterance.audible) {
      span.start_ms += offset_ms;
      span.end_ms += offset_ms;
    }
    const auto at = [](double ms) { return static_cast<std::size_t>(std::max(0.0, ms * kRate / 1000)); };
    const std::size_t next_first = at(utterance.audible.front().start_ms - engine::kClipEdgeMs);
    const std::size_t next_last =
        std::min(whole.size(), at(utterance.audible.back().end_ms + engine::kClipEdgeMs));
    if (next_first == first && next_last == last) break;
    first = next_first;
    last = next_last;
  }
  const auto gain = static_cast<float>(std::pow(10.0, (engine::kSpeechLevelDbov - level_dbov) / 20));
  for (float& sample : samples) sample *= gain;
  utterance.samples = engine::to_s16(samples);
  return utterance;
}

void add(Utterances& all, std::span<const std::int16_t> raw, int rate, const std::string& name,
         const std::string& voice) {
  auto whole = shaped(raw, rate);
  const media::ClipPtr clip = engine::shape_clip(raw, rate, name, kRate);
  if (!whole || !clip || clip->speech.empty())
    throw std::runtime_error(voice + "/" + name + ": nothing in it can be heard");
  whole->name = name;
  whole->voice = voice;
  Utterance cut{name, voice, clip->samples, clip->speech};
  all.cut.push_back(std::move(cut));
  all.whole.push_back(std::move(*whole));
}

}  // namespace

Utterances spoken_utterances() {
  engine::Speaker speaker;
  Utterances all;
  for (const Voice& voice : kVoices) {
    for (std::size_t n = 0; n < kSentences.size(); n += voice.every) {
      int rate = 0;
      const auto raw = speak(speaker, voice, std::string(kSentences[n]), rate);
      add(all, raw, rate, std::to_string(100 + n).substr(1), voice.name);
    }
  }
  return all;
}

Utterances recorded_utterances(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) throw std::runtime_error(folder.string() + " is not a folder");
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  Utterances all;
  for (const auto& file : files) {
    const auto sound =
        engine::to_s16(engine::read_sound_file(file.string(), engine::kLongestSoundSeconds, kRate));
    add(all, sound, kRate, file.stem().string(), file.parent_path().filename().string());
  }
  if (files.empty()) throw std::runtime_error(folder.string() + " has no sound files");
  return all;
}

void write_utterances(const std::vector<Utterance>& utterances, const std::filesystem::path& folder) {
  struct Close {
    void operator()(SNDFILE* file) const { sf_close(file); }
  };
  for (const Utterance& utterance : utterances) {
    std::filesystem::create_directories(folder / utterance.voice);
    SF_INFO info{};
    info.samplerate = kRate;
    info.channels = 1;
    info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
    const std::string path = (folder / utterance.voice / (utterance.name + ".wav")).string();
    const std::unique_ptr<SNDFILE, Close> file(sf_open(path.c_str(), SFM_WRITE, &info));
    if (!file) throw std::runtime_error(path + ": " + sf_strerror(nullptr));
    sf_write_short(file.get(), utterance.samples.data(), static_cast<sf_count_t>(utterance.samples.size()));
  }
}

}  // namespace linecheck::bench
