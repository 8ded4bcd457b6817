// SPDX-License-Identifier: GPL-3.0-or-later
//
// Hears keys by their sound: spandsp's DTMF receiver says that there is one and which; where it begins and
// ends and how loud it is, the sound's own envelope says, to 2 ms. Fed in order; what is missing is simply
// not fed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "media/codec.h"
#include "media/codecs/half_band.h"
#include "media/leg_report.h"

struct dtmf_rx_state_s;

namespace linecheck::media {

class InbandKeys {
 public:
  /// `rate`: kNarrowRate or kWideRate. Allocates; feeding it does not.
  explicit InbandKeys(int rate);
  ~InbandKeys();
  InbandKeys(const InbandKeys&) = delete;
  InbandKeys& operator=(const InbandKeys&) = delete;

  /// `position`: of the first sample, in samples of `rate` from wherever times count.
  void feed(std::span<const std::int16_t> samples, std::int64_t position) noexcept;
  /// No more comes: a key that is down is over.
  void finish() noexcept;
  /// A press whose end is known.
  std::optional<DigitEvent> take() noexcept;

 private:
  static constexpr std::size_t kBlock = 16;     // samples at 8 kHz: 2 ms
  static constexpr std::size_t kHistory = 128;  // blocks
  static constexpr std::size_t kRoom = 8;       // presses between two looks

  struct Block {
    double start_ms = 0;
    double energy = 0;  // mean square
  };
  struct Free {
    void operator()(dtmf_rx_state_s* receiver) const;
  };

  static void on_change(void* self, int code, int level, int delay);
  void changed(int code);
  void work() noexcept;
  [[nodiscard]] const Block& ago(std::size_t blocks) const {
    return history_[(blocks_ - 1 - blocks) % kHistory];
  }
  [[nodiscard]] double lasting_energy() const;
  void begin(char digit);
  void end();

  int rate_;
  std::unique_ptr<dtmf_rx_state_s, Free> receiver_;
  HalfBandDown down_;
  std::array<std::int16_t, 2 * kBlock> samples_{};
  std::size_t filled_ = 0;
  double block_ms_ = 0;  // where the block that is being filled begins
  std::array<Block, kHistory> history_{};
  std::size_t blocks_ = 0;

  std::optional<DigitEvent> down_key_;
  double energy_ = 0;  // of the key that is down
  std::optional<double> previous_end_ms_;
  std::array<DigitEvent, kRoom> ready_{};
  std::size_t ready_count_ = 0;
};

/// All keys in a recording's channel, by rising start.
[[nodiscard]] std::vector<DigitEvent> find_keys(std::span<const std::int16_t> samples, int rate);

}  // namespace linecheck::media
