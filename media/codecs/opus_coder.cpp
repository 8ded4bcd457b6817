// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/codecs/opus_coder.h"

#include <opus/opus.h>

#include <algorithm>
#include <new>

namespace linecheck::media {
namespace {

constexpr int kOpusChannels = 1;
// Good speech at 16 kHz (RFC 7587 section 3.1.1 recommends 16 to 20 kbit/s, and the redundancy needs its
// share).
constexpr int kWideBitRate = 24'000;
constexpr int kNarrowBitRate = 16'000;
// Encoding is the dearest thing that a leg does; above this it gets dearer faster than better.
constexpr int kComplexity = 3;
// The encoder spends bits on redundancy only where it is told that packets are lost.
constexpr int kAssumedLossPercent = 10;
// Of no more than 2 bytes: silence, which need not be sent (RFC 7587 section 3.1.3).
constexpr opus_int32 kSilent = 2;

int bandwidth_for(int playback_rate) {
  if (playback_rate <= 8000) return OPUS_BANDWIDTH_NARROWBAND;
  if (playback_rate <= 12000) return OPUS_BANDWIDTH_MEDIUMBAND;
  return OPUS_BANDWIDTH_WIDEBAND;
}

}  // namespace

void OpusStreamEncoder::Free::operator()(::OpusEncoder* encoder) const noexcept {
  opus_encoder_destroy(encoder);
}

OpusStreamEncoder::OpusStreamEncoder(int rate, const EncoderSettings& settings) {
  int error = OPUS_OK;
  encoder_.reset(opus_encoder_create(rate, kOpusChannels, OPUS_APPLICATION_VOIP, &error));
  if (!encoder_) throw std::bad_alloc();
  const int playback_rate = std::min(rate, settings.max_playback_rate);
  int bit_rate = playback_rate <= kNarrowRate ? kNarrowBitRate : kWideBitRate;
  if (settings.max_bit_rate > 0) bit_rate = std::clamp(settings.max_bit_rate, 6000, bit_rate);
  opus_encoder_ctl(encoder_.get(), OPUS_SET_BITRATE(bit_rate));
  opus_encoder_ctl(encoder_.get(), OPUS_SET_MAX_BANDWIDTH(bandwidth_for(playback_rate)));
  opus_encoder_ctl(encoder_.get(), OPUS_SET_COMPLEXITY(kComplexity));
  opus_encoder_ctl(encoder_.get(), OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
  opus_encoder_ctl(encoder_.get(), OPUS_SET_VBR(settings.constant_bit_rate ? 0 : 1));
  opus_encoder_ctl(encoder_.get(), OPUS_SET_INBAND_FEC(settings.redundancy ? 1 : 0));
  opus_encoder_ctl(encoder_.get(), OPUS_SET_PACKET_LOSS_PERC(settings.redundancy ? kAssumedLossPercent : 0));
  opus_encoder_ctl(encoder_.get(), OPUS_SET_DTX(settings.silence_suppression ? 1 : 0));
  opus_int32 lookahead = 0;
  opus_encoder_ctl(encoder_.get(), OPUS_GET_LOOKAHEAD(&lookahead));
  delay_ = lookahead;
}

std::size_t OpusStreamEncoder::encode(std::span<const std::int16_t> frame,
                                      std::span<std::uint8_t> payload) noexcept {
  const opus_int32 size = opus_encode(encoder_.get(), frame.data(), static_cast<int>(frame.size()),
                                      payload.data(), static_cast<opus_int32>(payload.size()));
  return size > kSilent ? static_cast<std::size_t>(size) : 0;
}

void OpusStreamDecoder::Free::operator()(::OpusDecoder* decoder) const noexcept {
  opus_decoder_destroy(decoder);
}

OpusStreamDecoder::OpusStreamDecoder(int rate) : rate_(rate) {
  int error = OPUS_OK;
  decoder_.reset(opus_decoder_create(rate, kOpusChannels, &error));
  if (!decoder_) throw std::bad_alloc();
}

std::size_t OpusStreamDecoder::decode(std::span<const std::uint8_t> payload,
                                      std::span<std::int16_t> out) noexcept {
  const int count = opus_decode(decoder_.get(), payload.data(), static_cast<opus_int32>(payload.size()),
                                out.data(), static_cast<int>(out.size()), 0);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

void OpusStreamDecoder::conceal(std::span<std::int16_t> out, std::span<const std::uint8_t> next) noexcept {
  // The last packet that was lost may be in the next one, at a lower rate; the ones before it are gone.
  std::size_t redundant = 0;
  if (!next.empty()) {
    const int frame = opus_packet_get_samples_per_frame(next.data(), rate_);
    if (frame > 0 && static_cast<std::size_t>(frame) <= out.size()) {
      redundant = static_cast<std::size_t>(frame);
    }
  }
  // It makes up multiples of 2.5 ms, at most 120 ms at a time.
  const auto unit = static_cast<std::size_t>(rate_ / 400);
  std::size_t at = 0;
  while (out.size() - redundant - at >= unit) {
    const std::size_t length = std::min((out.size() - redundant - at) / unit, std::size_t{8}) * unit;
    const int count = opus_decode(decoder_.get(), nullptr, 0, out.data() + at, static_cast<int>(length), 0);
    if (count <= 0) break;
    at += static_cast<std::size_t>(count);
  }
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(at), out.end(), std::int16_t{0});
  if (redundant == 0) return;
  const auto last = out.subspan(out.size() - redundant);
  const int count = opus_decode(decoder_.get(), next.data(), static_cast<opus_int32>(next.size()),
                                last.data(), static_cast<int>(redundant), 1);
  if (count <= 0) std::fill(last.begin(), last.end(), std::int16_t{0});
}

std::size_t opus_payload_samples(std::span<const std::uint8_t> payload, int rate) noexcept {
  if (payload.empty()) return 0;
  const int count = opus_packet_get_nb_samples(payload.data(), static_cast<opus_int32>(payload.size()), rate);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

}  // namespace linecheck::media
