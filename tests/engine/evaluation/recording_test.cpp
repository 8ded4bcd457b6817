// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/recording.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace linecheck::engine;

namespace {

class TemporaryFile {
 public:
  TemporaryFile(const char* name, const std::string& content)
      : path_(std::filesystem::temp_directory_path() /
              ("linecheck-recording-" + std::to_string(::getpid()) + "-" + name)) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

std::string little(std::uint32_t value, int bytes) {
  std::string out;
  for (int n = 0; n < bytes; ++n) out.push_back(static_cast<char>((value >> (8 * n)) & 0xFF));
  return out;
}

std::string wav(std::uint32_t channels, std::uint32_t rate, const std::string& samples) {
  const auto size = static_cast<std::uint32_t>(samples.size());
  return "RIFF" + little(36 + size, 4) + "WAVEfmt " + little(16, 4) + little(1, 2) + little(channels, 2) +
         little(rate, 4) + little(rate * channels * 2, 4) + little(channels * 2, 2) + little(16, 2) + "data" +
         little(size, 4) + samples;
}

}  // namespace

TEST_CASE("recording: left is the caller, right the agent") {
  std::string samples;
  for (std::uint32_t n = 0; n < 5000; ++n) samples += little(n, 2) + little(0x10000 - n, 2);
  const TemporaryFile file("good.wav", wav(2, 8000, samples));
  const StereoRecording recording = read_recording(file.path());
  CHECK(recording.error.empty());
  REQUIRE(recording.caller.size() == 5000);
  REQUIRE(recording.agent.size() == 5000);
  CHECK(recording.rate == 8000);
  CHECK(recording.caller[4321] == 4321);
  CHECK(recording.agent[4321] == -4321);
}

TEST_CASE("recording: what cannot be read says why") {
  CHECK(read_recording("").error == "the call was not recorded");
  CHECK(read_recording("/nonexistent/call.wav").error.find("does not exist") != std::string::npos);
  const TemporaryFile text("text.wav", "this is no sound");
  CHECK(read_recording(text.path()).error.find("not a sound file") != std::string::npos);
  const TemporaryFile mono("mono.wav", wav(1, 8000, std::string(1600, 'a')));
  CHECK(read_recording(mono.path()).error.find("not a stereo file") != std::string::npos);
  const TemporaryFile none("none.wav", wav(2, 8000, ""));
  CHECK(read_recording(none.path()).error.find("holds no sound") != std::string::npos);
  CHECK(read_recording(none.path()).empty());
}
