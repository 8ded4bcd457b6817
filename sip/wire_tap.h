// SPDX-License-Identifier: GPL-3.0-or-later
//
// Sees every SIP message that Sofia sends or receives, retransmissions included, at the moment it crosses the
// socket.
//
// How: with TPTAG_DUMP set, Sofia's transport layer calls its exported function tport_dump_iovec() after each
// send and each receive, on every transport (after decryption, for TLS). We define a function of that name,
// and since the library calls it through its symbol table, ours is the one that runs. (The library's own
// writes only the first piece of a message to a file, with wall-clock times; its log leaves out
// retransmissions and cuts long lines.) wire_tap_in_place() tells whether that holds in this process; an
// endpoint refuses to start where it does not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace linecheck::sip {

struct WireMessage {
  std::int64_t mono_ns = 0;
  bool sent = false;
  std::string local;
  std::string remote;
  std::string transport;  ///< lower case
  std::string text;
};

/// What a thread's endpoint does with its messages. Called on that thread, in the middle of Sofia's work: it
/// must not call Sofia.
class WireSink {
 public:
  virtual ~WireSink() = default;
  virtual void on_wire(WireMessage&& message) noexcept = 0;
};

/// Messages of endpoints on the calling thread go to `sink` (nullptr: nowhere).
void set_wire_sink(WireSink* sink);

/// Messages that were received on the calling thread: two callbacks that see the same number are about the
/// same message.
[[nodiscard]] unsigned long long wire_messages_received();

/// Whether Sofia calls our tap.
[[nodiscard]] bool wire_tap_in_place();

}  // namespace linecheck::sip
