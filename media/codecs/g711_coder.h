// SPDX-License-Identifier: GPL-3.0-or-later
//
// G.711 in a leg of 8 kHz, and in one of 16 kHz that was offered wide band and got narrow.
#pragma once

#include "media/codecs/coder.h"
#include "media/codecs/concealment.h"
#include "media/codecs/half_band.h"

namespace linecheck::media {

class G711Encoder final : public Encoder {
 public:
  explicit G711Encoder(Codec codec) : codec_(codec) {}
  std::size_t encode(std::span<const std::int16_t> frame, std::span<std::uint8_t> payload) noexcept override;
  void heard(std::span<const std::int16_t> frame, std::span<const std::uint8_t> payload,
             std::span<std::int16_t> out) const noexcept override;

 private:
  Codec codec_;
};

class G711Decoder final : public Decoder {
 public:
  G711Decoder(Codec codec, bool conceals);
  std::size_t decode(std::span<const std::uint8_t> payload, std::span<std::int16_t> out) noexcept override;
  void conceal(std::span<std::int16_t> out, std::span<const std::uint8_t> next) noexcept override;

 private:
  Codec codec_;
  std::unique_ptr<Concealment> concealment_;
};

class WideG711Encoder final : public Encoder {
 public:
  explicit WideG711Encoder(Codec codec) : codec_(codec) {}
  std::size_t encode(std::span<const std::int16_t> frame, std::span<std::uint8_t> payload) noexcept override;
  [[nodiscard]] int delay() const noexcept override { return HalfBandDown::kDelay; }

 private:
  Codec codec_;
  HalfBandDown down_;
};

class WideG711Decoder final : public Decoder {
 public:
  WideG711Decoder(Codec codec, bool conceals) : narrow_(codec, conceals) {}
  std::size_t decode(std::span<const std::uint8_t> payload, std::span<std::int16_t> out) noexcept override;
  void conceal(std::span<std::int16_t> out, std::span<const std::uint8_t> next) noexcept override;
  std::size_t drain(std::span<std::int16_t> out) noexcept override;
  [[nodiscard]] int delay() const noexcept override { return HalfBandUp::kDelay; }

 private:
  G711Decoder narrow_;
  HalfBandUp up_;
};

}  // namespace linecheck::media
