// SPDX-License-Identifier: GPL-3.0-or-later
//
// Turns the play queue into frames: mixes clips over the noise bed, sends digits in their turn, and notes
// exactly which sample each thing fell on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "media/dtmf_sender.h"
#include "media/events.h"
#include "media/leg_report.h"
#include "media/play_queue.h"

namespace linecheck::media {

using PlayEvent = std::variant<PlayStarted, PlayEnded, MarkSent, DigitDue, DigitsSent>;

/// Something that happened in a frame. What depends on the packet (timestamp, departure) is filled in when it
/// has left.
struct PlayNote {
  PlayEvent what;
  std::int64_t position = 0;       ///< leg samples
  std::unique_ptr<PlayItem> done;  ///< goes back to who made it
};

/// What reaches the remote.
struct CanSend {
  bool audio = true;   ///< not on hold
  bool events = true;  ///< it takes telephone-events
};

class Playout {
 public:
  static constexpr int kFadeMs = 5;

  /// `rate`: of the leg.
  explicit Playout(int rate = kNarrowRate) : rate_(rate), dtmf_(rate) {}

  /// Of the telephone-events that are sent.
  void set_clock_rate(int clock_rate) { dtmf_.set_clock_rate(clock_rate); }

  void enqueue(std::unique_ptr<PlayItem> item) { queue_.push(std::move(item)); }
  /// From the next frame on. What is enqueued afterwards is not touched.
  void stop() { stopped_.append(queue_); }

  /// The frame that begins at `position`. `audio` holds the noise bed and is mixed into. A packet that is
  /// returned goes out instead of the audio.
  std::optional<DtmfSender::Packet> frame(std::int64_t position, std::span<std::int16_t> audio, CanSend can,
                                          std::vector<PlayNote>& notes);

  /// A digit whose tone ended with the last frame.
  std::optional<DigitEvent> take_sent_digit();

 private:
  std::optional<DtmfSender::Packet> digit_frame(std::int64_t position, std::span<std::int16_t> audio,
                                                std::vector<PlayNote>& notes);
  std::size_t end_stopped(std::int64_t position, std::span<std::int16_t> audio, std::vector<PlayNote>& notes);
  void play(PlayItem& item, std::size_t count, bool fade, std::int64_t position,
            std::span<std::int16_t> audio, std::vector<PlayNote>& notes);

  int rate_;
  PlayQueue queue_;
  PlayQueue stopped_;
  DtmfSender dtmf_;
  bool tone_open_ = false;
  std::optional<DigitEvent> sent_digit_;
};

}  // namespace linecheck::media
