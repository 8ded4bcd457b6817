// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/receive_statistics.h"

#include <algorithm>
#include <cmath>
#include <utility>

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
  ++segment_;
  segment_packets_ = 1;
  ++owed_;
  totals_.ssrc = packet.ssrc;
}

ReceiveStatistics::Order ReceiveStatistics::add(const RtpPacket& packet) {
  ++totals_.packets;
  totals_.bytes += packet.payload.size();
  if (segment_ == 0) {
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
      ++totals_.sequence_restarts;
      begin(packet);
      // The first of the two belongs to it as well.
      first_ = highest_ - 1;
      seen_.set(first_ % kWindow);
      ++segment_packets_;
    } else {
      ++owed_;
      after_jump_ = static_cast<std::uint16_t>(packet.sequence + 1);
    }
    return Order::in_order;
  }
  after_jump_.reset();
  ++segment_packets_;
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
  if (extended < first_) {
    owed_ += first_ - extended;
    first_ = extended;
  }
  seen_.set(extended % kWindow);
  ++totals_.reordered;
  return Order::reordered;
}

void ReceiveStatistics::advance(std::uint64_t highest) {
  owed_ += highest - highest_;
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
    if (loss_run_++ == 0) ++loss_runs_;
  } else if (loss_run_ > 0) {
    totals_.bursts.add(std::exchange(loss_run_, 0));
  }
}

void ReceiveStatistics::settle_window() {
  if (segment_ == 0) return;
  const std::uint64_t oldest = highest_ >= first_ + kWindow ? highest_ - kWindow + 1 : first_;
  for (std::uint64_t n = oldest; n <= highest_; ++n) settle(seen_.test(n % kWindow));
}

void ReceiveStatistics::add_transit(const RtpPacket& packet, std::int64_t arrival_ns, bool restarted,
                                    int clock_rate) {
  if (last_arrival_ns_ && !restarted) {
    const std::int64_t step_ns =
        std::int64_t{static_cast<std::int32_t>(packet.timestamp - last_timestamp_)} * kSecondNs / clock_rate;
    const double difference = std::abs(static_cast<double>((arrival_ns - *last_arrival_ns_) - step_ns));
    jitter_ns_ += (difference - jitter_ns_) / 16.0;
    jitter_sum_ns_ += jitter_ns_;
    jitter_max_ns_ = std::max(jitter_max_ns_, jitter_ns_);
    ++jitter_count_;
  }
  last_arrival_ns_ = arrival_ns;
  last_timestamp_ = packet.timestamp;
  clock_rate_ = clock_rate;
}

void ReceiveStatistics::close_seconds(std::int64_t leg_ns) {
  while (leg_ns >= second_end_ns_) {
    close_second();
    second_end_ns_ += kSecondNs;
  }
}

void ReceiveStatistics::close_second() {
  if (totals_.seconds.size() >= RtpStatistics::kMostSeconds) return;
  const auto small = [](std::int64_t value) {
    return static_cast<std::uint8_t>(std::clamp<std::int64_t>(value, 0, 255));
  };
  RtpSecond second;
  const std::uint64_t unique = totals_.packets - totals_.duplicate;
  const auto came = static_cast<std::int64_t>(unique - second_unique_);
  std::int64_t missing = static_cast<std::int64_t>(owed_ - second_owed_) - came;
  // What came after its second was over was not lost in it.
  for (auto before = totals_.seconds.rbegin(); missing < 0 && before != totals_.seconds.rend(); ++before) {
    const std::int64_t back = std::min<std::int64_t>(before->lost, -missing);
    before->lost = small(before->lost - back);
    missing += back;
    if (before - totals_.seconds.rbegin() >= 3) break;  // no later than the window of sequence numbers
  }
  second.packets = small(came);
  second.lost = small(missing);
  if (const std::uint64_t count = jitter_count_ - second_jitter_count_; count > 0) {
    const double mean_ns = (jitter_sum_ns_ - second_jitter_sum_ns_) / static_cast<double>(count);
    second.jitter_10us = static_cast<std::uint16_t>(std::min(65535.0, mean_ns / 10'000.0));
  }
  totals_.seconds.push_back(second);
  second_owed_ = owed_;
  second_unique_ = unique;
  second_jitter_sum_ns_ = jitter_sum_ns_;
  second_jitter_count_ = jitter_count_;
}

ReceiverState ReceiveStatistics::state() const {
  ReceiverState state;
  state.segment = segment_;
  if (segment_ == 0) return state;
  state.ssrc = totals_.ssrc;
  state.expected = highest_ - first_ + 1;
  state.received = segment_packets_;
  state.highest_sequence = static_cast<std::uint32_t>(highest_);
  state.jitter = static_cast<std::uint32_t>(jitter_ns_ * clock_rate_ / static_cast<double>(kSecondNs));
  return state;
}

RtpStatistics ReceiveStatistics::report() const {
  ReceiveStatistics ended = *this;
  ended.settle_window();
  ended.totals_.bursts.add(ended.loss_run_);
  if (ended.segment_ > 0) ended.close_second();  // the last one is seldom whole
  RtpStatistics report = std::move(ended.totals_);
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
