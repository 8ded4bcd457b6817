// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/inband_keys.h"

#include <spandsp.h>

#include <algorithm>
#include <cmath>
#include <new>

#include "media/full_scale.h"

namespace linecheck::media {
namespace {

// spandsp looks at 102 samples at a time, and wants two looks that agree before a key is down or up: what it
// tells of happened at most three looks ago.
constexpr std::size_t kLook = 102;
constexpr double kEdge = 0.6;         // of a tone's energy
constexpr double kDbm0OfDbov = 6.15;  // a full-scale sine, -3.01 dBov, is +3.14 dBm0 (G.711)
constexpr double kShortestMs = 30;    // Q.24: 40 ms must be heard, less than 23 must not

/// Whether a tone of this energy sounds in two blocks. Its two tones beat with 268 Hz or more: 4 ms hold a
/// whole beat, 2 ms may fall into its gap. Where one of the two is silent, it does not.
bool sounds(double older, double newer, double energy) {
  return older + newer >= 2 * kEdge * energy;
}

}  // namespace

void InbandKeys::Free::operator()(dtmf_rx_state_s* receiver) const {
  dtmf_rx_free(receiver);
}

InbandKeys::InbandKeys(int rate) : rate_(rate), receiver_(dtmf_rx_init(nullptr, nullptr, nullptr)) {
  if (!receiver_) throw std::bad_alloc();
  dtmf_rx_set_realtime_callback(receiver_.get(), &InbandKeys::on_change, this);
}

InbandKeys::~InbandKeys() = default;

void InbandKeys::on_change(void* self, int code, int /*level*/, int /*delay*/) {
  static_cast<InbandKeys*>(self)->changed(code);
}

void InbandKeys::feed(std::span<const std::int16_t> samples, std::int64_t position) noexcept {
  const std::size_t block = rate_ == kNarrowRate ? kBlock : 2 * kBlock;
  const double ms_per_sample = 1000.0 / rate_;
  double at_ms = static_cast<double>(position) * ms_per_sample;
  while (!samples.empty()) {
    const std::size_t count = std::min(samples.size(), block - filled_);
    // The filter's delay is taken out of the time.
    if (filled_ == 0) block_ms_ = at_ms - (rate_ == kNarrowRate ? 0 : HalfBandDown::kDelay * ms_per_sample);
    std::copy_n(samples.begin(), count, samples_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += count;
    at_ms += static_cast<double>(count) * ms_per_sample;
    samples = samples.subspan(count);
    if (filled_ < block) return;
    filled_ = 0;
    work();
  }
}

void InbandKeys::work() noexcept {
  std::array<std::int16_t, kBlock> narrow;
  if (rate_ == kNarrowRate) {
    std::copy_n(samples_.begin(), kBlock, narrow.begin());
  } else {
    down_.process(samples_, narrow);
  }
  double energy = 0;
  for (const std::int16_t sample : narrow) energy += static_cast<double>(sample) * sample;
  history_[blocks_ % kHistory] = {block_ms_, energy / static_cast<double>(kBlock)};
  ++blocks_;
  dtmf_rx(receiver_.get(), narrow.data(), static_cast<int>(narrow.size()));
}

void InbandKeys::changed(int code) {
  if (down_key_) end();
  if (code != 0) begin(static_cast<char>(code));
}

/// Of the last look, which lay inside the tone.
double InbandKeys::lasting_energy() const {
  constexpr std::size_t kBlocks = kLook / kBlock;
  double sum = 0;
  for (std::size_t n = 0; n < kBlocks; ++n) sum += ago(n).energy;
  return sum / static_cast<double>(kBlocks);
}

void InbandKeys::begin(char digit) {
  energy_ = lasting_energy();
  std::size_t back = std::min<std::size_t>(kLook / kBlock, blocks_ - 1);
  const std::size_t farthest = std::min<std::size_t>(3 * kLook / kBlock + 1, blocks_ - 1);
  while (back < farthest && sounds(ago(back + 1).energy, ago(back).energy, energy_)) ++back;
  DigitEvent event;
  event.digit = digit;
  event.start_ms = ago(back).start_ms;
  if (previous_end_ms_) event.start_ms = std::max(event.start_ms, *previous_end_ms_);
  event.level_dbm0 = 10 * std::log10(std::max(energy_, 1.0) / (kFullScale * kFullScale)) + kDbm0OfDbov;
  event.transport = DigitTransport::inband;
  down_key_ = event;
}

void InbandKeys::end() {
  DigitEvent event = *down_key_;
  down_key_.reset();
  std::size_t back = std::min<std::size_t>(3 * kLook / kBlock + 1, blocks_ - 2);
  while (back > 0 && sounds(ago(back + 1).energy, ago(back).energy, energy_)) --back;
  // Something as loud follows at once: the second look that missed it is as near as can be said.
  if (back == 0) back = std::min<std::size_t>(2 * kLook / kBlock, blocks_ - 1);
  const double end_ms = ago(back).start_ms;
  event.duration_ms = end_ms - event.start_ms;
  if (event.duration_ms < kShortestMs || ready_count_ == ready_.size()) return;
  if (previous_end_ms_) event.gap_ms = event.start_ms - *previous_end_ms_;
  previous_end_ms_ = end_ms;
  ready_[ready_count_++] = event;
}

void InbandKeys::finish() noexcept {
  const double end_ms = block_ms_ + 1000.0 * static_cast<double>(filled_) / rate_;
  std::array<std::int16_t, 2 * kBlock> silence{};
  auto position = static_cast<std::int64_t>(std::llround(end_ms * rate_ / 1000));
  for (std::size_t n = 0; n < 4 * kLook / kBlock && ready_count_ < ready_.size(); ++n) {
    feed(silence, position);
    position += static_cast<std::int64_t>(silence.size());
  }
}

std::optional<DigitEvent> InbandKeys::take() noexcept {
  if (ready_count_ == 0) return std::nullopt;
  const DigitEvent event = ready_[0];
  std::copy(ready_.begin() + 1, ready_.end(), ready_.begin());
  --ready_count_;
  return event;
}

std::vector<DigitEvent> find_keys(std::span<const std::int16_t> samples, int rate) {
  InbandKeys keys(rate);
  std::vector<DigitEvent> found;
  std::int64_t position = 0;
  const auto collect = [&] {
    while (const auto event = keys.take()) found.push_back(*event);
  };
  while (!samples.empty()) {
    const auto some = samples.first(std::min(samples.size(), kMaxFrameSamples));
    keys.feed(some, position);
    position += static_cast<std::int64_t>(some.size());
    samples = samples.subspan(some.size());
    collect();
  }
  keys.finish();
  collect();
  return found;
}

}  // namespace linecheck::media
