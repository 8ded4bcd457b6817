// SPDX-License-Identifier: GPL-3.0-or-later
//
// Hears RFC 4733 telephone-events. A press is known by its timestamp, not by the marker or the end bit,
// either of which may be lost: two presses of one key are two events, and a press whose end packets were lost
// ends when no more of it comes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "media/clock_map.h"
#include "media/codec.h"
#include "media/leg_report.h"
#include "media/rtp_packet.h"

namespace linecheck::media {

class DtmfReceiver {
 public:
  /// `rate`: of the leg.
  explicit DtmfReceiver(int rate = kNarrowRate) : rate_(rate) {}

  /// Of the telephone-event's timestamps and durations.
  void set_clock_rate(int clock_rate) { clock_rate_ = clock_rate; }

  /// A packet of the telephone-event payload type, arrived at `arrival_ns` on the leg's clock. Up to two
  /// presses become known by it: the one before, whose end was lost, and its own.
  struct Heard {
    std::optional<DigitEvent> before;
    std::optional<DigitEvent> own;
  };
  Heard packet(const RtpPacket& packet, std::int64_t arrival_ns, const ClockMap& map);

  /// A press of which nothing has come for 120 ms is over.
  std::optional<DigitEvent> pass(std::int64_t now_ns);

 private:
  struct Press {
    std::uint32_t ssrc = 0;
    std::uint32_t timestamp = 0;
    int event = 0;
    int volume = 0;
    int duration = 0;  // timestamp units
    double start_ms = 0;
    std::int64_t last_arrival_ns = 0;
  };

  std::optional<DigitEvent> finish();
  [[nodiscard]] bool is_done(const RtpPacket& packet) const;

  int rate_;
  int clock_rate_ = 8000;
  std::optional<Press> current_;
  // Presses that are over: their end packets keep coming, and some come late.
  struct Done {
    std::uint32_t ssrc = 0;
    std::uint32_t timestamp = 0;
    bool used = false;
  };
  std::array<Done, 8> done_{};
  std::size_t next_done_ = 0;
  std::optional<double> previous_end_ms_;
};

}  // namespace linecheck::media
