// SPDX-License-Identifier: GPL-3.0-or-later
//
// Small values that everything in sip/ speaks in. No Sofia type appears in any public header of this folder
// except those named *_sofia.h, so that users of sip/ never depend on the library beneath.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace linecheck::sip {

/// Names one call at one endpoint: slot in the low 32 bits, generation in the high 32. Never 0, and never
/// given twice by an endpoint, so that a late command for a call that is over can hit no other call.
using LegId = std::uint64_t;

/// A header field of ours (X-...). See headers.h for what is accepted.
struct Header {
  std::string name;
  std::string value;
};

/// A SIP message as it crossed the wire, retransmissions included. What follows the scheme in Authorization
/// and Proxy-Authorization is masked.
struct TraceMessage {
  std::int64_t mono_ns =
      0;              ///< CLOCK_MONOTONIC: just after it was handed to the kernel, or just after it was read
  bool sent = false;  ///< by us
  std::string from;   ///< address:port
  std::string to;
  std::string transport;   ///< udp, tcp, tls
  std::string start_line;  ///< without CRLF
  std::string text;        ///< the whole message
};

}  // namespace linecheck::sip
