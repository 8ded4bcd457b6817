// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "media/srtp_port.h"
#include "virtual_leg.h"

using namespace linecheck::media;
using namespace linecheck::media::test;

namespace {

using Bytes = std::vector<std::uint8_t>;
using Way = SrtpSession::Direction;
using Result = SrtpSession::Result;

Bytes from_hex(const std::string& text) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return out;
}

Bytes key_of(SrtpSuite suite, std::uint8_t first) {
  Bytes key(srtp_key_size(suite));
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(first + 7 * i);
  return key;
}

SrtpKeys keys_of(SrtpSuite suite, std::uint8_t send = 1, std::uint8_t receive = 101) {
  SrtpKeys keys;
  keys.suite = suite;
  keys.send_key = key_of(suite, send);
  keys.receive_key = key_of(suite, receive);
  return keys;
}

std::unique_ptr<SrtpPair> pair_of(const SrtpKeys& keys) {
  return std::make_unique<SrtpPair>(keys);
}

SrtpPacket packet_of(std::span<const std::uint8_t> bytes) {
  SrtpPacket packet;
  packet.assign(bytes);
  return packet;
}

Bytes bytes_of(const SrtpPacket& packet) {
  return {packet.view().begin(), packet.view().end()};
}

Bytes rtp(std::uint16_t sequence, std::size_t payload = 160) {
  const Bytes silence(payload, 0xFF);
  const Datagram datagram = rtp_datagram(0, 0, sequence, sequence * 160U, 0xCAFE, silence);
  return {datagram.view().begin(), datagram.view().end()};
}

/// A receiver report without a report block.
const Bytes kReport = from_hex("80c90001cafebabe");

/// The remote's end of the wire: encrypts what is to arrive.
struct Peer {
  explicit Peer(const SrtpKeys& ours)
      : send(Way::send, ours.suite, ours.receive_key), receive(Way::receive, ours.suite, ours.send_key) {}
  Datagram datagram(const Bytes& plain, std::int64_t at_ns = 0) {
    SrtpPacket packet = packet_of(plain);
    REQUIRE(send.protect(packet, false) == Result::done);
    Datagram out;
    out.from = *Address::parse("192.0.2.1", 5004);
    out.arrival_ns = at_ns;
    out.size = static_cast<std::uint16_t>(packet.size);
    std::copy(packet.view().begin(), packet.view().end(), out.bytes.begin());
    return out;
  }
  SrtpSession send;
  SrtpSession receive;
};

struct Rig {
  Rig() : port(std::make_unique<MemoryPort>(wire, clock)) {}
  std::size_t receive() {
    port.receive(batch);
    return batch.count;
  }
  ManualClock clock{1'000'000'000};
  std::shared_ptr<Wire> wire = std::make_shared<Wire>();
  SrtpPort port;
  DatagramBatch batch;
  Address to = *Address::parse("192.0.2.1", 5004);
};

}  // namespace

