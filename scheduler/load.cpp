// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/load.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <sstream>
#include <utility>

namespace linecheck::scheduler {

namespace {

// Levels and areas are sums of decimal fractions: what is this close to a whole number is meant to be one.
constexpr long double kNearly = 1e-9L;
constexpr std::array<HeldBy, kHeldBys> kAllHeldBy = {HeldBy::result_cap,       HeldBy::trunk_cap,
                                                     HeldBy::global_cap,       HeldBy::caller_numbers,
                                                     HeldBy::calls_per_second, HeldBy::engine};

std::int64_t to_ns(long double seconds) {
  return static_cast<std::int64_t>(seconds * 1e9L + 0.5L);
}

}  // namespace

const char* to_string(HeldBy cause) {
  switch (cause) {
    case HeldBy::result_cap:
      return "concurrency_limit";
    case HeldBy::trunk_cap:
      return "trunk_channels";
    case HeldBy::global_cap:
      return "concurrent_calls";
    case HeldBy::caller_numbers:
      return "caller_numbers";
    case HeldBy::calls_per_second:
      return "calls_per_second";
    case HeldBy::engine:
      return "engine";
  }
  return "engine";
}

std::uint64_t HeldStarts::total() const {
  return std::accumulate(by.begin(), by.end(), std::uint64_t{0});
}

std::map<std::string, std::uint64_t> HeldStarts::named() const {
  std::map<std::string, std::uint64_t> names;
  for (const HeldBy cause : kAllHeldBy) {
    if (const auto n = by[static_cast<std::size_t>(cause)]) names[to_string(cause)] = n;
  }
  return names;
}

// ---- the curve ----

long double LoadCurve::Piece::level(long double since_s) const {
  return duration_s > 0 ? from + (to - from) * since_s / duration_s : to;
}

LoadCurve::LoadCurve(LoadShape shape) : shape_(std::move(shape)) {
  long double begin = 0;
  long double area = 0;
  long double level = shape_.start;
  for (const LoadShape::Stage& stage : shape_.stages) {
    Piece piece{};
    piece.begin_s = begin;
    piece.duration_s = static_cast<long double>(stage.duration.count()) / 1000;
    piece.from = level;
    piece.to = stage.target;
    piece.area_before = area;
    begin += piece.duration_s;
    level = piece.to;
    if (piece.duration_s <= 0) continue;  // a jump
    area += piece.area();
    pieces_.push_back(piece);
  }
}

std::int64_t LoadCurve::duration_ns() const {
  return pieces_.empty() ? 0 : to_ns(pieces_.back().begin_s + pieces_.back().duration_s);
}

std::uint64_t LoadCurve::most_starts() const {
  if (pieces_.empty()) return 0;
  const long double area = pieces_.back().area_before + pieces_.back().area();
  return static_cast<std::uint64_t>(std::ceil(std::max(area - kNearly, 0.0L)));
}

std::optional<std::int64_t> LoadCurve::start_ns(std::uint64_t n) const {
  if (n >= most_starts()) return std::nullopt;
  const auto wanted = static_cast<long double>(n);
  // The last piece that begins at or below the wanted area, so that a flat stretch at 0 is skipped.
  auto piece = std::upper_bound(pieces_.begin(), pieces_.end(), wanted + kNearly,
                                [](long double area, const Piece& one) { return area < one.area_before; });
  --piece;
  const long double rest = std::max(wanted - piece->area_before, 0.0L);
  if (rest <= 0) return to_ns(piece->begin_s);
  // from * t + slope / 2 * t^2 = rest, in the form that loses no digits when either term is small.
  const long double slope = (piece->to - piece->from) / piece->duration_s;
  const long double root = std::sqrt(std::max(piece->from * piece->from + 2 * slope * rest, 0.0L));
  const long double t = 2 * rest / (piece->from + root);
  return to_ns(piece->begin_s + std::min(t, piece->duration_s));
}

int LoadCurve::lines(std::int64_t t) const {
  if (t < 0 || t >= duration_ns()) return 0;
  const long double s = static_cast<long double>(t) / 1e9L;
  auto piece = std::upper_bound(pieces_.begin(), pieces_.end(), s,
                                [](long double at, const Piece& one) { return at < one.begin_s; });
  if (piece != pieces_.begin()) --piece;
  return static_cast<int>(std::floor(piece->level(s - piece->begin_s) + kNearly));
}

std::optional<std::int64_t> LoadCurve::more_than(int n, std::int64_t t) const {
  t = std::max<std::int64_t>(t, 0);
  if (lines(t) > n) return t;
  const long double s = static_cast<long double>(t) / 1e9L;
  const long double wanted = static_cast<long double>(n) + 1;
  for (const Piece& piece : pieces_) {
    if (piece.begin_s + piece.duration_s <= s) continue;
    if (piece.begin_s > s && piece.from + kNearly >= wanted) return to_ns(piece.begin_s);
    if (piece.to <= piece.from || piece.to + kNearly < wanted) continue;
    const long double reached =
        piece.begin_s + piece.duration_s * (wanted - piece.from) / (piece.to - piece.from);
    const std::int64_t at = to_ns(std::max(reached, s));
    if (at < duration_ns()) return at;
  }
  return std::nullopt;
}

// ---- on its way ----

LoadSchedule::LoadSchedule(const LoadShape& shape, const Saved& saved) : curve_(shape), saved_(saved) {
}

void LoadSchedule::run(std::int64_t begin) {
  if (!anchor_) anchor_ = begin - saved_.position_ns;
}

void LoadSchedule::stand_still(std::int64_t now) {
  if (!anchor_) return;
  saved_.position_ns = std::max<std::int64_t>(now - *anchor_, saved_.position_ns);
  anchor_.reset();
}

std::optional<std::int64_t> LoadSchedule::slot(std::uint64_t n) const {
  const auto exact = curve_.start_ns(n);
  return exact ? std::optional(*anchor_ + *exact) : std::nullopt;
}

std::optional<std::int64_t> LoadSchedule::next(std::int64_t now, int in_progress) const {
  if (!anchor_) return std::nullopt;
  if (arrivals()) return slot(saved_.slots);
  const auto when = curve_.more_than(in_progress, now - *anchor_);
  return when ? std::optional(*anchor_ + *when) : std::nullopt;
}

std::int64_t LoadSchedule::deadline() const {
  const auto mine = slot(saved_.slots);
  if (!mine) return INT64_MIN;
  const auto after = slot(saved_.slots + 1);
  return after ? std::min(*after, *mine + kLatestNs) : *mine + kLatestNs;
}

void LoadSchedule::drop(HeldBy cause) {
  saved_.dropped.count(cause);
  ++saved_.slots;
}

bool LoadSchedule::over(std::int64_t now) const {
  if (arrivals()) return !curve_.start_ns(saved_.slots);
  const std::int64_t position = anchor_ ? now - *anchor_ : saved_.position_ns;
  return position >= curve_.duration_ns();
}

std::optional<std::int64_t> LoadSchedule::ends_at() const {
  if (!anchor_) return std::nullopt;
  return *anchor_ + curve_.duration_ns() + (arrivals() ? kLatestNs : 0);
}

LoadSchedule::Saved LoadSchedule::saved(std::int64_t now) const {
  Saved saved = saved_;
  if (anchor_) saved.position_ns = std::max<std::int64_t>(now - *anchor_, saved_.position_ns);
  return saved;
}

// ---- as text ----

std::string encode_load(const LoadShape& shape) {
  const auto exactly = [](double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", value);
    return std::string(text);
  };
  std::string text = std::to_string(static_cast<int>(shape.kind)) + " " + exactly(shape.start);
  for (const LoadShape::Stage& stage : shape.stages) {
    text += " " + std::to_string(stage.duration.count()) + " " + exactly(stage.target);
  }
  return text;
}

std::optional<LoadShape> decode_load(const std::string& text) {
  std::istringstream in(text);
  int kind = 0;
  LoadShape shape;
  if (!(in >> kind >> shape.start) || kind < 0 || kind > 3) return std::nullopt;
  shape.kind = static_cast<LoadShape::Kind>(kind);
  std::int64_t duration = 0;
  LoadShape::Stage stage;
  while (in >> duration >> stage.target) {
    stage.duration = Millis(duration);
    shape.stages.push_back(stage);
  }
  return in.eof() ? std::optional(std::move(shape)) : std::nullopt;
}

std::string encode_held(const HeldStarts& held) {
  std::string text;
  for (const std::uint64_t n : held.by) text += (text.empty() ? "" : " ") + std::to_string(n);
  return text;
}

HeldStarts decode_held(const std::string& text) {
  HeldStarts held;
  std::istringstream in(text);
  for (std::uint64_t& n : held.by) in >> n;
  return held;
}

}  // namespace linecheck::scheduler
