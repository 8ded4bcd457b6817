// SPDX-License-Identifier: GPL-3.0-or-later
//
// Every codec at both rates: what comes out is what went in, where it was said to be, and goes on through
// losses.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "media/codecs/coder.h"
#include "media/codecs/concealment.h"

using namespace linecheck::media;

namespace {

using Samples = std::vector<std::int16_t>;

// A vowel: harmonics of 120 Hz that fall off, with a slow swell, up to 3.4 kHz.
Samples vowel(int rate, int ms) {
  Samples out(static_cast<std::size_t>(rate / 1000 * ms));
  for (std::size_t n = 0; n < out.size(); ++n) {
    const double t = static_cast<double>(n) / rate;
    double value = 0;
    for (int h = 1; h * 120 < 3400; ++h) value += std::cos(2 * M_PI * 120 * h * t + h * h) / (1 + 0.4 * h);
    out[n] = static_cast<std::int16_t>(std::lround(2500 * (0.8 + 0.2 * std::sin(2 * M_PI * 3 * t)) * value));
  }
  return out;
}

struct Sent {
  std::vector<std::vector<std::uint8_t>> packets;  // one a frame; empty: nothing sent
  int delay = 0;
};

Sent send(Codec codec, int rate, const Samples& audio, const EncoderSettings& settings = {}) {
  const auto encoder = make_encoder(codec, rate, settings);
  const auto frame = static_cast<std::size_t>(frame_samples(rate));
  Sent sent;
  sent.delay = encoder->delay();
  for (std::size_t at = 0; at + frame <= audio.size(); at += frame) {
    std::array<std::uint8_t, kMaxFrameSamples> room;
    const std::size_t size = encoder->encode(std::span(audio).subspan(at, frame), room);
    sent.packets.emplace_back(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size));
  }
  return sent;
}

/// What is heard, moved to where it was said; with the frames in `lost` made up.
Samples hear(Codec codec, int rate, const Sent& sent, const std::vector<std::size_t>& lost = {},
             bool look_ahead = true) {
  const auto decoder = make_decoder(codec, rate, true);
  const auto frame = static_cast<std::size_t>(frame_samples(rate));
  Samples out;
  for (std::size_t i = 0; i < sent.packets.size(); ++i) {
    const std::size_t at = out.size();
    if (std::find(lost.begin(), lost.end(), i) != lost.end()) {
      const bool next = look_ahead && i + 1 < sent.packets.size() &&
                        std::find(lost.begin(), lost.end(), i + 1) == lost.end();
      out.resize(at + frame);
      decoder->conceal(std::span(out).subspan(at), next ? std::span<const std::uint8_t>(sent.packets[i + 1])
                                                        : std::span<const std::uint8_t>{});
      continue;
    }
    CHECK(payload_samples(codec, sent.packets[i], rate) == frame);
    out.resize(at + kMaxPayloadSamples);
    out.resize(at + decoder->decode(sent.packets[i], std::span(out).subspan(at)));
  }
  const auto early = static_cast<std::ptrdiff_t>(sent.delay + decoder->delay());
  out.erase(out.begin(), out.begin() + early);
  return out;
}

double snr_db(const Samples& said, const Samples& heard, std::size_t from, std::size_t to) {
  double signal = 0;
  double noise = 0;
  for (std::size_t n = from; n < std::min(to, heard.size()); ++n) {
    signal += static_cast<double>(said[n]) * said[n];
    noise += std::pow(static_cast<double>(said[n]) - heard[n], 2);
  }
  return 10 * std::log10(signal / (noise + 1));
}

double rms(const Samples& samples, std::size_t from, std::size_t to) {
  double sum = 0;
  for (std::size_t n = from; n < to; ++n) sum += static_cast<double>(samples[n]) * samples[n];
  return std::sqrt(sum / static_cast<double>(to - from));
}

/// By how many samples `heard` comes after `said` (best correlation).
int lag_of(const Samples& said, const Samples& heard, int most) {
  double best = -1e30;
  int best_lag = 0;
  for (int lag = -most; lag <= most; ++lag) {
    double sum = 0;
    for (int n = 4000; n < 12000; ++n) {
      sum +=
          static_cast<double>(said[static_cast<std::size_t>(n)]) * heard[static_cast<std::size_t>(n + lag)];
    }
    if (sum > best) {
      best = sum;
      best_lag = lag;
    }
  }
  return best_lag;
}

constexpr std::array kAll = {Codec::pcmu, Codec::pcma, Codec::g722, Codec::opus};
constexpr std::array kRates = {kNarrowRate, kWideRate};

}  // namespace

