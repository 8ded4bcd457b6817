// SPDX-License-Identifier: GPL-3.0-or-later
//
// Odd and hostile descriptions, as offers: each has an outcome, none throws.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

#include "sip/sdp.h"
#include "sip/sdp_session.h"

using namespace linecheck::sip;

namespace {

using Kind = SdpError::Kind;

const std::string kTop = "v=0\r\no=peer 1 1 IN IP4 10.1.2.3\r\ns=-\r\nc=IN IP4 10.1.2.3\r\nt=0 0\r\n";
const std::string kAudio = "m=audio 4000 RTP/AVP 0\r\n";

std::string times(std::size_t n, std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += text;
  return out;
}

OfferOptions ours() {
  OfferOptions options;
  options.address = "127.0.0.1";
  options.port = 12000;
  options.codecs = {Codec::pcmu, Codec::pcma, Codec::g722, Codec::opus};
  return options;
}

struct Row {
  const char* what;
  std::string text;
  std::optional<Kind> refused;  // nullopt: answered, as follows
  Codec codec = Codec::pcmu;
  int payload_type = 0;
  std::string address = "10.1.2.3";
  std::uint16_t port = 4000;
};

const Row kRows[] = {
    // Lines.
    {"nothing", "", Kind::malformed},
    {"one byte", "v", Kind::malformed},
    {"only line ends", "\r\n\r\n\n\n", Kind::malformed},
    {"another protocol", "GET / HTTP/1.1\r\n\r\n", Kind::malformed},
    {"no v=", kTop.substr(5) + kAudio, Kind::malformed},
    {"v=1", "v=1\r\n" + kTop.substr(5) + kAudio, Kind::malformed},
    {"no o=", "v=0\r\ns=-\r\nc=IN IP4 10.1.2.3\r\nt=0 0\r\n" + kAudio, Kind::malformed},
    {"o= cut off", "v=0\r\no=peer 1 1 IN\r\ns=-\r\n" + kAudio, Kind::malformed},
    {"a letter without a value", kTop + kAudio + "a\r\n", Kind::malformed},
    {"a line that is folded like a header", kTop + kAudio + " a=sendonly\r\n", Kind::malformed},
    {"NUL inside", kTop + std::string("a=x\0y\r\n", 7) + kAudio, Kind::malformed},
    {"an escape sequence", kTop + "a=\x1b[2J\r\n" + kAudio, Kind::malformed},
    {"carriage returns only", "v=0\ro=peer 1 1 IN IP4 10.1.2.3\rs=-\rm=audio 4000 RTP/AVP 0\r",
     Kind::malformed},
    {"too long", kTop + kAudio + times(7000, "a=x:12345\r\n"), Kind::malformed},
    {"a line of 60,000 bytes", kTop + kAudio + "a=" + times(60'000, "x") + "\r\n", {}},
    {"attributes without end", kTop + kAudio + times(3000, "a=x\r\n"), Kind::malformed},
    {"streams without end", kTop + times(65, kAudio), Kind::malformed},
    {"64 streams", kTop + times(63, "m=video 9 RTP/AVP 96\r\n") + kAudio, {}},
    {"formats without end", kTop + "m=audio 4000 RTP/AVP" + times(257, " 0") + "\r\n", Kind::malformed},
    {"256 formats, the last one ours", kTop + "m=audio 4000 RTP/AVP" + times(255, " 200") + " 0\r\n", {}},
    {"bare line feeds",
     "v=0\no=- 1 1 IN IP4 10.1.2.3\ns=-\nc=IN IP4 10.1.2.3\nt=0 0\nm=audio 4000 RTP/AVP 0\n",
     {}},
    {"no line end at the end", kTop + "m=audio 4000 RTP/AVP 0", {}},
    {"blank lines between", kTop + "\r\n" + kAudio + "\r\n\r\n", {}},
    {"neither s= nor t=", "v=0\r\no=- 1 1 IN IP4 10.1.2.3\r\nc=IN IP4 10.1.2.3\r\n" + kAudio, {}},
    {"letters that nobody knows", kTop + "y=1\r\nZ=2\r\n" + kAudio + "q=3\r\n", {}},
    {"bytes above ASCII in a name", kTop + "i=\xc3\xa4\xff\r\n" + kAudio, {}},
    {"an origin beyond 64 bits",
     "v=0\r\no=- 99999999999999999999999 -1 IN IP4 x\r\nc=IN IP4 10.1.2.3\r\n" + kAudio,
     {}},
    {"two origins", kTop + "o=- 2 2 IN IP4 9.9.9.9\r\n" + kAudio, {}},
    {"blanks around everything",
     "v= 0 \r\no=  -  1  1  IN  IP4  10.1.2.3 \r\nc= IN\tIP4  10.1.2.3 \r\nm= audio  4000  RTP/AVP  0 \r\n",
     {}},
    // Streams.
    {"no stream", kTop, Kind::no_audio},
    {"an m= line without anything", kTop + "m=\r\n", Kind::malformed},
    {"an m= line cut off", kTop + "m=audio 4000\r\n", Kind::malformed},
    {"a port that is no number", kTop + "m=audio x RTP/AVP 0\r\n", Kind::malformed},
    {"a port below zero", kTop + "m=audio -1 RTP/AVP 0\r\n", Kind::malformed},
    {"a port beyond 65535", kTop + "m=audio 65536 RTP/AVP 0\r\n", Kind::malformed},
    {"the last port", kTop + "m=audio 65535 RTP/AVP 0\r\n", {}, Codec::pcmu, 0, "10.1.2.3", 65535},
    {"a pair of ports", kTop + "m=audio 4000/2 RTP/AVP 0\r\n", {}},
    {"no format", kTop + "m=audio 4000 RTP/AVP\r\n", Kind::no_common_codec},
    {"formats that are no numbers", kTop + "m=audio 4000 RTP/AVP x -1 128 1e3\r\n", Kind::no_common_codec},
    {"the same format over and over", kTop + "m=audio 4000 RTP/AVP 8 8 8 0\r\n", {}, Codec::pcma, 8},
    {"AUDIO", kTop + "m=AUDIO 4000 rtp/avp 0\r\n", {}},
    {"feedback", kTop + "m=audio 4000 RTP/AVPF 0\r\n", {}},
    {"encrypted", kTop + "m=audio 4000 RTP/SAVP 0\r\n", Kind::not_rtp_avp},
    {"a browser", kTop + "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\na=rtpmap:111 opus/48000/2\r\n",
     Kind::not_rtp_avp},
    {"fax", kTop + "m=image 4000 udptl t38\r\n", Kind::no_audio},
    {"refused, then another", kTop + "m=audio 0 RTP/AVP 0\r\n" + kAudio, {}},
    {"all refused", kTop + "m=audio 0 RTP/AVP 0\r\nm=video 0 RTP/AVP 96\r\n", Kind::rejected},
    // Addresses.
    {"no c= at all", "v=0\r\no=- 1 1 IN IP4 10.1.2.3\r\ns=-\r\n" + kAudio, Kind::bad_address},
    {"c= cut off", "v=0\r\no=- 1 1 IN IP4 10.1.2.3\r\nc=IN IP4\r\n" + kAudio, Kind::bad_address},
    {"another network", "v=0\r\no=- 1 1 IN IP4 10.1.2.3\r\nc=ATM NSAP 47.0091\r\n" + kAudio,
     Kind::bad_address},
    {"a name", "v=0\r\no=- 1 1 IN IP4 10.1.2.3\r\nc=IN IP4 host.example.net\r\n" + kAudio, Kind::bad_address},
    {"numbers too large", "v=0\r\no=- 1 1 IN IP4 10.1.2.3\r\nc=IN IP4 10.1.2.256\r\n" + kAudio,
     Kind::bad_address},
    {"multicast", "v=0\r\no=- 1 1 IN IP4 10.1.2.3\r\nc=IN IP4 224.2.1.1/127\r\n" + kAudio, Kind::bad_address},
    {"a time to live", "v=0\r\no=- 1 1 IN IP4 10.1.2.3\r\nc=IN IP4 10.1.2.3/127\r\n" + kAudio, {}},
    {"IPv6",
     "v=0\r\no=- 1 1 IN IP6 ::1\r\nc=IN IP6 2001:db8::7\r\n" + kAudio,
     {},
     Codec::pcmu,
     0,
     "2001:db8::7"},
    {"a broken address of the stream is no reason to use another", kTop + kAudio + "c=IN IP4 x\r\n",
     Kind::bad_address},
    {"an address of a stream before is not ours",
     kTop + "m=video 9 RTP/AVP 96\r\nc=IN IP4 9.9.9.9\r\n" + kAudio,
     {}},
    {"two addresses of one stream",
     kTop + kAudio + "c=IN IP4 10.5.5.5\r\nc=IN IP4 10.6.6.6\r\n",
     {},
     Codec::pcmu,
     0,
     "10.5.5.5"},
    // Codecs.
    {"a map without a format", kTop + kAudio + "a=rtpmap:8 PCMA/8000\r\n", {}},
    {"maps that are broken",
     kTop + "m=audio 4000 RTP/AVP 96 97 98 0\r\na=rtpmap:96\r\na=rtpmap:\r\na=rtpmap:97 /\r\na=rtpmap:98 "
            "PCMU\r\n",
     {}},
    {"two maps of one number",
     kTop + "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMA/8000\r\na=rtpmap:96 PCMU/8000\r\n",
     {},
     Codec::pcma,
     96},
    {"a static number for something else",
     kTop + "m=audio 4000 RTP/AVP 0 8\r\na=rtpmap:0 GSM/8000\r\n",
     {},
     Codec::pcma,
     8},
    {"G.711 in stereo", kTop + "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMU/8000/2\r\n",
     Kind::no_common_codec},
    {"G.722 with the rate that it samples at",
     kTop + "m=audio 4000 RTP/AVP 9\r\na=rtpmap:9 G722/16000\r\n",
     {},
     Codec::g722,
     9},
    {"Opus without channels",
     kTop + "m=audio 4000 RTP/AVP 100\r\na=rtpmap:100 OPUS/48000\r\na=fmtp:100 ;;=;useinbandfec\r\n",
     {},
     Codec::opus,
     100},
    {"Opus at another rate", kTop + "m=audio 4000 RTP/AVP 100\r\na=rtpmap:100 opus/16000/2\r\n",
     Kind::no_common_codec},
    {"a rate beyond any number",
     kTop + "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMU/99999999999999999999\r\n", Kind::no_common_codec},
    {"only events", kTop + "m=audio 4000 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n",
     Kind::no_common_codec},
    {"only comfort noise", kTop + "m=audio 4000 RTP/AVP 13\r\n", Kind::no_common_codec},
    // Attributes.
    {"attributes without a name", kTop + kAudio + "a=\r\na=:\r\na=:x\r\n", {}},
    {"ptime that makes no sense", kTop + kAudio + "a=ptime:0\r\na=maxptime:-20\r\n", {}},
    {"rtcp that makes no sense", kTop + kAudio + "a=rtcp:0\r\na=rtcp:99999 IN IP4 x\r\n", {}},
    {"keys where encryption is off", kTop + kAudio + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n", {}},
};

}  // namespace

TEST_CASE("odd and hostile descriptions") {
  CHECK(std::size(kRows) >= 40);
  for (const Row& row : kRows) {
    CAPTURE(row.what);
    const auto answer = make_answer(row.text, ours());
    // As an answer it must be survived too.
    (void)negotiate_answer(ours(), row.text);
    if (row.refused) {
      REQUIRE_FALSE(answer);
      CHECK(static_cast<int>(answer.error().kind) == static_cast<int>(*row.refused));
      CHECK(answer.error().text.size() > 10);
      CHECK(answer.error().text.size() < 400);
    } else {
      REQUIRE(answer);
      CHECK(answer->media.codec == row.codec);
      CHECK(answer->media.payload_type == row.payload_type);
      CHECK(answer->media.remote_address == row.address);
      CHECK(answer->media.remote_port == row.port);
      CHECK(answer->media.ptime_ms == 20);
      // Our answer has as many streams as the offer, and is something that we can read ourselves.
      const auto back = read_sdp_text(answer->sdp);
      REQUIRE(back);
      CHECK(back->media.size() == read_sdp_text(row.text)->media.size());
      CHECK(options_of(answer->sdp).has_value());
    }
  }
}

TEST_CASE("every cut of a description has an outcome, and so has every changed byte") {
  OfferOptions options = ours();
  options.srtp = Srtp::offer;
  options.crypto = fresh_crypto(kSrtpSuites);
  const std::string whole = make_offer(options);
  for (std::size_t n = 0; n < whole.size(); ++n) (void)make_answer(whole.substr(0, n), options);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    for (const char c : {'\0', '\n', ' ', ':', '/', '9', '=', '\xff'}) {
      std::string text = whole;
      text[n] = c;
      (void)make_answer(text, options);
      (void)negotiate_answer(options, text);
    }
  }
  CHECK(make_answer(whole, options));
}
