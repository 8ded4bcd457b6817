// SPDX-License-Identifier: GPL-3.0-or-later
//
// What we hear, over a bad line: between the wire, where everything is counted and recorded, and the caller's
// ears, which decide when it speaks. Payloads wait here in their coded form, so that a decoder misses what is
// lost.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "media/clock_map.h"
#include "media/codec.h"
#include "media/delay_line.h"
#include "media/line_filter.h"
#include "media/line_history.h"

namespace linecheck::media {

class HearLine {
 public:
  /// Makes room for all that may wait: away from the media thread.
  HearLine(const LinePlan& plan, std::uint64_t seed);

  /// The plan takes effect. `rate`: of the audio.
  void begin(double now_ms, int rate);
  /// Takes over the plan of another one, and its room where that is larger; what waits goes on waiting.
  void change(HearLine& to, double now_ms, int rate);

  [[nodiscard]] LineFilter& filter() { return filter_; }
  /// Samples by which the ears hear later than the wire: jitter, as everywhere, does not move speech.
  [[nodiscard]] std::int64_t shift() const { return shift_; }

  /// A packet came. Calls `hear(codec, place, payload)` for whatever reaches the ears at once.
  template <typename Hear>
  void packet(Codec codec, ClockMap::Place place, std::span<const std::uint8_t> payload,
              std::int64_t arrival_ns, Hear&& hear) {
    const std::uint64_t serial = serial_++;
    last_arrival_ns_ = std::max(last_arrival_ns_, arrival_ns);
    const auto fate = history_.impairer().decide(last_arrival_ns_);
    if (fate.copies == 0) return;
    place.offset += shift_;
    if (fate.leaves_ns > last_arrival_ns_) {
      Held* held = payload.size() <= kMostBytes && waiting_ ? waiting_->push(fate.leaves_ns) : nullptr;
      if (held != nullptr) {
        held->serial = serial;
        held->at_ns = last_arrival_ns_;
        held->copies = fate.copies;
        held->codec = codec;
        held->place = place;
        held->size = static_cast<std::uint16_t>(payload.size());
        std::copy(payload.begin(), payload.end(), held->bytes.begin());
        return;
      }
      history_.impairer().overflowed();
    }
    history_.impairer().left(serial, last_arrival_ns_, last_arrival_ns_, fate.copies);
    hear(codec, place, payload);
  }

  /// Calls `hear` for all that is due.
  template <typename Hear>
  void release(std::int64_t now_ns, Hear&& hear) {
    while (waiting_ && waiting_->next_due_ns() <= now_ns) {
      const Held& held = waiting_->front();
      // Accounted by its own time, not by that of our look at it.
      history_.impairer().left(held.serial, held.at_ns, waiting_->next_due_ns(), held.copies);
      hear(held.codec, held.place, std::span<const std::uint8_t>(held.bytes).first(held.size));
      waiting_->pop();
    }
  }
  [[nodiscard]] std::vector<LinePeriod> take_periods() { return history_.take(); }

 private:
  static constexpr std::size_t kMostBytes = 640;  // 80 ms of G.711

  struct Held {
    std::uint64_t serial = 0;
    std::int64_t at_ns = 0;
    int copies = 1;
    Codec codec = Codec::pcmu;
    ClockMap::Place place;
    std::uint16_t size = 0;
    std::array<std::uint8_t, kMostBytes> bytes{};
  };

  LinePlan next_;  // until begin()
  LineHistory history_;
  LineFilter filter_;
  std::unique_ptr<DelayLine<Held>> waiting_;
  std::uint64_t serial_ = 0;
  std::int64_t shift_ = 0;
  std::int64_t last_arrival_ns_ = 0;
};

}  // namespace linecheck::media
