// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp_codec.h"

#include "sip/sdp_text.h"

namespace linecheck::sip {

std::string_view encoding_name(Codec codec) {
  switch (codec) {
    case Codec::pcma:
      return "PCMA";
    case Codec::g722:
      return "G722";
    case Codec::opus:
      return "opus";
    case Codec::pcmu:
      break;
  }
  return "PCMU";
}

int static_payload_type(Codec codec) {
  switch (codec) {
    case Codec::pcma:
      return 8;
    case Codec::g722:
      return 9;
    case Codec::opus:
      return -1;
    case Codec::pcmu:
      break;
  }
  return 0;
}

int rtp_clock(Codec codec) {
  return codec == Codec::opus ? 48000 : 8000;
}

OpusParameters our_opus_parameters() {
  OpusParameters ours;
  ours.max_playback_rate = 16000;
  ours.sprop_max_capture_rate = 16000;
  ours.min_ptime_ms = 10;
  ours.use_inband_fec = true;
  return ours;
}

OpusParameters read_opus_parameters(std::string_view text) {
  OpusParameters out;
  const auto number = [](std::string_view value, int low, int high, int& field) {
    if (const auto n = sdp_number(value);
        n && *n >= static_cast<unsigned>(low) && *n <= static_cast<unsigned>(high))
      field = static_cast<int>(*n);
  };
  const auto flag = [](std::string_view value, bool& field) {
    if (value == "1" || value == "0") field = value == "1";
  };
  while (!text.empty()) {
    const std::string_view pair = sdp_cut(text, ';');
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = sdp_trimmed(pair.substr(0, equals));
    const std::string_view value = sdp_trimmed(pair.substr(equals + 1));
    if (sdp_same(name, "maxplaybackrate")) number(value, 8000, 48000, out.max_playback_rate);
    if (sdp_same(name, "sprop-maxcapturerate")) number(value, 8000, 48000, out.sprop_max_capture_rate);
    if (sdp_same(name, "maxaveragebitrate")) number(value, 6000, 510000, out.max_average_bitrate);
    if (sdp_same(name, "minptime")) number(value, 3, 120, out.min_ptime_ms);
    if (sdp_same(name, "stereo")) flag(value, out.stereo);
    if (sdp_same(name, "sprop-stereo")) flag(value, out.sprop_stereo);
    if (sdp_same(name, "useinbandfec")) flag(value, out.use_inband_fec);
    if (sdp_same(name, "usedtx")) flag(value, out.use_dtx);
    if (sdp_same(name, "cbr")) flag(value, out.cbr);
  }
  return out;
}

std::string opus_parameters_text(const OpusParameters& parameters) {
  const auto flag = [](const char* name, bool value) {
    return std::string(";") + name + (value ? "=1" : "=0");
  };
  std::string out = "minptime=" + std::to_string(parameters.min_ptime_ms);
  out += flag("useinbandfec", parameters.use_inband_fec);
  out += flag("usedtx", parameters.use_dtx);
  out += flag("stereo", parameters.stereo);
  if (parameters.sprop_stereo) out += flag("sprop-stereo", true);
  if (parameters.cbr) out += flag("cbr", true);
  out += ";maxplaybackrate=" + std::to_string(parameters.max_playback_rate);
  out += ";sprop-maxcapturerate=" + std::to_string(parameters.sprop_max_capture_rate);
  if (parameters.max_average_bitrate > 0)
    out += ";maxaveragebitrate=" + std::to_string(parameters.max_average_bitrate);
  return out;
}

}  // namespace linecheck::sip
