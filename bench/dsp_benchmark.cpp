// SPDX-License-Identifier: GPL-3.0-or-later
//
// The cost of one 20 ms frame of one call (unless a name says otherwise). Run by scripts/bench dsp.
#include <benchmark/benchmark.h>
#include <spandsp.h>
#include <speex/speex_resampler.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <memory>
#include <random>
#include <vector>

#include "media/codecs/coder.h"
#include "media/codecs/concealment.h"
#include "media/codecs/half_band.h"
#include "media/inband_keys.h"
#include "media/playout.h"
#include "media/recording_ring.h"
#include "media/speech/live_detector.h"
#include "media/speech/refine.h"
#include "media/tones/music.h"
#include "media/tones/tracker.h"
#include "media/wav_writer.h"

using namespace linecheck::media;

namespace {

constexpr int kSeconds = 8;

// Speech-like: a buzz with formants, in syllables with pauses between them.
const std::vector<std::int16_t>& speech(int rate) {
  const auto make = [](int hz) {
    std::vector<std::int16_t> out(static_cast<std::size_t>(hz * kSeconds));
    std::mt19937 random(1);
    for (std::size_t n = 0; n < out.size(); ++n) {
      const double t = static_cast<double>(n) / hz;
      const double envelope = std::max(0.0, std::sin(2 * M_PI * 2.5 * t) + 0.2);
      double value = 0;
      for (int h = 1; h * 130 < 3400; ++h) value += std::sin(2 * M_PI * 130 * h * t + h * h) / (1 + 0.3 * h);
      const double breath = static_cast<double>(random() % 2001) / 1000 - 1;
      out[n] = static_cast<std::int16_t>(2500 * envelope * (value + 0.1 * breath));
    }
    return out;
  };
  static const std::vector<std::int16_t> narrow = make(kNarrowRate);
  static const std::vector<std::int16_t> wide = make(kWideRate);
  return rate == kNarrowRate ? narrow : wide;
}

/// Frame after frame, round and round.
class Frames {
 public:
  explicit Frames(int rate) : audio_(speech(rate)), size_(static_cast<std::size_t>(frame_samples(rate))) {}
  std::span<const std::int16_t> next() {
    if (at_ + size_ > audio_.size()) at_ = 0;
    at_ += size_;
    return std::span(audio_).subspan(at_ - size_, size_);
  }

