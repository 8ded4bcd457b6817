// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/tones/plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>

namespace linecheck::media {

std::string_view tone_name(ToneEvent::Kind kind) {
  using enum ToneEvent::Kind;
  switch (kind) {
    case ringback:
      return "ringback";
    case busy:
      return "busy";
    case congestion:
      return "congestion";
    case dial:
      return "dial";
    case sit:
      return "sit";
    case fax_calling:
      return "fax_calling";
    case fax_answering:
      return "fax_answering";
    case beep:
      return "beep";
    case music:
      return "music";
  }
  return "tone";
}

std::optional<ToneEvent::Kind> tone_named(std::string_view name) {
  for (int n = 0; n <= static_cast<int>(ToneEvent::Kind::music); ++n) {
    const auto kind = static_cast<ToneEvent::Kind>(n);
    if (name == tone_name(kind)) return kind;
  }
  return std::nullopt;
}

namespace tones {
namespace {

using Kind = ToneEvent::Kind;

constexpr double kSameHz = 14;
constexpr double kLongestPauseMs = 6500;  // longer than any cadence's
constexpr double kReversalMs = 60;        // the phase reversals of ANSam (V.8) tear a tone for a moment
constexpr double kCutMs = 60;             // a burst that begins with the recording may have begun before it
constexpr double kTightMs = 45;           // a burst's length may be off by so much, or
constexpr double kTightShare = 0.15;      // by that share
constexpr double kContinuousMs = 1500;
constexpr double kLongBurstMs = 750;
constexpr double kShortestBeepMs = 140;
constexpr double kLongestBeepMs = 1600;
constexpr double kLowestBeepHz = 300;

double length(const ToneRun& run) {
  return run.end_ms - run.start_ms;
}

bool same(double a, double b) {
  return std::abs(a - b) <= kSameHz;
}

bool same_tone(const ToneRun& a, const ToneRun& b) {
  return a.tones == b.tones && same(a.low_hz, b.low_hz) && same(a.high_hz, b.high_hz);
}

struct Fit {
  double error = 0;
  std::size_t bursts = 1;  // in a period
};

bool has_frequencies(const PlannedTone& planned, const ToneRun& run) {
  if (planned.high_hz > 0 && run.tones == 1) {
    // A pair so close together that it looks like one.
    return planned.high_hz - planned.low_hz < 40 && same(run.low_hz, (planned.low_hz + planned.high_hz) / 2);
  }
  return same(planned.low_hz, run.low_hz) && same(planned.high_hz, run.high_hz);
}

/// How far a length is off; nullopt: too far. `cut`: it may be shorter, and then says nothing.
std::optional<double> off_by(double heard, double planned, bool cut, std::size_t& evidence) {
  const double error = std::abs(heard - planned);
  if (error <= std::max(kTightMs, kTightShare * planned)) {
    ++evidence;
    return error / planned;
  }
  if (cut && heard < planned) return 0.0;
  return std::nullopt;
}

std::optional<Fit> fit(const PlannedTone& planned, std::span<const ToneRun> bursts, bool ends_open) {
  if (!has_frequencies(planned, bursts.front())) return std::nullopt;
  const auto& cadence = planned.cadence_ms;
  if (cadence[0] == 0) {
    if (bursts.size() > 1 || length(bursts.front()) < kContinuousMs) return std::nullopt;
    return Fit{};
  }
  std::size_t period = 0;
  while (period < cadence.size() / 2 && cadence[2 * period] > 0) ++period;
  std::optional<Fit> best;
  for (std::size_t phase = 0; phase < period; ++phase) {
    double error = 0;
    std::size_t evidence = 0;
    bool good = true;
    for (std::size_t n = 0; good && n < bursts.size(); ++n) {
      const std::size_t at = 2 * ((phase + n) % period);
      const bool first = n == 0 && bursts[n].start_ms < kCutMs;
      const bool last = n + 1 == bursts.size() && (ends_open || bursts.size() > 2);
      const auto on = off_by(length(bursts[n]), cadence[at], first || last, evidence);
      good = on.has_value();
      if (!good) break;
      error += *on;
      if (n + 1 == bursts.size()) break;
      const auto off = off_by(bursts[n + 1].start_ms - bursts[n].end_ms, cadence[at + 1], false, evidence);
      good = off.has_value();
      if (good) error += *off;
    }
    // One long burst of ringing is all that is heard where the call is answered after it.
    const bool enough = evidence >= 3 || (planned.kind == Kind::ringback && evidence >= 1 && period == 1 &&
                                          length(bursts.front()) >= kLongBurstMs);
    if (!good || !enough) continue;
    error /= static_cast<double>(evidence);
    if (!best || error < best->error) best = Fit{error, period};
  }
  return best;
}

ToneEvent event_of(Kind kind, std::span<const ToneRun> bursts) {
  ToneEvent event;
  event.kind = kind;
  event.start_ms = bursts.front().start_ms;
  event.end_ms = bursts.back().end_ms;
  event.low_hz = bursts.front().low_hz;
  event.high_hz = bursts.front().high_hz;
  double level = 0;
  for (const ToneRun& burst : bursts) level += burst.level_dbov / static_cast<double>(bursts.size());
  event.level_dbm0 = level + kDbm0OfDbov;
  event.bursts = static_cast<int>(bursts.size());
  return event;
}

std::string cadence_text(std::span<const ToneRun> bursts, std::size_t period) {
  std::string text;
  for (std::size_t n = 0; n < period && n + 1 < bursts.size(); ++n) {
    const auto rounded = [](double ms) { return std::to_string(std::lround(ms / 10) * 10); };
    text += (n > 0 ? ", " : "") + rounded(length(bursts[n])) + " on, " +
            rounded(bursts[n + 1].start_ms - bursts[n].end_ms) + " off";
  }
  return text;
}

void name_group(std::span<const ToneRun> bursts, double end_ms, std::vector<ToneEvent>& events) {
  const bool ends_open = end_ms - bursts.back().end_ms < kCutMs;
  std::optional<Fit> best;
  Kind kind = Kind::beep;
  for (const PlannedTone& planned : tone_plan()) {
    const auto found = fit(planned, bursts, ends_open);
    if (!found || (best && found->error >= best->error)) continue;
    best = found;
    kind = planned.kind;
  }
  if (best) {
    constexpr double kAsGood = 0.02;
    ToneEvent event = event_of(kind, bursts);
    event.cadence = cadence_text(bursts, best->bursts);
    for (const PlannedTone& planned : tone_plan()) {
      if (planned.kind != kind || planned.country.empty()) continue;
      const auto found = fit(planned, bursts, ends_open);
      if (!found || found->error > best->error + kAsGood) continue;
      event.countries += (event.countries.empty() ? "" : " ") + std::string(planned.country);
    }
    events.push_back(std::move(event));
    return;
  }
  for (const ToneRun& burst : bursts) {
    const double ms = length(burst);
    if (burst.tones == 1 && burst.low_hz >= kLowestBeepHz && ms >= kShortestBeepMs && ms <= kLongestBeepMs)
      events.push_back(event_of(Kind::beep, std::span(&burst, 1)));
  }
}

/// Special information tones (E.180 section 7): three rising tones, each of one of two frequencies or
/// lengths.
bool is_sit(std::span<const ToneRun> runs) {
  constexpr std::array<std::array<double, 2>, 3> kHz{{{913.8, 985.2}, {1370.6, 1428.5}, {1776.7, 1776.7}}};
  constexpr double kOffHz = 30;
  for (std::size_t n = 0; n < kHz.size(); ++n) {
    const ToneRun& run = runs[n];
    if (run.tones != 1 || length(run) < 200 || length(run) > 460) return false;
    if (std::abs(run.low_hz - kHz[n][0]) > kOffHz && std::abs(run.low_hz - kHz[n][1]) > kOffHz) return false;
    if (n > 0 && run.start_ms - runs[n - 1].end_ms > 120) return false;
  }
  return true;
}

std::vector<ToneRun> without_reversals(std::span<const ToneRun> runs) {
  std::vector<ToneRun> joined;
  for (const ToneRun& run : runs) {
    if (!joined.empty() && same_tone(joined.back(), run) &&
        run.start_ms - joined.back().end_ms <= kReversalMs)
      joined.back().end_ms = run.end_ms;
    else
      joined.push_back(run);
  }
  return joined;
}

}  // namespace

std::vector<ToneEvent> name_tones(std::span<const ToneRun> runs, double end_ms) {
  const std::vector<ToneRun> whole = without_reversals(runs);
  std::vector<ToneEvent> events;
  for (std::size_t n = 0; n < whole.size();) {
    if (n + 3 <= whole.size() && is_sit(std::span(whole).subspan(n, 3))) {
      events.push_back(event_of(Kind::sit, std::span(whole).subspan(n, 3)));
      n += 3;
      continue;
    }
    std::size_t next = n + 1;
    while (next < whole.size() && same_tone(whole[n], whole[next]) &&
           whole[next].start_ms - whole[next - 1].end_ms <= kLongestPauseMs)
      ++next;
    name_group(std::span(whole).subspan(n, next - n), end_ms, events);
    n = next;
  }
  return events;
}

std::vector<ToneEvent> find_tones(std::span<const std::int16_t> samples, int rate) {
  Tracker tracker(rate);
  std::vector<ToneRun> runs;
  tracker.feed(samples, runs);
  tracker.finish(runs);
  return name_tones(runs, static_cast<double>(samples.size()) * 1000 / rate);
}

}  // namespace tones
}  // namespace linecheck::media
