// SPDX-License-Identifier: GPL-3.0-or-later
//
// A session description as lines (RFC 8866): what is written where, without what it means. Everything is a
// view into the text that was read. Bounded in time and memory, throws nothing but bad_alloc.
//
// What is tolerated, because peers do it: bare line feeds, blank lines, missing s= and t=, unknown letters,
// lines out of their order. What is refused: text that is not made of `x=value` lines, control characters, no
// v=0 and o= at the top, an m= line that cannot be echoed in an answer, and sizes beyond any use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace linecheck::sip {

struct SdpError {
  enum class Kind {
    malformed,          ///< not SDP, or without what RFC 8866 requires
    no_audio,           ///< no m=audio line
    rejected,           ///< the stream was refused (port 0)
    not_rtp_avp,        ///< only transports that we do not speak, such as RTP/SAVP where encryption is off
    no_common_codec,    ///< an offer without a codec of ours
    codec_not_offered,  ///< an answer with no codec of our offer, but with others
    bad_address,        ///< not an IP address
    no_common_crypto,   ///< encrypted, but with no suite and key of ours
    not_encrypted,      ///< not encrypted, where encryption is required
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

struct SdpAttribute {
  std::string_view name;
  std::string_view value;  ///< after the colon; empty for a flag
};

/// An m= line and what belongs to it.
struct SdpSection {
  std::string_view media;     ///< audio, video, ...
  std::string_view protocol;  ///< RTP/AVP, ...
  std::uint16_t port = 0;
  std::vector<std::string_view> formats;
  std::optional<std::string_view> address;  ///< of its own c= line, without /ttl; empty where that is broken
  std::vector<SdpAttribute> attributes;

  /// The value of the first attribute of that name.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
};

struct SdpText {
  std::uint64_t session_id = 0;  ///< 0 where it is no number of 64 bits
  std::uint64_t session_version = 0;
  std::optional<std::string_view> address;
  std::vector<SdpAttribute> attributes;  ///< of the session
  std::vector<SdpSection> media;
};

[[nodiscard]] SdpResult<SdpText> read_sdp_text(std::string_view text);

// Small tools for values.

/// The whole of `text` as a decimal number of at most 64 bits.
[[nodiscard]] std::optional<std::uint64_t> sdp_number(std::string_view text);
/// Takes what stands before `at` (all, where there is none) off the front of `text`, `at` included.
[[nodiscard]] std::string_view sdp_cut(std::string_view& text, char at);
/// The next word; empty at the end. `text` then begins at the word after it.
std::string_view sdp_word(std::string_view& text);
[[nodiscard]] std::string_view sdp_trimmed(std::string_view text);
/// Without regard to case.
[[nodiscard]] bool sdp_same(std::string_view a, std::string_view b);

}  // namespace linecheck::sip
