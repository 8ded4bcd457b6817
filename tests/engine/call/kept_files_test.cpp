// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/kept_files.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numbers>
#include <vector>

#include "engine/evaluation/recording.h"
#include "engine/report/waveform.h"
#include "media/pcap_writer.h"
#include "media/wav_writer.h"
#include "tests/temporary_directory.h"

using namespace linecheck;
using namespace linecheck::engine;
namespace fs = std::filesystem;

namespace {

/// A second of silence, a second of a tone on the right, half a second of silence.
std::string write_tone(const fs::path& path, int rate, media::WavFormat format) {
  media::WavWriter writer(path.string(), rate, format);
  std::vector<media::RecordingRing::Frame> frames(static_cast<std::size_t>(rate) * 5 / 2);
  for (std::size_t n = static_cast<std::size_t>(rate); n < static_cast<std::size_t>(rate) * 2; ++n) {
    frames[n].agent = static_cast<std::int16_t>(
        std::lround(9000 * std::sin(2 * std::numbers::pi * 440 * static_cast<double>(n) / rate)));
  }
  writer.append(frames);
  REQUIRE(writer.error().empty());
  return path.string();
}

double loud_from_ms(const StereoRecording& recording) {
  for (std::size_t n = 0; n < recording.agent.size(); ++n) {
    if (std::abs(recording.agent[n]) > 2000) return 1000.0 * static_cast<double>(n) / recording.rate;
  }
  return -1;
}

}  // namespace

TEST_CASE("a recording is packed, read by every reader, and stays on its clock") {
  const tests::TemporaryDirectory folder;
  for (const int rate : {8000, 16000}) {
    for (const auto format : {media::WavFormat::pcm16, media::WavFormat::ulaw}) {
      for (const auto how : {scheduler::RecordingAfter::keep, scheduler::RecordingAfter::flac,
                             scheduler::RecordingAfter::opus}) {
        CAPTURE(rate);
        CAPTURE(static_cast<int>(how));
        const std::string original = write_tone(folder.path() / "call.wav", rate, format);
        const StereoRecording before = read_recording(original);
        std::string path = original;
        CHECK(pack_recording(path, how) == "");
        const bool kept = how == scheduler::RecordingAfter::keep;
        CHECK((path == original) == kept);
        CHECK(fs::exists(original) == kept);
        const StereoRecording after = read_recording(path);
        REQUIRE(after.error.empty());
        CHECK(after.rate == rate);
        REQUIRE(after.agent.size() == before.agent.size());
        if (how != scheduler::RecordingAfter::opus) CHECK(after.agent == before.agent);
        CHECK(std::abs(loud_from_ms(after) - loud_from_ms(before)) <= 3);
        const auto waveform = report::read_waveform(path, true);
        REQUIRE(waveform);
        CHECK(waveform->duration_ms == doctest::Approx(2500));
        CHECK(waveform->mulaw_wav.size() > 2000);
        for (const auto& entry : fs::directory_iterator(folder.path())) {
          CHECK(entry.path().extension() != ".new");
          fs::remove(entry.path());
        }
      }
    }
  }
}

TEST_CASE("a recording that cannot be packed stays as it is, and says why") {
  const tests::TemporaryDirectory folder;
  const fs::path broken = folder.path() / "call.wav";
  std::ofstream(broken) << "this is no sound";
  std::string path = broken.string();
  CHECK(pack_recording(path, scheduler::RecordingAfter::flac).find("not packed as FLAC") !=
        std::string::npos);
  CHECK(path == broken.string());
  CHECK(fs::exists(broken));
  CHECK_FALSE(fs::exists(folder.path() / "call.flac.new"));
  // Something that cannot be replaced has the new name.
  const std::string good = write_tone(folder.path() / "good.wav", 8000, media::WavFormat::pcm16);
  fs::create_directories(folder.path() / "good.flac" / "x");
  path = good;
  CHECK_FALSE(pack_recording(path, scheduler::RecordingAfter::flac).empty());
  CHECK(path == good);
  CHECK(fs::exists(good));
}

TEST_CASE("the capture gets the SIP messages, each at its time") {
  const tests::TemporaryDirectory folder;
  const std::string path = (folder.path() / "call.pcap").string();
  constexpr std::int64_t kOffset = 1'700'000'000'000'000'000;
  const auto ours = *media::Address::parse("127.0.0.1", 10000);
  const auto theirs = *media::Address::parse("127.0.0.1", 6000);
  {
    media::PcapWriter writer(path);
    std::vector<std::uint8_t> records;
    for (const std::int64_t ms : {500, 300}) {  // what is read later may have come earlier
      media::append_udp_record(records, kOffset + ms * 1'000'000, ours, theirs,
                               std::vector<std::uint8_t>(172));
    }
    records.insert(records.end(), 10, 1);  // cut short
    writer.append(records);
  }
  CallRecord call;
  call.origin_mono_ns = 100'000'000;
  const auto message = [&](double t_ms, const char* from, const char* to, const char* transport) {
    TracedMessage traced;
    traced.t_ms = t_ms;
    traced.from = from;
    traced.to = to;
    traced.transport = transport;
    traced.message = "OPTIONS sip:x SIP/2.0\r\n\r\n";
    call.sip.push_back(traced);
  };
  message(0, "0.0.0.0:5060", "127.0.0.1:5080", "udp");
  message(300, "127.0.0.1:5080", "0.0.0.0:5060", "tcp");
  message(310, "nonsense", "127.0.0.1:5080", "udp");
  CHECK(complete_capture(path, call, "127.0.0.1", kOffset) == "");

  std::ifstream in(path, std::ios::binary);
  const std::string file{std::istreambuf_iterator<char>(in), {}};
  std::vector<unsigned> nanoseconds;
  std::vector<int> protocols;
  for (std::size_t at = 24; at < file.size();) {
    const auto word = [&](std::size_t place) {
      unsigned value = 0;
      for (int i = 3; i >= 0; --i)
        value = value << 8 | static_cast<unsigned char>(file[place + static_cast<std::size_t>(i)]);
      return value;
    };
    nanoseconds.push_back(word(at + 4));
    protocols.push_back(file[at + 16 + 9]);
    at += 16 + word(at + 8);
  }
  CHECK(nanoseconds == std::vector<unsigned>{100'000'000, 300'000'000, 400'000'000, 500'000'000});
  CHECK(protocols == std::vector<int>{17, 17, 6, 17});
  CHECK_FALSE(complete_capture("/nonexistent/call.pcap", call, "127.0.0.1", 0).empty());
}
