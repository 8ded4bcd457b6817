// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/wav_writer.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sndfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

using namespace linecheck::media;

namespace {

namespace fs = std::filesystem;

struct Read {
  SF_INFO info{};
  std::vector<std::int16_t> samples;
  bool opened = false;
};

/// By software that is not ours.
Read read_file(const std::string& path) {
  Read read;
  SNDFILE* file = sf_open(path.c_str(), SFM_READ, &read.info);
  if (file == nullptr) return read;
  read.opened = true;
  read.samples.resize(static_cast<std::size_t>(read.info.frames) * 2);
  CHECK(sf_readf_short(file, read.samples.data(), read.info.frames) == read.info.frames);
  sf_close(file);
  return read;
}

std::vector<RecordingRing::Frame> ramp(int from, int count) {
  std::vector<RecordingRing::Frame> frames;
  for (int n = from; n < from + count; ++n) {
    frames.push_back({static_cast<std::int16_t>(n * 7), static_cast<std::int16_t>(-n * 5)});
  }
  return frames;
}

class WavFolder {
 public:
  WavFolder() : path_(fs::temp_directory_path() / ("linecheck-wav-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~WavFolder() { fs::remove_all(path_); }
  WavFolder(const WavFolder&) = delete;
  WavFolder& operator=(const WavFolder&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("both formats and rates are read back by libsndfile, mu-law within its steps") {
  const WavFolder folder;
  for (const int rate : {8000, 16000}) {
    for (const WavFormat format : {WavFormat::pcm16, WavFormat::ulaw}) {
      const std::string path = folder.file("call.wav");
      {
        WavWriter writer(path, rate, format);
        writer.append(ramp(0, 3000));
        writer.append(ramp(3000, 1001));
        CHECK(writer.error().empty());
        CHECK(writer.frames() == 4001);
      }
      const Read read = read_file(path);
      REQUIRE(read.opened);
      CHECK(read.info.samplerate == rate);
      CHECK(read.info.channels == 2);
      REQUIRE(read.info.frames == 4001);
      const auto wanted = ramp(0, 4001);
      bool near = true;
      for (std::size_t n = 0; n < wanted.size(); ++n) {
        const int step = format == WavFormat::pcm16 ? 0 : std::abs(wanted[n].caller) / 16 + 8;
        near = near && std::abs(read.samples[2 * n] - wanted[n].caller) <= step;
        near = near && std::abs(read.samples[2 * n + 1] - wanted[n].agent) <= step;
      }
      CHECK(near);
      CHECK(fs::file_size(path) == (format == WavFormat::pcm16 ? 44 + 4 * 4001 : 58 + 2 * 4001));
    }
  }
}

TEST_CASE("a recording can be opened at any instant of a kill -9") {
  const WavFolder folder;
  std::mt19937 random(1);
  for (int round = 0; round < 40; ++round) {
    CAPTURE(round);
    const std::string path = folder.file(("killed-" + std::to_string(round) + ".wav").c_str());
    const WavFormat format = round % 2 == 0 ? WavFormat::pcm16 : WavFormat::ulaw;
    int progress[2];
    REQUIRE(::pipe(progress) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(progress[0]);
      // Somewhere in its life, the making of the file included: that begins with the first byte.
      const char byte = 'x';
      (void)!::write(progress[1], &byte, 1);
      WavWriter writer(path, 8000, format);
      for (int n = 0;; n += 500) {
        writer.append(ramp(n % 4000, 500));
        if (::write(progress[1], &byte, 1) != 1) _exit(1);
      }
    }
    ::close(progress[1]);
    REQUIRE(child > 0);
    const int steps = 1 + static_cast<int>(random() % 30);
    char byte = 0;
    for (int n = 0; n < steps; ++n) REQUIRE(::read(progress[0], &byte, 1) == 1);
    // A little further, so that the kill falls inside of writing too.
    for (volatile auto spin = random() % 100'000; spin > 0;) spin = spin - 1;
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    ::close(progress[0]);

    if (!fs::exists(path)) {
      CHECK(steps == 1);  // killed before it had its name
      continue;
    }
    const Read read = read_file(path);
    REQUIRE(read.opened);
    CHECK(read.info.channels == 2);
    CHECK(read.info.frames >= 500 * std::max(0, steps - 2));
    CHECK(read.info.frames % 500 == 0);
  }
}

TEST_CASE("a file that cannot be made says why") {
  WavWriter writer("/nonexistent/call.wav", 8000);
  CHECK(writer.error().find("No such file") != std::string::npos);
  writer.append(ramp(0, 10));
  CHECK(writer.frames() == 0);
}
