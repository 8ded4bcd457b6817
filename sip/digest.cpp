// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/digest.h"

#include <openssl/evp.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace linecheck::sip {
namespace {

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// Lower-case hexadecimal; empty when the library refuses (MD5 under a policy that forbids it).
std::string hash(const EVP_MD* algorithm, const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), bytes.data(), &length, algorithm, nullptr) != 1) return {};
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (unsigned i = 0; i < length; ++i) {
    out += kHex[bytes[i] >> 4U];
    out += kHex[bytes[i] & 0xfU];
  }
  return out;
}

/// The first of the listed qop values that is known; empty: none is.
std::string chosen_qop(std::string_view list) {
  std::string int_found;
  while (!list.empty()) {
    const auto comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    if (same(item, "auth")) return "auth";
    if (same(item, "auth-int")) int_found = "auth-int";
  }
  return int_found;
}

bool can_be_quoted(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

}  // namespace

int digest_strength(std::string_view algorithm) {
  if (algorithm.empty() || same(algorithm, "MD5") || same(algorithm, "MD5-sess")) return 1;
  if (same(algorithm, "SHA-256") || same(algorithm, "SHA-256-sess")) return 2;
  return 0;
}

std::optional<std::string> digest_credentials(const DigestChallenge& challenge,
                                              const DigestRequest& request) {
  const int strength = digest_strength(challenge.algorithm);
  if (strength == 0) return std::nullopt;
  const std::string qop = chosen_qop(challenge.qop);
  if (!challenge.qop.empty() && qop.empty()) return std::nullopt;
  if (!can_be_quoted(request.username) || !can_be_quoted(request.uri)) return std::nullopt;
  const EVP_MD* algorithm = strength == 2 ? EVP_sha256() : EVP_md5();
  const std::string nonce = challenge.nonce;
  const std::string cnonce(request.cnonce);
  const bool session =
      challenge.algorithm.size() > 5 &&
      same(std::string_view(challenge.algorithm).substr(challenge.algorithm.size() - 5), "-sess");
  // RFC 7616, 3.4.2 and 3.4.3.
  std::string a1 = hash(
      algorithm, std::string(request.username) + ":" + challenge.realm + ":" + std::string(request.password));
  if (session) a1 = hash(algorithm, a1 + ":" + nonce + ":" + cnonce);
  std::string a2 = std::string(request.method) + ":" + std::string(request.uri);
  if (qop == "auth-int") a2 += ":" + hash(algorithm, std::string(request.body));
  std::array<char, 16> count{};
  std::snprintf(count.data(), count.size(), "%08x", request.count);
  std::string text = a1 + ":" + nonce + ":";
  if (!qop.empty()) text += std::string(count.data()) + ":" + cnonce + ":" + qop + ":";
  const std::string response = hash(algorithm, text + hash(algorithm, a2));
  if (a1.empty() || response.empty()) return std::nullopt;

  std::string out = "Digest username=\"" + std::string(request.username) + "\", realm=\"" + challenge.realm +
                    "\", nonce=\"" + nonce + "\", uri=\"" + std::string(request.uri) + "\", response=\"" +
                    response + "\"";
  out += ", algorithm=" + (challenge.algorithm.empty() ? "MD5" : challenge.algorithm);
  if (!challenge.opaque.empty()) out += ", opaque=\"" + challenge.opaque + "\"";
  if (!qop.empty()) out += ", qop=" + qop + ", nc=" + count.data();
  if (!qop.empty() || session) out += ", cnonce=\"" + cnonce + "\"";
  return out;
}

std::string shielded(std::string_view secret) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "x";  // an empty part would be no part
  for (const char c : secret) {
    out += kHex[static_cast<unsigned char>(c) >> 4U];
    out += kHex[static_cast<unsigned char>(c) & 0xfU];
  }
  return out;
}

std::string unshielded(std::string_view shielded) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (std::size_t i = 1; i + 1 < shielded.size(); i += 2)
    out += static_cast<char>(value(shielded[i]) * 16 + value(shielded[i + 1]));
  return out;
}

}  // namespace linecheck::sip
