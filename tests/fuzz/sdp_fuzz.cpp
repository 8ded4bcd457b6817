// SPDX-License-Identifier: GPL-3.0-or-later
//
// A peer's session description: read, answered, taken as an answer, with encryption off, offered and
// required. The first byte chooses. What we answer has to be readable to ourselves.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sip/sdp.h"
#include "sip/sdp_crypto.h"

using namespace linecheck::sip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Srtp srtp = data[0] % 3 == 0 ? Srtp::off : data[0] % 3 == 1 ? Srtp::offer : Srtp::require;
  (void)parse_sdp(text, srtp);
  OfferOptions local;
  local.address = "127.0.0.1";
  local.port = 12000;
  local.srtp = srtp;
  if (srtp != Srtp::off) {
    const SrtpSuite suites[] = {SrtpSuite::aes_cm_128_hmac_sha1_80};
    local.crypto = fresh_crypto(suites);
  }
  (void)negotiate_answer(local, text);
  if (const auto answer = make_answer(text, local))
    if (!parse_sdp(answer->sdp, srtp)) std::abort();
  std::string why;
  if (const auto line = read_crypto(text, why))
    if (!read_crypto(crypto_text(*line), why)) std::abort();
  if (masked_keys(text).size() > 16 * size + 64) std::abort();
  return 0;
}
