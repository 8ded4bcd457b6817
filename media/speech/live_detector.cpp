// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/speech/live_detector.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "media/full_scale.h"
#include "media/speech/level.h"

namespace linecheck::media::speech {
namespace {

constexpr double kHighPass = 0.85;    // one-pole, at 8 kHz: about 225 Hz
constexpr double kNewLevel = 0.7;     // smoothing: share of the new frame
constexpr double kFloorMarginDb = 2;  // the minimum of noisy frames lies below their mean
constexpr double kPeakAttack = 0.3;
constexpr double kPeakDecayDb = 0.02;  // a frame, while speech is present
constexpr double kLeastRangeDb = 6;
constexpr double kOnLeastDbov = -56;
constexpr double kOffLeastDbov = -60;

// Until a second of the channel has been heard, the line is taken to be as quiet as a good one: speech in the
// very first frame is then found, and a noisy line corrects the floor within that second.
constexpr double kAssumedFloorDbov = -66;
constexpr int kAssumedSlots = 4;

// Noise keeps its level: 80 % of half a second lie within this. What lies far under the speech that was heard
// may move more (voices in the background do).
constexpr double kSteadyDb = 5;
constexpr double kSteadyAtFirstDb = 8;  // on a line that has not been quiet yet
constexpr double kSteadyFarDb = 14;
constexpr double kFarUnderPeakDb = 14;
constexpr double kOnOverNoiseDb = 4;
constexpr double kOffOverNoiseDb = 2;
constexpr double kNoiseFellDb = 6;
constexpr int kHigherToBelieve = 20;  // looks, ten a second
// Speech moves by so much within its first syllable or two.
constexpr double kMovesDb = 8;

constexpr int kBackDateMost = 12;  // frames
// Where speech begins and ends inside the frames that show it, on average (bench/vad).
constexpr double kBeginsEarlierMs = 3.0;
constexpr double kEndsEarlierMs = 2.5;

constexpr double kNone = std::numeric_limits<double>::infinity();

double coefficient_for(int rate) {
  // The same cut-off at other rates: a = 1 / (1 + 2 pi f / rate).
  constexpr double kCutOff = 8000.0 * (1 / kHighPass - 1) / (2 * std::numbers::pi);
  return 1 / (1 + 2 * std::numbers::pi * kCutOff / rate);
}

}  // namespace

LiveDetector::LiveDetector(LiveOptions options)
    : options_(options),
      coefficient_(coefficient_for(options.rate)),
      level_(kSilenceDbov),
      floor_(kAssumedFloorDbov + kFloorMarginDb),
      peak_(floor_ + kLeastRangeDb) {
  options_.start_window = std::clamp(options_.start_window, 1, kMaxWindow);
  options_.start_frames = std::clamp(options_.start_frames, 1, options_.start_window);
  slot_min_.fill(kNone);
  // The slots are a circle: those after the current one are the oldest, so these are the next to be
  // overwritten.
  for (int n = 1; n <= kAssumedSlots; ++n) slot_min_[static_cast<std::size_t>(n)] = kAssumedFloorDbov;
  window_start_.fill(-1);
}

double LiveDetector::measure(std::span<const std::int16_t> frame) {
  double sum = 0;
  for (const std::int16_t s : frame) {
    filter_out_ = coefficient_ * (filter_out_ + s - filter_in_);
    filter_in_ = s;
    sum += filter_out_ * filter_out_;
  }
  if (std::abs(filter_out_) < 1e-9) filter_out_ = 0;  // no denormals in digital silence
  return power_to_dbov(sum / (static_cast<double>(frame.size()) * kFullScale * kFullScale));
}

void LiveDetector::follow_floor() {
  auto& current = slot_min_[static_cast<std::size_t>(slot_)];
  current = std::min(current, level_);
  double least = kNone;
  for (const double m : slot_min_) least = std::min(least, m);
  floor_ = least + kFloorMarginDb;
  if (++frames_in_slot_ == kFramesPerSlot) {
    frames_in_slot_ = 0;
    slot_ = (slot_ + 1) % kSlots;
    slot_min_[static_cast<std::size_t>(slot_)] = kNone;
  }
}

void LiveDetector::learn_noise() {
  levels_[static_cast<std::size_t>(level_at_)] = static_cast<float>(level_);
  level_at_ = (level_at_ + 1) % kMemory;
  frames_ = std::min(frames_ + 1, kMemory);
  if (noise_known_ && floor_ - kFloorMarginDb < noise_low_ - std::max(kNoiseFellDb, noise_high_ - noise_low_))
    noise_known_ = false;
  if (frames_ < kMemory || ++frames_to_learn_ < kLearnEvery) return;
  frames_to_learn_ = 0;
  std::array<float, kMemory> sorted = levels_;
  const auto at = [&](int percent) {
    const auto rank = sorted.begin() + kMemory * percent / 100;
    std::nth_element(sorted.begin(), rank, sorted.end());
    return static_cast<double>(*rank);
  };
  const double low = at(10);
  const double high = at(90);
  const bool far_under = peak_ - at(50) > kFarUnderPeakDb;
  const double allowed = far_under ? kSteadyFarDb : quiet_heard_ ? kSteadyDb : kSteadyAtFirstDb;
  if (high - low > allowed) return;
  // Half a second may hold a faint word: of those in two seconds the least says what is noise.
  if (noise_known_ && high > noise_high_ && ++higher_in_a_row_ < kHigherToBelieve) return;
  higher_in_a_row_ = 0;
  noise_known_ = true;
  if (!quiet_heard_) {
    // What was assumed of the line in its first second is known better now, and what seemed to begin was
    // noise.
    for (double& slot : slot_min_)
      if (slot == kAssumedFloorDbov) slot = kNone;
    if (!speaking_) window_start_.fill(-1);
  }
  noise_low_ = low;
  noise_high_ = high;
}

/// Whether what was heard so far goes up and down as speech does.
bool LiveDetector::moves() const {
  if (frames_ == kMemory) return true;
  const auto heard = std::span(levels_).first(static_cast<std::size_t>(frames_));
  const auto [least, most] = std::minmax_element(heard.begin(), heard.end());
  return static_cast<double>(*most - *least) >= kMovesDb;
}

void LiveDetector::follow_peak(bool above_off) {
  if (level_ > peak_)
    peak_ += kPeakAttack * (level_ - peak_);
  else if (above_off)
    peak_ -= kPeakDecayDb;
  peak_ = std::max(peak_, floor_ + kLeastRangeDb);
}

std::optional<LiveEvent> LiveDetector::process(std::span<const std::int16_t> frame_10ms) {
  if (frame_10ms.empty()) return std::nullopt;
  const std::int64_t frame_start = seen_;
  const double now = measure(frame_10ms);
  level_ = first_ ? now : kNewLevel * now + (1 - kNewLevel) * level_;
  first_ = false;
  seen_ += static_cast<std::int64_t>(frame_10ms.size());

  follow_floor();
  const double range = peak_ - floor_;
  double on = std::max(floor_ + std::clamp(0.40 * range, 4.0, 14.0), kOnLeastDbov);
  double off = std::max(floor_ + std::clamp(0.25 * range, 2.5, 8.0), kOffLeastDbov);
  learn_noise();
  if (noise_known_) {
    on = std::max(on, noise_high_ + kOnOverNoiseDb);
    off = std::max(off, noise_high_ + kOffOverNoiseDb);
  }
  if (level_ <= kOnLeastDbov) quiet_heard_ = true;
  follow_peak(level_ > off);

  if (level_ <= off)
    run_start_ = -1;
  else if (run_start_ < 0)
    run_start_ = frame_start;

  if (!speaking_) {
    window_start_[static_cast<std::size_t>(window_at_)] = level_ > on ? frame_start : -1;
    window_at_ = (window_at_ + 1) % options_.start_window;
    int above = 0;
    std::int64_t first_above = frame_start;
    for (int n = 0; n < options_.start_window; ++n) {
      const std::int64_t start = window_start_[static_cast<std::size_t>(n)];
      if (start < 0) continue;
      ++above;
      first_above = std::min(first_above, start);
    }
    if (above < options_.start_frames) return std::nullopt;
    if (!quiet_heard_ && !noise_known_ && !moves()) return std::nullopt;
    // It began where it came out of the lower threshold, if that is not long ago.
    const auto frame = static_cast<std::int64_t>(frame_10ms.size());
    if (run_start_ >= 0)
      first_above = std::max(std::min(first_above, run_start_), first_above - kBackDateMost * frame);
    speaking_ = true;
    window_start_.fill(-1);
    window_at_ = 0;
    last_above_end_ = seen_;
    return LiveEvent{LiveEvent::Kind::started,
                     std::max<std::int64_t>(0, first_above - samples_in(kBeginsEarlierMs)), seen_};
  }

  if (level_ > off) {
    last_above_end_ = seen_;
    return std::nullopt;
  }
  if ((seen_ - last_above_end_) * 1000 < static_cast<std::int64_t>(options_.end_silence_ms) * options_.rate)
    return std::nullopt;
  speaking_ = false;
  return LiveEvent{LiveEvent::Kind::ended, last_above_end_ - samples_in(kEndsEarlierMs), seen_};
}

}  // namespace linecheck::media::speech
