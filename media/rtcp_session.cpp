// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/rtcp_session.h"

#include <algorithm>
#include <string_view>

#include "media/codec.h"

namespace linecheck::media {
namespace {

// RFC 3550 section 6.2. What 5 % of the bandwidth would allow two parties is at least three times as often,
// so the minimum always rules; nothing has to be computed from packet sizes.
constexpr double kMinimumNs = 5e9;
// Section 6.3.1: what timer reconsideration adds, e - 3/2.
constexpr double kCompensation = 1.21828;
// A round trip beyond that is nonsense.
constexpr std::uint32_t kLongestRoundTrip = 60u << 16;
// Of the 16 bits of its fraction: a remote that rounds its delay up may seem to have answered before we
// asked.
constexpr std::uint32_t kRounding = 655;  // 10 ms

std::uint32_t in_ntp_units(std::int64_t ns) {
  return static_cast<std::uint32_t>((std::max<std::int64_t>(0, ns) / 1000 << 16) / 1'000'000);
}

}  // namespace

RtcpSession::RtcpSession(std::uint32_t ssrc, std::int64_t wall_offset_ns, std::uint64_t seed)
    : ssrc_(ssrc), wall_offset_ns_(wall_offset_ns), random_(seed) {
  // RFC 7022 section 4.2: 96 random bits for each session, in base64.
  constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (char& c : name_) c = kBase64[static_cast<std::size_t>(random() * 64.0)];
}

// SplitMix64, as for the numbers of the stream. 0 <= result < 1.
double RtcpSession::random() {
  std::uint64_t z = (random_ += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

std::int64_t RtcpSession::interval_ns() {
  const double minimum = initial_ ? kMinimumNs / 2 : kMinimumNs;
  return static_cast<std::int64_t>(minimum * (0.5 + random()) / kCompensation);
}

void RtcpSession::start(std::int64_t now_ns) {
  if (next_ns_ != 0) return;
  previous_ns_ = now_ns;
  next_ns_ = now_ns + interval_ns();
}

bool RtcpSession::due(std::int64_t now_ns) {
  if (next_ns_ == 0 || now_ns < next_ns_) return false;
  // Timer reconsideration (section 6.3.6): the interval is drawn again, and only a report that is due by the
  // new one too is sent.
  const std::int64_t again_ns = previous_ns_ + interval_ns();
  if (again_ns > now_ns) {
    next_ns_ = again_ns;
    return false;
  }
  initial_ = false;
  previous_ns_ = now_ns;
  next_ns_ = now_ns + interval_ns();
  return true;
}

RtcpWriter RtcpSession::report(std::int64_t now_ns, const Sending& sending, const ReceiverState& received,
                               bool bye) {
  RtcpWriter out;
  const auto about = block(now_ns, received);
  // A sender is who has sent since the report before the last one (section 6.3.8).
  if (sending.packets > packets_before_[1]) {
    const std::uint64_t ntp = ntp_of_unix(now_ns + wall_offset_ns_);
    our_reports_[our_report_++ % our_reports_.size()] = middle_of_ntp(ntp);
    out.sender_report(ssrc_,
                      {ntp, sending.rtp_timestamp, static_cast<std::uint32_t>(sending.packets),
                       static_cast<std::uint32_t>(sending.octets)},
                      about);
  } else {
    out.receiver_report(ssrc_, about);
  }
  packets_before_ = {sending.packets, packets_before_[0]};
  reported_ = received;
  out.canonical_name(ssrc_, {name_.data(), name_.size()});
  if (bye) out.bye(ssrc_);
  return out;
}

std::optional<RtcpReportBlock> RtcpSession::block(std::int64_t now_ns, const ReceiverState& received) {
  // Only of who was heard since the last report.
  const bool same = received.segment == reported_.segment;
  if (received.segment == 0 || (same && received.received == reported_.received)) return std::nullopt;
  RtcpReportBlock block;
  block.ssrc = received.ssrc;
  // Appendix A.3: duplicates count as received, so that both figures can be negative.
  const auto lost = [](std::uint64_t expected, std::uint64_t got) {
    return static_cast<std::int64_t>(expected) - static_cast<std::int64_t>(got);
  };
  block.cumulative_lost = static_cast<std::int32_t>(
      std::clamp<std::int64_t>(lost(received.expected, received.received), -0x800000, 0x7FFFFF));
  const std::uint64_t expected = received.expected - (same ? reported_.expected : 0);
  const std::int64_t missing = lost(expected, received.received - (same ? reported_.received : 0));
  if (expected > 0 && missing > 0) {
    block.fraction_lost = static_cast<std::uint8_t>(
        std::min<std::uint64_t>(255, (static_cast<std::uint64_t>(missing) << 8) / expected));
  }
  block.highest_sequence = received.highest_sequence;
  block.jitter = received.jitter;
  if (last_report_ != 0 && sender_ == received.ssrc) {
    block.last_report = last_report_;
    block.since_last_report = in_ntp_units(now_ns - last_report_ns_);
  }
  return block;
}

void RtcpSession::sent(bool taken) {
  ++statistics_.sent;
  if (!taken) ++statistics_.send_failures;
}

bool RtcpSession::receive(std::span<const std::uint8_t> datagram, std::int64_t arrival_ns, int clock_rate,
                          std::uint64_t packets) {
  const auto compound = parse_rtcp(datagram, ssrc_);
  if (!compound) {
    ++statistics_.malformed;
    return false;
  }
  ++statistics_.received;
  if (compound->sender_info) {
    sender_ = compound->sender;
    last_report_ = middle_of_ntp(compound->sender_info->ntp);
    last_report_ns_ = arrival_ns;
  }
  if (compound->about_us) {
    packets_at_block_ = packets;
    take(*compound->about_us, arrival_ns, clock_rate);
  }
  if (compound->voip) statistics_.voip = compound->voip;
  if (compound->bye && !statistics_.bye_ms) {
    statistics_.bye_ms = static_cast<double>(arrival_ns) / static_cast<double>(kNsPerMs);
  }
  return true;
}

void RtcpSession::take(const RtcpReportBlock& block, std::int64_t arrival_ns, int clock_rate) {
  const double jitter_ms = 1000.0 * block.jitter / clock_rate;
  last_block_ = block;
  ++blocks_;
  jitter_sum_ms_ += jitter_ms;
  jitter_max_ms_ = std::max(jitter_max_ms_, jitter_ms);
  const auto round_trip = round_trip_ms(block, arrival_ns);
  if (round_trip) {
    ++round_trips_;
    round_trip_sum_ms_ += *round_trip;
    auto& low = statistics_.round_trip_min_ms;
    auto& high = statistics_.round_trip_max_ms;
    low = std::min(low.value_or(*round_trip), *round_trip);
    high = std::max(high.value_or(*round_trip), *round_trip);
  }
  if (statistics_.reports.size() >= RtcpStatistics::kMostReports) return;
  RemoteReport report;
  report.t_ms = static_cast<float>(arrival_ns) / static_cast<float>(kNsPerMs);
  report.loss_percent = static_cast<float>(block.fraction_lost) * 100.0F / 256.0F;
  report.jitter_ms = static_cast<float>(jitter_ms);
  if (round_trip) report.round_trip_ms = static_cast<float>(*round_trip);
  statistics_.reports.push_back(report);
}

// RFC 3550 section 6.4.1: arrival - LSR - DLSR, where LSR is a report of ours.
std::optional<double> RtcpSession::round_trip_ms(const RtcpReportBlock& block,
                                                 std::int64_t arrival_ns) const {
  if (block.last_report == 0) return std::nullopt;
  if (std::find(our_reports_.begin(), our_reports_.end(), block.last_report) == our_reports_.end()) {
    return std::nullopt;
  }
  const std::uint32_t arrival = middle_of_ntp(ntp_of_unix(arrival_ns + wall_offset_ns_));
  const std::uint32_t trip = arrival - block.last_report - block.since_last_report;
  if (trip > 0u - kRounding) return 0.0;
  if (trip > kLongestRoundTrip) return std::nullopt;
  return 1000.0 * trip / 65536.0;
}

void RtcpSession::conclude(std::uint16_t first_sequence, RtpStatistics& send, RtpStatistics& receive) const {
  if (round_trips_ > 0) {
    send.round_trip_ms = receive.round_trip_ms = round_trip_sum_ms_ / static_cast<double>(round_trips_);
  }
  if (!last_block_) return;
  send.loss_known = true;
  send.lost = static_cast<std::uint64_t>(std::max(0, last_block_->cumulative_lost));
  // How many of ours it had to get by then. A remote counts the cycles from where it began to listen: what
  // cannot be (more than we sent) gives way to what we had sent.
  const std::uint64_t expected = last_block_->highest_sequence - first_sequence + 1u;
  send.expected = std::max(
      send.lost, std::clamp<std::uint64_t>(expected, 1, std::max<std::uint64_t>(1, packets_at_block_)));
  send.jitter_mean_ms = jitter_sum_ms_ / static_cast<double>(blocks_);
  send.jitter_max_ms = jitter_max_ms_;
}

}  // namespace linecheck::media
