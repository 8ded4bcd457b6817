// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp_crypto.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "sip/sdp.h"
#include "sip/trace_book.h"

using namespace linecheck::sip;

namespace {

/// RFC 4568, 6.1: sixteen bytes of key and fourteen of salt.
const std::string kKey = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const std::string kLine = "1 AES_CM_128_HMAC_SHA1_80 inline:" + kKey;

OfferOptions local(Srtp srtp, std::vector<SrtpSuite> suites = {SrtpSuite::aes_cm_128_hmac_sha1_80,
                                                               SrtpSuite::aead_aes_256_gcm}) {
  OfferOptions options;
  options.address = "127.0.0.1";
  options.port = 12000;
  options.srtp = srtp;
  options.crypto = fresh_crypto(suites);
  return options;
}

std::string session(const std::string& media) {
  return "v=0\r\no=peer 1 1 IN IP4 10.1.2.3\r\ns=-\r\nc=IN IP4 10.1.2.3\r\nt=0 0\r\n" + media;
}

std::string stream(const std::string& protocol, const std::string& crypto) {
  return session("m=audio 4000 " + protocol + " 0\r\n" +
                 (crypto.empty() ? "" : "a=crypto:" + crypto + "\r\n"));
}

}  // namespace

TEST_CASE("keys are random, as long as their suite wants, and come back from their line") {
  std::set<std::string> seen;
  for (const SrtpSuite suite : kSrtpSuites) {
    CAPTURE(suite_name(suite));
    CHECK(suite_of(suite_name(suite)) == suite);
    const CryptoLine line{7, suite, SrtpKey::fresh(suite), {}};
    CHECK(line.key.bytes().size() == key_size(suite));
    std::string why;
    const auto back = read_crypto(crypto_text(line), why);
    REQUIRE(back);
    CHECK(*back == line);
    seen.insert(crypto_text(line));
    CHECK(std::any_of(line.key.bytes().begin(), line.key.bytes().end(), [](auto byte) { return byte != 0; }));
  }
  CHECK(seen.size() == kSrtpSuites.size());
  CHECK_FALSE(suite_of("F8_128_HMAC_SHA1_80"));
}

TEST_CASE("the example of RFC 4568") {
  std::string why;
  const auto line = read_crypto(kLine + "|2^20|1:4 KDR=0 WSH=64 -FUTURE=1", why);
  REQUIRE(line);
  CHECK(line->tag == 1);
  const std::string key(line->key.bytes().begin(), line->key.bytes().end());
  CHECK(key == "YS___semctl () {\t220;}\n}\nunles");
  CHECK(line->mki == std::vector<std::uint8_t>{0, 0, 0, 1});
}

