// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "media/recorder.h"
#include "tests/media/virtual_leg.h"

using namespace linecheck::media;
using namespace linecheck::media::test;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "linecheck-media-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

struct Wav {
  std::uint32_t riff_size = 0;
  std::uint32_t data_size = 0;
  int channels = 0;
  int rate = 0;
  int bits = 0;
  std::vector<RecordingRing::Frame> frames;
  std::size_t file_size = 0;
};

Wav read_wav(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  REQUIRE(bytes.size() >= 44);
  const auto u16 = [&](std::size_t at) {
    return static_cast<int>(static_cast<unsigned char>(bytes[at]) | static_cast<unsigned char>(bytes[at + 1])
                                                                        << 8);
  };
  const auto u32 = [&](std::size_t at) {
    return static_cast<std::uint32_t>(u16(at)) | static_cast<std::uint32_t>(u16(at + 2)) << 16;
  };
  CHECK(std::string(bytes.data(), 4) == "RIFF");
  CHECK(std::string(bytes.data() + 8, 8) == "WAVEfmt ");
  CHECK(std::string(bytes.data() + 36, 4) == "data");
  Wav wav{u32(4), u32(40), u16(22), static_cast<int>(u32(24)), u16(34), {}, bytes.size()};
  for (std::size_t at = 44; at + 4 <= 44 + wav.data_size; at += 4) {
    wav.frames.push_back({static_cast<std::int16_t>(u16(at)), static_cast<std::int16_t>(u16(at + 2))});
  }
  return wav;
}

}  // namespace

TEST_CASE("a WAV file opens at any moment, and ends with the leg") {
  const Folder folder;
  const std::string path = folder.file("call.wav");
  VirtualLeg leg({}, true);
  leg.keep_recording = false;  // the recorder takes it
  LegReport closed;
  Recorder recorder([&](std::unique_ptr<Leg> over) { closed = over->report(); });
  recorder.add(leg.id, path, leg.ring);
  recorder.service();
  CHECK(read_wav(path).data_size == 0);

  leg.start();
  leg.run_ms(100);
  const ClipPtr clip = tone_clip(8000);
  leg.play(clip, 1, {{4000, 0}});
  for (int i = 0; i < 22; ++i) {
    leg.run_ms(100);
    recorder.service();
    const Wav wav = read_wav(path);
    CHECK(wav.riff_size == wav.data_size + 36);
    CHECK(wav.data_size + 44 == wav.file_size);
  }
  const Wav half_way = read_wav(path);
  // 2.3 s, the last one held back, less what fills no batch.
  CHECK(half_way.frames.size() == 2 * 4 * RecordingBlock::kFrames);

  leg.control->close_requested = true;
  leg.run_ms(40);
  std::unique_ptr<Leg> over;
  REQUIRE(leg.outlet.next_retired(over));
  const double closed_ms = over->closed_ms();
  recorder.close(std::move(over));
  CHECK(closed.recording_error.empty());

  const Wav wav = read_wav(path);
  CHECK(wav.channels == 2);
  CHECK(wav.rate == 8000);
  CHECK(wav.bits == 16);
  CHECK(wav.frames.size() == static_cast<std::size_t>(std::lround(closed_ms * 8)));
  const auto marks = leg.all<MarkSent>();
  REQUIRE(marks.size() == 1);
  const auto middle = static_cast<std::size_t>(std::lround(marks[0].first * 8));
  for (std::size_t i = 0; i < 8000; ++i) {
    REQUIRE(wav.frames[middle - 4000 + i].caller == through(Codec::pcmu, clip->samples[i]));
  }
}

TEST_CASE("a full disk is told in the report and hurts nothing else") {
  VirtualLeg leg({}, true);
  leg.keep_recording = false;
  LegReport closed;
  Recorder recorder([&](std::unique_ptr<Leg> over) { closed = over->report(); });
  recorder.add(leg.id, "/dev/full", leg.ring);
  leg.start();
  for (int i = 0; i < 50; ++i) {
    leg.run_ms(100);
    recorder.service();
  }
  CHECK(leg.wire->sent.size() == 250);
  leg.control->close_requested = true;
  leg.run_ms(40);
  std::unique_ptr<Leg> over;
  REQUIRE(leg.outlet.next_retired(over));
  recorder.close(std::move(over));
  CHECK(closed.recording_error.find("No space left") != std::string::npos);
  CHECK(closed.recording_error.find("/dev/full") != std::string::npos);
}

