// SPDX-License-Identifier: GPL-3.0-or-later
//
// SDP offer and answer (RFC 8866, RFC 3264) for one audio stream of G.711 with telephone-event (RFC 4733).
// Pure functions on text: no sockets, no state, any thread. Parsing is Sofia's; nothing here throws on bad
// input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace linecheck::sip {

enum class Codec { pcmu, pcma };

/// "PCMU" or "PCMA", as in a=rtpmap.
[[nodiscard]] std::string_view encoding_name(Codec codec);
/// 0 or 8 (RFC 3551 table 4).
[[nodiscard]] int static_payload_type(Codec codec);

/// A stream's direction as seen by the side that wrote the description.
enum class Direction { sendrecv, sendonly, recvonly, inactive };

[[nodiscard]] std::string_view attribute_name(Direction direction);
/// The same stream seen by the other side: sendonly <-> recvonly.
[[nodiscard]] Direction mirrored(Direction direction);

/// What we have to offer, or to answer with.
struct OfferOptions {
  std::string address;                                  ///< where we want to receive: an IPv4 or IPv6 address
  std::uint16_t port = 0;                               ///< RTP port; RTCP is the next one
  std::vector<Codec> codecs{Codec::pcmu, Codec::pcma};  ///< in order of preference
  int telephone_event_payload_type = 101;               ///< 96..127; -1: telephone-event is not offered
  int ptime_ms = 20;                                    ///< a=ptime: what we like to receive
  Direction direction = Direction::sendrecv;
  std::uint64_t session_id = 0;       ///< o= line; 0: made from address and port
  std::uint64_t session_version = 1;  ///< to be increased with each change (RFC 3264, 8)
};

struct CodecEntry {
  Codec codec = Codec::pcmu;
  int payload_type = 0;
};

/// The audio stream of a parsed description: its first acceptable m=audio line.
struct SdpMedia {
  std::string address;
  std::uint16_t port = 0;
  std::vector<CodecEntry> codecs;  ///< those that we know, in the order written
  int telephone_event_pt = -1;     ///< at 8000 Hz; -1: none
  Direction direction = Direction::sendrecv;
  int ptime_ms = 20;
  std::vector<std::string> formats;  ///< every encoding name of the stream, known or not, for messages
  bool old_style_hold = false;       ///< c=0.0.0.0 (RFC 2543): do not send, whatever the direction says
};

/// What both sides agreed on, from our side.
struct Negotiated {
  std::string remote_address;
  std::uint16_t remote_port = 0;
  Codec codec = Codec::pcmu;
  int payload_type = 0;                       ///< of packets that we send
  int receive_payload_type = 0;               ///< of packets that we receive
  int telephone_event_pt = -1;                ///< of events that we send; -1: the peer takes none
  int receive_telephone_event_pt = -1;        ///< of events that we receive
  Direction direction = Direction::sendrecv;  ///< ours: sendonly or inactive means that we hear nothing
  int ptime_ms = 20;                          ///< what the peer likes to receive
  bool operator==(const Negotiated&) const = default;
  /// True when the peer wants none of our media.
  [[nodiscard]] bool may_send() const;
};

struct SdpError {
  enum class Kind {
    malformed,          ///< not SDP, or without what RFC 8866 requires
    no_audio,           ///< no m=audio line
    rejected,           ///< the stream was refused (port 0)
    not_rtp_avp,        ///< only transports that we do not speak, such as RTP/SAVP
    no_common_codec,    ///< an offer without a codec of ours
    codec_not_offered,  ///< an answer with no codec of our offer, but with others
    bad_address,        ///< not an IP address
  };
  Kind kind = Kind::malformed;
  std::string text;  ///< plain words for the user
};

/// A value or an SdpError (std::expected is C++23).
template <class T>
class SdpResult {
 public:
  SdpResult(T value) : state_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  SdpResult(SdpError error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  /// Only when ok(); throws std::bad_variant_access otherwise.
  [[nodiscard]] const T& value() const { return std::get<0>(state_); }
  const T& operator*() const { return value(); }
  const T* operator->() const { return &value(); }
  /// Only when !ok().
  [[nodiscard]] const SdpError& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, SdpError> state_;
};

struct Answer {
  std::string sdp;
  Negotiated media;
};

/// Parses a description and picks its audio stream.
[[nodiscard]] SdpResult<SdpMedia> parse_sdp(std::string_view text);

[[nodiscard]] std::string make_offer(const OfferOptions& options);

/// What an answer to make_offer(offer) means. The codec is the first one in the answer that was offered.
[[nodiscard]] SdpResult<Negotiated> negotiate_answer(const OfferOptions& offer, std::string_view answer);

/// Answers an offer: as many m= lines as offered, in their order, all refused but the first acceptable audio
/// line; the peer's preferred codec of those in `local`; its payload type numbers; the mirrored direction
/// (hold is honoured).
[[nodiscard]] SdpResult<Answer> make_answer(std::string_view offer, const OfferOptions& local);

}  // namespace linecheck::sip
