// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/speech/refine.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

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
constexpr std::ptrdiff_t kFarGuardMs = 300;
constexpr int kCleanWindowMs = 5;
constexpr int kNoisyWindowMs = 15;
constexpr int kBandWindowMs = 20;
constexpr std::ptrdiff_t kBandGapMs = 40;
constexpr std::ptrdiff_t kBandLeadMs = 4;
constexpr double kBandShare = 0.5;

/// The line's offset, which is there between the words too: a voice's own is part of its sound.
double dc_offset(std::span<const std::int16_t> samples, int rate, const std::vector<MsRun>& speech) {
  const auto per_ms = static_cast<std::size_t>(rate) / 1000;
  const auto sum_of = [&](std::size_t from, std::size_t to) {
    double sum = 0;
    for (std::size_t at = from; at < to; ++at) sum += samples[at];
    return sum;
  };
  double sum = 0;
  std::size_t count = 0;
  std::size_t at = 0;
  const auto add_up_to = [&](std::size_t end) {
    if (end <= at) return;
    sum += sum_of(at, end);
    count += end - at;
  };
  for (const MsRun& run : speech) {
    add_up_to(
        std::min(samples.size(), static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, run.first)) * per_ms));
    at = std::min(samples.size(), static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, run.last)) * per_ms);
  }
  add_up_to(samples.size());
  constexpr std::size_t kEnoughMs = 200;
  if (count >= kEnoughMs * per_ms) return sum / static_cast<double>(count);
  return samples.empty() ? 0 : sum_of(0, samples.size()) / static_cast<double>(samples.size());
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

  /// Within 2 s of a boundary, away from speech if possible: what a voice brings along of the room that it
  /// was recorded in is no noise of the line. Of the whole channel where there is none so near.
  [[nodiscard]] double near(std::ptrdiff_t ms) const {
    double local = mean(ms - kNoiseReachMs, ms + kNoiseReachMs, kFarGuardMs - kNoiseGuardMs);
    if (local < 0) local = mean(ms - kNoiseReachMs, ms + kNoiseReachMs);
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

  [[nodiscard]] double mean(std::ptrdiff_t from, std::ptrdiff_t to, std::ptrdiff_t guard = 0) const {
    double sum = 0;
    std::ptrdiff_t count = 0;
    std::ptrdiff_t zeros = 0;
    for (const MsRun& run : quiet_) {
      for (std::ptrdiff_t ms = std::max(run.first + guard, from); ms < std::min(run.last - guard, to); ++ms) {
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

/// Segments that belong together: an utterance, from its first segment to its last (excluded).
struct Utterance {
  std::size_t first = 0;
  std::size_t last = 0;
};

std::vector<Utterance> utterances_of(const std::vector<MsRun>& coarse) {
  constexpr std::ptrdiff_t kPauseMs = 500;
  std::vector<Utterance> utterances;
  for (std::size_t n = 0; n < coarse.size();) {
    std::size_t next = n + 1;
    while (next < coarse.size() && coarse[next].first - coarse[next - 1].last <= kPauseMs) ++next;
    utterances.push_back({n, next});
    n = next;
  }
  return utterances;
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

/// What one call of refine() works with.
class Refiner {
 public:
  Refiner(std::span<const std::int16_t> samples, int rate, const RefineOptions& options,
          const std::vector<MsRun>& coarse)
      : samples_(samples),
        rate_(rate),
        options_(options),
        coarse_(coarse),
        energy_(samples, rate, dc_offset(samples, rate, coarse)),
        noise_(energy_, coarse) {}

  [[nodiscard]] std::optional<double> channel_dbov() const {
    return speech_level(samples_, rate_, coarse_, noise_.whole());
  }

  /// A boundary is defined against the active level of the prompt that it belongs to, and the prompt's extent
  /// by its boundaries: so look until both stand still. An utterance far off the channel's level (a cough, a
  /// voice from afar) is measured against the channel.
  void refine(const Utterance& utterance, double channel_dbov, std::vector<RefinedSpan>& spans) {
    constexpr double kFarOffDb = 6;
    constexpr double kStillDb = 0.02;
    constexpr int kMostRounds = 4;
    MsRun extent{coarse_[utterance.first].first, coarse_[utterance.last - 1].last};
    double level = channel_dbov;
    std::vector<Segment> found;
    for (int round = 0; round < kMostRounds; ++round) {
      const MsRun prompt{extent.first - kEdgeMs, extent.last + kEdgeMs};
      const double measured = speech_level(samples_, rate_, {prompt}, noise_.whole()).value_or(channel_dbov);
      const double next = std::clamp(measured, channel_dbov - kFarOffDb, channel_dbov + kFarOffDb);
      if (round > 0 && std::abs(next - level) < kStillDb) break;
      level = next;
      found.clear();
      for (std::size_t n = utterance.first; n < utterance.last; ++n) found.push_back(search(n, level));
      bool any = false;
      for (const Segment& segment : found) {
        if (segment.runs.empty()) continue;
        if (!std::exchange(any, true)) extent.first = segment.runs.front().first;
        extent.last = segment.runs.back().last;
      }
      if (!any) return;
      if (found.front().noisy) break;  // the level moves less than noise lets us know
    }
    for (const Segment& segment : found)
      for (const MsRun& run : segment.runs) spans.push_back(span_of(segment, run));
  }

 private:
  static constexpr std::ptrdiff_t kEdgeMs = 10;  // silence that a prompt has around it

  /// A segment's runs, and what they were found with.
  struct Segment {
    std::vector<MsRun> runs;
    double defined = 0;  // powers
    double threshold = 0;
    bool noisy = false;
    int width = kCleanWindowMs;
  };

  Segment search(std::size_t n, double level_dbov) {
    const MsRun& segment = coarse_[n];
    const auto walk = static_cast<std::ptrdiff_t>(options_.walk_ms);
    // Neighbours share the silence between them.
    std::ptrdiff_t from = segment.first - walk;
    std::ptrdiff_t to = segment.last + walk;
    if (n > 0) from = std::max(from, (coarse_[n - 1].last + segment.first) / 2);
    if (n + 1 < coarse_.size()) to = std::min(to, (segment.last + coarse_[n + 1].first) / 2);

    Segment found;
    found.defined = dbov_to_power(level_dbov - kAudibleBelowActiveDb);
    const double noise_power = std::max(noise_.near(segment.first), noise_.near(segment.last));
    found.noisy = noise_power > found.defined;
    found.width = found.noisy ? kNoisyWindowMs : kCleanWindowMs;
    found.threshold = std::max(noise_power * std::pow(10.0, kAboveNoiseDb / 10.0), found.defined);
    found.runs =
        runs_above(energy_, from, to, found.width, found.threshold, options_.min_run_ms, options_.bridge_ms);
    if (!found.noisy) return found;
    // On a noisy line what is not connected with the segment is noise.
    std::erase_if(found.runs,
                  [&](const MsRun& r) { return r.last <= segment.first || r.first >= segment.last; });
    if (found.runs.empty()) return found;
    if (!bands_) bands_.emplace(samples_, rate_, kBandWindowMs);
    if (bands_->learn(noise_.around(segment.first, segment.last)))
      reach_out(found.runs, *bands_, found.defined * kBandShare, from, to, walk);
    return found;
  }

  [[nodiscard]] RefinedSpan span_of(const Segment& segment, const MsRun& run) const {
    const int width = segment.width;
    RefinedSpan span;
    span.start_ms = static_cast<double>(run.first);
    span.end_ms = static_cast<double>(run.last);
    if (!segment.noisy) {
      const double amplitude = std::sqrt(segment.threshold);
      const double first = energy_.first_sample_above(run.first - width / 2, run.last + width / 2, amplitude);
      const double last =
          energy_.last_sample_above(run.first - width / 2, run.last + width / 2 + 1, amplitude);
      if (first >= 0 && last > first) {
        span.start_ms = first;
        span.end_ms = last;
      }
    }
    const double least = segment.noisy ? kNoisyWindowMs / 2.0 : 1.0;
    const double before = hidden_ms(energy_, run.first, -1, segment.threshold, segment.defined, width);
    const double behind = hidden_ms(energy_, run.last, 1, segment.threshold, segment.defined, width);
    span.start_uncertainty_ms = least + before;
    span.end_uncertainty_ms = least + behind;
    span.uncertainty_ms = std::max(span.start_uncertainty_ms, span.end_uncertainty_ms);
    return span;
  }

  std::span<const std::int16_t> samples_;
  int rate_;
  const RefineOptions& options_;
  const std::vector<MsRun>& coarse_;
  Energy energy_;
  NoiseMap noise_;
  std::optional<Bands> bands_;
};

}  // namespace

std::vector<RefinedSpan> refine(std::span<const std::int16_t> samples, int rate, RefineOptions options) {
  std::vector<RefinedSpan> spans;
  const std::vector<MsRun> coarse = coarse_segments(samples, rate);
  if (coarse.empty()) return spans;
  Refiner refiner(samples, rate, options, coarse);
  const auto channel_level = refiner.channel_dbov();
  if (!channel_level) return spans;
  for (const Utterance& utterance : utterances_of(coarse)) refiner.refine(utterance, *channel_level, spans);
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
  const Energy energy(samples, rate, dc_offset(samples, rate, runs));
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
