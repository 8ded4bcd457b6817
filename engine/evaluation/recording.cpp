// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/recording.h"

#include <sndfile.h>

#include <array>
#include <filesystem>
#include <memory>

namespace linecheck::engine {
namespace {

struct SndFileCloser {
  void operator()(SNDFILE* file) const { sf_close(file); }
};

}  // namespace

StereoRecording read_recording(const std::string& path) {
  StereoRecording recording;
  if (path.empty()) {
    recording.error = "the call was not recorded";
    return recording;
  }
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, SndFileCloser> file(sf_open(path.c_str(), SFM_READ, &info));
  if (!file) {
    std::error_code ignored;
    recording.error =
        std::filesystem::exists(path, ignored)
            ? "the recording " + path + " is not a sound file that can be read: " + sf_strerror(nullptr)
            : "the recording " + path + " does not exist";
    return recording;
  }
  if (info.channels != 2 || info.samplerate < 8000) {
    recording.error = "the recording " + path + " is not a stereo file (caller left, agent right)";
    return recording;
  }
  recording.rate = info.samplerate;
  constexpr std::size_t kFrames = 4096;
  std::array<std::int16_t, kFrames * 2> block{};
  for (;;) {
    const sf_count_t got = sf_readf_short(file.get(), block.data(), kFrames);
    if (got <= 0) break;
    for (std::size_t n = 0; n < static_cast<std::size_t>(got); ++n) {
      recording.caller.push_back(block[2 * n]);
      recording.agent.push_back(block[2 * n + 1]);
    }
  }
  if (recording.agent.empty()) recording.error = "the recording " + path + " holds no sound";
  return recording;
}

}  // namespace linecheck::engine