TEST_CASE("key lines that cannot be used say why") {
  for (const std::string& value :
       std::initializer_list<std::string>{"",
                                          "1",
                                          "x AES_CM_128_HMAC_SHA1_80 inline:" + kKey,
                                          "0 AES_CM_128_HMAC_SHA1_80 inline:" + kKey,
                                          "1 F8_128_HMAC_SHA1_80 inline:" + kKey,
                                          "1 AES_CM_128_HMAC_SHA1_80",
                                          "1 AES_CM_128_HMAC_SHA1_80 uri:" + kKey,
                                          "1 AES_CM_128_HMAC_SHA1_80 inline:",
                                          "1 AES_CM_128_HMAC_SHA1_80 inline:" + kKey + "AAAA",
                                          "1 AES_256_CM_HMAC_SHA1_80 inline:" + kKey,
                                          "1 AES_CM_128_HMAC_SHA1_80 inline:!" + kKey.substr(1),
                                          kLine + "|forever",
                                          kLine + "|2^20|1:0",
                                          kLine + "|2^20|300:1",
                                          kLine + "|1:999999",
                                          kLine + ";inline:" + kKey,
                                          kLine + " KDR=1",
                                          kLine + " UNENCRYPTED_SRTP",
                                          kLine + " UNENCRYPTED_SRTCP",
                                          kLine + " UNAUTHENTICATED_SRTP",
                                          kLine + " FEC_ORDER=FEC_SRTP",
                                          "99999999999999999999 AES_CM_128_HMAC_SHA1_80 inline:" + kKey,
                                          "1 AES_CM_128_HMAC_SHA1_80 inline:" + std::string(60'000, 'A')}) {
    CAPTURE(value.substr(0, 100));
    std::string why;
    CHECK_FALSE(read_crypto(value, why));
    CHECK_FALSE(why.empty());
    CHECK(why.find(kKey.substr(0, 10)) == std::string::npos);
  }
}

TEST_CASE("offers with keys: RTP/AVP where they are a wish, RTP/SAVP where they are a condition") {
  const OfferOptions wish = local(Srtp::offer);
  const std::string text = make_offer(wish);
  CHECK(text.find("m=audio 12000 RTP/AVP 0 8 101\r\n") != std::string::npos);
  CHECK(text.find("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:") != std::string::npos);
  CHECK(text.find("a=crypto:2 AEAD_AES_256_GCM inline:") != std::string::npos);
  CHECK(make_offer(local(Srtp::require)).find("m=audio 12000 RTP/SAVP 0 8 101\r\n") != std::string::npos);
  OfferOptions off = local(Srtp::off);
  CHECK(make_offer(off).find("crypto") == std::string::npos);
}

TEST_CASE("an offer of ours and an answer of ours agree on both keys") {
  for (const Srtp srtp : {Srtp::offer, Srtp::require}) {
    const OfferOptions caller = local(srtp);
    const OfferOptions agent = local(Srtp::offer, {SrtpSuite::aead_aes_256_gcm});
    const auto answer = make_answer(make_offer(caller), agent);
    REQUIRE(answer);
    REQUIRE(answer->media.srtp);
    CHECK(answer->sdp.find("a=crypto:2 AEAD_AES_256_GCM inline:") != std::string::npos);
    CHECK(answer->sdp.find(srtp == Srtp::offer ? "RTP/AVP 0" : "RTP/SAVP 0") != std::string::npos);
    const auto agreed = negotiate_answer(caller, answer->sdp);
    REQUIRE(agreed);
    REQUIRE(agreed->srtp);
    CHECK(agreed->srtp->suite == SrtpSuite::aead_aes_256_gcm);
    CHECK(agreed->srtp->send_key == answer->media.srtp->receive_key);
    CHECK(agreed->srtp->receive_key == answer->media.srtp->send_key);
    CHECK(agreed->srtp->send_key == caller.crypto[1].key);
  }
}

TEST_CASE("answers to an offer with keys") {
  struct Row {
    const char* what;
    Srtp srtp;
    std::string answer;
    std::optional<SdpError::Kind> refused;
    bool encrypted;
  };
  using Kind = SdpError::Kind;
  const Row rows[] = {
      {"accepted", Srtp::offer, stream("RTP/AVP", kLine), {}, true},
      {"accepted as RTP/SAVP", Srtp::offer, stream("RTP/SAVP", kLine), {}, true},
      {"passed over", Srtp::offer, stream("RTP/AVP", ""), {}, false},
      {"required and there", Srtp::require, stream("RTP/SAVP", kLine), {}, true},
      {"required and not there", Srtp::require, stream("RTP/AVP", ""), Kind::not_encrypted, false},
      {"RTP/SAVP without a key", Srtp::require, stream("RTP/SAVP", ""), Kind::no_common_crypto, false},
      {"a tag that was not offered", Srtp::offer,
       stream("RTP/AVP", "9 AES_CM_128_HMAC_SHA1_80 inline:" + kKey), Kind::no_common_crypto, false},
      {"a suite that was not offered", Srtp::offer,
       stream("RTP/AVP", "1 AES_CM_128_HMAC_SHA1_32 inline:" + kKey), Kind::no_common_crypto, false},
      {"a key that is broken", Srtp::offer, stream("RTP/AVP", "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA"),
       Kind::no_common_crypto, false},
      {"off, and RTP/SAVP comes", Srtp::off, stream("RTP/SAVP", kLine), Kind::not_rtp_avp, false},
      {"off, and a key comes", Srtp::off, stream("RTP/AVP", kLine), {}, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto result = negotiate_answer(local(row.srtp), row.answer);
    CHECK(result.ok() == !row.refused);
    if (result) CHECK(result->srtp.has_value() == row.encrypted);
    if (row.refused) CHECK(static_cast<int>(result.error().kind) == static_cast<int>(*row.refused));
  }
}

TEST_CASE("offers with keys are answered by the first suite that we do") {
  struct Row {
    const char* what;
    Srtp srtp;
    std::string offer;
    std::optional<SdpError::Kind> refused;
    bool encrypted;
    int port = 4000;
  };
  using Kind = SdpError::Kind;
  const std::string savp = "m=audio 4000 RTP/SAVP 0\r\na=crypto:" + kLine + "\r\n";
  const std::string avp = "m=audio 4002 RTP/AVP 0\r\n";
  const Row rows[] = {
      {"encrypted", Srtp::offer, session(savp), {}, true},
      {"a wish under RTP/AVP (RFC 8643)", Srtp::offer, stream("RTP/AVP", kLine), {}, true},
      {"a wish that we cannot fulfil",
       Srtp::offer,
       stream("RTP/AVP", "1 AES_CM_128_HMAC_SHA1_32 inline:" + kKey),
       {},
       false},
      {"the second suite",
       Srtp::require,
       stream("RTP/SAVPF", "3 F8_128_HMAC_SHA1_80 inline:" + kKey + "\r\na=crypto:4" + kLine.substr(1)),
       {},
       true},
      {"plain where it is a condition", Srtp::require, session(avp), Kind::not_encrypted, false},
      {"no suite of ours", Srtp::require, stream("RTP/SAVP", "1 F8_128_HMAC_SHA1_80 inline:" + kKey),
       Kind::no_common_crypto, false},
      {"both kinds, encryption off", Srtp::off, session(savp + avp), {}, false, 4002},
      {"both kinds, encryption wished for", Srtp::offer, session(savp + avp), {}, true, 4000},
      {"both kinds, plain first, encryption a condition", Srtp::require, session(avp + savp), {}, true, 4000},
      {"DTLS", Srtp::offer, stream("UDP/TLS/RTP/SAVPF", ""), Kind::not_rtp_avp, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto answer = make_answer(row.offer, local(row.srtp));
    CHECK(answer.ok() == !row.refused);
    if (answer) {
      CHECK(answer->media.srtp.has_value() == row.encrypted);
      CHECK((answer->sdp.find("a=crypto:") != std::string::npos) == row.encrypted);
      CHECK(answer->media.remote_port == row.port);
    } else {
      CHECK(static_cast<int>(answer.error().kind) == static_cast<int>(*row.refused));
    }
  }
}

TEST_CASE("no key is left in a trace") {
  const std::string offer = make_offer(local(Srtp::require));
  const std::string message =
      "INVITE sip:a@b SIP/2.0\r\nCall-ID: x\r\nContent-Length: " + std::to_string(offer.size()) + "\r\n\r\n" +
      offer;
  const std::string kept = masked(message);
  CHECK(kept.size() == message.size());
  CHECK(kept.find("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:****") != std::string::npos);
  for (const CryptoLine& line : local(Srtp::require).crypto) {
    const std::string text = crypto_text(line);
    CHECK(kept.find(text.substr(text.find("inline:") + 7)) == std::string::npos);
  }
  const auto inlined = [](const std::string& text) {
    std::string out;
    for (auto at = text.find("inline:"); at != std::string::npos; at = text.find("inline:", at + 1))
      out += text.substr(at + 7, text.find("\r\n", at) - at - 7);
    return out;
  };
  CHECK(inlined(offer).size() == 40 + 60);
  CHECK(inlined(kept) == std::string(40 + 60, '*'));
  CHECK(masked_keys("a=CRYPTO:1 x INLINE:abc|2^20 KDR=0\r\nb") == "a=CRYPTO:1 x INLINE:******** KDR=0\r\nb");
  CHECK(masked_keys("inline:abc\r\ncrypto:") == "inline:abc\r\ncrypto:");
}
