// SPDX-License-Identifier: GPL-3.0-or-later
//
// A pair of UDP ports: the even one for RTP, the odd one above it for RTCP (RFC 3550 section 11). Arrival
// times are the kernel's (SO_TIMESTAMPNS), so that how late we read does not count as the network's jitter.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "media/datagram_port.h"

namespace linecheck::media {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release();

 private:
  int fd_;
};

class UdpPort final : public DatagramPort {
 public:
  /// Binds `rtp_port` and the one above it, without SO_REUSEADDR: a port that somebody has is never shared.
  /// On failure returns null and `error` is errno.
  static std::unique_ptr<UdpPort> bind(const std::string& address, std::uint16_t rtp_port, int& error);

  [[nodiscard]] std::uint16_t number() const override { return number_; }
  [[nodiscard]] int family() const override { return family_; }
  bool send(std::span<const std::uint8_t> packet, const Address& to) noexcept override;
  void receive(DatagramBatch& batch) noexcept override;
  bool send_control(std::span<const std::uint8_t> packet, const Address& to) noexcept override;
  void receive_control(DatagramBatch& batch) noexcept override;
  void use(IoRing* ring) noexcept override { ring_ = ring; }
  void expect() noexcept override;

  /// Of all that is sent from here on; -1: the default. Best effort: a kernel that refuses is not an error.
  void set_class_of_service(int dscp) noexcept;

  /// Throws away what waits on both sockets; returns how many datagrams that were.
  std::size_t discard() noexcept;

 private:
  UdpPort(FileDescriptor rtp, FileDescriptor rtcp, std::uint16_t number, int family);

  FileDescriptor rtp_;
  FileDescriptor rtcp_;
  std::uint16_t number_;
  int family_;

  IoRing* ring_ = nullptr;
  int expected_ = -1;  // what the ring reads for us
  std::uint64_t failures_ = 0;
  std::uint64_t failures_told_ = 0;
  int eager_ = 0;  // so many more times everything is read that waits
};

}  // namespace linecheck::media
