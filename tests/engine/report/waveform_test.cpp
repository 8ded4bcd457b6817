// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/waveform.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "tests/engine/report/sample.h"

using namespace linecheck::engine::report;

namespace {

/// The decoder of G.711 Table 2b, written the other way round than the encoder.
int from_mulaw(std::uint8_t code) {
  const int bits = ~code & 0xFF;
  const int magnitude = ((((bits & 0x0F) << 3) + 132) << ((bits >> 4) & 7)) - 132;
  return (bits & 0x80) != 0 ? -magnitude : magnitude;
}

}  // namespace

TEST_CASE("mu-law keeps every sample to within half a step") {
  CHECK(to_mulaw(0) == 0xFF);
  CHECK(to_mulaw(32767) == 0x80);
  CHECK(to_mulaw(-32768) == 0x00);
  for (int sample = -32768; sample <= 32767; ++sample) {
    const int back = from_mulaw(to_mulaw(static_cast<std::int16_t>(sample)));
    const int clipped = std::clamp(sample, -32635, 32635);
    const int allowed = std::max(4, (std::abs(clipped) + 132) / 31);
    if (std::abs(back - clipped) > allowed) FAIL("sample " << sample << " came back as " << back);
  }
}

TEST_CASE("base64 of RFC 4648") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
}

TEST_CASE("a recording becomes peaks and a WAV of half the size") {
  const sample::Folder folder;
  const auto result = sample::result(folder.path());
  const std::string path = result.runs[0].call.recording_path;
  const auto waveform = read_waveform(path, true);
  REQUIRE(waveform);
  CHECK(waveform->channels == 2);
  CHECK(waveform->rate == 8000);
  CHECK(waveform->duration_ms == doctest::Approx(13684).epsilon(0.001));
  CHECK(waveform->peaks.bucket_ms == 5);
  CHECK(waveform->peaks.channels[0].size() == 2 * 2737);

  // The agent's greeting runs from 540 to 2310 ms on the right; the caller is quiet then.
  const auto highest = [&](std::size_t channel, std::size_t from, std::size_t to) {
    const auto& peaks = waveform->peaks.channels[channel];
    return static_cast<int>(*std::max_element(peaks.begin() + static_cast<long>(2 * from),
                                              peaks.begin() + static_cast<long>(2 * to)));
  };
  CHECK(highest(1, 110, 460) > 20);
  CHECK(highest(1, 0, 106) < 3);
  CHECK(highest(0, 110, 460) < 6);

  const std::string& wav = waveform->mulaw_wav;
  CHECK(wav.substr(0, 4) == "RIFF");
  CHECK(wav.substr(8, 8) == "WAVEfmt ");
  CHECK(wav[20] == 7);
  CHECK(wav.substr(50, 4) == "data");
  CHECK(wav.size() == 58 + 2 * 109472);
  std::ofstream(folder.path() / "again.wav", std::ios::binary) << wav;
  const auto again = read_waveform(folder.path() / "again.wav", false);
  REQUIRE(again);
  CHECK(again->duration_ms == waveform->duration_ms);
  CHECK(again->mulaw_wav.empty());
}

TEST_CASE("long recordings get wider buckets, broken ones none") {
  const sample::Folder folder;
  const auto result = sample::result(folder.path());
  const auto coarse = read_waveform(result.runs[0].call.recording_path, false, 100);
  REQUIRE(coarse);
  CHECK(coarse->peaks.channels[0].size() <= 200);
  CHECK(coarse->peaks.bucket_ms > 100);

  CHECK_FALSE(read_waveform(folder.path() / "missing.wav", true));
  std::ofstream(folder.path() / "text.wav") << "this is no sound";
  CHECK_FALSE(read_waveform(folder.path() / "text.wav", true));
  std::ofstream(folder.path() / "empty.wav");
  CHECK_FALSE(read_waveform(folder.path() / "empty.wav", true));
}
