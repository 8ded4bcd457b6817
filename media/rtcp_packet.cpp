// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/rtcp_packet.h"

#include <algorithm>

#include "media/wire_order.h"

namespace linecheck::media {
namespace {

constexpr int kSenderReport = 200;
constexpr int kReceiverReport = 201;
constexpr int kSourceDescription = 202;
constexpr int kBye = 203;
constexpr int kExtendedReport = 207;

constexpr std::size_t kHeader = 4;
constexpr std::size_t kSenderInfo = 20;
constexpr std::size_t kBlock = 24;
constexpr int kCanonicalName = 1;  // the SDES item
constexpr int kVoipMetrics = 7;    // the block of RFC 3611 section 4.7
constexpr std::size_t kVoip = 32;  // behind the block's header
constexpr int kUnavailable = 127;  // of R factors and MOS
constexpr std::uint64_t kSecondOfNtp = 1'000'000'000;

RtcpReportBlock read_block(std::span<const std::uint8_t> bytes) {
  RtcpReportBlock block;
  block.ssrc = read32(bytes, 0);
  block.fraction_lost = bytes[4];
  const auto lost = static_cast<std::int32_t>(read_number(bytes, 5, 3));
  block.cumulative_lost = lost >= 0x800000 ? lost - 0x1000000 : lost;
  block.highest_sequence = read32(bytes, 8);
  block.jitter = read32(bytes, 12);
  block.last_report = read32(bytes, 16);
  block.since_last_report = read32(bytes, 20);
  return block;
}

std::optional<double> available(std::uint8_t value, double unit) {
  return value == kUnavailable ? std::nullopt : std::optional(value * unit);
}

VoipMetrics read_voip(std::span<const std::uint8_t> bytes) {
  constexpr double kPercent = 100.0 / 256.0;
  const auto ms = [&](std::size_t at) { return static_cast<int>(read_number(bytes, at, 2)); };
  const auto level = [&](std::size_t at) -> std::optional<int> {
    // Two's complement, -128..127; 127 says that it is not known.
    const int value = static_cast<std::int8_t>(bytes[at]);
    return value == kUnavailable ? std::nullopt : std::optional(value);
  };
  VoipMetrics voip;
  voip.loss_percent = bytes[4] * kPercent;
  voip.discard_percent = bytes[5] * kPercent;
  voip.burst_density_percent = bytes[6] * kPercent;
  voip.gap_density_percent = bytes[7] * kPercent;
  voip.burst_ms = ms(8);
  voip.gap_ms = ms(10);
  voip.round_trip_ms = ms(12);
  voip.end_system_delay_ms = ms(14);
  voip.signal_dbm0 = level(16);
  voip.noise_dbm0 = level(17);
  voip.echo_return_loss_db = bytes[18] == kUnavailable ? std::nullopt : std::optional<int>(bytes[18]);
  voip.r_factor = available(bytes[20], 1);
  voip.mos_lq = available(bytes[22], 0.1);
  voip.mos_cq = available(bytes[23], 0.1);
  voip.buffer_nominal_ms = ms(26);
  voip.buffer_maximum_ms = ms(28);
  return voip;
}

// The reports behind a header (and, of an SR, its sender info).
bool read_blocks(std::span<const std::uint8_t> bytes, std::size_t count, std::uint32_t our_ssrc,
                 RtcpCompound& out) {
  if (bytes.size() < count * kBlock) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const RtcpReportBlock block = read_block(bytes.subspan(i * kBlock, kBlock));
    if (block.ssrc == our_ssrc) out.about_us = block;
  }
  return true;
}

bool read_extended(std::span<const std::uint8_t> bytes, std::uint32_t our_ssrc, RtcpCompound& out) {
  while (!bytes.empty()) {
    if (bytes.size() < kHeader) return false;
    const std::size_t size = 4 * static_cast<std::size_t>(read_number(bytes, 2, 2));
    if (bytes.size() < kHeader + size) return false;
    const auto body = bytes.subspan(kHeader, size);
    if (bytes[0] == kVoipMetrics) {
      if (size < kVoip) return false;
      if (read32(body, 0) == our_ssrc) out.voip = read_voip(body);
    }
    bytes = bytes.subspan(kHeader + size);
  }
  return true;
}

bool read_packet(int type, std::size_t count, std::span<const std::uint8_t> body, std::uint32_t our_ssrc,
                 RtcpCompound& out) {
  switch (type) {
    case kSenderReport: {
      if (body.size() < 4 + kSenderInfo) return false;
      out.sender = read32(body, 0);
      out.sender_info =
          RtcpSenderInfo{read_number(body, 4, 8), read32(body, 12), read32(body, 16), read32(body, 20)};
      return read_blocks(body.subspan(4 + kSenderInfo), count, our_ssrc, out);
    }
    case kReceiverReport:
      if (body.size() < 4) return false;
      out.sender = read32(body, 0);
      return read_blocks(body.subspan(4), count, our_ssrc, out);
    case kBye:
      if (body.size() < 4 * count) return false;
      out.bye = out.bye || count > 0;
      return true;
    case kExtendedReport:
      if (body.size() < 4) return false;
      return read_extended(body.subspan(4), our_ssrc, out);
    default:
      return true;
  }
}

}  // namespace

