// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/clip_shaping.h"

#include <speex/speex_resampler.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <numbers>
#include <optional>
#include <stdexcept>
#include <utility>

#include "media/speech/annotate.h"
#include "media/speech/level.h"

namespace linecheck::engine {
namespace {

constexpr double kFadeMs =
    5.0;  ///< of the silent edges, so that what is left of the noise there does not click
constexpr double kTrimToleranceMs = 2.0;
constexpr int kMostTrims = 5;
constexpr std::size_t kFlushBlock = 1024;

struct DestroyResampler {
  void operator()(SpeexResamplerState* state) const { speex_resampler_destroy(state); }
};

std::ptrdiff_t samples_in(double ms, int rate) {
  return static_cast<std::ptrdiff_t>(std::lround(ms * rate / 1000.0));
}

/// The level of what is audible, where there is too little for P.56 to tell activity from pauses.
double audible_level(std::span<const std::int16_t> samples, const std::vector<media::Span>& spans, int rate) {
  double power = 0;
  std::ptrdiff_t count = 0;
  for (const media::Span& span : spans) {
    const auto first = std::clamp<std::ptrdiff_t>(samples_in(span.start_ms, rate), 0, std::ssize(samples));
    const auto last = std::clamp<std::ptrdiff_t>(samples_in(span.end_ms, rate), first, std::ssize(samples));
    for (const std::int16_t sample :
         samples.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first))) {
      const double value = sample / 32768.0;
      power += value * value;
    }
    count += last - first;
  }
  return count == 0 ? media::speech::kSilenceDbov
                    : media::speech::power_to_dbov(power / static_cast<double>(count));
}

void fade_edges(std::vector<float>& samples, int rate) {
  const std::size_t length =
      std::min(static_cast<std::size_t>(samples_in(kFadeMs, rate)), samples.size() / 2);
  for (std::size_t i = 0; i < length; ++i) {
    const double phase = std::numbers::pi * (static_cast<double>(i) + 0.5) / static_cast<double>(length);
    const auto gain = static_cast<float>(0.5 - 0.5 * std::cos(phase));
    samples[i] *= gain;
    samples[samples.size() - 1 - i] *= gain;
  }
}

}  // namespace

std::vector<float> to_float(std::span<const std::int16_t> samples) {
  return {samples.begin(), samples.end()};
}

std::vector<std::int16_t> to_s16(std::span<const float> samples) {
  std::vector<std::int16_t> out(samples.size());
  std::transform(samples.begin(), samples.end(), out.begin(), [](float sample) {
    return static_cast<std::int16_t>(std::lround(std::clamp(sample, -32768.0F, 32767.0F)));
  });
  return out;
}

std::vector<float> resample(std::span<const float> samples, int from, int to) {
  if (from == to) return {samples.begin(), samples.end()};
  if (from <= 0 || to <= 0) throw std::runtime_error("a sample rate of " + std::to_string(from) + " Hz");
  int error = RESAMPLER_ERR_SUCCESS;
  const std::unique_ptr<SpeexResamplerState, DestroyResampler> state(
      speex_resampler_init(1, static_cast<spx_uint32_t>(from), static_cast<spx_uint32_t>(to),
                           SPEEX_RESAMPLER_QUALITY_MAX, &error));
  if (!state) throw std::runtime_error(std::string("resampling: ") + speex_resampler_strerror(error));
  speex_resampler_skip_zeros(state.get());  // the filter's delay

  const auto wanted = static_cast<std::size_t>(std::llround(static_cast<double>(samples.size()) * to / from));
  std::vector<float> out(wanted);
  const std::vector<float> zeros(kFlushBlock, 0.0F);
  std::size_t taken = 0;
  std::size_t made = 0;
  while (made < wanted) {
    // After the last sample zeros, until the delayed end has come out.
    const std::span<const float> input =
        taken < samples.size() ? samples.subspan(taken) : std::span<const float>(zeros);
    auto in = static_cast<spx_uint32_t>(std::min<std::size_t>(input.size(), 1U << 20U));
    auto room = static_cast<spx_uint32_t>(std::min<std::size_t>(wanted - made, 1U << 20U));
    if (speex_resampler_process_float(state.get(), 0, input.data(), &in, out.data() + made, &room) !=
            RESAMPLER_ERR_SUCCESS ||
        (in == 0 && room == 0)) {
      throw std::runtime_error("resampling stopped before its end");
    }
    taken += in;
    made += room;
  }
  return out;
}

media::ClipPtr shape_clip(std::span<const std::int16_t> raw, int rate, std::string text, int clip_rate) {
  const std::vector<float> resampled = resample(to_float(raw), rate, clip_rate);
  const std::ptrdiff_t edge = samples_in(kClipEdgeMs, clip_rate);
  std::ptrdiff_t first = 0;
  std::ptrdiff_t last = std::ssize(resampled);
  std::vector<float> samples = resampled;
  std::vector<std::int16_t> measured = to_s16(samples);
  std::vector<media::Span> audible;
  // What is audible is judged against the level of the clip, which trimming changes a little: so trim until
  // it stays.
  for (int round = 0; round < kMostTrims; ++round) {
    audible = media::speech::audible_spans(measured, clip_rate);
    if (audible.empty()) return nullptr;
    const std::ptrdiff_t next_first = first + samples_in(audible.front().start_ms, clip_rate) - edge;
    const std::ptrdiff_t next_last = first + samples_in(audible.back().end_ms, clip_rate) + edge;
    if (std::abs(next_first - first) <= samples_in(kTrimToleranceMs, clip_rate) &&
        std::abs(next_last - last) <= samples_in(kTrimToleranceMs, clip_rate)) {
      break;
    }
    first = next_first;
    last = next_last;
    samples.assign(static_cast<std::size_t>(last - first), 0.0F);
    const std::ptrdiff_t from = std::max<std::ptrdiff_t>(first, 0);
    const std::ptrdiff_t to = std::min(last, std::ssize(resampled));
    std::copy(resampled.begin() + from, resampled.begin() + to, samples.begin() + (from - first));
    fade_edges(samples, clip_rate);
    measured = to_s16(samples);
  }

  const std::optional<media::speech::ActiveLevel> active = media::speech::active_level(measured, clip_rate);
  const double level = active ? active->active_dbov : audible_level(measured, audible, clip_rate);
  const auto gain = static_cast<float>(std::pow(10.0, (kSpeechLevelDbov - level) / 20.0));
  for (float& sample : samples) sample *= gain;

  auto clip = std::make_shared<media::Clip>();
  clip->rate = clip_rate;
  clip->samples = to_s16(samples);
  clip->speech = media::speech::audible_spans(clip->samples, clip_rate);
  clip->text = std::move(text);
  return clip;
}

}  // namespace linecheck::engine