TEST_CASE("what comes out of a codec is what went in, exactly where the encoder says that it is heard") {
  for (const Codec codec : kAll) {
    for (const int rate : kRates) {
      CAPTURE(std::string(codec_name(codec)));
      CAPTURE(rate);
      const Samples said = vowel(rate, 2000);
      const Samples heard = hear(codec, rate, send(codec, rate, said));
      // Opus keeps the sound, not the wave: a few samples of doubt; the others are waveform codecs.
      CHECK(std::abs(lag_of(said, heard, rate / 400)) <= (codec == Codec::opus ? rate / 4000 : 0));
      const double snr = snr_db(said, heard, 4000, 12000);
      MESSAGE(std::string(codec_name(codec)) << " at " << rate << " Hz: " << snr << " dB");
      CHECK(snr > (codec == Codec::opus ? 4.0 : codec == Codec::g722 && rate == kNarrowRate ? 12.0 : 20.0));
    }
  }
}

TEST_CASE("a tone begins within 1 ms of where it was said, through each codec at both rates") {
  for (const Codec codec : kAll) {
    for (const int rate : kRates) {
      CAPTURE(std::string(codec_name(codec)));
      CAPTURE(rate);
      Samples said(static_cast<std::size_t>(rate), 0);
      const auto begin = static_cast<std::size_t>(rate * 437 / 1000);
      const auto end = static_cast<std::size_t>(rate * 811 / 1000);
      for (std::size_t n = begin; n < end; ++n) {
        said[n] = static_cast<std::int16_t>(
            std::lround(8000 * std::cos(2 * M_PI * 1000 * static_cast<double>(n) / rate)));
      }
      const Samples heard = hear(codec, rate, send(codec, rate, said));
      const auto loud = [](std::int16_t s) { return std::abs(s) > 4000; };
      const auto first = std::find_if(heard.begin(), heard.end(), loud) - heard.begin();
      const auto last = heard.rend() - std::find_if(heard.rbegin(), heard.rend(), loud);
      CHECK(std::abs(static_cast<double>(first) - static_cast<double>(begin)) * 1000 / rate <= 1.0);
      CHECK(std::abs(static_cast<double>(last) - static_cast<double>(end)) * 1000 / rate <= 1.5);
    }
  }
}

TEST_CASE("a lost packet is made up for: the sound goes on, and comes back clean") {
  for (const Codec codec : kAll) {
    for (const int rate : kRates) {
      CAPTURE(std::string(codec_name(codec)));
      CAPTURE(rate);
      const Samples said = vowel(rate, 2000);
      EncoderSettings settings;
      settings.redundancy = false;
      const Sent sent = send(codec, rate, said, settings);
      const Samples heard = hear(codec, rate, sent, {50});
      const auto frame = static_cast<std::size_t>(frame_samples(rate));
      const std::size_t at = 50 * frame;
      const double before = rms(heard, at - 3 * frame, at - frame);
      CHECK(rms(heard, at, at + frame) > 0.4 * before);
      CHECK(rms(heard, at, at + frame) < 1.8 * before);
      // No click where it begins and ends: no step larger than the vowel's own.
      int own_step = 0;
      int step = 0;
      for (std::size_t n = at - 10 * frame; n < at - 2 * frame; ++n) {
        own_step = std::max(own_step, std::abs(heard[n] - heard[n - 1]));
      }
      for (std::size_t n = at - frame; n < at + 3 * frame; ++n) {
        step = std::max(step, std::abs(heard[n] - heard[n - 1]));
      }
      CHECK(step < 2 * own_step);
      if (codec != Codec::opus) CHECK(snr_db(said, heard, at + 12 * frame, at + 20 * frame) > 12.0);
    }
  }
}

TEST_CASE("a long loss fades to silence") {
  for (const Codec codec : {Codec::pcmu, Codec::g722}) {
    const Samples said = vowel(kWideRate, 1000);
    const Samples heard = hear(codec, kWideRate, send(codec, kWideRate, said), {20, 21, 22, 23, 24});
    CHECK(rms(heard, 20 * 320, 20 * 320 + 160) > 500);
    CHECK(rms(heard, 24 * 320, 24 * 320 + 160) < 10);
  }
}

