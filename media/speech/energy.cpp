// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/speech/energy.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "media/full_scale.h"

namespace linecheck::media::speech {

void RunCollector::add(std::ptrdiff_t ms, bool inside) {
  if (inside && start_ < 0) start_ = ms;
  if (!inside && start_ >= 0) close(ms);
}

std::vector<MsRun> RunCollector::finish(std::ptrdiff_t end) {
  if (start_ >= 0) close(end);
  return std::move(runs_);
}

void RunCollector::close(std::ptrdiff_t end) {
  const std::ptrdiff_t start = start_;
  start_ = -1;
  if (static_cast<double>(end - start) < min_run_) return;
  if (!runs_.empty() && static_cast<double>(start - runs_.back().last) <= bridge_)
    runs_.back().last = end;
  else
    runs_.push_back({start, end});
}

Energy::Energy(std::span<const std::int16_t> samples, int rate, double offset)
    : samples_(samples), rate_(rate), offset_(offset) {
  const auto total = static_cast<std::ptrdiff_t>(samples.size() * 1000 / static_cast<std::size_t>(rate));
  sums_.reserve(static_cast<std::size_t>(total) + 1);
  sums_.push_back(0);
  double sum = 0;
  std::size_t at = 0;
  for (std::ptrdiff_t ms = 0; ms < total; ++ms) {
    double bin = 0;
    for (const std::size_t end = sample_at(ms + 1); at < end; ++at) {
      const double x = samples[at] - offset;
      bin += x * x;
    }
    sum += bin;
    sums_.push_back(sum);
  }
}

std::size_t Energy::sample_at(std::ptrdiff_t ms) const {
  return std::min(samples_.size(), static_cast<std::size_t>(ms) * static_cast<std::size_t>(rate_) / 1000);
}

double Energy::power(std::ptrdiff_t first, std::ptrdiff_t last) const {
  first = std::clamp<std::ptrdiff_t>(first, 0, size());
  last = std::clamp<std::ptrdiff_t>(last, 0, size());
  if (last <= first) return 0;
  const double energy = sums_[static_cast<std::size_t>(last)] - sums_[static_cast<std::size_t>(first)];
  const auto count = static_cast<double>(sample_at(last) - sample_at(first));
  return energy / (count * kFullScale * kFullScale);
}

double Energy::first_sample_above(std::ptrdiff_t first, std::ptrdiff_t last, double amplitude) const {
  first = std::clamp<std::ptrdiff_t>(first, 0, size());
  last = std::clamp<std::ptrdiff_t>(last, 0, size());
  const double limit = amplitude * kFullScale;
  for (std::size_t at = sample_at(first); at < sample_at(last); ++at)
    if (std::abs(samples_[at] - offset_) > limit) return static_cast<double>(at) * 1000.0 / rate_;
  return -1;
}

double Energy::last_sample_above(std::ptrdiff_t first, std::ptrdiff_t last, double amplitude) const {
  first = std::clamp<std::ptrdiff_t>(first, 0, size());
  last = std::clamp<std::ptrdiff_t>(last, 0, size());
  const double limit = amplitude * kFullScale;
  for (std::size_t at = sample_at(last); at > sample_at(first); --at)
    if (std::abs(samples_[at - 1] - offset_) > limit) return static_cast<double>(at) * 1000.0 / rate_;
  return -1;
}

std::vector<MsRun> runs_above(const Energy& energy, std::ptrdiff_t first, std::ptrdiff_t last, int width,
                              double threshold, double min_run, double bridge) {
  RunCollector collector(min_run, bridge);
  first = std::max<std::ptrdiff_t>(first, 0);
  last = std::min(last, energy.size());
  for (std::ptrdiff_t ms = first; ms < last; ++ms)
    collector.add(ms, energy.power_around(ms, width) > threshold);
  return collector.finish(last);
}

}  // namespace linecheck::media::speech
