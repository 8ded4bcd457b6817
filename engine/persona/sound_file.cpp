// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/sound_file.h"

#include <sndfile.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "engine/persona/clip_shaping.h"
#include "engine/persona/noise.h"
#include "media/speech/annotate.h"

namespace linecheck::engine {
namespace {

constexpr sf_count_t kBlockFrames = 4096;
constexpr int kLowestRate = 1000;
constexpr int kHighestFileRate = 768'000;

struct CloseSound {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using SoundFile = std::unique_ptr<SNDFILE, CloseSound>;

SoundFile open_sound(const std::string& path, SF_INFO& info) {
  info = {};
  SoundFile file(sf_open(path.c_str(), SFM_READ, &info));
  if (!file) throw std::runtime_error(path + ": " + sf_strerror(nullptr));
  if (info.frames <= 0) throw std::runtime_error(path + ": there is no sound in it");
  // A header may claim any rate; the resampler's filter grows with it beyond all bounds.
  if (info.samplerate < kLowestRate || info.samplerate > kHighestFileRate)
    throw std::runtime_error(path + ": a sample rate of " + std::to_string(info.samplerate) + " Hz");
  return file;
}

}  // namespace

double sound_file_seconds(const std::string& path) {
  SF_INFO info;
  const SoundFile file = open_sound(path, info);
  return static_cast<double>(info.frames) / info.samplerate;
}

std::vector<float> read_sound_file(const std::string& path, double max_seconds, int rate) {
  SF_INFO info;
  const SoundFile file = open_sound(path, info);
  const auto channels = static_cast<std::size_t>(info.channels);
  const auto most = static_cast<sf_count_t>(max_seconds * info.samplerate);
  std::vector<float> mono;
  std::vector<float> block(static_cast<std::size_t>(kBlockFrames) * channels);
  for (sf_count_t left = most; left > 0;) {
    const sf_count_t got = sf_readf_float(file.get(), block.data(), std::min(left, kBlockFrames));
    if (got <= 0) break;
    left -= got;
    for (sf_count_t frame = 0; frame < got; ++frame) {
      float sum = 0;
      for (std::size_t channel = 0; channel < channels; ++channel) {
        sum += block[static_cast<std::size_t>(frame) * channels + channel];
      }
      mono.push_back(sum / static_cast<float>(channels) * 32768.0F);
    }
  }
  if (mono.empty()) throw std::runtime_error(path + ": there is no sound in it");
  std::vector<float> resampled = resample(mono, info.samplerate, rate);
  // A sample or two at a high rate are none at ours.
  if (resampled.empty()) throw std::runtime_error(path + ": there is no sound in it");
  return resampled;
}

media::ClipPtr load_wav_clip(const std::string& path, int rate) {
  auto clip = std::make_shared<media::Clip>();
  clip->rate = rate;
  clip->samples = to_s16(read_sound_file(path, kLongestSoundSeconds, rate));
  clip->speech = media::speech::audible_spans(clip->samples, rate);
  return clip;
}

}  // namespace linecheck::engine
