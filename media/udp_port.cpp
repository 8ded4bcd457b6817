// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/udp_port.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "media/io_ring.h"
#include "media/socket_message.h"

namespace linecheck::media {
namespace {

FileDescriptor bound_socket(const Address& address, int& error) {
  FileDescriptor fd(::socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    error = errno;
    return fd;
  }
  const int on = 1;
  if (address.family() == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  setsockopt(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
  if (::bind(fd.get(), address.data(), address.size()) != 0) {
    error = errno;
    return FileDescriptor();
  }
  return fd;
}

// A remote that sends every 20 ms is read every 20 ms: one packet waits. One that has waited for longer is
// not alone, and where several came at once, more will.
constexpr std::int64_t kStaleNs = 20'000'000;
constexpr int kEagerReads = 10;

// A closed remote port comes back as ECONNREFUSED only on connected sockets; what is left is ENETUNREACH,
// EPERM and full buffers: the caller counts them.
bool send_on(int fd, std::span<const std::uint8_t> packet, const Address& to) noexcept {
  const ssize_t sent =
      ::sendto(fd, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL, to.data(), to.size());
  return sent == static_cast<ssize_t>(packet.size());
}

// Reads what waits behind the packets that the batch holds already.
void receive_more(int fd, DatagramBatch& batch) noexcept {
  std::array<mmsghdr, DatagramBatch::kMax> headers;
  std::array<SocketMessage, DatagramBatch::kMax> messages;
  const std::size_t room = DatagramBatch::kMax - batch.count;
  for (std::size_t i = 0; i < room; ++i) {
    auto& bytes = batch.items[batch.count + i].bytes;
    messages[i].prepare({bytes.data(), bytes.size()});
    headers[i].msg_hdr = messages[i].header;
  }
  const int got = ::recvmmsg(fd, headers.data(), static_cast<unsigned>(room), MSG_DONTWAIT, nullptr);
  const BothClocks now = BothClocks::read();
  for (int i = 0; i < got; ++i) {
    auto& message = messages[static_cast<std::size_t>(i)];
    const auto& header = headers[static_cast<std::size_t>(i)];
    message.header = header.msg_hdr;
    message.finish(header.msg_len, now, batch.items[batch.count++]);
  }
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

int FileDescriptor::release() {
  return std::exchange(fd_, -1);
}

UdpPort::UdpPort(FileDescriptor rtp, FileDescriptor rtcp, std::uint16_t number, int family)
    : rtp_(std::move(rtp)), rtcp_(std::move(rtcp)), number_(number), family_(family) {
}

std::unique_ptr<UdpPort> UdpPort::bind(const std::string& address, std::uint16_t rtp_port, int& error) {
  const auto rtp_address = Address::parse(address, rtp_port);
  const auto rtcp_address = Address::parse(address, static_cast<std::uint16_t>(rtp_port + 1));
  if (!rtp_address || !rtcp_address) {
    error = EINVAL;
    return nullptr;
  }
  FileDescriptor rtp = bound_socket(*rtp_address, error);
  if (!rtp.valid()) return nullptr;
  FileDescriptor rtcp = bound_socket(*rtcp_address, error);
  if (!rtcp.valid()) return nullptr;
  return std::unique_ptr<UdpPort>(
      new UdpPort(std::move(rtp), std::move(rtcp), rtp_port, rtp_address->family()));
}

bool UdpPort::send(std::span<const std::uint8_t> packet, const Address& to) noexcept {
  if (ring_ == nullptr) return send_on(rtp_.get(), packet, to);
  ring_->send(rtp_.get(), packet, to, failures_);
  if (failures_ == failures_told_) return true;
  ++failures_told_;
  return false;
}

void UdpPort::expect() noexcept {
  if (ring_ != nullptr) expected_ = ring_->receive(rtp_.get());
}

void UdpPort::receive(DatagramBatch& batch) noexcept {
  batch.count = 0;
  Datagram& first = batch.items[0];
  std::int64_t now_ns = 0;
  if (const int token = std::exchange(expected_, -1); token >= 0) {
    if (!ring_->take(token, first, now_ns)) return;
  } else {
    SocketMessage message;
    message.prepare({first.bytes.data(), first.bytes.size()});
    const ssize_t got = ::recvmsg(rtp_.get(), &message.header, MSG_DONTWAIT);
    if (got < 0) return;
    const BothClocks now = BothClocks::read();
    message.finish(static_cast<std::size_t>(got), now, first);
    now_ns = now.mono_ns;
  }
  batch.count = 1;
  if (eager_ == 0 && now_ns - first.arrival_ns < kStaleNs) return;
  receive_more(rtp_.get(), batch);
  eager_ = batch.count > 1 ? kEagerReads : std::max(0, eager_ - 1);
}

bool UdpPort::send_control(std::span<const std::uint8_t> packet, const Address& to) noexcept {
  return send_on(rtcp_.get(), packet, to);
}

void UdpPort::receive_control(DatagramBatch& batch) noexcept {
  batch.count = 0;
  receive_more(rtcp_.get(), batch);
}

void UdpPort::set_class_of_service(int dscp) noexcept {
  const int value = dscp < 0 ? 0 : dscp << 2;  // beside it are the two bits of ECN (RFC 3168)
  for (const FileDescriptor* socket : {&rtp_, &rtcp_}) {
    if (family_ == AF_INET6)
      setsockopt(socket->get(), IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof(value));
    else
      setsockopt(socket->get(), IPPROTO_IP, IP_TOS, &value, sizeof(value));
  }
}

std::size_t UdpPort::discard() noexcept {
  // Bounded, so that a flood cannot hold the caller: what is left goes with the next call.
  constexpr std::size_t kMost = 1024;
  std::size_t count = 0;
  for (const int fd : {rtp_.get(), rtcp_.get()}) {
    char byte = 0;
    for (std::size_t i = 0; i < kMost && ::recv(fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0; ++i) ++count;
  }
  return count;
}

}  // namespace linecheck::media
