// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/noise.h"

#include <doctest/doctest.h>
#include <sndfile.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <memory>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include "media/speech/level.h"

using namespace linecheck;
using namespace linecheck::engine;

namespace {

constexpr double kPi = std::numbers::pi;
constexpr int kBlock = 1600;  // 5 Hz a line at 8 kHz

/// Mean power of each 5 Hz line, Hann window.
std::vector<double> power_spectrum(const std::vector<std::int16_t>& samples) {
  std::vector<double> power(kBlock / 2 + 1, 0.0);
  std::vector<double> cosine(kBlock);
  std::vector<double> sine(kBlock);
  for (int i = 0; i < kBlock; ++i) {
    cosine[static_cast<std::size_t>(i)] = std::cos(2 * kPi * i / kBlock);
    sine[static_cast<std::size_t>(i)] = std::sin(2 * kPi * i / kBlock);
  }
  for (std::size_t start = 0; start + kBlock <= samples.size(); start += 8 * kBlock) {
    for (std::size_t line = 0; line < power.size(); ++line) {
      double real = 0;
      double imaginary = 0;
      for (std::size_t i = 0; i < kBlock; ++i) {
        const double value = samples[start + i] * (0.5 - 0.5 * cosine[i]);
        real += value * cosine[line * i % kBlock];
        imaginary += value * sine[line * i % kBlock];
      }
      power[line] += real * real + imaginary * imaginary;
    }
  }
  return power;
}

/// Mean power between two frequencies, dB, without an absolute scale.
double band_db(const std::vector<double>& spectrum, double low, double high) {
  double sum = 0;
  int lines = 0;
  for (std::size_t line = 0; line < spectrum.size(); ++line) {
    const double frequency = static_cast<double>(line) * 8000 / kBlock;
    if (frequency < low || frequency > high) continue;
    sum += spectrum[line];
    ++lines;
  }
  return 10 * std::log10(sum / lines);
}

double octave_slope(const std::string& name) {
  const auto spectrum = power_spectrum(make_noise_bed(name, 10, 3).clip->samples);
  return (band_db(spectrum, 1600, 3200) - band_db(spectrum, 400, 800)) / 2;
}

/// How far the waveform's bend at the seam stands out of the bends around: a click would be many times the
/// largest.
void check_seam(const media::Clip& clip) {
  const auto at = [&](std::ptrdiff_t i) {
    const auto size = std::ssize(clip.samples);
    return static_cast<double>(clip.samples[static_cast<std::size_t>((i + size) % size)]);
  };
  const auto bend = [&](std::ptrdiff_t i) { return std::abs(at(i - 1) - 2 * at(i) + at(i + 1)); };
  double largest = 0;
  for (std::ptrdiff_t i = 100; i < std::ssize(clip.samples) - 100; ++i) largest = std::max(largest, bend(i));
  for (std::ptrdiff_t i = -3; i <= 3; ++i) CHECK(bend(i) <= largest);
  // And its level does not drop or jump: 50 ms before and after.
  if (clip.samples.size() > 8000) {
    double before = 0;
    double after = 0;
    for (std::ptrdiff_t i = 1; i <= 400; ++i) {
      before += at(-i) * at(-i);
      after += at(i) * at(i);
    }
    CHECK(std::abs(10 * std::log10((before + 1) / (after + 1))) < 40);
  }
}

/// A sound file that is gone with the test.
class TemporarySound {
 public:
  TemporarySound(int rate, int channels, double seconds, double frequency, double amplitude) {
    std::string name = (std::filesystem::temp_directory_path() / "linecheck-sound-XXXXXX.wav").string();
    const int fd = ::mkstemps(name.data(), 4);
    REQUIRE(fd >= 0);
    ::close(fd);
    path_ = name;
    SF_INFO info{};
    info.samplerate = rate;
    info.channels = channels;
    info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
    SNDFILE* file = sf_open(name.c_str(), SFM_WRITE, &info);
    REQUIRE(file != nullptr);
    std::vector<float> samples;
    for (int i = 0; i < static_cast<int>(seconds * rate); ++i) {
      for (int channel = 0; channel < channels; ++channel) {
        samples.push_back(static_cast<float>(amplitude * std::sin(2 * kPi * frequency * i / rate)));
      }
    }
    sf_write_float(file, samples.data(), static_cast<sf_count_t>(samples.size()));
    sf_close(file);
  }
  ~TemporarySound() { ::unlink(path_.c_str()); }
  TemporarySound(const TemporarySound&) = delete;
  TemporarySound& operator=(const TemporarySound&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("every bed has the level asked for, is long enough and has no seam") {
  for (const std::string& name : noise_names()) {
    if (name == "off") continue;
    for (const double snr : {20.0, 5.0}) {
      CAPTURE(name);
      CAPTURE(snr);
      const NoiseBed bed = make_noise_bed(name, snr, 42);
      REQUIRE(bed.clip);
      CHECK(bed.clip->rate == 8000);
      CHECK(bed.clip->duration_ms() >= 10'000);
      CHECK(bed.clip->speech.empty());
      CHECK(bed.snr_db == doctest::Approx(snr).epsilon(0.02));
      CHECK(bed.level_dbov == doctest::Approx(-26 - bed.snr_db));
      // The telephone's edges add little to what the channel lets through.
      CHECK(media::speech::rms_dbov(bed.clip->samples) >= bed.level_dbov - 0.1);
      CHECK(media::speech::rms_dbov(bed.clip->samples) <= bed.level_dbov + 6);
      CHECK(media::speech::clipped_percent(bed.clip->samples) == 0);
      check_seam(*bed.clip);
    }
  }
}

TEST_CASE("a bed for a wide-band call: the same noise at 16 kHz, still without a seam") {
  for (const char* name : {"white", "babble", "keyboard", "hum"}) {
    CAPTURE(name);
    const NoiseBed narrow = make_noise_bed(name, 15, 42);
    const NoiseBed wide = make_noise_bed(name, 15, 42, {}, 16'000);
    CHECK(wide.clip->rate == 16'000);
    CHECK(wide.clip->samples.size() == 2 * narrow.clip->samples.size());
    CHECK(wide.snr_db == doctest::Approx(15).epsilon(0.02));
    check_seam(*wide.clip);
    // Not to the sample: near 4 kHz the way up to 16 kHz takes a little away.
    double difference = 0;
    double sum = 0;
    for (std::size_t i = 0; i < narrow.clip->samples.size(); ++i) {
      const double d = narrow.clip->samples[i] - wide.clip->samples[2 * i];
      difference += d * d;
      sum += static_cast<double>(narrow.clip->samples[i]) * narrow.clip->samples[i];
    }
    CHECK(std::sqrt(difference / sum) < 0.25);
  }
  const TemporarySound sound(48'000, 2, 2.0, 6000.0, 0.1);
  CHECK(media::speech::rms_dbov(load_wav_clip(sound.path(), 16'000)->samples) ==
        doctest::Approx(-23.0).epsilon(0.01));
}

TEST_CASE("the same seed gives the same bed, another one another") {
  for (const std::string& name : noise_names()) {
    if (name == "off") continue;
    CAPTURE(name);
    const auto first = make_noise_bed(name, 15, 7).clip->samples;
    CHECK(first == make_noise_bed(name, 15, 7).clip->samples);
    CHECK(first != make_noise_bed(name, 15, 8).clip->samples);
  }
}

TEST_CASE("spectra") {
  CHECK(octave_slope("white") == doctest::Approx(0).scale(1).epsilon(0.7));
  CHECK(octave_slope("pink") == doctest::Approx(-3).epsilon(0.25));
  CHECK(octave_slope("brown") == doctest::Approx(-6).epsilon(0.15));
  CHECK(octave_slope("car") < -8);

  const auto hum = power_spectrum(make_noise_bed("hum", 10, 3).clip->samples);
  CHECK(band_db(hum, 395, 405) >
        band_db(hum, 425, 425) + 15);  // a harmonic stands out of what is between two

  const auto babble = power_spectrum(make_noise_bed("babble", 10, 3).clip->samples);
  CHECK(band_db(babble, 300, 1000) > band_db(babble, 2500, 3400) + 5);
}

TEST_CASE("keyboard comes in strokes, white noise does not") {
  const auto peak_over_rms = [](const std::string& name) {
    const auto samples = make_noise_bed(name, 25, 3).clip->samples;
    double peak = 0;
    for (const std::int16_t sample : samples) peak = std::max(peak, std::abs(static_cast<double>(sample)));
    return 20 * std::log10(peak / 32768) - media::speech::rms_dbov(samples);
  };
  CHECK(peak_over_rms("keyboard") > 20);
  CHECK(peak_over_rms("white") < 16);
}

TEST_CASE("babble can be made of given voices") {
  auto clip = std::make_shared<media::Clip>();
  for (int i = 0; i < 16'000; ++i) {
    clip->samples.push_back(static_cast<std::int16_t>(3000 * std::sin(2 * kPi * 1000 * i / 8000.0)));
  }
  const NoiseBed bed = make_noise_bed("babble", 10, 3, {clip, nullptr});
  const auto spectrum = power_spectrum(bed.clip->samples);
  CHECK(band_db(spectrum, 850, 1200) > band_db(spectrum, 1500, 3000) + 20);
  check_seam(*bed.clip);
}

TEST_CASE("off is nothing, and what is unknown is refused with what there is") {
  CHECK(make_noise_bed("off", 20, 1).clip == nullptr);
  CHECK(!noise_problem("off", 20));
  CHECK(!noise_problem("cafe", 15));
  const auto unknown = noise_problem("caffe", 15);
  REQUIRE(unknown);
  CHECK(unknown->find("street, cafe") != std::string::npos);
  CHECK(noise_problem("cafe", 100));
  CHECK(noise_problem("cafe", std::nan("")));
  CHECK_THROWS_AS(make_noise_bed("caffe", 15, 1), std::invalid_argument);
  CHECK(noise_problem("/etc/hostname", 15));
  CHECK(noise_problem("/", 15));
}

TEST_CASE("a sound file as a bed: resampled, mixed down, looped without a click") {
  for (const double seconds : {0.3, 3.1, 12.0}) {
    CAPTURE(seconds);
    const TemporarySound sound(44'100, 2, seconds, 1000.0, 0.5);
    CHECK(!noise_problem(sound.path(), 15));
    const NoiseBed bed = make_noise_bed(sound.path(), 15, 1);
    CHECK(bed.snr_db == doctest::Approx(15).epsilon(0.01));
    CHECK(bed.clip->duration_ms() >= 10'000);
    check_seam(*bed.clip);
  }
  const TemporarySound silent(8000, 1, 1.0, 1000.0, 0.0);
  CHECK_THROWS_AS(make_noise_bed(silent.path(), 15, 1), std::invalid_argument);
}

TEST_CASE("a sound file as a clip: its level is left alone") {
  const TemporarySound sound(48'000, 2, 2.0, 440.0, 0.1);
  const media::ClipPtr clip = load_wav_clip(sound.path());
  CHECK(clip->rate == 8000);
  CHECK(clip->samples.size() == 16'000);
  CHECK(media::speech::rms_dbov(clip->samples) == doctest::Approx(-23.0).epsilon(0.01));
  REQUIRE(clip->speech.size() == 1);
  CHECK(clip->speech[0].start_ms < 10);
  CHECK(clip->speech[0].end_ms > 1990);
  // SpeexDSP's delay is taken out: the phase is that of the file.
  for (const std::size_t i : {std::size_t{4000}, std::size_t{8001}}) {
    const double expected = 3276.8 * std::sin(2 * kPi * 440.0 * static_cast<double>(i) / 8000.0);
    CHECK(std::abs(clip->samples[i] - expected) < 30);
  }
  CHECK_THROWS_AS(load_wav_clip("/nonexistent.wav"), std::runtime_error);
}
