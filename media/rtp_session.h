// SPDX-License-Identifier: GPL-3.0-or-later
//
// The stream that we send: SSRC, sequence numbers, headers.
//
// Two ways, chosen at start. `direct` writes the header (RFC 3550 section 5.1) in front of the payload and
// hands both to our port. `ortp` has an oRTP session do it over our own transport, and shows it what comes
// in. oRTP allocates and frees a message for every packet and keeps 8 kB for every session: about a fifth of
// the media thread's time (docs/performance.md), so that it is there to compare with. Its scheduler, its
// sockets and its jitter buffer stay out of it either way: the worker's ticks pace, our port reads and
// writes, and audio is taken where the datagram arrives, because oRTP throws reordered packets away, hides
// arrival times and rewrites timestamps.
#pragma once

#include <ortp/rtpsession.h>

#include <cstdint>
#include <memory>
#include <span>

#include "media/datagram_port.h"
#include "media/engine.h"

namespace linecheck::media {

class RtpSessionHandle {
 public:
  /// `first_sequence` and `ssrc` of the stream that we send. Allocates: not for a tick. Throws
  /// std::bad_alloc.
  RtpSessionHandle(DatagramPort& port, std::uint32_t ssrc, std::uint16_t first_sequence,
                   RtpPath path = RtpPath::direct);
  ~RtpSessionHandle();
  RtpSessionHandle(const RtpSessionHandle&) = delete;
  RtpSessionHandle& operator=(const RtpSessionHandle&) = delete;

  [[nodiscard]] std::uint32_t ssrc() const { return ssrc_; }

  /// From now on packets go there: to what stands around the first port.
  void use(DatagramPort& port) { rtp_link_.port = &port; }

  /// Sends one packet, the sequence number counts up. False where the socket did not take it (the number is
  /// used up).
  bool send(std::span<const std::uint8_t> payload, int payload_type, bool marker, std::uint32_t timestamp,
            const Address& to) noexcept;

  /// Shows oRTP, where there is one, what has arrived. `now_timestamp` is our own clock in timestamp units
  /// and must differ from call to call.
  void receive(const DatagramBatch& batch, std::uint32_t now_timestamp) noexcept;

 private:
  // What oRTP's callbacks reach through RtpTransport::data.
  struct Link {
    DatagramPort* port = nullptr;
    const Address* to = nullptr;  // during send()
    bool sent = false;
    const DatagramBatch* batch = nullptr;  // during receive()
    std::size_t next = 0;
  };
  static int on_send(RtpTransport* transport, mblk_t* message, int flags, const sockaddr* to, socklen_t size);
  static int on_receive(RtpTransport* transport, mblk_t* message, int flags, sockaddr* from, socklen_t* size);
  static RtpTransport* make_transport(Link* link);

  Link rtp_link_;
  Link rtcp_link_;  // null endpoint: swallows what is sent, never has anything
  bool send_through_ortp(std::span<const std::uint8_t> payload, std::uint8_t second_byte,
                         std::uint32_t timestamp, const Address& to) noexcept;

  std::uint32_t ssrc_;
  std::uint16_t sequence_;
  RtpSession* session_ = nullptr;  // null: direct
};

}  // namespace linecheck::media
