// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp_session.h"

#include <doctest/doctest.h>

#include <string>

using namespace linecheck::sip;

namespace {

OfferOptions our_options(std::vector<Codec> codecs = {Codec::pcmu, Codec::pcma}) {
  OfferOptions options;
  options.address = "127.0.0.1";
  options.port = 12000;
  options.codecs = std::move(codecs);
  options.session_id = 5;
  return options;
}

std::string peer_session(const std::string& media, const std::string& address = "10.1.2.3") {
  return "v=0\r\no=peer 1 1 IN IP4 10.1.2.3\r\ns=-\r\nc=IN IP4 " + address + "\r\nt=0 0\r\n" + media;
}

std::uint64_t version_of(const std::string& sdp) {
  return read_sdp_text(sdp)->session_version;
}

}  // namespace

TEST_CASE("the version goes up with each change and only then") {
  auto call = SdpSession::begun_with(make_offer(our_options()));
  REQUIRE(call);
  CHECK(version_of(call->offer()) == 1);  // the same again
  const std::string plain = peer_session("m=audio 4000 RTP/AVP 0\r\n");
  const std::string hold = peer_session("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n");
  CHECK(version_of(call->answer(plain)->sdp) == 2);  // fewer codecs than were offered
  CHECK(version_of(call->answer(plain)->sdp) == 2);
  const auto held = call->answer(hold);
  CHECK(version_of(held->sdp) == 3);
  CHECK(held->media.direction == Direction::recvonly);
  CHECK_FALSE(call->answer("rubbish"));
  CHECK_FALSE(call->answer(peer_session("m=audio 4000 RTP/AVP 18\r\n")));
  CHECK(version_of(call->answer(hold)->sdp) == 3);  // what could not be answered changed nothing
  const auto resumed = call->answer(plain);
  CHECK(version_of(resumed->sdp) == 4);
  CHECK(resumed->media.direction == Direction::sendrecv);
}

TEST_CASE("both styles of hold, and resume") {
  auto call = SdpSession::begun_with(make_offer(our_options()));
  REQUIRE(call);
  struct Row {
    std::string offer;
    Direction ours;
  };
  const Row rows[] = {
      {peer_session("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"), Direction::recvonly},
      {peer_session("m=audio 4000 RTP/AVP 0\r\na=inactive\r\n"), Direction::inactive},
      {peer_session("a=inactive\r\nm=audio 4000 RTP/AVP 0\r\n"), Direction::inactive},
      {peer_session("m=audio 4000 RTP/AVP 0\r\n", "0.0.0.0"), Direction::recvonly},
      {peer_session("m=audio 4000 RTP/AVP 0\r\na=inactive\r\n", "0.0.0.0"), Direction::inactive},
      {peer_session("m=audio 4000 RTP/AVP 0\r\n"), Direction::sendrecv},
  };
  for (const Row& row : rows) {
    const auto answer = call->answer(row.offer);
    REQUIRE(answer);
    CHECK(answer->media.direction == row.ours);
    CHECK(answer->sdp.find("a=" + std::string(attribute_name(row.ours)) + "\r\n") != std::string::npos);
    // A hold of the peer's is not one of ours: asked for an offer, we want to talk.
    CHECK(call->offer().find("a=sendrecv\r\n") != std::string::npos);
  }
}

TEST_CASE("an offer of ours later in the call keeps places and numbers") {
  auto call = SdpSession::begun_with(make_offer(our_options({Codec::opus, Codec::pcmu})));
  REQUIRE(call);
  const auto answer = call->answer(
      peer_session("m=video 5000 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 101 96\r\na=rtpmap:101 opus/48000/2\r\n"
                   "a=rtpmap:96 telephone-event/48000\r\nm=image 6000 udptl t38\r\n"));
  REQUIRE(answer);
  CHECK(answer->media.payload_type == 101);
  CHECK(answer->media.telephone_event_pt == 96);
  const std::string offer = call->offer();
  const auto video = offer.find("m=video 0 RTP/AVP 96\r\n");
  const auto audio = offer.find("m=audio 12000 RTP/AVP 101 0 96 97\r\n");
  const auto image = offer.find("m=image 0 udptl t38\r\n");
  REQUIRE(video != std::string::npos);
  REQUIRE(audio != std::string::npos);
  REQUIRE(image != std::string::npos);
  CHECK(video < audio);
  CHECK(audio < image);
  CHECK(offer.find("a=rtpmap:101 opus/48000/2\r\n") != std::string::npos);
  CHECK(offer.find("a=rtpmap:96 telephone-event/48000\r\n") != std::string::npos);
  CHECK(offer.find("a=rtpmap:97 telephone-event/8000\r\n") != std::string::npos);
  const auto agreed =
      call->take_answer(peer_session("m=video 0 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 0\r\n"
                                     "m=image 0 udptl t38\r\n"));
  REQUIRE(agreed);
  CHECK(agreed->codec == Codec::pcmu);
}

