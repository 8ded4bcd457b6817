// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/rtp_session.h"

#include <ortp/logging.h>
#include <ortp/ortp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>

#include "media/rtp_packet.h"

namespace linecheck::media {
namespace {

// oRTP says something about every packet that it dislikes; on a tick that is a write to the log for each
// packet.
void initialise_ortp() {
  static std::once_flag once;
  std::call_once(once, [] {
    ortp_init();
    ortp_set_log_level_mask("ortp", ORTP_FATAL);
  });
}

void destroy_transport(RtpTransport* transport) {
  ortp_free(transport);
}
void close_transport(RtpTransport*) {
}
ortp_socket_t no_socket(RtpTransport*) {
  return -1;
}

}  // namespace

RtpTransport* RtpSessionHandle::make_transport(Link* link) {
  auto* transport = static_cast<RtpTransport*>(ortp_malloc0(sizeof(RtpTransport)));  // oRTP frees it
  if (transport == nullptr) throw std::bad_alloc();
  transport->data = link;
  transport->t_getsocket = no_socket;
  transport->t_sendto = on_send;
  transport->t_recvfrom = on_receive;
  transport->t_close = close_transport;
  transport->t_destroy = destroy_transport;
  return transport;
}

RtpSessionHandle::RtpSessionHandle(DatagramPort& port, std::uint32_t ssrc, std::uint16_t first_sequence,
                                   RtpPath path)
    : ssrc_(ssrc), sequence_(first_sequence) {
  rtp_link_.port = &port;
  if (path == RtpPath::direct) return;
  initialise_ortp();
  session_ = rtp_session_new(RTP_SESSION_SENDRECV);
  if (session_ == nullptr) throw std::bad_alloc();
  rtp_session_set_scheduling_mode(session_, 0);
  rtp_session_set_blocking_mode(session_, 0);
  rtp_session_set_symmetric_rtp(session_, FALSE);  // the leg has its own rule (remote.h)
  rtp_session_enable_adaptive_jitter_compensation(session_, FALSE);
  rtp_session_enable_jitter_buffer(session_, FALSE);
  rtp_session_enable_rtcp(session_, FALSE);
  rtp_session_set_ssrc_changed_threshold(session_,
                                         0);  // by default it drops the first 50 packets of a new SSRC
  rtp_session_set_recv_buf_size(session_, static_cast<int>(kMaxDatagram));
  rtp_session_set_ssrc(session_, ssrc);
  rtp_session_set_seq_number(session_, first_sequence);

  RtpTransport* rtp = nullptr;
  RtpTransport* rtcp = nullptr;
  rtp_session_get_transports(session_, &rtp, &rtcp);
  meta_rtp_transport_set_endpoint(rtp, make_transport(&rtp_link_));
  meta_rtp_transport_set_endpoint(rtcp, make_transport(&rtcp_link_));
}

RtpSessionHandle::~RtpSessionHandle() {
  if (session_ != nullptr) rtp_session_destroy(session_);
}

bool RtpSessionHandle::send(std::span<const std::uint8_t> payload, int payload_type, bool marker,
                            std::uint32_t timestamp, const Address& to) noexcept {
  const auto second_byte = static_cast<std::uint8_t>((marker ? 0x80 : 0) | (payload_type & 0x7F));
  if (session_ != nullptr) return send_through_ortp(payload, second_byte, timestamp, to);
  std::array<std::uint8_t, kMaxDatagram> packet;
  if (payload.size() > packet.size() - kRtpHeaderSize) return false;
  const std::uint16_t sequence = sequence_++;
  packet[0] = 0x80;  // version 2; no padding, extension or CSRC
  packet[1] = second_byte;
  packet[2] = static_cast<std::uint8_t>(sequence >> 8);
  packet[3] = static_cast<std::uint8_t>(sequence);
  for (std::size_t i = 0; i < 4; ++i) {
    packet[4 + i] = static_cast<std::uint8_t>(timestamp >> (24 - 8 * i));
    packet[8 + i] = static_cast<std::uint8_t>(ssrc_ >> (24 - 8 * i));
  }
  std::copy(payload.begin(), payload.end(), packet.begin() + kRtpHeaderSize);
  return rtp_link_.port->send(std::span(packet).first(kRtpHeaderSize + payload.size()), to);
}

bool RtpSessionHandle::send_through_ortp(std::span<const std::uint8_t> payload, std::uint8_t second_byte,
                                         std::uint32_t timestamp, const Address& to) noexcept {
  mblk_t* packet = rtp_session_create_packet(session_, RTP_FIXED_HEADER_SIZE, payload.data(), payload.size());
  if (packet == nullptr) return false;
  packet->b_rptr[1] = second_byte;
  rtp_link_.to = &to;
  rtp_link_.sent = false;
  rtp_session_sendm_with_ts(session_, packet, timestamp);
  rtp_link_.to = nullptr;
  return rtp_link_.sent;
}

void RtpSessionHandle::receive(const DatagramBatch& batch, std::uint32_t now_timestamp) noexcept {
  if (session_ == nullptr) return;
  rtp_link_.batch = &batch;
  rtp_link_.next = 0;
  // The first call reads all that the transport has; the others only empty oRTP's queue.
  while (mblk_t* packet = rtp_session_recvm_with_ts(session_, now_timestamp)) freemsg(packet);
  rtp_link_.batch = nullptr;
}

int RtpSessionHandle::on_send(RtpTransport* transport, mblk_t* message, int, const sockaddr*, socklen_t) {
  auto* link = static_cast<Link*>(transport->data);
  const auto size = static_cast<int>(message->b_wptr - message->b_rptr);
  if (link->port != nullptr && link->to != nullptr) {
    link->sent = link->port->send({message->b_rptr, static_cast<std::size_t>(size)}, *link->to);
  }
  return size;  // failures are ours to count: told of one, oRTP would format and log it
}

int RtpSessionHandle::on_receive(RtpTransport* transport, mblk_t* message, int, sockaddr* from,
                                 socklen_t* from_size) {
  auto* link = static_cast<Link*>(transport->data);
  while (link->batch != nullptr && link->next < link->batch->count) {
    const Datagram& datagram = link->batch->items[link->next++];
    if (datagram.size == 0 || datagram.size > kMaxDatagram) continue;
    std::memcpy(message->b_wptr, datagram.bytes.data(), datagram.size);
    if (from != nullptr && from_size != nullptr) {
      *from_size = std::min(*from_size, datagram.from.size());
      std::memcpy(from, datagram.from.data(), *from_size);
    }
    message->timestamp.tv_sec = datagram.arrival_ns / 1'000'000'000;
    message->timestamp.tv_usec = datagram.arrival_ns % 1'000'000'000 / 1000;
    return datagram.size;
  }
  errno = EWOULDBLOCK;
  return -1;
}

}  // namespace linecheck::media