 private:
  const std::vector<std::int16_t>& audio_;
  std::size_t size_;
  std::size_t at_ = 0;
};

void encode(benchmark::State& state, Codec codec, int rate) {
  const auto encoder = make_encoder(codec, rate);
  Frames frames(rate);
  std::array<std::uint8_t, kMaxFrameSamples> payload;
  for (auto _ : state) benchmark::DoNotOptimize(encoder->encode(frames.next(), payload));
}

void decode(benchmark::State& state, Codec codec, int rate, bool conceals) {
  const auto encoder = make_encoder(codec, rate);
  Frames frames(rate);
  std::vector<std::vector<std::uint8_t>> packets;
  for (int i = 0; i < kSeconds * 50; ++i) {
    std::array<std::uint8_t, kMaxFrameSamples> payload;
    const std::size_t size = encoder->encode(frames.next(), payload);
    packets.emplace_back(payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(size));
  }
  const auto decoder = make_decoder(codec, rate, conceals);
  std::array<std::int16_t, kMaxPayloadSamples> audio;
  std::size_t n = 0;
  for (auto _ : state) benchmark::DoNotOptimize(decoder->decode(packets[n++ % packets.size()], audio));
}

void conceal(benchmark::State& state, int rate) {
  Concealment concealment(rate);
  Frames frames(rate);
  std::array<std::int16_t, kMaxFrameSamples> audio;
  const auto frame = std::span(audio).first(static_cast<std::size_t>(frame_samples(rate)));
  for (auto _ : state) {
    for (int i = 0; i < 2; ++i) {
      const auto heard = frames.next();
      std::copy(heard.begin(), heard.end(), frame.begin());
      concealment.heard(frame);
    }
    concealment.conceal(frame);
    benchmark::DoNotOptimize(audio);
  }
}

void live_detector(benchmark::State& state, int rate) {
  speech::LiveOptions options;
  options.rate = rate;
  speech::LiveDetector detector(options);
  Frames frames(rate);
  const auto half = static_cast<std::size_t>(rate / 100);
  for (auto _ : state) {
    const auto frame = frames.next();
    benchmark::DoNotOptimize(detector.process(frame.first(half)));
    benchmark::DoNotOptimize(detector.process(frame.subspan(half)));
  }
}

void dtmf_detector(benchmark::State& state) {
  const std::unique_ptr<dtmf_rx_state_t, int (*)(dtmf_rx_state_t*)> receiver(
      dtmf_rx_init(nullptr, nullptr, nullptr), dtmf_rx_free);
  Frames frames(kNarrowRate);
  for (auto _ : state) {
    const auto frame = frames.next();
    benchmark::DoNotOptimize(dtmf_rx(receiver.get(), frame.data(), static_cast<int>(frame.size())));
  }
}

void inband_keys(benchmark::State& state, int rate) {
  InbandKeys keys(rate);
  Frames frames(rate);
  std::int64_t position = 0;
  for (auto _ : state) {
    const auto frame = frames.next();
    keys.feed(frame, position);
    position += static_cast<std::int64_t>(frame.size());
    benchmark::DoNotOptimize(keys.take());
  }
}

void tone_tracker(benchmark::State& state, int rate) {
  tones::Tracker tracker(rate);
  std::vector<tones::ToneRun> runs;
  Frames frames(rate);
  for (auto _ : state) {
    tracker.feed(frames.next(), runs);
    runs.clear();
  }
}

void music_second(benchmark::State& state, int rate) {
  const auto& audio = speech(rate);
  for (auto _ : state) benchmark::DoNotOptimize(tones::find_music(audio, rate));
  state.SetLabel("for " + std::to_string(kSeconds) + " s of recording");
}

void half_band_down(benchmark::State& state) {
  HalfBandDown filter;
  Frames frames(kWideRate);
  std::array<std::int16_t, kMaxFrameSamples / 2> out;
  for (auto _ : state) {
    filter.process(frames.next(), out);
    benchmark::DoNotOptimize(out);
  }
}

void half_band_up(benchmark::State& state) {
  HalfBandUp filter;
  Frames frames(kNarrowRate);
  std::array<std::int16_t, kMaxFrameSamples> out;
  for (auto _ : state) {
    filter.process(frames.next(), out);
    benchmark::DoNotOptimize(out);
  }
}

void speex_resampler(benchmark::State& state, int from, int to) {
  int error = 0;
  const std::unique_ptr<SpeexResamplerState, void (*)(SpeexResamplerState*)> resampler(
      speex_resampler_init(1, static_cast<spx_uint32_t>(from), static_cast<spx_uint32_t>(to), 4, &error),
      speex_resampler_destroy);
  Frames frames(from);
  std::array<std::int16_t, kMaxFrameSamples> out;
  for (auto _ : state) {
    const auto frame = frames.next();
    auto in = static_cast<spx_uint32_t>(frame.size());
    auto room = static_cast<spx_uint32_t>(out.size());
    speex_resampler_process_int(resampler.get(), 0, frame.data(), &in, out.data(), &room);
    benchmark::DoNotOptimize(out);
  }
}

void mixer(benchmark::State& state, int rate) {
  auto clip = std::make_shared<Clip>();
  clip->rate = rate;
  clip->samples = speech(rate);
  Playout playout(rate);
  std::vector<PlayNote> notes;
  std::array<std::int16_t, kMaxFrameSamples> audio;
  const auto frame = std::span(audio).first(static_cast<std::size_t>(frame_samples(rate)));
  std::int64_t position = 0;
  int left = 0;
  for (auto _ : state) {
    if (left-- == 0) {
      auto item = std::make_unique<PlayItem>();
      item->what = ClipItem{clip, {}, 0, 0};
      playout.enqueue(std::move(item));
      left = kSeconds * 50 - 1;
    }
    std::fill(frame.begin(), frame.end(), std::int16_t{100});  // the noise bed
    notes.clear();
    benchmark::DoNotOptimize(playout.frame(position, frame, CanSend{}, notes));
    position += frame_samples(rate);
  }
}

// Both sides laid down by the worker, taken and written by the recorder, a second at a time.
void recorder_batch(benchmark::State& state, int rate) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("linecheck-dsp-" + std::to_string(std::random_device{}()) + ".wav");
  RecordingRing ring(rate);
  auto file = std::make_unique<WavWriter>(path.string(), rate);
  Frames frames(rate);
  std::vector<RecordingRing::Frame> batch(static_cast<std::size_t>(rate));
  std::int64_t position = 0;
  for (auto _ : state) {
    const auto frame = frames.next();
    ring.write_caller(position, frame);
    ring.write_agent(position, frame);
    position += static_cast<std::int64_t>(frame.size());
    ring.commit(position);
    if (ring.available() < rate / 2) continue;
    while (const std::size_t count = ring.take(batch)) file->append(std::span(batch).first(count));
    if (file->frames() > 60U * static_cast<unsigned>(rate))
      file = std::make_unique<WavWriter>(path.string(), rate);
  }
  file.reset();
  std::filesystem::remove(path);
}