TEST_CASE("a packet under the master key of RFC 3711, B.3") {
  // Known answers: AES_CM_128_HMAC_SHA1_80, and AEAD_AES_128_GCM with a key of counted bytes.
  const Bytes plain = from_hex("800f1234decafbadcafebabe" + std::string("abababababababababababababababab"));
  SrtpSession counter(Way::send, SrtpSuite::aes_cm_128_hmac_sha1_80,
                      from_hex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6"));
  SrtpPacket packet = packet_of(plain);
  REQUIRE(counter.protect(packet, false) == Result::done);
  CHECK(bytes_of(packet) ==
        from_hex("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"));

  SrtpSession gcm(Way::send, SrtpSuite::aead_aes_128_gcm,
                  from_hex("000102030405060708090a0b0c0d0e0fa0a1a2a3a4a5a6a7a8a9aaab"));
  packet = packet_of(plain);
  REQUIRE(gcm.protect(packet, false) == Result::done);
  CHECK(bytes_of(packet) ==
        from_hex("800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392"));
}

TEST_CASE("every suite, RTP and RTCP: the lengths are right, nothing can be read, and it comes back") {
  for (const SrtpSuite suite : kSrtpSuites) {
    CAPTURE(suite_name(suite));
    const SrtpKeys ours = keys_of(suite);
    Rig rig;
    rig.port.rekey(pair_of(ours));
    Peer peer(ours);
    const Bytes plain = rtp(1);
    REQUIRE(rig.port.send(plain, rig.to));
    REQUIRE(rig.port.send_control(kReport, rig.to));
    REQUIRE(rig.port.send(kReport, rig.to));  // on a shared port

    const Bytes& sent = rig.wire->sent.at(0).bytes;
    CHECK(sent.size() == 12 + 160 + srtp_tag_size(suite));
    CHECK(std::equal(sent.begin(), sent.begin() + 12, plain.begin()));
    CHECK(std::count(sent.begin() + 12, sent.end(), 0xFF) < 20);
    SrtpPacket packet = packet_of(sent);
    REQUIRE(peer.receive.unprotect(packet, false) == Result::done);
    CHECK(bytes_of(packet) == plain);

    // The index is 4 bytes, and the tag is never the short one (RFC 4568, 6.2.2).
    const std::size_t tag = std::max<std::size_t>(srtp_tag_size(suite), 10);
    for (const Bytes& control : {rig.wire->control_sent.at(0).bytes, rig.wire->sent.at(1).bytes}) {
      CHECK(control.size() == kReport.size() + 4 + tag);
      packet = packet_of(control);
      REQUIRE(peer.receive.unprotect(packet, true) == Result::done);
      CHECK(bytes_of(packet) == kReport);
    }

    rig.wire->incoming.push_back(peer.datagram(plain));
    REQUIRE(rig.receive() == 1);
    CHECK(Bytes(rig.batch.items[0].view().begin(), rig.batch.items[0].view().end()) == plain);
  }
}

TEST_CASE("without keys the port is transparent") {
  Rig rig;
  const Bytes plain = rtp(1);
  REQUIRE(rig.port.send(plain, rig.to));
  CHECK(rig.wire->sent.at(0).bytes == plain);
  CHECK_FALSE(rig.port.encrypted());
  CHECK(rig.port.suite() == std::string());
  CHECK(rig.port.take_inner() != nullptr);
}

TEST_CASE("what is not authentic, comes again or is no packet is counted and dropped") {
  const SrtpKeys ours = keys_of(SrtpSuite::aes_cm_128_hmac_sha1_80);
  Rig rig;
  rig.port.rekey(pair_of(ours));
  Peer peer(ours);
  Peer stranger(keys_of(SrtpSuite::aes_cm_128_hmac_sha1_80, 50, 51));
  const Datagram good = peer.datagram(rtp(1));
  Datagram changed = peer.datagram(rtp(2));
  changed.bytes[40] ^= 1;
  Datagram cut = peer.datagram(rtp(3));
  cut.size = 7;
  Datagram plain;
  const Bytes bytes = rtp(4);
  plain.size = static_cast<std::uint16_t>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), plain.bytes.begin());
  rig.wire->incoming = {
      good, changed, good, cut, stranger.datagram(rtp(5)), plain, peer.datagram(rtp(6)), Datagram{}};
  REQUIRE(rig.receive() == 2);
  CHECK(parse_rtp(rig.batch.items[0].view())->sequence == 1);
  CHECK(parse_rtp(rig.batch.items[1].view())->sequence == 6);
  CHECK(rig.port.counters().forged == 3);
  CHECK(rig.port.counters().replayed == 1);
  CHECK(rig.port.counters().broken == 2);
}

TEST_CASE("packets that carry a master key identifier") {
  SrtpKeys ours = keys_of(SrtpSuite::aes_cm_128_hmac_sha1_80);
  ours.receive_mki = {0, 0, 0, 1};
  Rig rig;
  rig.port.rekey(pair_of(ours));
  // What a peer with an identifier sends: the one without, and the identifier before the tag.
  Peer peer(ours);
  Datagram datagram = peer.datagram(rtp(1));
  const std::size_t tag_at = datagram.size - 10U;
  for (std::size_t i = 0; i < 10; ++i) datagram.bytes[tag_at + 13 - i] = datagram.bytes[tag_at + 9 - i];
  std::copy_n(ours.receive_mki.begin(), 4, datagram.bytes.begin() + static_cast<std::ptrdiff_t>(tag_at));
  datagram.size = static_cast<std::uint16_t>(datagram.size + 4);
  rig.wire->incoming.push_back(datagram);
  CHECK(rig.receive() == 1);
  CHECK(rig.batch.items[0].size == 172);
}