TEST_CASE("a folder that is not there is told in the report") {
  const Folder folder;
  VirtualLeg leg({}, true);
  LegReport closed;
  Recorder recorder([&](std::unique_ptr<Leg> over) { closed = over->report(); });
  recorder.add(leg.id, folder.file("missing/call.wav"), leg.ring);
  leg.control->close_requested = true;
  leg.run_ms(40);
  std::unique_ptr<Leg> over;
  REQUIRE(leg.outlet.next_retired(over));
  recorder.close(std::move(over));
  CHECK(closed.recording_error.find("No such file") != std::string::npos);
}

TEST_CASE("a disk that stalls costs audio, not the clock") {
  const Folder folder;
  const std::string path = folder.file("call.wav");
  VirtualLeg leg({}, true);
  leg.keep_recording = false;
  LegReport closed;
  Recorder recorder([&](std::unique_ptr<Leg> over) { closed = over->report(); });
  recorder.add(leg.id, path, leg.ring);
  leg.start();
  leg.play(tone_clip(160000), 1);
  leg.run_ms(12000);  // nobody takes anything for twelve seconds
  for (int i = 0; i < 20; ++i) {
    recorder.service();
    leg.run_ms(100);
  }
  const double probe_ms = 13'500;
  leg.control->close_requested = true;
  leg.run_ms(40);
  std::unique_ptr<Leg> over;
  REQUIRE(leg.outlet.next_retired(over));
  const double closed_ms = over->closed_ms();
  recorder.close(std::move(over));
  CHECK(closed.recording_error.find("too slow") != std::string::npos);
  const Wav wav = read_wav(path);
  CHECK(wav.frames.size() == static_cast<std::size_t>(std::lround(closed_ms * 8)));
  const auto started = leg.all<PlayStarted>();
  REQUIRE(started.size() == 1);
  const auto first = static_cast<std::size_t>(std::lround(started[0].first * 8));
  const auto at = static_cast<std::size_t>(probe_ms * 8);
  const ClipPtr clip = tone_clip(160000);
  CHECK(wav.frames[at].caller == through(Codec::pcmu, clip->samples[at - first]));
  CHECK(wav.frames[10 * 8000].caller == 0);  // what was lost is silence
}

TEST_CASE("ring: writer and reader on two threads") {
  RecordingRing ring;
  constexpr std::int64_t kTotal = 200000;
  std::thread writer([&] {
    std::array<std::int16_t, 160> samples;
    for (std::int64_t position = 0; position < kTotal; position += 160) {
      for (std::size_t i = 0; i < 160; ++i) {
        samples[i] = static_cast<std::int16_t>((position + static_cast<std::int64_t>(i)) % 30011 + 1);
      }
      while (ring.available() > 8000) std::this_thread::yield();
      ring.write_caller(position, samples);
      ring.write_agent(position, samples);
      ring.commit(position + 160);
    }
    ring.flush();
  });
  std::vector<RecordingRing::Frame> batch(1000);
  std::int64_t at = 0;
  while (at < kTotal) {
    const std::size_t count = ring.take(batch);
    if (count == 0) std::this_thread::yield();
    for (std::size_t i = 0; i < count; ++i, ++at) {
      REQUIRE(batch[i].caller == at % 30011 + 1);
      REQUIRE(batch[i].agent == at % 30011 + 1);
    }
  }
  writer.join();
  CHECK(ring.overrun() == 0);
}

TEST_CASE("ring: mu-law and samples, one after the other, come out in their places") {
  RecordingRing ring;
  const std::vector<std::uint8_t> bytes(160, 0x80);
  const std::vector<std::int16_t> samples(160, 1234);
  ring.write_caller_ulaw(0, bytes);
  ring.write_caller_ulaw(320, bytes);   // a frame is left out
  ring.write_caller(480, samples);      // from here on it is wide
  ring.write_caller_ulaw(8900, bytes);  // 60 samples of it go round the end, which is as far as one may write
  ring.commit(640);
  ring.write_caller_ulaw(9060, bytes);
  ring.commit(9220);
  ring.flush();
  std::vector<RecordingRing::Frame> out(9300);
  REQUIRE(ring.take(out) == 9220);
  std::int16_t loud = 0;
  g711_decode(Codec::pcmu, std::span(bytes).first(1), std::span(&loud, 1));
  const auto expected = [&](std::size_t at) -> std::int16_t {
    if (at < 160 || (at >= 320 && at < 480)) return loud;
    if (at >= 480 && at < 640) return 1234;
    if (at >= 8900 && at < 9000) return loud;
    return at >= 9060 ? loud : std::int16_t{0};
  };
  for (std::size_t i = 0; i < 9220; ++i) REQUIRE(out[i].caller == expected(i));
  CHECK(ring.overrun() == 60);
}
