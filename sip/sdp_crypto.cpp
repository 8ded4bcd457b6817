// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp_crypto.h"

#include <string.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "sip/sdp_text.h"

namespace linecheck::sip {
namespace {

struct SuiteInfo {
  SrtpSuite suite;
  std::string_view name;
  std::size_t key_size;  // master key + master salt
};

constexpr SuiteInfo kInfo[] = {
    {SrtpSuite::aes_cm_128_hmac_sha1_80, "AES_CM_128_HMAC_SHA1_80", 16 + 14},
    {SrtpSuite::aes_cm_128_hmac_sha1_32, "AES_CM_128_HMAC_SHA1_32", 16 + 14},
    {SrtpSuite::aes_256_cm_hmac_sha1_80, "AES_256_CM_HMAC_SHA1_80", 32 + 14},
    {SrtpSuite::aes_256_cm_hmac_sha1_32, "AES_256_CM_HMAC_SHA1_32", 32 + 14},
    {SrtpSuite::aead_aes_128_gcm, "AEAD_AES_128_GCM", 16 + 12},
    {SrtpSuite::aead_aes_256_gcm, "AEAD_AES_256_GCM", 32 + 12},
};

const SuiteInfo& info(SrtpSuite suite) {
  for (const SuiteInfo& entry : kInfo)
    if (entry.suite == suite) return entry;
  return kInfo[0];
}

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64(std::span<const std::uint8_t> bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8U | byte;
    for (have += 8; have >= 6; have -= 6) out += kBase64[bits >> static_cast<unsigned>(have - 6) & 0x3fU];
  }
  if (have > 0) out += kBase64[bits << static_cast<unsigned>(6 - have) & 0x3fU];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

/// Into `out`; the number of bytes, or nullopt where it is no base64 or too long. Padding may be absent.
std::optional<std::size_t> read_base64(std::string_view text, std::span<std::uint8_t> out) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::uint32_t bits = 0;
  int have = 0;
  std::size_t size = 0;
  for (const char c : text) {
    const auto digit = kBase64.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(digit);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    if (size == out.size()) return std::nullopt;
    out[size++] = static_cast<std::uint8_t>(bits >> static_cast<unsigned>(have) & 0xffU);
  }
  return size;
}

/// "1:4", as in RFC 4568, 6.1: a number and how many bytes of each packet it takes.
bool read_mki(std::string_view text, std::vector<std::uint8_t>& mki) {
  constexpr std::uint64_t kMaxLength = 128;
  const auto value = sdp_number(sdp_cut(text, ':'));
  const auto length = sdp_number(text);
  if (!value || !length || *length == 0 || *length > kMaxLength) return false;
  mki.assign(*length, 0);
  for (std::size_t i = 0; i < std::min<std::size_t>(8, *length); ++i)
    mki[*length - 1 - i] = static_cast<std::uint8_t>(*value >> (8 * i) & 0xffU);
  return *length >= 8 || *value >> (8 * *length) == 0;
}

/// "2^20" or "1048576": only looked at to be sure what it is; no call lasts that long.
bool is_lifetime(std::string_view text) {
  if (text.starts_with("2^")) text.remove_prefix(2);
  return sdp_number(text).has_value();
}

/// "inline:<key and salt>|<lifetime>|<MKI>:<length>", the last two optional.
bool read_key(std::string_view text, CryptoLine& line, std::string& why) {
  constexpr std::string_view kMethod = "inline:";
  if (text.size() < kMethod.size() || !sdp_same(text.substr(0, kMethod.size()), kMethod)) {
    why = "its key is not inline";
    return false;
  }
  text.remove_prefix(kMethod.size());
  if (text.find(';') != std::string_view::npos) {
    why = "it has several keys";
    return false;
  }
  std::array<std::uint8_t, SrtpKey::kMax> bytes{};
  const auto size = read_base64(sdp_cut(text, '|'), bytes);
  if (size == key_size(line.suite)) line.key = SrtpKey(std::span(bytes).first(*size));
  explicit_bzero(bytes.data(), bytes.size());
  if (size != key_size(line.suite)) {
    why = "its key has not the length of its suite";
    return false;
  }
  while (!text.empty()) {
    const std::string_view part = sdp_cut(text, '|');
    const bool fits = part.find(':') != std::string_view::npos ? read_mki(part, line.mki) : is_lifetime(part);
    if (!fits) {
      why = "its lifetime or MKI is wrong";
      return false;
    }
  }
  return true;
}

}  // namespace