void refine_second(benchmark::State& state, int rate) {
  const auto& audio = speech(rate);
  for (auto _ : state) benchmark::DoNotOptimize(speech::refine(audio, rate));
  state.SetLabel("for " + std::to_string(kSeconds) + " s of recording");
}

std::string at(const char* what, Codec codec, int rate) {
  return std::string(what) + "/" + codec_name(codec) + "/" + std::to_string(rate / 1000) + "k";
}
std::string at(const char* what, int rate) {
  return std::string(what) + "/" + std::to_string(rate / 1000) + "k";
}

void register_all() {
  using benchmark::RegisterBenchmark;
  for (const Codec codec : {Codec::pcmu, Codec::pcma, Codec::g722, Codec::opus}) {
    for (const int rate : {kNarrowRate, kWideRate}) {
      RegisterBenchmark(at("encode", codec, rate).c_str(), encode, codec, rate);
      RegisterBenchmark(at("decode", codec, rate).c_str(), decode, codec, rate, false);
      RegisterBenchmark(at("decode_for_ears", codec, rate).c_str(), decode, codec, rate, true);
    }
  }
  for (const int rate : {kNarrowRate, kWideRate}) {
    RegisterBenchmark(at("conceal_1_of_3", rate).c_str(), conceal, rate);
    RegisterBenchmark(at("live_detector", rate).c_str(), live_detector, rate);
    RegisterBenchmark(at("mixer", rate).c_str(), mixer, rate);
    RegisterBenchmark(at("recorder_batch", rate).c_str(), recorder_batch, rate);
    RegisterBenchmark(at("inband_keys", rate).c_str(), inband_keys, rate);
    RegisterBenchmark(at("tone_tracker", rate).c_str(), tone_tracker, rate);
    RegisterBenchmark(at("find_music", rate).c_str(), music_second, rate);
    RegisterBenchmark(at("refine", rate).c_str(), refine_second, rate);
  }
  RegisterBenchmark("dtmf_detector/8k", dtmf_detector);
  RegisterBenchmark("half_band/16k_to_8k", half_band_down);
  RegisterBenchmark("half_band/8k_to_16k", half_band_up);
  RegisterBenchmark("speex_resampler_q4/16k_to_8k", speex_resampler, kWideRate, kNarrowRate);
  RegisterBenchmark("speex_resampler_q4/8k_to_16k", speex_resampler, kNarrowRate, kWideRate);
}

}  // namespace

int main(int argc, char** argv) {
  register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
