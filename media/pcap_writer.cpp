// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/pcap_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace linecheck::media {
namespace {

constexpr std::uint32_t kMagicNanoseconds = 0xA1B23C4D;
constexpr std::uint32_t kLinkTypeRaw = 101;  // begins with an IPv4 or IPv6 header
constexpr std::size_t kLargest = 65'535;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kTcp = 6;

using Bytes = std::vector<std::uint8_t>;

// pcap's own fields are in the byte order that the magic shows: ours is little endian.
void put_le32(Bytes& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}
void put_le16(Bytes& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value));
  out.push_back(static_cast<std::uint8_t>(value >> 8));
}
void put16(Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}
void put32(Bytes& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xFFFF);
}
void set16(Bytes& out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}

// The Internet checksum (RFC 1071).
class Checksum {
 public:
  void add(std::span<const std::uint8_t> bytes) {
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
      sum_ += static_cast<std::uint32_t>(bytes[i] << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0));
    }
  }
  void add(std::size_t value) { sum_ += static_cast<std::uint32_t>(value); }
  [[nodiscard]] std::uint16_t get() const {
    std::uint64_t folded = sum_;
    while (folded >> 16 != 0) folded = (folded & 0xFFFF) + (folded >> 16);
    return static_cast<std::uint16_t>(~folded);
  }

 private:
  std::uint64_t sum_ = 0;
};

std::span<const std::uint8_t> host_of(const Address& address) {
  if (address.family() == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address.data());
    return {v6->sin6_addr.s6_addr, 16};
  }
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(address.data());
  return {reinterpret_cast<const std::uint8_t*>(&v4->sin_addr), 4};
}

void put_ip_header(Bytes& out, std::uint8_t protocol, const Address& from, const Address& to,
                   std::size_t size) {
  const auto source = host_of(from);
  const auto destination = host_of(to);
  if (from.family() == AF_INET6) {  // RFC 8200 section 3
    put32(out, 6U << 28);
    put16(out, size);
    out.push_back(protocol);
    out.push_back(64);  // hop limit
    out.insert(out.end(), source.begin(), source.end());
    out.insert(out.end(), destination.begin(), destination.end());
    return;
  }
  const std::size_t begin = out.size();  // RFC 791 section 3.1
  out.push_back(0x45);
  out.push_back(0);
  put16(out, 20 + size);
  put16(out, 0);
  put16(out, 0x4000);  // do not fragment
  out.push_back(64);   // time to live
  out.push_back(protocol);
  put16(out, 0);
  out.insert(out.end(), source.begin(), source.end());
  out.insert(out.end(), destination.begin(), destination.end());
  Checksum checksum;
  checksum.add(std::span(out).subspan(begin, 20));
  set16(out, begin + 10, checksum.get());
}

/// What stands at `begin` is the transport's header and its payload.
std::uint16_t transport_checksum(const Bytes& out, std::size_t begin, std::uint8_t protocol,
                                 const Address& from, const Address& to) {
  Checksum checksum;
  checksum.add(host_of(from));
  checksum.add(host_of(to));
  checksum.add(protocol);
  checksum.add(out.size() - begin);
  checksum.add(std::span(out).subspan(begin));
  return checksum.get();
}

bool begin_record(Bytes& out, std::int64_t wall_ns, const Address& from, const Address& to,
                  std::size_t transport_size) {
  const bool v6 = from.family() == AF_INET6;
  if (from.family() != to.family() || (!v6 && from.family() != AF_INET)) return false;
  const std::size_t size = transport_size + (v6 ? 40 : 20);
  if (size > kLargest) return false;
  put_le32(out, static_cast<std::uint32_t>(wall_ns / 1'000'000'000));
  put_le32(out, static_cast<std::uint32_t>(wall_ns % 1'000'000'000));
  put_le32(out, static_cast<std::uint32_t>(size));
  put_le32(out, static_cast<std::uint32_t>(size));
  return true;
}

}  // namespace

void append_udp_record(Bytes& out, std::int64_t wall_ns, const Address& from, const Address& to,
                       std::span<const std::uint8_t> payload) {
  const std::size_t size = 8 + payload.size();
  if (!begin_record(out, wall_ns, from, to, size)) return;
  put_ip_header(out, kUdp, from, to, size);
  const std::size_t begin = out.size();
  put16(out, from.port());
  put16(out, to.port());
  put16(out, size);
  put16(out, 0);
  out.insert(out.end(), payload.begin(), payload.end());
  const std::uint16_t checksum = transport_checksum(out, begin, kUdp, from, to);
  set16(out, begin + 6, checksum == 0 ? std::uint16_t{0xFFFF} : checksum);  // 0 says that there is none
}

void append_tcp_record(Bytes& out, std::int64_t wall_ns, const Address& from, const Address& to,
                       const TcpPlace& place, std::span<const std::uint8_t> payload) {
  const std::size_t size = 20 + payload.size();
  if (!begin_record(out, wall_ns, from, to, size)) return;
  put_ip_header(out, kTcp, from, to, size);
  const std::size_t begin = out.size();
  put16(out, from.port());
  put16(out, to.port());
  put32(out, place.sequence);
  put32(out, place.acknowledged);
  put16(out, 0x5018);  // five words of header; PSH, ACK
  put16(out, 0xFFFF);  // window
  put16(out, 0);
  put16(out, 0);
  out.insert(out.end(), payload.begin(), payload.end());
  set16(out, begin + 16, transport_checksum(out, begin, kTcp, from, to));
}

Bytes pcap_header() {
  Bytes out;
  put_le32(out, kMagicNanoseconds);
  put_le16(out, 2);
  put_le16(out, 4);
  put_le32(out, 0);  // times are UTC
  put_le32(out, 0);
  put_le32(out, kLargest);
  put_le32(out, kLinkTypeRaw);
  return out;
}

PcapWriter::PcapWriter(std::string path)
    : path_(std::move(path)), file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
  if (!file_.valid()) {
    error_ = "cannot create the capture " + path_ + ": " + std::strerror(errno);
    return;
  }
  append(pcap_header());
}

void PcapWriter::append(std::span<const std::uint8_t> records) {
  while (error_.empty() && !records.empty()) {
    const ssize_t written = ::write(file_.get(), records.data(), records.size());
    if (written > 0) {
      records = records.subspan(static_cast<std::size_t>(written));
    } else if (written == 0 || errno != EINTR) {
      error_ = "cannot write the capture " + path_ + ": " + std::strerror(written == 0 ? ENOSPC : errno);
    }
  }
}

}  // namespace linecheck::media
