// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/encryption.h"

#include <array>
#include <span>

namespace linecheck::engine {
namespace {

media::SrtpSuite media_suite(sip::SrtpSuite suite) {
  switch (suite) {
    case sip::SrtpSuite::aes_cm_128_hmac_sha1_32:
      return media::SrtpSuite::aes_cm_128_hmac_sha1_32;
    case sip::SrtpSuite::aes_256_cm_hmac_sha1_80:
      return media::SrtpSuite::aes_256_cm_hmac_sha1_80;
    case sip::SrtpSuite::aes_256_cm_hmac_sha1_32:
      return media::SrtpSuite::aes_256_cm_hmac_sha1_32;
    case sip::SrtpSuite::aead_aes_128_gcm:
      return media::SrtpSuite::aead_aes_128_gcm;
    case sip::SrtpSuite::aead_aes_256_gcm:
      return media::SrtpSuite::aead_aes_256_gcm;
    case sip::SrtpSuite::aes_cm_128_hmac_sha1_80:
      break;
  }
  return media::SrtpSuite::aes_cm_128_hmac_sha1_80;
}

}  // namespace

media::SrtpKeys media_keys(const sip::NegotiatedSrtp& agreed) {
  media::SrtpKeys keys;
  keys.suite = media_suite(agreed.suite);
  const auto copy = [](std::span<const std::uint8_t> bytes) {
    return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
  };
  keys.send_key = copy(agreed.send_key.bytes());
  keys.receive_key = copy(agreed.receive_key.bytes());
  keys.receive_mki = agreed.receive_mki;
  return keys;
}

std::string encryption_of(const sip::Negotiated& agreed) {
  return agreed.srtp ? std::string(sip::suite_name(agreed.srtp->suite)) : "";
}

void add_keys(sip::OfferOptions& options, const std::vector<sip::SrtpSuite>& suites) {
  if (options.srtp == sip::Srtp::off) return;
  // The short tag is for who asks for it; every further suite makes the INVITE longer.
  static constexpr std::array kUsual{sip::SrtpSuite::aes_cm_128_hmac_sha1_80,
                                     sip::SrtpSuite::aead_aes_256_gcm, sip::SrtpSuite::aead_aes_128_gcm,
                                     sip::SrtpSuite::aes_256_cm_hmac_sha1_80};
  options.crypto =
      suites.empty() ? sip::fresh_crypto(std::span(kUsual)) : sip::fresh_crypto(std::span(suites));
}

}  // namespace linecheck::engine