TEST_CASE("new keys in the call: what is on its way under the old one is still taken") {
  const auto suite = SrtpSuite::aes_cm_128_hmac_sha1_80;
  const SrtpKeys first = keys_of(suite, 1, 101);
  const SrtpKeys second = keys_of(suite, 1, 102);  // the peer's key changes, ours stays
  Rig rig;
  rig.port.rekey(pair_of(first));
  Peer before(first);
  Peer after(second);
  REQUIRE(rig.port.send(rtp(1), rig.to));
  rig.wire->incoming = {before.datagram(rtp(1))};
  CHECK(rig.receive() == 1);

  rig.port.rekey(pair_of(second));
  rig.wire->incoming = {before.datagram(rtp(2)), after.datagram(rtp(3))};
  CHECK(rig.receive() == 2);
  rig.wire->incoming = {before.datagram(rtp(4)), after.datagram(rtp(5))};
  CHECK(rig.receive() == 1);
  CHECK(rig.port.counters().forged == 1);

  // The same keys again change nothing: what was received is still known.
  rig.port.rekey(pair_of(second));
  REQUIRE(rig.port.send(rtp(2), rig.to));
  SrtpPacket packet = packet_of(rig.wire->sent.at(1).bytes);
  CHECK(before.receive.unprotect(packet, false) == Result::done);
  rig.port.rekey(nullptr);
  REQUIRE(rig.port.send(rtp(3), rig.to));
  CHECK(rig.wire->sent.at(2).bytes == rtp(3));
}

TEST_CASE("keys of the wrong length are refused") {
  CHECK_THROWS_AS(SrtpSession(Way::send, SrtpSuite::aead_aes_256_gcm, Bytes(30)), std::invalid_argument);
  CHECK_THROWS_AS(SrtpSession(Way::send, SrtpSuite::aes_cm_128_hmac_sha1_80, Bytes()), std::invalid_argument);
}

TEST_CASE("an encrypted leg: early packets are counted and not heard, then both ways are encrypted") {
  LegOptions options;
  options.srtp = true;
  VirtualLeg leg(options, true);
  const SrtpKeys ours = keys_of(SrtpSuite::aead_aes_256_gcm);
  Peer peer(ours);
  const Bytes loud(160, 0x00);  // the largest negative value of PCMU
  const auto arrive = [&](std::uint16_t sequence, double at_ms) {
    const Datagram plain = rtp_datagram(0, 0, sequence, sequence * 160U, 0xABCD, loud);
    leg.wire->incoming.push_back(peer.datagram({plain.view().begin(), plain.view().end()},
                                               leg.origin_ns + static_cast<std::int64_t>(at_ms * 1e6)));
  };
  arrive(1, 10);
  arrive(2, 30);
  leg.run_ms(50);
  leg.start_encrypted(ours);
  for (std::uint16_t n = 3; n < 13; ++n) arrive(n, 10.0 + 20 * (n - 1));
  leg.run_ms(400);
  const LegReport report = leg.close();
  CHECK(report.srtp_suite == "AEAD_AES_256_GCM");
  CHECK(report.receive.packets == 12);
  CHECK(report.receive.unheard_early == 2);
  CHECK(report.receive.forged == 0);
  const auto heard = std::count_if(leg.recording.begin(), leg.recording.end(),
                                   [](const auto& frame) { return frame.agent < -30000; });
  CHECK(heard == 10 * 160);

  REQUIRE(leg.wire->sent.size() > 10);
  for (const auto& sent : leg.wire->sent) {
    CHECK(sent.bytes.size() == 12 + 160 + 16);
    SrtpPacket packet = packet_of(sent.bytes);
    REQUIRE(peer.receive.unprotect(packet, false) == Result::done);
    CHECK(packet.bytes[12] == 0xFF);
  }
}

TEST_CASE("on hold nothing leaves, and what comes after it begins a talk spurt") {
  VirtualLeg leg;
  leg.start();
  leg.run_ms(100);
  leg.hold(true);
  leg.run_ms(20);
  const std::size_t before = leg.wire->sent.size();
  CHECK(before >= 4);
  leg.run_ms(20'000);  // longer than the time after which silence is reported
  CHECK(leg.wire->sent.size() == before);
  CHECK(leg.all<RtpTimeout>().empty());
  leg.hold(false);
  leg.run_ms(100);
  REQUIRE(leg.wire->sent.size() > before);
  const RtpPacket last = leg.wire->sent[before - 1].rtp();
  const RtpPacket next = leg.wire->sent[before].rtp();
  CHECK(next.marker);
  CHECK(next.ssrc == last.ssrc);
  CHECK(next.sequence == static_cast<std::uint16_t>(last.sequence + 1));
  CHECK(next.timestamp - last.timestamp > 20'000 * 8U);
}
