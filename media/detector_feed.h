// SPDX-License-Identifier: GPL-3.0-or-later
//
// Feeds the live turn detector with the agent's audio, in order and without holes. The detector counts
// samples; the feed turns its answers into times on the leg's clock.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "media/clock_map.h"
#include "media/codec.h"
#include "media/inband_keys.h"
#include "media/speech/live_detector.h"

namespace linecheck::media {

class DetectorFeed {
 public:
  struct Decision {
    bool started = false;  // else ended
    double at_ms = 0;
    double decided_ms = 0;
  };

  /// `rate`: of the leg.
  explicit DetectorFeed(int rate = kNarrowRate)
      : rate_(rate), step_size_(static_cast<std::size_t>(rate / 100)), detector_(options_for(rate)) {}

  /// Keys are listened for too, in what is fed. May be null; outlives the feed.
  void listen_for(InbandKeys* keys) { keys_ = keys; }

  /// A packet has come: how many samples are missing before it; negative: how many of its first ones have
  /// their place filled.
  std::int64_t missing(const ClockMap& map, ClockMap::Place place);

  // Both call on_decision(const Decision&) for whatever they make known.

  template <typename OnDecision>
  void feed(std::span<const std::int16_t> samples, OnDecision&& on_decision) {
    if (keys_ != nullptr) keys_->feed(samples, fed_);
    fed_ += static_cast<std::int64_t>(samples.size());
    next_offset_ += static_cast<std::int64_t>(samples.size());
    while (!samples.empty()) {
      const std::size_t count = std::min(samples.size(), step_size_ - filled_);
      std::copy_n(samples.begin(), count, step_.begin() + static_cast<std::ptrdiff_t>(filled_));
      filled_ += count;
      samples = samples.subspan(count);
      if (filled_ < step_size_) return;
      filled_ = 0;
      const auto event = detector_.process(std::span<const std::int16_t>(step_).first(step_size_));
      if (!event) continue;
      on_decision(Decision{event->kind == speech::LiveEvent::Kind::started, to_ms(event->at_sample),
                           to_ms(event->decided_sample)});
    }
  }

  template <typename OnDecision>
  void silence(std::int64_t samples, OnDecision&& on_decision) {
    static constexpr std::array<std::int16_t, kMaxStep> kZeros{};
    // After a very long hole the detector needs no more of it; its clock is simply moved on.
    if (const std::int64_t most = most_silence(); samples > most) {
      ahead_ += samples - most;
      fed_ += samples - most;
      next_offset_ += samples - most;
      samples = most;
    }
    for (; samples > 0; samples -= static_cast<std::int64_t>(kMaxStep)) {
      const auto count = std::min(static_cast<std::size_t>(samples), kMaxStep);
      feed(std::span<const std::int16_t>(kZeros).first(count), on_decision);
    }
  }

  /// Time passes without packets: `now` is the leg's position. A remote that sends nothing is silent.
  template <typename OnDecision>
  void pass(std::int64_t now, OnDecision&& on_decision) {
    if (started_) silence(now - patience() - fed_, on_decision);
  }

 private:
  static constexpr std::size_t kMaxStep = kWideRate / 100;  // 10 ms

  static speech::LiveOptions options_for(int rate) {
    speech::LiveOptions options;
    options.rate = rate;
    return options;
  }
  // How late a packet may be before silence takes its place.
  [[nodiscard]] std::int64_t patience() const { return rate_ / 10; }
  [[nodiscard]] std::int64_t most_silence() const { return 2 * std::int64_t{rate_}; }

  [[nodiscard]] double to_ms(std::int64_t detector_sample) const {
    return static_cast<double>(detector_sample + ahead_) * 1000.0 / rate_;
  }

  int rate_;
  std::size_t step_size_;
  speech::LiveDetector detector_;
  InbandKeys* keys_ = nullptr;
  std::array<std::int16_t, kMaxStep> step_{};
  std::size_t filled_ = 0;
  bool started_ = false;
  std::uint32_t epoch_ = 0;
  std::int64_t next_offset_ = 0;  // in the epoch: the next sample to be fed
  std::int64_t fed_ = 0;          // the same as a leg position
  std::int64_t ahead_ = 0;        // leg position of the detector's sample 0
};

}  // namespace linecheck::media
