// SPDX-License-Identifier: GPL-3.0-or-later
//
// Keys of SRTP in session descriptions: a=crypto (RFC 4568) with the suites of RFC 4568, 6188 and 7714. A key
// is wiped when it is let go of; the text of a description, which has it too, is not: whoever keeps such a
// text masks it (masked_keys).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace linecheck::sip {

enum class SrtpSuite {
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

/// "AES_CM_128_HMAC_SHA1_80", ..., as in a=crypto.
[[nodiscard]] std::string_view suite_name(SrtpSuite suite);
[[nodiscard]] std::optional<SrtpSuite> suite_of(std::string_view name);
/// Bytes of master key and master salt together: 30, 46, 28 or 44.
[[nodiscard]] std::size_t key_size(SrtpSuite suite);

/// Master key and salt, one after the other.
class SrtpKey {
 public:
  static constexpr std::size_t kMax = 46;

  SrtpKey() = default;
  /// What exceeds kMax is left out.
  explicit SrtpKey(std::span<const std::uint8_t> bytes);
  SrtpKey(const SrtpKey&) = default;
  SrtpKey& operator=(const SrtpKey&) = default;
  ~SrtpKey();
  bool operator==(const SrtpKey&) const = default;

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {bytes_.data(), size_}; }

  /// From the kernel's generator. Throws std::system_error where it has none.
  [[nodiscard]] static SrtpKey fresh(SrtpSuite suite);

 private:
  std::array<std::uint8_t, kMax> bytes_{};
  std::size_t size_ = 0;
};

/// One a=crypto line that can be used.
struct CryptoLine {
  int tag = 1;  ///< 1..999,999,999
  SrtpSuite suite = SrtpSuite::aes_cm_128_hmac_sha1_80;
  SrtpKey key;
  std::vector<std::uint8_t> mki;  ///< that its packets carry (RFC 3711, 3.1); empty: none
  bool operator==(const CryptoLine&) const = default;
};

/// The value of an a=crypto line. Nullopt for what is broken, and for what we do not do: other suites,
/// several keys, session parameters that change the packets (a key derivation rate, unencrypted or
/// unauthenticated streams, FEC). `why` then says so.
[[nodiscard]] std::optional<CryptoLine> read_crypto(std::string_view value, std::string& why);
/// "1 AES_CM_128_HMAC_SHA1_80 inline:..."
[[nodiscard]] std::string crypto_text(const CryptoLine& line);
/// Fresh keys for those suites, tagged from 1.
[[nodiscard]] std::vector<CryptoLine> fresh_crypto(std::span<const SrtpSuite> suites);

/// The text (of a SIP message or a description) with asterisks for every key of an a=crypto line: as many, so
/// that Content-Length still fits.
[[nodiscard]] std::string masked_keys(std::string text);

}  // namespace linecheck::sip
