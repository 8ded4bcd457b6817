// SPDX-License-Identifier: GPL-3.0-or-later
//
// When keys go down and up, whatever carries them; and the RFC 4733 telephone-events of those that travel so,
// one packet each frame: the marker on the first, the same timestamp on all of a digit, the duration growing,
// and the last one three times (section 2.5.1.4). Audio is not sent meanwhile; timestamps of what follows go
// on with the clock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "media/codec.h"
#include "media/leg_report.h"

namespace linecheck::media {

class DtmfSender {
 public:
  static constexpr int kVolume = 10;  // -10 dBm0

  /// `rate`: of the leg, whose samples all positions and lengths are.
  explicit DtmfSender(int rate = kNarrowRate) : rate_(rate) {}
  /// Of the telephone-event's timestamps and durations: that of the audio beside it.
  void set_clock_rate(int clock_rate) { clock_rate_ = clock_rate; }

  struct Packet {
    std::array<std::uint8_t, 4> payload{};
    bool marker = false;
    std::int64_t begin = 0;  ///< leg position that the timestamp stands for
  };

  /// Begins a digit at the frame that starts at `position`. Not while busy().
  void begin(char digit, std::int64_t position, int tone_samples, int gap_samples,
             DigitTransport transport = DigitTransport::rfc4733);
  /// What to send for the frame at `position`; nullopt: no event packet, audio may flow (in the gap it does).
  /// Only of a digit that travels as telephone-event.
  std::optional<Packet> packet(std::int64_t position);
  /// The tone ends with the frame at `position`.
  void cut_short(std::int64_t position);

  /// A digit is under way, its end packets and the gap behind it included.
  [[nodiscard]] bool busy(std::int64_t position) const { return active_ && position < begin_ + tone_ + gap_; }
  /// End of the tone of the digit begun last.
  [[nodiscard]] std::int64_t tone_end() const { return begin_ + tone_; }
  [[nodiscard]] std::int64_t tone_begin() const { return begin_; }
  [[nodiscard]] char digit() const { return digit_; }
  [[nodiscard]] DigitTransport transport() const { return transport_; }
  /// The digit begun last, for the report. Its gap is counted from the tone before it.
  [[nodiscard]] DigitEvent event() const;

 private:
  int rate_;
  int clock_rate_ = 8000;
  bool active_ = false;
  char digit_ = '0';
  std::int64_t begin_ = 0;
  std::int64_t segment_ = 0;  // where the current segment begins
  int tone_ = 0;
  int gap_ = 0;
  DigitTransport transport_ = DigitTransport::rfc4733;
  int ends_sent_ = 0;
  bool first_ = true;
  std::optional<std::int64_t> previous_end_;
};

}  // namespace linecheck::media
