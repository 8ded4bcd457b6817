// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/codecs/g722_coder.h"

#include <spandsp.h>

#include <algorithm>
#include <new>

namespace linecheck::media {
namespace {

constexpr int kBitRate = 64'000;

// Two filters of 24 taps split the band and put it together again, 11 and 11 samples late. In a leg of 8 kHz
// neither is there, but the receiver's may be.
constexpr int kDelayAt16k = 22;

int options_for(int rate) {
  return rate == kNarrowRate ? G722_SAMPLE_RATE_8000 : 0;
}

}  // namespace

void G722Encoder::Free::operator()(g722_encode_state_s* state) const noexcept {
  g722_encode_free(state);
}

G722Encoder::G722Encoder(int rate)
    : rate_(rate), state_(g722_encode_init(nullptr, kBitRate, options_for(rate))) {
  if (!state_) throw std::bad_alloc();
}

std::size_t G722Encoder::encode(std::span<const std::int16_t> frame,
                                std::span<std::uint8_t> payload) noexcept {
  return static_cast<std::size_t>(
      g722_encode(state_.get(), payload.data(), frame.data(), static_cast<int>(frame.size())));
}

int G722Encoder::delay() const noexcept {
  return rate_ == kWideRate ? kDelayAt16k : 0;
}

void G722Decoder::Free::operator()(g722_decode_state_s* state) const noexcept {
  g722_decode_free(state);
}

G722Decoder::G722Decoder(int rate, bool conceals)
    : state_(g722_decode_init(nullptr, kBitRate, options_for(rate))),
      concealment_(conceals ? std::make_unique<Concealment>(rate) : nullptr) {
  if (!state_) throw std::bad_alloc();
}

std::size_t G722Decoder::decode(std::span<const std::uint8_t> payload, std::span<std::int16_t> out) noexcept {
  const auto count = static_cast<std::size_t>(
      g722_decode(state_.get(), out.data(), payload.data(), static_cast<int>(payload.size())));
  if (concealment_) concealment_->heard(out.first(count));
  return count;
}

void G722Decoder::conceal(std::span<std::int16_t> out, std::span<const std::uint8_t>) noexcept {
  if (concealment_) {
    concealment_->conceal(out);
  } else {
    std::fill(out.begin(), out.end(), std::int16_t{0});
  }
}

}  // namespace linecheck::media
