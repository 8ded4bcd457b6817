// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp.h"

#include <doctest/doctest.h>

#include <string>

#include "sip/sdp_session.h"

using namespace linecheck::sip;

namespace {

OfferOptions local(std::vector<Codec> codecs = {Codec::pcmu, Codec::pcma}) {
  OfferOptions options;
  options.address = "127.0.0.1";
  options.port = 12000;
  options.codecs = std::move(codecs);
  return options;
}

std::string session(const std::string& media, const std::string& address = "10.1.2.3") {
  return "v=0\r\no=peer 1 1 IN IP4 10.1.2.3\r\ns=-\r\nc=IN IP4 " + address + "\r\nt=0 0\r\n" + media;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("an offer says everything once") {
  const std::string offer = make_offer(local());
  CHECK(offer.find("m=audio 12000 RTP/AVP 0 8 101\r\n") != std::string::npos);
  CHECK(offer.find("c=IN IP4 127.0.0.1\r\n") != std::string::npos);
  CHECK(offer.find("a=rtpmap:0 PCMU/8000\r\n") != std::string::npos);
  CHECK(offer.find("a=rtpmap:8 PCMA/8000\r\n") != std::string::npos);
  CHECK(offer.find("a=rtpmap:101 telephone-event/8000\r\n") != std::string::npos);
  CHECK(offer.find("a=ptime:20\r\n") != std::string::npos);
  CHECK(offer.find("a=sendrecv\r\n") != std::string::npos);

  const auto back = parse_sdp(offer);
  REQUIRE(back);
  CHECK(back->address == "127.0.0.1");
  CHECK(back->port == 12000);
  REQUIRE(back->codecs.size() == 2);
  CHECK(back->codecs[0].codec == Codec::pcmu);
  CHECK(back->telephone_event(8000) == 101);
}

TEST_CASE("an offer over IPv6, without telephone-event, on hold") {
  OfferOptions options = local({Codec::pcma});
  options.address = "::1";
  options.telephone_event_payload_type = -1;
  options.direction = Direction::sendonly;
  const std::string offer = make_offer(options);
  CHECK(offer.find("c=IN IP6 ::1\r\n") != std::string::npos);
  CHECK(offer.find("RTP/AVP 8\r\n") != std::string::npos);
  CHECK(offer.find("telephone-event") == std::string::npos);
  CHECK(offer.find("a=sendonly\r\n") != std::string::npos);
}

TEST_CASE("every codec is named with its clock, and events with the clocks of the codecs") {
  OfferOptions options = local({Codec::opus, Codec::g722, Codec::pcmu});
  options.rtcp_mux = true;
  options.max_ptime_ms = 60;
  const std::string offer = make_offer(options);
  CHECK(offer.find("m=audio 12000 RTP/AVP 96 9 0 102 101\r\n") != std::string::npos);
  CHECK(offer.find("a=rtpmap:96 opus/48000/2\r\n") != std::string::npos);
  CHECK(offer.find("a=fmtp:96 minptime=10;useinbandfec=1;usedtx=0;stereo=0;maxplaybackrate=16000;"
                   "sprop-maxcapturerate=16000\r\n") != std::string::npos);
  CHECK(offer.find("a=rtpmap:9 G722/8000\r\n") != std::string::npos);
  CHECK(offer.find("a=rtpmap:102 telephone-event/48000\r\n") != std::string::npos);
  CHECK(offer.find("a=rtpmap:101 telephone-event/8000\r\n") != std::string::npos);
  CHECK(offer.find("a=maxptime:60\r\n") != std::string::npos);
  CHECK(offer.find("a=rtcp-mux\r\n") != std::string::npos);
  const auto back = options_of(offer);
  REQUIRE(back);
  CHECK(make_offer(*back) == offer);
}

TEST_CASE("what Opus peers say of themselves") {
  const auto heard = read_opus_parameters(
      " useinbandfec=1 ; "
      "MaxPlaybackRate=24000;stereo=1;usedtx=1;maxaveragebitrate=32000;minptime=20;cbr=1;x");
  CHECK(heard.use_inband_fec);
  CHECK(heard.max_playback_rate == 24000);
  CHECK(heard.stereo);
  CHECK(heard.use_dtx);
  CHECK(heard.cbr);
  CHECK(heard.max_average_bitrate == 32000);
  CHECK(heard.min_ptime_ms == 20);
  CHECK(read_opus_parameters("maxplaybackrate=-1;stereo=2;minptime=9999999999999999999;;=;useinbandfec") ==
        OpusParameters{});
  CHECK(read_opus_parameters(opus_parameters_text(heard)) == heard);
}

TEST_CASE("the codec's own clock chooses the events") {
  const std::string lines =
      "m=audio 4000 RTP/AVP 111 0 110 126\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n"
      "a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n";
  const auto wide = make_answer(session(lines), local({Codec::pcmu, Codec::opus}));
  REQUIRE(wide);
  CHECK(wide->media.codec == Codec::opus);
  CHECK(wide->media.payload_type == 111);
  CHECK(wide->media.opus.use_inband_fec);
  CHECK(wide->media.opus.max_playback_rate == 48000);
  CHECK(wide->media.telephone_event_pt == 110);
  CHECK(wide->sdp.find("m=audio 12000 RTP/AVP 111 110\r\n") != std::string::npos);
  CHECK(wide->sdp.find("a=rtpmap:110 telephone-event/48000\r\n") != std::string::npos);
  CHECK(wide->sdp.find("a=fmtp:111 minptime=10;") != std::string::npos);
  const auto narrow = make_answer(session(lines), local());
  REQUIRE(narrow);
  CHECK(narrow->media.codec == Codec::pcmu);
  CHECK(narrow->media.telephone_event_pt == 126);

  // The peer numbers Opus as it likes: what we send bears its number, what we receive ours.
  const auto answered = negotiate_answer(local({Codec::opus, Codec::pcmu}), session(lines));
  REQUIRE(answered);
  CHECK(answered->payload_type == 111);
  CHECK(answered->receive_payload_type == 96);
  CHECK(answered->telephone_event_pt == 110);
  CHECK(answered->receive_telephone_event_pt == 102);
  CHECK(answered->receivable == std::vector<CodecEntry>{{Codec::opus, 96}, {Codec::pcmu, 0}});
}

TEST_CASE("options come back from our own description") {
  OfferOptions options = local({Codec::pcma, Codec::pcmu});
  options.session_id = 77;
  options.session_version = 3;
  const auto back = options_of(make_offer(options));
  REQUIRE(back.has_value());
  CHECK(back->port == 12000);
  CHECK(back->codecs == options.codecs);
  CHECK(back->session_id == 77);
  CHECK(back->session_version == 3);
  CHECK_FALSE(options_of("nonsense").has_value());
}

TEST_CASE("answers to our offer") {
  struct Row {
    const char* what;
    std::string answer;
    Codec codec;
    int payload_type;
    int event_pt;
    Direction direction;
  };
  const Row rows[] = {
      {"the first that was offered",
       session("m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"), Codec::pcmu, 0, 101,
       Direction::sendrecv},
      {"the peer's order counts", session("m=audio 4000 RTP/AVP 8 0\r\n"), Codec::pcma, 8, -1,
       Direction::sendrecv},
      {"an unknown one before it is passed over", session("m=audio 4000 RTP/AVP 18 8\r\n"), Codec::pcma, 8,
       -1, Direction::sendrecv},
      {"the peer's own number for events",
       session("m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\n"), Codec::pcmu, 0, 96,
       Direction::sendrecv},
      {"events at another clock are not ours",
       session("m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/48000\r\n"), Codec::pcmu, 0, -1,
       Direction::sendrecv},
      {"sendonly leaves us to listen", session("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"), Codec::pcmu, 0,
       -1, Direction::recvonly},
      {"recvonly leaves us to talk", session("m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n"), Codec::pcmu, 0, -1,
       Direction::sendonly},
      {"inactive", session("m=audio 4000 RTP/AVP 0\r\na=inactive\r\n"), Codec::pcmu, 0, -1,
       Direction::inactive},
      {"a direction for the whole session", session("a=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n"), Codec::pcmu,
       0, -1, Direction::recvonly},
      {"an encoding name in small letters", session("m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 pcmu/8000\r\n"),
       Codec::pcmu, 0, -1, Direction::sendrecv},
      {"line feeds only",
       "v=0\no=- 1 1 IN IP4 10.1.2.3\ns=-\nc=IN IP4 10.1.2.3\nt=0 0\nm=audio 4000 RTP/AVP 0\n", Codec::pcmu,
       0, -1, Direction::sendrecv},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto result = negotiate_answer(local(), row.answer);
    REQUIRE(result);
    CHECK(result->remote_address == "10.1.2.3");
    CHECK(result->remote_port == 4000);
    CHECK(result->codec == row.codec);
    CHECK(result->payload_type == row.payload_type);
    CHECK(result->telephone_event_pt == row.event_pt);
    CHECK(result->receive_telephone_event_pt == (row.event_pt < 0 ? -1 : 101));
    CHECK(result->direction == row.direction);
  }
}

TEST_CASE("hold in the style of RFC 2543 stops what we send") {
  const auto result = negotiate_answer(local(), session("m=audio 4000 RTP/AVP 0\r\n", "0.0.0.0"));
  REQUIRE(result);
  CHECK_FALSE(result->may_send());
}

TEST_CASE("an address at media level wins, ptime is kept") {
  const auto result =
      negotiate_answer(local(), session("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 10.9.9.9\r\na=ptime:30\r\n"));
  REQUIRE(result);
  CHECK(result->remote_address == "10.9.9.9");
  CHECK(result->ptime_ms == 30);
}

TEST_CASE("answers that cannot be used have a typed error") {
  struct Row {
    const char* what;
    std::string answer;
    SdpError::Kind kind;
  };
  const Row rows[] = {
      {"nothing", "", SdpError::Kind::malformed},
      {"not SDP", "hello\r\n", SdpError::Kind::malformed},
      {"binary", std::string("v=0\0\xff\xfe\r\n", 8), SdpError::Kind::malformed},
      {"cut off", "v=0\r\no=", SdpError::Kind::malformed},
      {"no media", session(""), SdpError::Kind::no_audio},
      {"video only", session("m=video 4000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"),
       SdpError::Kind::no_audio},
      {"refused", session("m=audio 0 RTP/AVP 0\r\n"), SdpError::Kind::rejected},
      {"encrypted", session("m=audio 4000 RTP/SAVP 0\r\n"), SdpError::Kind::not_rtp_avp},
      {"a name for an address", session("m=audio 4000 RTP/AVP 0\r\n", "media.example.net"),
       SdpError::Kind::bad_address},
      {"a known codec that was not offered", session("m=audio 4000 RTP/AVP 8\r\n"),
       SdpError::Kind::codec_not_offered},
      {"an unknown codec", session("m=audio 4000 RTP/AVP 18\r\n"), SdpError::Kind::codec_not_offered},
      {"G.711 at 16 kHz is something else", session("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMU/16000\r\n"),
       SdpError::Kind::codec_not_offered},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto result = negotiate_answer(local({Codec::pcmu}), row.answer);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == row.kind);
    CHECK_FALSE(result.error().text.empty());
  }
  const auto named = negotiate_answer(local({Codec::pcmu}), session("m=audio 4000 RTP/AVP 8\r\n"));
  REQUIRE_FALSE(named);
  CHECK(named.error().text == "the answer has PCMA, but what was offered is PCMU");
}

TEST_CASE("our answer keeps the offer's lines in order and refuses the others") {
  const std::string offer = session(
      "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"
      "m=audio 4000 RTP/AVP 18 8 0 99\r\na=rtpmap:99 telephone-event/8000\r\n"
      "m=audio 4002 RTP/AVP 0\r\n"
      "m=application 6000 TCP/BFCP *\r\n");
  const auto answer = make_answer(offer, local());
  REQUIRE(answer);
  const std::string& text = answer->sdp;
  CHECK(count(text, "m=") == 4);
  const auto video = text.find("m=video 0 RTP/AVP 96\r\n");
  const auto audio = text.find("m=audio 12000 RTP/AVP 8 99\r\n");
  const auto second = text.find("m=audio 0 RTP/AVP 0\r\n");
  const auto application = text.find("m=application 0 TCP/BFCP *\r\n");
  REQUIRE(video != std::string::npos);
  REQUIRE(audio != std::string::npos);
  REQUIRE(second != std::string::npos);
  REQUIRE(application != std::string::npos);
  CHECK(video < audio);
  CHECK(audio < second);
  CHECK(second < application);
  CHECK(answer->media.codec == Codec::pcma);
  CHECK(answer->media.telephone_event_pt == 99);
  CHECK(answer->media.remote_port == 4000);
}

TEST_CASE("our answer honours hold in its direction") {
  struct Row {
    const char* attribute;
    Direction ours;
  };
  const Row rows[] = {{"a=sendonly\r\n", Direction::recvonly},
                      {"a=recvonly\r\n", Direction::sendonly},
                      {"a=inactive\r\n", Direction::inactive},
                      {"", Direction::sendrecv}};
  for (const Row& row : rows) {
    CAPTURE(row.attribute);
    const auto answer =
        make_answer(session(std::string("m=audio 4000 RTP/AVP 0\r\n") + row.attribute), local());
    REQUIRE(answer);
    CHECK(answer->media.direction == row.ours);
    CHECK(answer->sdp.find("a=" + std::string(attribute_name(row.ours))) != std::string::npos);
  }
}

TEST_CASE("an audio line without a codec of ours gives way to a later one") {
  const auto answer = make_answer(session("m=audio 4000 RTP/AVP 18\r\nm=audio 4002 RTP/AVP 0\r\n"), local());
  REQUIRE(answer);
  CHECK(answer->media.remote_port == 4002);
  CHECK(answer->sdp.find("m=audio 0 RTP/AVP 18\r\n") != std::string::npos);
}

TEST_CASE("offers that cannot be answered have a typed error") {
  CHECK(make_answer("", local()).error().kind == SdpError::Kind::malformed);
  CHECK(make_answer(session("m=audio 4000 RTP/AVP 18\r\n"), local()).error().kind ==
        SdpError::Kind::no_common_codec);
  CHECK(make_answer(session("m=audio 4000 RTP/SAVP 0\r\n"), local()).error().kind ==
        SdpError::Kind::not_rtp_avp);
  CHECK(make_answer(session("m=video 5000 RTP/AVP 96\r\n"), local()).error().kind ==
        SdpError::Kind::no_audio);
}

TEST_CASE("directions mirror") {
  CHECK(mirrored(Direction::sendonly) == Direction::recvonly);
  CHECK(mirrored(Direction::recvonly) == Direction::sendonly);
  CHECK(mirrored(Direction::sendrecv) == Direction::sendrecv);
  CHECK(mirrored(Direction::inactive) == Direction::inactive);
}
