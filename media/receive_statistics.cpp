// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/receive_statistics.h"

#include <algorithm>
#include <cmath>

#include "media/codec.h"

namespace linecheck::media {
namespace {

// RFC 3550 A.1: further ahead or further behind than this is no loss and no reordering, but a restarted
// sequence.
constexpr int kMaxDropout = 3000;
constexpr int kMaxMisorder = 100;

}  // namespace

void ReceiveStatistics::begin(const RtpPacket& packet) {
  // Room below for packets that were sent before the first one that came.
  first_ = highest_ = (std::uint64_t{1} << 32) + packet.sequence;
  seen_.reset();
  seen_.set(highest_ % kWindow);
  after_jump_.reset();
  last_arrival_ns_.reset();
  in_loss_ = false;
  any_ = true;
  totals_.ssrc = packet.ssrc;
}

ReceiveStatistics::Order ReceiveStatistics::add(const RtpPacket& packet) {
  ++totals_.packets;
  totals_.bytes += packet.payload.size();
  if (!any_) {
    begin(packet);
    return Order::in_order;
  }
  if (packet.ssrc != totals_.ssrc) {
    settle_window();
    ++totals_.ssrc_changes;
    begin(packet);
    return Order::in_order;
  }
  const int step = static_cast<std::int16_t>(packet.sequence - static_cast<std::uint16_t>(highest_));
  if (step > kMaxDropout || step < -kMaxMisorder) {
    // One stray packet is nothing; two in a row are a new sequence (the RFC's bad_seq).
    if (after_jump_ == packet.sequence) {
      settle_window();
      begin(packet);
    } else {
      after_jump_ = static_cast<std::uint16_t>(packet.sequence + 1);
    }
    return Order::in_order;
  }
  after_jump_.reset();
  const std::uint64_t extended = highest_ + static_cast<std::uint64_t>(std::int64_t{step});
  if (step > 0) {
    advance(extended);
    seen_.set(extended % kWindow);
    return Order::in_order;
  }
  if (seen_.test(extended % kWindow)) {
    ++totals_.duplicate;
    return Order::duplicate;
  }
  // Sent before the first one that came: the segment begins there, and what lies between is owed too.
  first_ = std::min(first_, extended);
  seen_.set(extended % kWindow);
  ++totals_.reordered;
  return Order::reordered;
}

void ReceiveStatistics::advance(std::uint64_t highest) {
  while (highest_ < highest) {
    ++highest_;
    // The number that leaves the window makes room for the one that enters.
    if (highest_ >= first_ + kWindow) settle(seen_.test(highest_ % kWindow));
    seen_.reset(highest_ % kWindow);
  }
}

void ReceiveStatistics::settle(bool received) {
  if (!received) {
    ++totals_.lost;
    if (!in_loss_) ++loss_runs_;
  }
  in_loss_ = !received;
}

void ReceiveStatistics::settle_window() {
  if (!any_) return;
  const std::uint64_t oldest = highest_ >= first_ + kWindow ? highest_ - kWindow + 1 : first_;
  for (std::uint64_t n = oldest; n <= highest_; ++n) settle(seen_.test(n % kWindow));
}

void ReceiveStatistics::add_transit(const RtpPacket& packet, std::int64_t arrival_ns, bool restarted,
                                    int clock_rate) {
  if (last_arrival_ns_ && !restarted) {
    const std::int64_t step_ns = std::int64_t{static_cast<std::int32_t>(packet.timestamp - last_timestamp_)} *
                                 1'000'000'000 / clock_rate;
    const double difference = std::abs(static_cast<double>((arrival_ns - *last_arrival_ns_) - step_ns));
    jitter_ns_ += (difference - jitter_ns_) / 16.0;
    jitter_sum_ns_ += jitter_ns_;
    jitter_max_ns_ = std::max(jitter_max_ns_, jitter_ns_);
    ++jitter_count_;
  }
  last_arrival_ns_ = arrival_ns;
  last_timestamp_ = packet.timestamp;
}

RtpStatistics ReceiveStatistics::report() const {
  ReceiveStatistics ended = *this;
  ended.settle_window();
  RtpStatistics report = ended.totals_;
  report.codec = codec_;
  if (ended.loss_runs_ > 0) {
    report.mean_burst_length = static_cast<double>(report.lost) / static_cast<double>(ended.loss_runs_);
  }
  constexpr double kNs = static_cast<double>(kNsPerMs);
  if (jitter_count_ > 0) report.jitter_mean_ms = jitter_sum_ns_ / static_cast<double>(jitter_count_) / kNs;
  report.jitter_max_ms = jitter_max_ns_ / kNs;
  return report;
}

}  // namespace linecheck::media