std::string_view suite_name(SrtpSuite suite) {
  return info(suite).name;
}

std::optional<SrtpSuite> suite_of(std::string_view name) {
  for (const SuiteInfo& entry : kInfo)
    if (sdp_same(entry.name, name)) return entry.suite;
  return std::nullopt;
}

std::size_t key_size(SrtpSuite suite) {
  return info(suite).key_size;
}

SrtpKey::SrtpKey(std::span<const std::uint8_t> bytes) : size_(std::min(bytes.size(), kMax)) {
  std::copy_n(bytes.begin(), size_, bytes_.begin());
}

SrtpKey::~SrtpKey() {
  explicit_bzero(bytes_.data(), bytes_.size());
}

SrtpKey SrtpKey::fresh(SrtpSuite suite) {
  SrtpKey key;
  key.size_ = key_size(suite);
  // Up to 256 bytes come whole, or not at all (getrandom(2)).
  while (::getrandom(key.bytes_.data(), key.size_, 0) != static_cast<ssize_t>(key.size_)) {
    if (errno != EINTR)
      throw std::system_error(errno, std::generic_category(), "no random numbers for a key");
  }
  return key;
}

std::optional<CryptoLine> read_crypto(std::string_view value, std::string& why) {
  CryptoLine line;
  const auto tag = sdp_number(sdp_word(value));
  if (!tag || *tag == 0 || *tag > 999'999'999) {
    why = "its tag is no number";
    return std::nullopt;
  }
  line.tag = static_cast<int>(*tag);
  const std::string_view name = sdp_word(value);
  const auto suite = suite_of(name);
  if (!suite) {
    why = "the suite " + std::string(name.substr(0, 60)) + " is not spoken here";
    return std::nullopt;
  }
  line.suite = *suite;
  if (!read_key(sdp_word(value), line, why)) return std::nullopt;
  for (std::string_view parameter = sdp_word(value); !parameter.empty(); parameter = sdp_word(value)) {
    // A parameter that begins with "-" may be passed over; KDR=0 and WSH change no packet (RFC 4568, 6.3).
    if (parameter.front() == '-' || sdp_same(parameter, "KDR=0") || sdp_same(parameter.substr(0, 4), "WSH="))
      continue;
    why = "the session parameter " + std::string(parameter.substr(0, 60)) + " is not spoken here";
    return std::nullopt;
  }
  return line;
}

std::string crypto_text(const CryptoLine& line) {
  return std::to_string(line.tag) + " " + std::string(suite_name(line.suite)) +
         " inline:" + base64(line.key.bytes());
}

std::vector<CryptoLine> fresh_crypto(std::span<const SrtpSuite> suites) {
  std::vector<CryptoLine> out;
  for (const SrtpSuite suite : suites)
    out.push_back({static_cast<int>(out.size()) + 1, suite, SrtpKey::fresh(suite), {}});
  return out;
}

std::string masked_keys(std::string text) {
  constexpr std::string_view kLine = "crypto:";
  constexpr std::string_view kKey = "inline:";
  const auto find = [&text](std::string_view what, std::size_t from, std::size_t to) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(to);
    const auto found = std::search(
        text.begin() + static_cast<std::ptrdiff_t>(from), end, what.begin(), what.end(),
        [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
    return found == end ? std::string::npos : static_cast<std::size_t>(found - text.begin());
  };
  std::size_t at = 0;
  while ((at = find(kLine, at, text.size())) != std::string::npos) {
    at += kLine.size();
    const std::size_t line_end = std::min(text.find_first_of("\r\n", at), text.size());
    const std::size_t key = find(kKey, at, line_end);
    if (key == std::string::npos) continue;
    at = key + kKey.size();
    const std::size_t key_end = std::min(text.find_first_of(" \t", at), line_end);
    std::fill(text.begin() + static_cast<std::ptrdiff_t>(at),
              text.begin() + static_cast<std::ptrdiff_t>(key_end), '*');
  }
  return text;
}

}  // namespace linecheck::sip
