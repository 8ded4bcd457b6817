// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/codecs/concealment.h"

#include <algorithm>
#include <cmath>

#include "media/codecs/to_sample.h"

namespace linecheck::media {
namespace {

// The first 10 ms at full level, then down to nothing.
constexpr int kFullMs = 10;
constexpr int kFadedMs = 60;

}  // namespace

void Concealment::heard(std::span<std::int16_t> samples) noexcept {
  if (period_ > 0) {
    const std::size_t blend = std::min(samples.size(), static_cast<std::size_t>(rate_ / 400));
    for (std::size_t i = 0; i < blend; ++i) {
      const float share = (static_cast<float>(i) + 0.5F) / static_cast<float>(blend);
      samples[i] = to_sample(share * static_cast<float>(samples[i]) + (1 - share) * next());
    }
    period_ = 0;
  }
  remember(samples);
}

void Concealment::remember(std::span<const std::int16_t> samples) noexcept {
  const std::size_t length = history();
  const std::size_t count = std::min(samples.size(), length);
  std::copy(history_.begin() + static_cast<std::ptrdiff_t>(count),
            history_.begin() + static_cast<std::ptrdiff_t>(length), history_.begin());
  std::copy(samples.end() - static_cast<std::ptrdiff_t>(count), samples.end(),
            history_.begin() + static_cast<std::ptrdiff_t>(length - count));
}

std::size_t Concealment::find_period() const noexcept {
  // Where the last 10 ms resemble what came `lag` before them most (normalised correlation).
  const std::size_t length = history();
  const auto window = static_cast<std::size_t>(rate_ / 100);
  const auto shortest = static_cast<std::size_t>(rate_ / 400);
  const std::size_t longest = length - window;
  const std::int16_t* recent = history_.data() + length - window;
  std::size_t best = longest;
  float best_score = 0;
  for (std::size_t lag = shortest; lag <= longest; ++lag) {
    float product = 0;
    float energy = 1;
    for (std::size_t i = 0; i < window; ++i) {
      const auto before = static_cast<float>(*(recent + i - lag));
      product += before * static_cast<float>(recent[i]);
      energy += before * before;
    }
    const float score = product / std::sqrt(energy);
    if (score > best_score) {
      best_score = score;
      best = lag;
    }
  }
  return best;
}

float Concealment::next() noexcept {
  const std::size_t length = history();
  const std::int16_t* last = history_.data() + length - period_;
  auto value = static_cast<float>(last[at_]);
  // The period's end runs into its beginning: into what came before the beginning, to be exact.
  const std::size_t join = period_ / 4;
  if (at_ + join >= period_) {
    const float share = static_cast<float>(at_ + join - period_ + 1) / static_cast<float>(join + 1);
    const std::size_t back = length - period_ + at_;
    const auto before = back >= period_ ? static_cast<float>(history_[back - period_]) : value;
    value += share * (before - value);
  }
  at_ = at_ + 1 == period_ ? 0 : at_ + 1;
  const float made_ms = static_cast<float>(made_++) * 1000.0F / static_cast<float>(rate_);
  const float gain = std::clamp((kFadedMs - made_ms) / (kFadedMs - kFullMs), 0.0F, 1.0F);
  return value * gain;
}

void Concealment::conceal(std::span<std::int16_t> out) noexcept {
  if (period_ == 0) {
    period_ = find_period();
    at_ = 0;
    made_ = 0;
  }
  for (std::int16_t& sample : out) sample = to_sample(next());
}

}  // namespace linecheck::media
