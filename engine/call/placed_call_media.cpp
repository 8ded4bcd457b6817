// SPDX-License-Identifier: GPL-3.0-or-later
// A placed call's media: opened before the INVITE, heard early, started by the answer, changed by the agent.
#include <filesystem>

#include "engine/call/encryption.h"
#include "engine/call/line.h"
#include "engine/call/placed_call.h"
#include "engine/call/stream_terms.h"

namespace linecheck::engine {

bool PlacedCall::open_media() {
  media::LegOptions options;
  options.recording_path = spec_->recording_path;
  options.noise_bed = noise_;
  options.seed = spec_->seed;
  options.dscp = spec_->rtp_dscp;
  options.rate = leg_rate(spec_->codecs);
  offer_.codecs = spec_->codecs;
  expect_offered(offer_, options);
  options.srtp = spec_->srtp != sip::Srtp::off;
  options.recording_format = spec_->keep.format == scheduler::RecordingFormat::ulaw ? media::WavFormat::ulaw
                                                                                    : media::WavFormat::pcm16;
  if (spec_->keep.pcap.value_or(false) && !spec_->recording_path.empty()) {
    record_.capture_path = std::filesystem::path(spec_->recording_path).replace_extension(".pcap").string();
    options.capture_path = record_.capture_path;
    options.capture_address = spec_->media_address;
  }
  options.send_line = impairment_of(spec_->personality->send);
  options.receive_line = impairment_of(spec_->personality->receive);
  const bool bad_line = options.send_line.any() || options.receive_line.any();
  const std::string line = "to the agent: " + line_text(options.send_line) +
                           "; from the agent: " + line_text(options.receive_line);
  try {
    media_leg_ = services_.switchboard.media().open(std::move(options));
  } catch (const std::exception& error) {
    fail(FailureCategory::engine, std::string("No media port could be opened: ") + error.what());
    record_.ended_reason = "no-media-port";
    return false;
  }
  media_up_ = true;
  services_.switchboard.connect(media_leg_, inbox_);
  record_.origin_mono_ns = services_.switchboard.media().origin_mono_ns(media_leg_);
  record_.recording_path = spec_->recording_path;
  if (bad_line) note(0, "network_simulation", line);
  return true;
}

/// What our side offers, or answers with.
void PlacedCall::make_offer_options() {
  offer_.address = spec_->media_address;
  offer_.port = services_.switchboard.media().port(media_leg_);
  offer_.rtcp_mux = spec_->rtcp_mux;
  offer_.srtp = spec_->srtp;
  add_keys(offer_, spec_->srtp_suites);
}

/// What is played before the answer (ringback, an announcement) is recorded; it decides nothing.
bool PlacedCall::listen_to_early_media(const std::string& sdp) {
  const auto negotiated = sip::negotiate_answer(offer_, sdp);
  if (!negotiated) return false;
  // With the keys, if there are any: a trunk that encrypts does so from the first packet.
  stream_ = stream_of(*negotiated, stream_);
  media::StreamOptions early = stream_;
  early.may_send = false;
  try {
    services_.switchboard.media().start(media_leg_, early);
  } catch (const std::exception&) {  // the answer may name a better address, and is judged by it
    return false;
  }
  return true;
}

bool PlacedCall::start_media(const std::string& sdp) {
  const auto negotiated = sip::negotiate_answer(offer_, sdp);
  if (!negotiated) {
    fail(FailureCategory::agent, "The agent answered, but its SDP can't be used: " + negotiated.error().text);
    record_.ended_reason = "media-not-acceptable";
    return false;
  }
  return begin_stream(*negotiated);
}

bool PlacedCall::begin_stream(const sip::Negotiated& agreed) {
  record_.codec = std::string(sip::encoding_name(agreed.codec));
  record_.srtp = encryption_of(agreed);
  record_.agent_media = agreed.remote_address + ":" + std::to_string(agreed.remote_port);
  record_.own_media = offer_.address + ":" + std::to_string(offer_.port);
  events_agreed_ = agreed.telephone_event_pt >= 0;
  stream_ = stream_of(agreed, stream_);
  try {
    services_.switchboard.media().start(media_leg_, stream_);
  } catch (const std::exception& error) {
    fail(FailureCategory::agent, "The agent's SDP names an address that can't be sent to (" +
                                     agreed.remote_address + "): " + error.what());
    record_.ended_reason = "media-not-acceptable";
    return false;
  }
  return true;
}

/// The agent's re-INVITE or UPDATE: hold and resume, another codec, address or key.
void PlacedCall::change_media(const sip::MediaChanged& changed, double t_ms) {
  note(t_ms, "media_changed", std::string(sip::attribute_name(changed.media.direction)));
  record_.codec = std::string(sip::encoding_name(changed.media.codec));
  record_.srtp = encryption_of(changed.media);
  events_agreed_ = changed.media.telephone_event_pt >= 0;
  stream_ = stream_of(changed.media, stream_);
  try {
    services_.switchboard.media().start(media_leg_, stream_);
  } catch (const std::exception& error) {
    fail(FailureCategory::agent,
         std::string("The agent's re-INVITE names an unusable address: ") + error.what());
    end_by_caller("media-not-acceptable");
  }
}

}  // namespace linecheck::engine
