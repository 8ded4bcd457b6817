// SPDX-License-Identifier: GPL-3.0-or-later
//
// What stands in for lost audio where the codec itself has nothing to say about it: the last pitch period
// goes on and fades out within 60 ms, after the idea of ITU-T G.711 Appendix I.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "media/codec.h"

namespace linecheck::media {

class Concealment {
 public:
  explicit Concealment(int rate) : rate_(rate) {}

  /// Audio that came. After a loss its first 2.5 ms are blended with what was made up.
  void heard(std::span<std::int16_t> samples) noexcept;
  /// Makes up the next samples.
  void conceal(std::span<std::int16_t> out) noexcept;

 private:
  // The longest period is 15 ms (66 Hz), compared over 10 ms.
  static constexpr std::size_t kMaxHistory = kWideRate / 1000 * 25;

  [[nodiscard]] std::size_t history() const { return static_cast<std::size_t>(rate_ / 1000 * 25); }
  void remember(std::span<const std::int16_t> samples) noexcept;
  [[nodiscard]] std::size_t find_period() const noexcept;
  [[nodiscard]] float next() noexcept;

  int rate_;
  std::array<std::int16_t, kMaxHistory> history_{};  // the last 25 ms that came
  std::size_t period_ = 0;                           // samples; 0: nothing is lost at present
  std::size_t at_ = 0;                               // in the period
  std::size_t made_ = 0;                             // samples since the loss began
};

}  // namespace linecheck::media
