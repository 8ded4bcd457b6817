// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/codecs/coder.h"

#include <algorithm>

#include "media/codecs/g711_coder.h"
#include "media/codecs/g722_coder.h"
#include "media/codecs/opus_coder.h"

namespace linecheck::media {

void Encoder::heard(std::span<const std::int16_t> frame, std::span<const std::uint8_t>,
                    std::span<std::int16_t> out) const noexcept {
  std::copy(frame.begin(), frame.end(), out.begin());
}

std::size_t Decoder::drain(std::span<std::int16_t>) noexcept {
  return 0;
}

std::unique_ptr<Encoder> make_encoder(Codec codec, int rate, const EncoderSettings& settings) {
  if (codec == Codec::opus) return std::make_unique<OpusStreamEncoder>(rate, settings);
  if (codec == Codec::g722) return std::make_unique<G722Encoder>(rate);
  if (rate == kNarrowRate) return std::make_unique<G711Encoder>(codec);
  return std::make_unique<WideG711Encoder>(codec);
}

std::unique_ptr<Decoder> make_decoder(Codec codec, int rate, bool conceals) {
  if (codec == Codec::opus) return std::make_unique<OpusStreamDecoder>(rate);
  if (codec == Codec::g722) return std::make_unique<G722Decoder>(rate, conceals);
  if (rate == kNarrowRate) return std::make_unique<G711Decoder>(codec, conceals);
  return std::make_unique<WideG711Decoder>(codec, conceals);
}

std::size_t payload_samples(Codec codec, std::span<const std::uint8_t> payload, int rate) {
  if (codec == Codec::opus) return opus_payload_samples(payload, rate);
  // One byte is 1/8 ms of G.711 and of G.722 alike.
  return payload.size() * static_cast<std::size_t>(rate / kNarrowRate);
}

}  // namespace linecheck::media