std::uint64_t ntp_of_unix(std::int64_t unix_ns) {
  constexpr std::uint64_t kFrom1900To1970 = 2'208'988'800;
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(0, unix_ns));
  const std::uint64_t fraction = ((ns % kSecondOfNtp) << 32) / kSecondOfNtp;
  return (ns / kSecondOfNtp + kFrom1900To1970) << 32 | fraction;
}

std::optional<RtcpCompound> parse_rtcp(std::span<const std::uint8_t> datagram, std::uint32_t our_ssrc) {
  if (datagram.empty()) return std::nullopt;
  RtcpCompound out;
  while (!datagram.empty()) {
    if (datagram.size() < kHeader || (datagram[0] >> 6) != 2) return std::nullopt;
    const int type = datagram[1];
    if (type < 192 || type > 223) return std::nullopt;
    const std::size_t size = kHeader + 4 * static_cast<std::size_t>(read_number(datagram, 2, 2));
    if (size > datagram.size()) return std::nullopt;
    std::span<const std::uint8_t> body = datagram.subspan(kHeader, size - kHeader);
    if ((datagram[0] & 0x20) !=
        0) {  // padding: its last byte says how much, and only the last packet has any
      if (size != datagram.size() || body.empty()) return std::nullopt;
      const std::size_t padding = body.back();
      if (padding == 0 || padding % 4 != 0 || padding > body.size()) return std::nullopt;
      body = body.first(body.size() - padding);
    }
    if (!read_packet(type, datagram[0] & 0x1F, body, our_ssrc, out)) return std::nullopt;
    datagram = datagram.subspan(size);
  }
  return out;
}

void RtcpWriter::put(std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0 && size_ < bytes_.size(); shift -= 8) {
    bytes_[size_++] = static_cast<std::uint8_t>(value >> shift);
  }
}

void RtcpWriter::header(int count, int type, std::size_t words_after_header) {
  put(static_cast<std::uint64_t>(0x80 | count), 1);
  put(static_cast<std::uint64_t>(type), 1);
  put(words_after_header, 2);
}

void RtcpWriter::block(const RtcpReportBlock& block) {
  put(block.ssrc, 4);
  put(block.fraction_lost, 1);
  put(static_cast<std::uint64_t>(std::clamp(block.cumulative_lost, -0x800000, 0x7FFFFF)) & 0xFFFFFF, 3);
  put(block.highest_sequence, 4);
  put(block.jitter, 4);
  put(block.last_report, 4);
  put(block.since_last_report, 4);
}

void RtcpWriter::sender_report(std::uint32_t ssrc, const RtcpSenderInfo& info,
                               const std::optional<RtcpReportBlock>& about) {
  header(about ? 1 : 0, kSenderReport, (4 + kSenderInfo + (about ? kBlock : 0)) / 4);
  put(ssrc, 4);
  put(info.ntp, 8);
  put(info.rtp_timestamp, 4);
  put(info.packets, 4);
  put(info.octets, 4);
  if (about) block(*about);
}

void RtcpWriter::receiver_report(std::uint32_t ssrc, const std::optional<RtcpReportBlock>& about) {
  header(about ? 1 : 0, kReceiverReport, (4 + (about ? kBlock : 0)) / 4);
  put(ssrc, 4);
  if (about) block(*about);
}

void RtcpWriter::canonical_name(std::uint32_t ssrc, std::string_view name) {
  name = name.substr(0, 64);
  // A chunk: SSRC, the item, and at least one zero byte up to the next word (RFC 3550 section 6.5).
  const std::size_t words = (4 + 2 + name.size()) / 4 + 1;
  header(1, kSourceDescription, words);
  const std::size_t end = size_ + 4 * words;
  put(ssrc, 4);
  put(kCanonicalName, 1);
  put(name.size(), 1);
  for (const char c : name) put(static_cast<std::uint8_t>(c), 1);
  while (size_ < std::min(end, bytes_.size())) put(0, 1);
}

void RtcpWriter::bye(std::uint32_t ssrc) {
  header(1, kBye, 1);
  put(ssrc, 4);
}

}  // namespace linecheck::media
