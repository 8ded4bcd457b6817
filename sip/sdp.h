// SPDX-License-Identifier: GPL-3.0-or-later
//
// SDP offer and answer (RFC 8866, RFC 3264) for one audio stream with telephone-event (RFC 4733). Pure
// functions on text: no sockets, no state (sdp_session.h has that), any thread. Nothing here throws on bad
// input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sip/sdp_codec.h"
#include "sip/sdp_crypto.h"
#include "sip/sdp_text.h"

namespace linecheck::sip {

/// A stream's direction as seen by the side that wrote the description.
enum class Direction { sendrecv, sendonly, recvonly, inactive };

[[nodiscard]] std::string_view attribute_name(Direction direction);
/// The same stream seen by the other side: sendonly <-> recvonly.
[[nodiscard]] Direction mirrored(Direction direction);

/// Encryption of a stream with keys in the description (RFC 4568).
enum class Srtp {
  off,
  /// Where the peer does it too (RFC 8643): offered as a=crypto under RTP/AVP, which a peer that knows no
  /// SRTP passes over.
  offer,
  require,  ///< RTP/SAVP, and nothing without
};

/// What we have to offer, or to answer with.
struct OfferOptions {
  std::string address;                                  ///< where we want to receive: an IPv4 or IPv6 address
  std::uint16_t port = 0;                               ///< RTP port
  std::uint16_t rtcp_port = 0;                          ///< 0: the next one; else said in a=rtcp (RFC 3605)
  bool rtcp_mux = false;                                ///< offer RFC 5761; an offer of it is answered always
  std::vector<Codec> codecs{Codec::pcmu, Codec::pcma};  ///< in order of preference
  int opus_payload_type = 96;                           ///< dynamic: 96..127
  OpusParameters opus = our_opus_parameters();
  /// 96..127, of telephone-event at 8000 Hz and, with Opus, at 48000 Hz: an event has the clock of the audio
  /// that it interrupts (RFC 4733, 2.1). -1: telephone-event is not offered at all.
  int telephone_event_payload_type = 101;
  int wide_telephone_event_payload_type = 102;
  int ptime_ms = 20;     ///< a=ptime: what we like to receive
  int max_ptime_ms = 0;  ///< a=maxptime; 0: not said
  Direction direction = Direction::sendrecv;
  Srtp srtp = Srtp::off;
  /// Our keys, one for each suite that we do, in order of preference: fresh_crypto(). They protect what we
  /// send.
  std::vector<CryptoLine> crypto{};
  std::uint64_t session_id = 0;       ///< o= line; 0: made from address and port
  std::uint64_t session_version = 1;  ///< to be increased with each change (RFC 3264, 8)
};

struct CodecEntry {
  Codec codec = Codec::pcmu;
  int payload_type = 0;
  OpusParameters opus{};  ///< of Opus only
  bool operator==(const CodecEntry&) const = default;
};

struct TelephoneEventEntry {
  int payload_type = 0;
  int clock = 8000;
  bool operator==(const TelephoneEventEntry&) const = default;
};

/// The audio stream of a parsed description: its first acceptable m=audio line.
struct SdpMedia {
  std::string address;
  std::uint16_t port = 0;
  std::string rtcp_address;
  std::uint16_t rtcp_port = 0;  ///< as a=rtcp says, else the next one; that of RTP where it is shared
  bool rtcp_mux = false;
  std::vector<CodecEntry> codecs;  ///< those that we know, in the order written
  std::vector<TelephoneEventEntry> telephone_events;
  Direction direction = Direction::sendrecv;
  int ptime_ms = 20;                 ///< that the peer likes to receive, within its a=maxptime
  int max_ptime_ms = 0;              ///< 0: not said
  std::vector<std::string> formats;  ///< every encoding name of the stream, known or not, for messages
  bool secure = false;               ///< RTP/SAVP or RTP/SAVPF: encrypted or not at all
  std::vector<CryptoLine> crypto;    ///< those that can be used
  std::string crypto_problem;        ///< why the last of the others cannot; empty: there is none
  bool old_style_hold = false;       ///< c=0.0.0.0 (RFC 2543): do not send, whatever the direction says

  /// The payload type of telephone-event at that clock; -1: none.
  [[nodiscard]] int telephone_event(int clock) const;
};

struct NegotiatedSrtp {
  SrtpSuite suite = SrtpSuite::aes_cm_128_hmac_sha1_80;
  SrtpKey send_key;
  SrtpKey receive_key;
  std::vector<std::uint8_t> receive_mki;  ///< that the peer's packets carry; empty: none
  bool operator==(const NegotiatedSrtp&) const = default;
};

/// What both sides agreed on, from our side.
struct Negotiated {
  std::string remote_address;
  std::uint16_t remote_port = 0;
  std::string remote_rtcp_address;
  std::uint16_t remote_rtcp_port = 0;  ///< remote_port where RTCP shares it
  bool rtcp_mux = false;
  Codec codec = Codec::pcmu;                  ///< of packets that we send
  int payload_type = 0;                       ///< of packets that we send
  int receive_payload_type = 0;               ///< of packets of that codec that we receive
  OpusParameters opus{};                      ///< the peer's, where the codec is Opus: what it likes to hear
  std::vector<CodecEntry> receivable;         ///< all that the peer may send, by what we receive it as
  int telephone_event_pt = -1;                ///< of events that we send; -1: the peer takes none
  int receive_telephone_event_pt = -1;        ///< of events that we receive
  Direction direction = Direction::sendrecv;  ///< ours: sendonly or inactive means that we hear nothing
  int ptime_ms = 20;                          ///< what the peer likes to receive
  int max_ptime_ms = 0;                       ///< 0: not said
  std::optional<NegotiatedSrtp> srtp;         ///< nullopt: not encrypted
  bool operator==(const Negotiated&) const = default;
  /// True when the peer wants to hear us.
  [[nodiscard]] bool may_send() const;
  /// True when it lets us hear it.
  [[nodiscard]] bool may_receive() const;
};

struct Answer {
  std::string sdp;
  Negotiated media;
};

/// Parses a description and picks its audio stream. With Srtp::off keys are not read, and a stream that is
/// encrypted by its transport is none of ours.
[[nodiscard]] SdpResult<SdpMedia> parse_sdp(std::string_view text, Srtp srtp = Srtp::off);

[[nodiscard]] std::string make_offer(const OfferOptions& options);

/// What an answer to make_offer(offer) means. The codec is the first one in the answer that was offered.
[[nodiscard]] SdpResult<Negotiated> negotiate_answer(const OfferOptions& offer, std::string_view answer);

/// Answers an offer: as many m= lines as offered, in their order, all refused but the first acceptable audio
/// line; the peer's preferred codec of those in `local`; its payload type numbers; the mirrored direction
/// (hold is honoured); the first of its a=crypto lines whose suite is among `local.crypto`.
[[nodiscard]] SdpResult<Answer> make_answer(std::string_view offer, const OfferOptions& local);

}  // namespace linecheck::sip
