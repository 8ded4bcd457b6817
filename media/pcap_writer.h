// SPDX-License-Identifier: GPL-3.0-or-later
//
// A capture file that Wireshark opens: classic pcap, raw IP packets, with IP, UDP and TCP headers made up
// around what was sent and received (the kernel keeps the real ones to itself). Records are written whole:
// a killed process leaves at most the last one cut short.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "media/address.h"
#include "media/udp_port.h"

namespace linecheck::media {

/// Appends the packet as it would cross the wire. `wall_ns`: since 1970. Both addresses are of one family
/// (otherwise nothing is appended).
void append_udp_record(std::vector<std::uint8_t>& out, std::int64_t wall_ns, const Address& from,
                       const Address& to, std::span<const std::uint8_t> payload);

/// A stream's place, for what went over TCP or TLS: `sequence` counts on.
struct TcpPlace {
  std::uint32_t sequence = 1;
  std::uint32_t acknowledged = 1;
};
void append_tcp_record(std::vector<std::uint8_t>& out, std::int64_t wall_ns, const Address& from,
                       const Address& to, const TcpPlace& place, std::span<const std::uint8_t> payload);

/// The file's header: magic of nanosecond times, LINKTYPE_RAW.
std::vector<std::uint8_t> pcap_header();

class PcapWriter {
 public:
  /// Creates or replaces the file, readable by its owner only: it holds what was said. Look at error().
  explicit PcapWriter(std::string path);

  void append(std::span<const std::uint8_t> records);
  [[nodiscard]] const std::string& error() const { return error_; }  ///< empty: all is well

 private:
  std::string path_;
  FileDescriptor file_;
  std::string error_;
};

}  // namespace linecheck::media
