// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/speech/refine.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

#include "media/leg_report.h"
#include "media/speech/annotate.h"
#include "media/speech/bands.h"
#include "media/speech/energy.h"
#include "media/speech/level.h"
#include "media/speech/live_detector.h"

namespace linecheck::media::speech {
namespace {

constexpr double kAboveNoiseDb = 6;
constexpr std::ptrdiff_t kNoiseReachMs = 2000;
constexpr std::ptrdiff_t kNoiseGuardMs = 50;
constexpr int kCleanWindowMs = 5;
constexpr int kNoisyWindowMs = 15;
constexpr int kBandWindowMs = 20;
constexpr std::ptrdiff_t kBandGapMs = 40;
constexpr std::ptrdiff_t kBandLeadMs = 4;
constexpr double kBandShare = 0.5;

double dc_offset(std::span<const std::int16_t> samples) {
  double sum = 0;
  for (const std::int16_t s : samples) sum += s;
  return samples.empty() ? 0 : sum / static_cast<double>(samples.size());
}

/// The live detector's opinion of the whole channel, as runs of milliseconds.
std::vector<MsRun> coarse_segments(std::span<const std::int16_t> samples, int rate) {
  std::vector<MsRun> segments;
  LiveOptions options;
  options.rate = rate;
  LiveDetector detector(options);
  const auto to_ms = [rate](std::int64_t sample) {
    return static_cast<std::ptrdiff_t>(sample * 1000 / rate);
  };
  const auto frame = static_cast<std::size_t>(rate / 100);
  bool open = false;
  for (std::size_t at = 0; at < samples.size(); at += frame) {
    const auto event = detector.process(samples.subspan(at, std::min(frame, samples.size() - at)));
    if (!event) continue;
    if (event->kind == LiveEvent::Kind::started) {
      segments.push_back({to_ms(event->at_sample), 0});
      open = true;
    } else {
      segments.back().last = to_ms(event->at_sample);
      open = false;
    }
  }
  if (open) segments.back().last = to_ms(static_cast<std::int64_t>(samples.size()));
  return segments;
}

/// Mean power of what is not speech, or a negative number where there is nothing to measure. Milliseconds of
/// pure zeros (before the first packet, in a gap) are no noise and count only where there is nothing else.
class NoiseMap {
 public:
  NoiseMap(const Energy& energy, const std::vector<MsRun>& speech) : energy_(energy) {
    std::ptrdiff_t at = 0;
    for (const MsRun& run : speech) {
      add(at, run.first - kNoiseGuardMs);
      at = std::max(at, run.last + kNoiseGuardMs);
    }
    add(at, energy.size());
    whole_ = mean(0, energy.size());
  }

  /// Within 2 s of a boundary; of the whole channel where there is none so near.
  [[nodiscard]] double near(std::ptrdiff_t ms) const {
    const double local = mean(ms - kNoiseReachMs, ms + kNoiseReachMs);
    return local >= 0 ? local : whole_;
  }
  [[nodiscard]] double whole() const { return whole_; }

  /// Runs of non-speech within 2 s of [first, last), further away from speech than a fading word reaches.
  [[nodiscard]] std::vector<MsRun> around(std::ptrdiff_t first, std::ptrdiff_t last) const {
    constexpr std::ptrdiff_t kFadeMs = 150;
    std::vector<MsRun> runs;
    for (const MsRun& run : quiet_) {
      const MsRun part{std::max(run.first + kFadeMs, first - kNoiseReachMs),
                       std::min(run.last - kFadeMs, last + kNoiseReachMs)};
      if (part.last > part.first) runs.push_back(part);
    }
    return runs;
  }

 private:
  void add(std::ptrdiff_t first, std::ptrdiff_t last) {
    if (last > first) quiet_.push_back({first, last});
  }

  [[nodiscard]] double mean(std::ptrdiff_t from, std::ptrdiff_t to) const {
    double sum = 0;
    std::ptrdiff_t count = 0;
    std::ptrdiff_t zeros = 0;
    for (const MsRun& run : quiet_) {
      for (std::ptrdiff_t ms = std::max(run.first, from); ms < std::min(run.last, to); ++ms) {
        const double power = energy_.power(ms, ms + 1);
        sum += power;
        ++(power > 0 ? count : zeros);
      }
    }
    constexpr std::ptrdiff_t kEnough = 50;
    if (count >= kEnough && count * 5 >= zeros) return sum / static_cast<double>(count);
    return count + zeros >= kEnough ? sum / static_cast<double>(count + zeros) : -1;
  }

