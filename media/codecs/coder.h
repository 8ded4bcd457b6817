// SPDX-License-Identifier: GPL-3.0-or-later
//
// From samples of a leg's rate to payloads and back, whole frames at a time. Coders have state: one for each
// stream and direction, used by one thread at a time. Making one allocates, once; using it does not, so it
// may run on a media tick.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "media/codec.h"

namespace linecheck::media {

/// What the receiver has said that it likes (for Opus: RFC 7587 section 6.1).
struct EncoderSettings {
  int max_playback_rate = 48000;     ///< Hz; more is wasted on it
  int max_bit_rate = 0;              ///< bit/s; 0: not limited
  bool redundancy = true;            ///< repeat a packet's essence in the next one
  bool silence_suppression = false;  ///< send nothing while nothing is said
  bool constant_bit_rate = false;
  bool operator==(const EncoderSettings&) const = default;
};

/// No packet that fits into a datagram decodes to more.
inline constexpr std::size_t kMaxPayloadSamples = 3000;

class Encoder {
 public:
  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  virtual ~Encoder() = default;

  /// One frame. Returns the size of its payload; 0: there is nothing to be sent for it.
  virtual std::size_t encode(std::span<const std::int16_t> frame,
                             std::span<std::uint8_t> payload) noexcept = 0;
  /// For the recording: what a receiver hears of the frame encoded last. Exact where that costs nothing to
  /// know, else the frame as it was given.
  virtual void heard(std::span<const std::int16_t> frame, std::span<const std::uint8_t> payload,
                     std::span<std::int16_t> out) const noexcept;
  /// How many leg samples later than it was given a receiver hears a frame, the decoder's share included.
  [[nodiscard]] virtual int delay() const noexcept { return 0; }
};

class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  virtual ~Decoder() = default;

  /// Returns the number of samples, of which `out` must hold payload_samples(); 0: it cannot be decoded.
  virtual std::size_t decode(std::span<const std::uint8_t> payload, std::span<std::int16_t> out) noexcept = 0;
  /// Makes up what was lost: all of `out`, which lies just before `next`, the packet that came after it
  /// (not yet decoded; it may hold something of what was lost) or nothing.
  virtual void conceal(std::span<std::int16_t> out, std::span<const std::uint8_t> next) noexcept = 0;
  /// The stream pauses: gives what a resampler of ours still holds back, at most 32 samples, and forgets it.
  virtual std::size_t drain(std::span<std::int16_t> out) noexcept;
  /// How many leg samples `out` lies before the place that the payload's timestamp gives: what a resampler
  /// of ours holds back. Not what is in the codec itself: that delay is real, the far end hears it too.
  [[nodiscard]] virtual int delay() const noexcept { return 0; }
};

/// Never null. Throws std::bad_alloc.
std::unique_ptr<Encoder> make_encoder(Codec codec, int rate, const EncoderSettings& settings = {});
/// `conceals`: conceal() gives more than silence also where the codec has no way of its own (which costs a
/// copy of what is heard).
std::unique_ptr<Decoder> make_decoder(Codec codec, int rate, bool conceals);

/// How long a payload is, in leg samples, without decoding it; 0 where it is none of that codec.
std::size_t payload_samples(Codec codec, std::span<const std::uint8_t> payload, int rate);

/// The decoders of a stream, made when they are first needed: the remote may send anything that was agreed
/// on.
class DecoderBank {
 public:
  DecoderBank(int rate, bool conceal) : rate_(rate), conceal_(conceal) {}
  Decoder& of(Codec codec) {
    auto& decoder = decoders_[static_cast<std::size_t>(codec)];
    if (!decoder) decoder = make_decoder(codec, rate_, conceal_);
    return *decoder;
  }

 private:
  int rate_;
  bool conceal_;
  std::array<std::unique_ptr<Decoder>, kCodecs> decoders_;
};

}  // namespace linecheck::media
