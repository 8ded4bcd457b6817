// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/stream_terms.h"

#include <algorithm>

#include "engine/call/encryption.h"

namespace linecheck::engine {
namespace {

sip::Codec sip_codec(scheduler::Codec codec) {
  switch (codec) {
    case scheduler::Codec::pcmu:
      return sip::Codec::pcmu;
    case scheduler::Codec::pcma:
      return sip::Codec::pcma;
    case scheduler::Codec::g722:
      return sip::Codec::g722;
    case scheduler::Codec::opus:
      return sip::Codec::opus;
  }
  return sip::Codec::pcmu;
}

void receive_as(sip::Codec codec, int payload_type, media::PayloadTypes& types) {
  types[static_cast<std::size_t>(media_codec(codec))] = payload_type;
}

}  // namespace

std::vector<sip::Codec> sip_codecs(const std::vector<scheduler::Codec>& codecs) {
  std::vector<sip::Codec> out(codecs.size());
  std::transform(codecs.begin(), codecs.end(), out.begin(), sip_codec);
  return out;
}

media::Codec media_codec(sip::Codec codec) {
  switch (codec) {
    case sip::Codec::pcmu:
      return media::Codec::pcmu;
    case sip::Codec::pcma:
      return media::Codec::pcma;
    case sip::Codec::g722:
      return media::Codec::g722;
    case sip::Codec::opus:
      return media::Codec::opus;
  }
  return media::Codec::pcmu;
}

media::DigitTransport digit_transport(scheduler::KeysBy by) {
  switch (by) {
    case scheduler::KeysBy::rfc4733:
      return media::DigitTransport::rfc4733;
    case scheduler::KeysBy::info:
      return media::DigitTransport::info;
    case scheduler::KeysBy::inband:
      return media::DigitTransport::inband;
  }
  return media::DigitTransport::rfc4733;
}

int leg_rate(const std::vector<sip::Codec>& codecs) {
  const bool wide = std::any_of(codecs.begin(), codecs.end(),
                                [](sip::Codec codec) { return media::is_wide_band(media_codec(codec)); });
  return wide ? media::kWideRate : media::kNarrowRate;
}

void expect_offered(const sip::OfferOptions& offer, media::LegOptions& options) {
  options.offered_payload_types.fill(-1);
  for (const sip::Codec codec : offer.codecs) {
    receive_as(codec, codec == sip::Codec::opus ? offer.opus_payload_type : sip::static_payload_type(codec),
               options.offered_payload_types);
  }
  options.offered_telephone_event_payload_type = offer.telephone_event_payload_type;
  options.offered_wide_telephone_event_payload_type =
      offer.telephone_event_payload_type >= 0 ? offer.wide_telephone_event_payload_type : -1;
}

media::StreamOptions stream_of(const sip::Negotiated& agreed, const media::StreamOptions& before) {
  media::StreamOptions stream;
  stream.remote_address = agreed.remote_address;
  stream.remote_port = agreed.remote_port;
  const bool nowhere = agreed.remote_address == "0.0.0.0" || agreed.remote_address == "::";
  if (nowhere && !before.remote_address.empty()) {
    stream.remote_address = before.remote_address;
    stream.remote_port = before.remote_port;
  }
  stream.codec = media_codec(agreed.codec);
  stream.payload_type = agreed.payload_type;
  stream.telephone_event_payload_type = agreed.telephone_event_pt;
  stream.receive_telephone_event_payload_type = agreed.receive_telephone_event_pt;
  stream.ptime_ms = agreed.ptime_ms;
  stream.may_send = agreed.may_send();
  stream.may_receive = agreed.may_receive();
  stream.rtcp_mux = agreed.rtcp_mux;
  stream.remote_rtcp_address = nowhere ? before.remote_rtcp_address : agreed.remote_rtcp_address;
  stream.remote_rtcp_port = nowhere ? before.remote_rtcp_port : agreed.remote_rtcp_port;
  if (agreed.srtp) stream.srtp = media_keys(*agreed.srtp);
  receive_as(agreed.codec, agreed.receive_payload_type, stream.receive_payload_types);
  for (const sip::CodecEntry& entry : agreed.receivable) {
    receive_as(entry.codec, entry.payload_type, stream.receive_payload_types);
  }
  stream.encoder.max_playback_rate = agreed.opus.max_playback_rate;
  stream.encoder.max_bit_rate = agreed.opus.max_average_bitrate;
  stream.encoder.redundancy = agreed.opus.use_inband_fec;
  stream.encoder.silence_suppression = agreed.opus.use_dtx;
  stream.encoder.constant_bit_rate = agreed.opus.cbr;
  return stream;
}

}  // namespace linecheck::engine