  const Energy& energy_;
  std::vector<MsRun> quiet_;
  double whole_ = -1;
};

/// P.56 active level of the speech alone: silence between utterances must not stretch the hangover, and the
/// power of the noise under the speech is taken off.
std::optional<double> speech_level(std::span<const std::int16_t> samples, int rate,
                                   const std::vector<MsRun>& speech, double noise_power) {
  std::vector<std::int16_t> only;
  for (const MsRun& run : speech) {
    const auto from = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, run.first)) *
                      static_cast<std::size_t>(rate) / 1000;
    const auto to = std::min(samples.size(), static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, run.last)) *
                                                 static_cast<std::size_t>(rate) / 1000);
    if (to > from)
      only.insert(only.end(), samples.begin() + static_cast<std::ptrdiff_t>(from),
                  samples.begin() + static_cast<std::ptrdiff_t>(to));
  }
  const auto level = active_level(only, rate);
  if (!level) return std::nullopt;
  const double power = dbov_to_power(level->active_dbov);
  return power_to_dbov(std::max(power - std::max(0.0, noise_power), power * 0.01));
}

/// The level of the utterance that each segment is part of: a boundary is defined against the active level of
/// the prompt that it belongs to. The margin around it is what a prompt's file has around its speech. An
/// utterance far off the channel's level (a cough, a voice from afar) is measured against the channel.
std::vector<double> utterance_levels(std::span<const std::int16_t> samples, int rate,
                                     const std::vector<MsRun>& coarse, double noise_power,
                                     double channel_dbov) {
  constexpr std::ptrdiff_t kPauseMs = 500;
  constexpr std::ptrdiff_t kMarginMs = 60;
  constexpr double kFarOffDb = 6;
  std::vector<double> levels;
  for (std::size_t n = 0; n < coarse.size();) {
    std::size_t next = n + 1;
    while (next < coarse.size() && coarse[next].first - coarse[next - 1].last <= kPauseMs) ++next;
    const MsRun utterance{coarse[n].first - kMarginMs, coarse[next - 1].last + kMarginMs};
    const double level = speech_level(samples, rate, {utterance}, noise_power).value_or(channel_dbov);
    levels.resize(next, std::clamp(level, channel_dbov - kFarOffDb, channel_dbov + kFarOffDb));
    n = next;
  }
  return levels;
}

/// How much of the rise (direction -1) or fall (+1) lies hidden under the threshold: the slope just inside
/// the boundary, carried on to the level that defines it.
double hidden_ms(const Energy& energy, std::ptrdiff_t at, int direction, double threshold, double defined,
                 int width) {
  if (threshold <= defined) return 0;
  const double hidden_db = power_to_dbov(threshold) - power_to_dbov(defined);
  constexpr std::ptrdiff_t kLook = 60;
  constexpr double kRiseDb = 6;
  std::ptrdiff_t inside = kLook;
  for (std::ptrdiff_t n = 1; n < kLook; ++n)
    if (energy.power_around(at - direction * n, width) > threshold * std::pow(10.0, kRiseDb / 10.0)) {
      inside = n;
      break;
    }
  constexpr double kMostMs = 200;
  return std::min(kMostMs, hidden_db * static_cast<double>(inside) / kRiseDb);
}

/// Extends runs outward to where the bands show speech that the power of the whole channel hides: while they
/// stand out with gaps of up to kBandGapMs. Runs that meet become one.
void reach_out(std::vector<MsRun>& runs, const Bands& bands, double least, std::ptrdiff_t from,
               std::ptrdiff_t to, std::ptrdiff_t walk) {
  const auto reach = [&](std::ptrdiff_t edge, std::ptrdiff_t limit, std::ptrdiff_t step) {
    std::ptrdiff_t last_seen = edge;
    for (std::ptrdiff_t ms = edge; ms != limit && std::abs(ms - last_seen) <= kBandGapMs; ms += step)
      if (bands.stands_out(ms, least)) last_seen = ms;
    // The window sees speech before its centre reaches it.
    return std::abs(last_seen - edge) > kBandLeadMs ? last_seen - step * kBandLeadMs : edge;
  };
  std::vector<MsRun> merged;
  for (const MsRun& run : runs) {
    const MsRun wide{reach(run.first, std::max(from, run.first - walk), -1),
                     reach(run.last, std::min(to, run.last + walk), 1)};
    if (!merged.empty() && wide.first <= merged.back().last)
      merged.back().last = std::max(merged.back().last, wide.last);
    else
      merged.push_back(wide);
  }
  runs = std::move(merged);
}

}  // namespace

