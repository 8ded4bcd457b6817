// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/load_file.h"

#include <chrono>
#include <cmath>
#include <string>

#include "scheduler/load.h"

namespace linecheck::scheduler {

namespace {

using Kind = LoadShape::Kind;

constexpr double kMostCalls = 100'000;
constexpr double kMostRate = 10'000;
constexpr std::size_t kMostStages = 1000;
constexpr std::uint64_t kMostStarts = 100'000'000;

void read_stages(Reader& map, LoadShape& shape, double most) {
  map.read("start", shape.start, between(0, most));
  if (!map.required("stages")) return;
  map.each("stages", [&](const Field& item) {
    Reader entry(item);
    if (!entry.is_map()) return;
    LoadShape::Stage stage;
    entry.require("duration", stage.duration);
    entry.require("target", stage.target, between(0, most));
    entry.finish();
    shape.stages.push_back(stage);
  });
  if (shape.stages.size() > kMostStages) {
    map.problem("stages", "has more than " + std::to_string(kMostStages) + " stages");
  }
}

void read_constant(Reader& map, LoadShape& shape, const char* level, double most) {
  LoadShape::Stage stage;
  map.require("duration", stage.duration, more_than(0));
  if (shape.arrivals()) {
    map.require(level, stage.target, Bound{0, most, true});
  } else {
    int calls = 0;
    map.require(level, calls, between(1, most));
    stage.target = calls;
  }
  shape.start = stage.target;
  shape.stages.push_back(stage);
}

/// A number of `width` digits at the beginning of `text`, which is taken away.
std::optional<int> digits(std::string_view& text, std::size_t width) {
  if (text.size() < width) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, width)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

/// Z, +01:00 or -05:30 and nothing else, in minutes.
std::optional<int> zone(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  const bool west = !text.empty() && text.front() == '-';
  if (!take(text, west ? '-' : '+')) return std::nullopt;
  const auto hours = digits(text, 2);
  if (!hours || !take(text, ':')) return std::nullopt;
  const auto minutes = digits(text, 2);
  if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  return (west ? -1 : 1) * (*hours * 60 + *minutes);
}

/// Milliseconds of .123456 at the beginning of `text`, which is taken away.
std::optional<int> fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  int ms = 0;
  std::size_t n = 0;
  for (; n < text.size() && text[n] >= '0' && text[n] <= '9'; ++n) {
    if (n < 3) ms = ms * 10 + (text[n] - '0');
  }
  if (n == 0) return std::nullopt;
  for (std::size_t missing = n; missing < 3; ++missing) ms *= 10;
  text.remove_prefix(n);
  return ms;
}

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text) {
  const auto year = digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = digits(text, 2);
  if (!day || !(take(text, 'T') || take(text, 't') || take(text, ' '))) return std::nullopt;
  const auto hour = digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = digits(text, 2);
  if (!minute || !take(text, ':')) return std::nullopt;
  const auto second = digits(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const auto ms = fraction(text);
  if (!ms) return std::nullopt;
  const auto offset = zone(text);
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!offset || !date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days{date}.time_since_epoch();
  const std::int64_t minutes =
      std::chrono::duration_cast<std::chrono::minutes>(days).count() + *hour * 60 + *minute - *offset;
  return (minutes * 60 + *second) * 1000 + *ms;
}

void read_start_at(Reader& job_map, Job& job) {
  const auto field = job_map.field("start_at");
  std::string text;
  if (!field || !field->get(text)) return;
  job.start_unix_ms = parse_time(text);
  if (job.start_unix_ms) return;
  field->problem("'" + text + "' is no time with its zone, such as 2026-03-01T08:00:00Z or " +
                 "2026-03-01T08:00:00+01:00");
}

bool read_load(Reader& job_map, Job& job) {
  const std::size_t before = job_map.problems().size();
  LoadShape shape;
  const bool there = job_map.object("load", [&](Reader& map) {
    const auto kind = map.required("shape");
    if (!kind || !kind->choice(shape.kind, {{"constant-calls", Kind::constant_calls},
                                            {"ramping-calls", Kind::ramping_calls},
                                            {"constant-arrival-rate", Kind::constant_arrival_rate},
                                            {"ramping-arrival-rate", Kind::ramping_arrival_rate}})) {
      // They may be right for the shape that was meant.
      map.entries([](const std::string&, const Field&) {});
      return;
    }
    const double most = shape.arrivals() ? kMostRate : kMostCalls;
    switch (shape.kind) {
      case Kind::constant_calls:
        return read_constant(map, shape, "calls", most);
      case Kind::constant_arrival_rate:
        return read_constant(map, shape, "rate", most);
      case Kind::ramping_calls:
      case Kind::ramping_arrival_rate:
        return read_stages(map, shape, most);
    }
  });
  if (!there || job_map.problems().size() != before) return false;
  const std::uint64_t starts = LoadCurve(shape).most_starts();
  if (starts == 0) {
    job_map.problem("load", "starts no call");
    return false;
  }
  if (starts > kMostStarts) {
    job_map.problem("load", "starts " + std::to_string(starts) + " calls: at most " +
                                std::to_string(kMostStarts) + " can be counted");
    return false;
  }
  job.load = std::move(shape);
  return true;
}

}  // namespace linecheck::scheduler
