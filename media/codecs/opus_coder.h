// SPDX-License-Identifier: GPL-3.0-or-later
//
// Opus (RFC 6716) as RFC 7587 carries it, one channel. The codec runs at the leg's own rate; on the wire its
// clock is always 48 kHz.
#pragma once

#include <memory>

#include "media/codecs/coder.h"

struct OpusEncoder;
struct OpusDecoder;

namespace linecheck::media {

class OpusStreamEncoder final : public Encoder {
 public:
  OpusStreamEncoder(int rate, const EncoderSettings& settings);
  std::size_t encode(std::span<const std::int16_t> frame, std::span<std::uint8_t> payload) noexcept override;
  [[nodiscard]] int delay() const noexcept override { return delay_; }

 private:
  struct Free {
    void operator()(::OpusEncoder* encoder) const noexcept;
  };
  std::unique_ptr<::OpusEncoder, Free> encoder_;
  int delay_ = 0;
};

class OpusStreamDecoder final : public Decoder {
 public:
  explicit OpusStreamDecoder(int rate);
  std::size_t decode(std::span<const std::uint8_t> payload, std::span<std::int16_t> out) noexcept override;
  void conceal(std::span<std::int16_t> out, std::span<const std::uint8_t> next) noexcept override;

 private:
  struct Free {
    void operator()(::OpusDecoder* decoder) const noexcept;
  };
  int rate_;
  std::unique_ptr<::OpusDecoder, Free> decoder_;
};

/// Leg samples of a payload; 0 where it is not Opus.
std::size_t opus_payload_samples(std::span<const std::uint8_t> payload, int rate) noexcept;

}  // namespace linecheck::media