TEST_CASE("Opus: what was lost is recovered from the packet after it") {
  // A sound that nothing before it foretells: what is made up cannot be like it, what is recovered is.
  Samples said(kWideRate * 2, 0);
  for (std::size_t n = 0; n < said.size(); ++n) {
    const double hz = n / 320 == 50 ? 700 : 250;
    said[n] = static_cast<std::int16_t>(
        std::lround(7000 * std::sin(2 * M_PI * hz * static_cast<double>(n) / kWideRate)));
  }
  const Sent sent = send(Codec::opus, kWideRate, said);
  const auto power_at = [](const Samples& samples, double hz) {
    double re = 0;
    double im = 0;
    for (std::size_t n = 50 * 320; n < 51 * 320; ++n) {
      re += samples[n] * std::cos(2 * M_PI * hz * static_cast<double>(n) / kWideRate);
      im += samples[n] * std::sin(2 * M_PI * hz * static_cast<double>(n) / kWideRate);
    }
    return re * re + im * im;
  };
  const double whole = power_at(hear(Codec::opus, kWideRate, sent), 700);
  const double recovered = power_at(hear(Codec::opus, kWideRate, sent, {50}), 700);
  const double made_up = power_at(hear(Codec::opus, kWideRate, sent, {50}, false), 700);
  CHECK(recovered > 0.3 * whole);
  CHECK(made_up < 0.1 * whole);
}

TEST_CASE("Opus: silence is not sent where the other side asks for that, and is heard as silence") {
  EncoderSettings settings;
  settings.silence_suppression = true;
  Samples said = vowel(kWideRate, 400);
  said.resize(kWideRate * 3, 0);
  const Sent sent = send(Codec::opus, kWideRate, said, settings);
  const auto left_out = std::count_if(sent.packets.begin() + 40, sent.packets.end(),
                                      [](const auto& packet) { return packet.empty(); });
  CHECK(left_out > 60);
  CHECK(std::none_of(sent.packets.begin(), sent.packets.end(),
                     [](const auto& packet) { return !packet.empty() && packet.size() <= 2; }));
}

TEST_CASE("Opus: the rate and the bandwidth that the other side asks for") {
  const Samples said = vowel(kWideRate, 2000);
  const auto bytes = [](const Sent& sent) {
    std::size_t sum = 0;
    for (const auto& packet : sent.packets) sum += packet.size();
    return static_cast<double>(sum) * 8 / 2.0;  // bit/s
  };
  EncoderSettings slow;
  slow.max_bit_rate = 8000;
  slow.redundancy = false;
  slow.constant_bit_rate = true;
  CHECK(bytes(send(Codec::opus, kWideRate, said, slow)) == doctest::Approx(8000).epsilon(0.1));
  EncoderSettings narrow;
  narrow.max_playback_rate = 8000;
  Samples hiss(kWideRate);
  std::mt19937 random(1);
  for (auto& s : hiss) s = static_cast<std::int16_t>(static_cast<int>(random() % 8000) - 4000);
  const auto high = [](const Samples& samples) {  // crude: power of the first difference's difference
    double sum = 0;
    for (std::size_t n = 2; n < samples.size(); ++n) {
      sum += std::pow(samples[n] - 2.0 * samples[n - 1] + samples[n - 2], 2);
    }
    return sum;
  };
  CHECK(high(hear(Codec::opus, kWideRate, send(Codec::opus, kWideRate, hiss, narrow))) <
        0.4 * high(hear(Codec::opus, kWideRate, send(Codec::opus, kWideRate, hiss))));
}

TEST_CASE("packets of other lengths: 10 to 60 ms, as long as they say") {
  std::array<std::uint8_t, 480> bytes{};
  for (const int ms : {10, 20, 30, 40, 60}) {
    const auto payload = std::span<const std::uint8_t>(bytes).first(static_cast<std::size_t>(ms) * 8);
    for (const int rate : kRates) {
      const auto expected = static_cast<std::size_t>(ms * rate / 1000);
      CHECK(payload_samples(Codec::pcmu, payload, rate) == expected);
      CHECK(payload_samples(Codec::g722, payload, rate) == expected);
      std::array<std::int16_t, kMaxPayloadSamples> out;
      CHECK(make_decoder(Codec::g722, rate, false)->decode(payload, out) == expected);
    }
  }
}

TEST_CASE("garbage is no Opus") {
  std::mt19937 random(5);
  const auto decoder = make_decoder(Codec::opus, kWideRate, true);
  std::array<std::int16_t, kMaxPayloadSamples> out;
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::uint8_t> bytes(1 + random() % 300);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    CHECK(decoder->decode(bytes, out) <= kMaxPayloadSamples);
    CHECK(payload_samples(Codec::opus, bytes, kWideRate) <= kMaxPayloadSamples);
    decoder->conceal(std::span(out).first(1 + random() % 1600), bytes);
  }
  CHECK(payload_samples(Codec::opus, {}, kWideRate) == 0);
}
