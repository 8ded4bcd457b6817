// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a leg needs to encrypt its stream (RFC 3711), as it was agreed on in SDP.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace linecheck::media {

/// RFC 4568 (AES_CM_128), RFC 6188 (AES_256_CM), RFC 7714 (AEAD).
enum class SrtpSuite : std::uint8_t {
  aes_cm_128_hmac_sha1_80,
  aes_cm_128_hmac_sha1_32,
  aes_256_cm_hmac_sha1_80,
  aes_256_cm_hmac_sha1_32,
  aead_aes_128_gcm,
  aead_aes_256_gcm,
};

inline constexpr std::array kSrtpSuites{
    SrtpSuite::aes_cm_128_hmac_sha1_80, SrtpSuite::aes_cm_128_hmac_sha1_32,
    SrtpSuite::aes_256_cm_hmac_sha1_80, SrtpSuite::aes_256_cm_hmac_sha1_32,
    SrtpSuite::aead_aes_128_gcm,        SrtpSuite::aead_aes_256_gcm,
};

/// As in a=crypto.
const char* suite_name(SrtpSuite suite);
/// Bytes of master key and master salt together.
std::size_t srtp_key_size(SrtpSuite suite);
/// Bytes that it adds to an RTP packet.
std::size_t srtp_tag_size(SrtpSuite suite);

/// Master key and salt of each direction, one after the other. Wiped when it goes.
struct SrtpKeys {
  SrtpKeys() = default;
  SrtpKeys(const SrtpKeys&) = default;
  SrtpKeys& operator=(const SrtpKeys&) = default;
  ~SrtpKeys();
  bool operator==(const SrtpKeys&) const = default;

  SrtpSuite suite = SrtpSuite::aes_cm_128_hmac_sha1_80;
  std::vector<std::uint8_t> send_key;
  std::vector<std::uint8_t> receive_key;
  std::vector<std::uint8_t> receive_mki;  ///< that the remote's packets carry; empty: none
};

}  // namespace linecheck::media
