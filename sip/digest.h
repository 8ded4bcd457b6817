// SPDX-License-Identifier: GPL-3.0-or-later
//
// HTTP digest for SIP (RFC 2617, RFC 7616, RFC 8760) as a client: MD5 and SHA-256, each also as -sess, with
// qop auth, auth-int or none. Sofia's own digest knows MD5 only; install_digest() puts this one in its place.
// Internal.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace linecheck::sip {

/// What a (WWW|Proxy)-Authenticate header asks for. Values without their quotes, escapes inside as they came.
struct DigestChallenge {
  std::string realm;
  std::string nonce;
  std::string opaque;
  std::string algorithm;  ///< as written; empty: MD5
  std::string qop;        ///< the list, as written; empty: none
  bool stale = false;
};

/// One request that answers it.
struct DigestRequest {
  std::string_view method;
  std::string_view uri;
  std::string_view body;
  std::string_view username;
  std::string_view password;
  std::string_view cnonce;
  unsigned count = 1;  ///< requests with this nonce, this one included
};

/// 2: SHA-256, 1: MD5, 0: an algorithm that is not known.
[[nodiscard]] int digest_strength(std::string_view algorithm);

/// "Digest username=..., response=..."; nullopt: the algorithm or every qop is unknown, or a value has a
/// character that cannot be sent.
[[nodiscard]] std::optional<std::string> digest_credentials(const DigestChallenge& challenge,
                                                            const DigestRequest& request);

/// For NUTAG_AUTH: Sofia takes `scheme:"realm":user:password` and ends each part at a colon, so ours go
/// through it in hexadecimal.
[[nodiscard]] std::string shielded(std::string_view secret);
[[nodiscard]] std::string unshielded(std::string_view shielded);

/// Once in a process, before the first endpoint.
void install_digest();

}  // namespace linecheck::sip