TEST_CASE("who answered with one codec can do the others later") {
  const OfferOptions options = our_options({Codec::pcmu, Codec::g722});
  const auto first = make_answer(peer_session("m=audio 4000 RTP/AVP 0\r\n"), options);
  REQUIRE(first);
  auto narrow = SdpSession::begun_with(first->sdp);
  auto wide = SdpSession::begun_with(first->sdp, options);
  REQUIRE(narrow);
  REQUIRE(wide);
  const std::string change = peer_session("m=audio 4000 RTP/AVP 9\r\n");
  CHECK(narrow->answer(change).error().kind == SdpError::Kind::no_common_codec);
  const auto changed = wide->answer(change);
  REQUIRE(changed);
  CHECK(changed->media.codec == Codec::g722);
  CHECK(version_of(changed->sdp) == 2);
}

TEST_CASE("our key stays through a renegotiation as long as its suite does") {
  OfferOptions options = our_options();
  options.srtp = Srtp::offer;
  options.crypto = fresh_crypto(kSrtpSuites);
  const auto with = [](SrtpSuite suite) {
    const CryptoLine line{3, suite, SrtpKey::fresh(suite), {}};
    return peer_session("m=audio 4000 RTP/SAVP 0\r\na=crypto:" + crypto_text(line) + "\r\n");
  };
  const auto first = make_answer(with(SrtpSuite::aead_aes_128_gcm), options);
  REQUIRE(first);
  auto call = SdpSession::begun_with(first->sdp, options);
  REQUIRE(call);
  const auto again = call->answer(with(SrtpSuite::aead_aes_128_gcm));  // with another key of the peer's
  REQUIRE(again);
  CHECK(again->sdp == first->sdp);
  CHECK(again->media.srtp->send_key == first->media.srtp->send_key);
  CHECK_FALSE(again->media.srtp->receive_key == first->media.srtp->receive_key);
  const auto other = call->answer(with(SrtpSuite::aes_cm_128_hmac_sha1_32));
  REQUIRE(other);
  CHECK(other->media.srtp->suite == SrtpSuite::aes_cm_128_hmac_sha1_32);
  CHECK(other->media.srtp->send_key == options.crypto[1].key);
  CHECK(version_of(other->sdp) == 2);
}

TEST_CASE("RTCP: on the next port, where a=rtcp says, or on the same one") {
  OfferOptions options = our_options();
  options.rtcp_mux = true;
  const auto next = negotiate_answer(options, peer_session("m=audio 4000 RTP/AVP 0\r\n"));
  REQUIRE(next);
  CHECK(next->remote_rtcp_address == "10.1.2.3");
  CHECK(next->remote_rtcp_port == 4001);
  CHECK_FALSE(next->rtcp_mux);
  const auto said =
      negotiate_answer(options, peer_session("m=audio 4000 RTP/AVP 0\r\na=rtcp:5555 IN IP4 10.9.9.9\r\n"));
  REQUIRE(said);
  CHECK(said->remote_rtcp_address == "10.9.9.9");
  CHECK(said->remote_rtcp_port == 5555);
  const auto shared = negotiate_answer(options, peer_session("m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n"));
  REQUIRE(shared);
  CHECK(shared->rtcp_mux);
  CHECK(shared->remote_rtcp_port == 4000);
  // Not offered, so an answer that has it means nothing; an offer of it is always taken.
  CHECK_FALSE(
      negotiate_answer(our_options(), peer_session("m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n"))->rtcp_mux);
  const auto taken = make_answer(peer_session("m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n"), our_options());
  REQUIRE(taken);
  CHECK(taken->media.rtcp_mux);
  CHECK(taken->sdp.find("a=rtcp-mux\r\n") != std::string::npos);
}

TEST_CASE("ptime is no more than maxptime") {
  const auto media = parse_sdp(peer_session("m=audio 4000 RTP/AVP 0\r\na=ptime:60\r\na=maxptime:40\r\n"));
  REQUIRE(media);
  CHECK(media->ptime_ms == 40);
  CHECK(media->max_ptime_ms == 40);
}
