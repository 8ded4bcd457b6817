// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/codecs/g711_coder.h"

#include <algorithm>

#include "media/g711.h"

namespace linecheck::media {

std::size_t G711Encoder::encode(std::span<const std::int16_t> frame,
                                std::span<std::uint8_t> payload) noexcept {
  g711_encode(codec_, frame, payload.first(frame.size()));
  return frame.size();
}

void G711Encoder::heard(std::span<const std::int16_t>, std::span<const std::uint8_t> payload,
                        std::span<std::int16_t> out) const noexcept {
  g711_decode(codec_, payload, out);
}

G711Decoder::G711Decoder(Codec codec, bool conceals)
    : codec_(codec), concealment_(conceals ? std::make_unique<Concealment>(kNarrowRate) : nullptr) {
}

std::size_t G711Decoder::decode(std::span<const std::uint8_t> payload, std::span<std::int16_t> out) noexcept {
  g711_decode(codec_, payload, out.first(payload.size()));
  if (concealment_) concealment_->heard(out.first(payload.size()));
  return payload.size();
}

void G711Decoder::conceal(std::span<std::int16_t> out, std::span<const std::uint8_t>) noexcept {
  if (concealment_) {
    concealment_->conceal(out);
  } else {
    std::fill(out.begin(), out.end(), std::int16_t{0});
  }
}

std::size_t WideG711Encoder::encode(std::span<const std::int16_t> frame,
                                    std::span<std::uint8_t> payload) noexcept {
  std::array<std::int16_t, kMaxFrameSamples / 2> narrow;
  std::size_t size = 0;
  while (!frame.empty()) {
    const auto some = frame.first(std::min(frame.size(), kMaxFrameSamples));
    const auto half = std::span(narrow).first(some.size() / 2);
    down_.process(some, half);
    g711_encode(codec_, half, payload.subspan(size, half.size()));
    size += half.size();
    frame = frame.subspan(some.size());
  }
  return size;
}

std::size_t WideG711Decoder::decode(std::span<const std::uint8_t> payload,
                                    std::span<std::int16_t> out) noexcept {
  std::array<std::int16_t, kMaxFrameSamples / 2> narrow;
  std::size_t size = 0;
  while (!payload.empty()) {
    const auto some = payload.first(std::min(payload.size(), narrow.size()));
    const auto decoded = std::span(narrow).first(some.size());
    narrow_.decode(some, decoded);
    up_.process(decoded, out.subspan(size, 2 * some.size()));
    size += 2 * some.size();
    payload = payload.subspan(some.size());
  }
  return size;
}

void WideG711Decoder::conceal(std::span<std::int16_t> out, std::span<const std::uint8_t> next) noexcept {
  std::array<std::int16_t, kMaxFrameSamples / 2> narrow;
  while (out.size() >= 2) {
    const auto made = std::span(narrow).first(std::min(out.size() / 2, narrow.size()));
    narrow_.conceal(made, next);
    up_.process(made, out.first(2 * made.size()));
    out = out.subspan(2 * made.size());
  }
  std::fill(out.begin(), out.end(), std::int16_t{0});
}

std::size_t WideG711Decoder::drain(std::span<std::int16_t> out) noexcept {
  constexpr std::array<std::int16_t, (HalfBandUp::kDelay + 1) / 2> kZeros{};
  up_.process(kZeros, out.first(2 * kZeros.size()));
  up_ = {};
  return HalfBandUp::kDelay;
}

}  // namespace linecheck::media