std::vector<RefinedSpan> refine(std::span<const std::int16_t> samples, int rate, RefineOptions options) {
  std::vector<RefinedSpan> spans;
  const std::vector<MsRun> coarse = coarse_segments(samples, rate);
  if (coarse.empty()) return spans;
  const Energy energy(samples, rate, dc_offset(samples));
  const NoiseMap noise(energy, coarse);
  const auto channel_level = speech_level(samples, rate, coarse, noise.whole());
  if (!channel_level) return spans;
  const std::vector<double> levels = utterance_levels(samples, rate, coarse, noise.whole(), *channel_level);

  std::optional<Bands> bands;
  for (std::size_t n = 0; n < coarse.size(); ++n) {
    const MsRun& segment = coarse[n];
    const double defined = dbov_to_power(levels[n] - kAudibleBelowActiveDb);
    const auto walk = static_cast<std::ptrdiff_t>(options.walk_ms);
    // Neighbours share the silence between them.
    std::ptrdiff_t from = segment.first - walk;
    std::ptrdiff_t to = segment.last + walk;
    if (n > 0) from = std::max(from, (coarse[n - 1].last + segment.first) / 2);
    if (n + 1 < coarse.size()) to = std::min(to, (segment.last + coarse[n + 1].first) / 2);

    const double noise_power = std::max(noise.near(segment.first), noise.near(segment.last));
    const bool noisy = noise_power > defined;
    const int width = noisy ? kNoisyWindowMs : kCleanWindowMs;
    const double threshold = std::max(noise_power * std::pow(10.0, kAboveNoiseDb / 10.0), defined);
    const double amplitude = std::sqrt(threshold);
    std::vector<MsRun> runs =
        runs_above(energy, from, to, width, threshold, options.min_run_ms, options.bridge_ms);
    if (noisy) {
      // On a noisy line what is not connected with the segment is noise.
      std::erase_if(runs, [&](const MsRun& r) { return r.last <= segment.first || r.first >= segment.last; });
      if (!runs.empty()) {
        if (!bands) bands.emplace(samples, rate, kBandWindowMs);
        if (bands->learn(noise.around(segment.first, segment.last)))
          reach_out(runs, *bands, defined * kBandShare, from, to, walk);
      }
    }
    for (const MsRun& run : runs) {
      RefinedSpan span;
      span.start_ms = static_cast<double>(run.first);
      span.end_ms = static_cast<double>(run.last);
      if (!noisy) {
        const double first =
            energy.first_sample_above(run.first - width / 2, run.last + width / 2, amplitude);
        const double last =
            energy.last_sample_above(run.first - width / 2, run.last + width / 2 + 1, amplitude);
        if (first >= 0 && last > first) {
          span.start_ms = first;
          span.end_ms = last;
        }
      }
      const double least = noisy ? kNoisyWindowMs / 2.0 : 1.0;
      span.start_uncertainty_ms = least + hidden_ms(energy, run.first, -1, threshold, defined, width);
      span.end_uncertainty_ms = least + hidden_ms(energy, run.last, 1, threshold, defined, width);
      span.uncertainty_ms = std::max(span.start_uncertainty_ms, span.end_uncertainty_ms);
      spans.push_back(span);
    }
  }
  return spans;
}

ChannelLevels channel_levels(std::span<const std::int16_t> samples, int rate,
                             std::span<const RefinedSpan> spans) {
  ChannelLevels levels;
  levels.speech_dbov = kSilenceDbov;
  levels.noise_dbov = kSilenceDbov;
  std::vector<MsRun> runs;
  for (const RefinedSpan& span : spans)
    runs.push_back(
        {static_cast<std::ptrdiff_t>(span.start_ms), static_cast<std::ptrdiff_t>(span.end_ms) + 1});
  const Energy energy(samples, rate, dc_offset(samples));
  const NoiseMap noise(energy, runs);
  if (noise.whole() >= 0) {
    levels.has_noise = true;
    levels.noise_dbov = power_to_dbov(noise.whole());
  }
  if (const auto level = speech_level(samples, rate, runs, noise.whole())) {
    levels.has_speech = true;
    levels.speech_dbov = *level;
  }
  return levels;
}

}  // namespace linecheck::media::speech
