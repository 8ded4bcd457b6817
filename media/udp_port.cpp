// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/udp_port.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace linecheck::media {
namespace {

std::int64_t read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

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

// The kernel stamps with the wall clock. Brought over to CLOCK_MONOTONIC by reading both now; a stamp that
// cannot be right (the wall clock was stepped meanwhile) gives way to the time of the read.
std::int64_t arrival_of(const msghdr& header, std::int64_t mono_ns, std::int64_t wall_ns) {
  constexpr std::int64_t kOldest = 1'000'000'000;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(const_cast<msghdr*>(&header), c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec stamp{};
    std::memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
    const std::int64_t age = wall_ns - (std::int64_t{stamp.tv_sec} * 1'000'000'000 + stamp.tv_nsec);
    if (age >= 0 && age <= kOldest) return mono_ns - age;
  }
  return mono_ns;
}

// A closed remote port comes back as ECONNREFUSED only on connected sockets; what is left is ENETUNREACH,
// EPERM and full buffers: the caller counts them.
bool send_on(int fd, std::span<const std::uint8_t> packet, const Address& to) noexcept {
  const ssize_t sent =
      ::sendto(fd, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL, to.data(), to.size());
  return sent == static_cast<ssize_t>(packet.size());
}

void receive_on(int fd, DatagramBatch& batch) noexcept {
  std::array<mmsghdr, DatagramBatch::kMax> headers{};
  std::array<iovec, DatagramBatch::kMax> buffers{};
  std::array<sockaddr_storage, DatagramBatch::kMax> sources;
  struct Control {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec))> bytes;
  };
  std::array<Control, DatagramBatch::kMax> controls;
  for (std::size_t i = 0; i < DatagramBatch::kMax; ++i) {
    buffers[i] = {batch.items[i].bytes.data(), batch.items[i].bytes.size()};
    msghdr& header = headers[i].msg_hdr;
    header.msg_name = &sources[i];
    header.msg_namelen = sizeof(sources[i]);
    header.msg_iov = &buffers[i];
    header.msg_iovlen = 1;
    header.msg_control = controls[i].bytes.data();
    header.msg_controllen = controls[i].bytes.size();
  }
  batch.count = 0;
  const int got = ::recvmmsg(fd, headers.data(), DatagramBatch::kMax, MSG_DONTWAIT, nullptr);
  if (got <= 0) return;
  const std::int64_t mono_ns = read_clock(CLOCK_MONOTONIC);
  const std::int64_t wall_ns = read_clock(CLOCK_REALTIME);
  for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
    const msghdr& header = headers[i].msg_hdr;
    Datagram& item = batch.items[i];
    item.from = Address::from(sources[i]);
    item.arrival_ns = arrival_of(header, mono_ns, wall_ns);
    // Larger than any packet of ours or of a sane peer: its rest is gone, so it is nothing (size 0 counts as
    // malformed).
    item.size = (header.msg_flags & MSG_TRUNC) != 0 ? std::uint16_t{0}
                                                    : static_cast<std::uint16_t>(headers[i].msg_len);
  }
  batch.count = static_cast<std::size_t>(got);
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
  return send_on(rtp_.get(), packet, to);
}

void UdpPort::receive(DatagramBatch& batch) noexcept {
  receive_on(rtp_.get(), batch);
}

bool UdpPort::send_control(std::span<const std::uint8_t> packet, const Address& to) noexcept {
  return send_on(rtcp_.get(), packet, to);
}

void UdpPort::receive_control(DatagramBatch& batch) noexcept {
  receive_on(rtcp_.get(), batch);
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
