// SPDX-License-Identifier: GPL-3.0-or-later
//
// The live turn detector: tells while a call runs when the agent begins and ends to speak. It steers the
// caller's turn-taking; the published numbers come from refine.h, which sees the whole recording.
//
// How it works, each 10 ms: high-pass (about 225 Hz: hum and rumble are not speech), level in dBov, smoothed;
// a noise floor that is the minimum of the last 3 s; a peak follower; two thresholds between them. Four of
// six frames over the upper one begin a segment, 300 ms under the lower one end it. Both are back-dated to
// where they really happened.
//
// Noise is also known by what it does not do: for half a second it keeps its level, where speech moves. Such
// half seconds say how high the noise reaches, and lift both thresholds over that; and on a line that has
// never been quiet nothing is speech that does not move. So noise that is there from the first packet is not
// taken for speech. Noise that comes up in a call is, until the floor has followed it (3 s).
//
// No allocation, no locks, no exceptions: it may run on a media tick. One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace linecheck::media::speech {

struct LiveOptions {
  int rate = 8000;       ///< samples a second
  int start_frames = 4;  ///< of 10 ms each, out of start_window, above the upper threshold
  int start_window = 6;  ///< at most 16
  int end_silence_ms = 300;
};

struct LiveEvent {
  enum class Kind { started, ended };
  Kind kind = Kind::started;
  std::int64_t at_sample = 0;       ///< when it happened, samples since the detector began (back-dated)
  std::int64_t decided_sample = 0;  ///< how many samples had been seen when it was known
};

class LiveDetector {
 public:
  explicit LiveDetector(LiveOptions options = {});

  /// The next 10 ms (rate / 100 samples; a shorter last frame is allowed).
  std::optional<LiveEvent> process(std::span<const std::int16_t> frame_10ms);

  [[nodiscard]] bool speaking() const { return speaking_; }
  [[nodiscard]] double level_dbov() const { return level_; }
  [[nodiscard]] double floor_dbov() const { return floor_; }
  [[nodiscard]] std::int64_t samples_seen() const { return seen_; }

 private:
  double measure(std::span<const std::int16_t> frame);
  void follow_floor();
  void follow_peak(bool above_off);
  void learn_noise();
  [[nodiscard]] bool moves() const;
  [[nodiscard]] std::int64_t samples_in(double ms) const {
    return static_cast<std::int64_t>(ms * options_.rate / 1000);
  }

  static constexpr int kSlots = 12;          // of 250 ms: the 3 s over which the minimum is taken
  static constexpr int kFramesPerSlot = 25;  // of 10 ms
  static constexpr int kMaxWindow = 16;
  static constexpr int kLearnEvery = 10;  // frames
  static constexpr int kMemory = 50;      // frames over which noise has to keep its level

  LiveOptions options_;
  double coefficient_;
  double filter_in_ = 0;
  double filter_out_ = 0;
  std::array<double, kSlots> slot_min_{};
  int slot_ = 0;
  int frames_in_slot_ = 0;
  double level_;
  double floor_;
  double peak_;
  std::array<float, kMemory> levels_{};  // of the last frames
  int frames_ = 0;                       // so far; stops counting at kMemory
  int level_at_ = 0;
  int frames_to_learn_ = kLearnEvery - 1;  // so that the first look is at the first half second
  double noise_low_ = 0;                   // tenth percentile of the last noise that kept its level
  double noise_high_ = 0;                  // ninetieth
  bool noise_known_ = false;
  int higher_in_a_row_ = 0;
  bool quiet_heard_ = false;  // a frame under the threshold of a good line
  bool first_ = true;
  bool speaking_ = false;
  std::int64_t seen_ = 0;
  std::array<std::int64_t, kMaxWindow>
      window_start_{};  // where each of the last frames begins; -1: not above
  int window_at_ = 0;
  std::int64_t last_above_end_ = 0;  // end of the last frame above the lower threshold
  std::int64_t run_start_ = -1;      // begin of the frames above the lower threshold up to now; -1: none
};

}  // namespace linecheck::media::speech
