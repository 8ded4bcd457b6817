// SPDX-License-Identifier: GPL-3.0-or-later
//
// G.722 at 64 kbit/s (ITU-T G.722), by spandsp: bit exact, 16 kHz, or half of it in a leg of 8 kHz. Its RTP
// clock is 8000 Hz whatever it carries (RFC 3551 section 4.5.2).
#pragma once

#include <memory>

#include "media/codecs/coder.h"
#include "media/codecs/concealment.h"

struct g722_encode_state_s;
struct g722_decode_state_s;

namespace linecheck::media {

class G722Encoder final : public Encoder {
 public:
  explicit G722Encoder(int rate);
  std::size_t encode(std::span<const std::int16_t> frame, std::span<std::uint8_t> payload) noexcept override;
  [[nodiscard]] int delay() const noexcept override;

 private:
  struct Free {
    void operator()(g722_encode_state_s* state) const noexcept;
  };
  int rate_;
  std::unique_ptr<g722_encode_state_s, Free> state_;
};

class G722Decoder final : public Decoder {
 public:
  G722Decoder(int rate, bool conceals);
  std::size_t decode(std::span<const std::uint8_t> payload, std::span<std::int16_t> out) noexcept override;
  void conceal(std::span<std::int16_t> out, std::span<const std::uint8_t> next) noexcept override;

 private:
  struct Free {
    void operator()(g722_decode_state_s* state) const noexcept;
  };
  std::unique_ptr<g722_decode_state_s, Free> state_;
  std::unique_ptr<Concealment> concealment_;
};

}  // namespace linecheck::media
