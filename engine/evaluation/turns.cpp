// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/turns.h"

#include <algorithm>
#include <cmath>

namespace linecheck::engine {
namespace {

// Less than a packet: an answer that begins this little before the caller's last sample answers at once, it
// does not interrupt. Boundaries cannot be told apart more finely than this once packets have been re-timed.
constexpr double kTouchMs = 20;

// An agent that stops for less than this while the caller talks over it has paused, not yielded.
constexpr double kYieldGapMs = 700;

constexpr double kLateTickReachMs = 100;

/// Speech of one side with its pauses bridged.
struct Group {
  double start_ms = 0;
  double end_ms = 0;
  double uncertainty_ms = 0;
  bool barge_in = false;
};

Group group_of(const SpeechSpan& span) {
  return {span.start_ms, span.end_ms, std::max(span.start_uncertainty_ms, span.end_uncertainty_ms),
          span.barge_in};
}

/// Whether the other side took and finished a turn inside the pause: what comes after it is then a new turn
/// (a quick answer to a short barge-in), however short the pause.
bool floor_changed(const std::vector<Group>& other, double pause_start, double pause_end,
                   double least_turn_ms) {
  return std::any_of(other.begin(), other.end(), [&](const Group& g) {
    return g.end_ms > pause_start && g.end_ms <= pause_end &&
           (g.barge_in || g.end_ms - g.start_ms >= least_turn_ms);
  });
}

std::vector<Group> bridge(const std::vector<SpeechSpan>& spans, const std::vector<Group>& other,
                          const EvaluateOptions& options) {
  std::vector<Group> groups;
  for (const SpeechSpan& span : spans) {
    if (span.end_ms <= span.start_ms) continue;
    if (!groups.empty()) {
      Group& last = groups.back();
      if (span.start_ms - last.end_ms <= options.turn_gap_ms &&
          !floor_changed(other, last.end_ms, span.start_ms, options.backchannel_ms)) {
        if (span.end_ms > last.end_ms) {
          last.end_ms = span.end_ms;
          last.uncertainty_ms = std::max(last.uncertainty_ms, span.end_uncertainty_ms);
        }
        last.barge_in = last.barge_in || span.barge_in;
        continue;
      }
    }
    groups.push_back(group_of(span));
  }
  return groups;
}

bool is_backchannel(const Group& group, const std::vector<Group>& other, double limit_ms) {
  if (group.barge_in || group.end_ms - group.start_ms >= limit_ms) return false;
  return std::any_of(other.begin(), other.end(),
                     [&](const Group& g) { return g.start_ms < group.start_ms && group.end_ms < g.end_ms; });
}

double overlap(const std::vector<SpeechSpan>& a, const std::vector<SpeechSpan>& b, double from, double to) {
  double sum = 0;
  for (const SpeechSpan& x : a) {
    for (const SpeechSpan& y : b) {
      const double start = std::max({x.start_ms, y.start_ms, from});
      const double end = std::min({x.end_ms, y.end_ms, to});
      if (end > start) sum += end - start;
    }
  }
  return sum;
}

/// When the agent falls silent after `from`. Its pauses are bridged while the caller is still talking; what
/// it says after the caller's end is an answer.
double silent_at(const std::vector<SpeechSpan>& agent, double from, double caller_end) {
  double end = from;
  bool speaking = false;
  for (const SpeechSpan& span : agent) {
    if (span.start_ms <= from) {
      end = std::max(from, span.end_ms);
      speaking = span.end_ms > from || from - span.end_ms < kYieldGapMs;
      continue;
    }
    if (!speaking || span.start_ms - end >= kYieldGapMs || span.start_ms >= caller_end) break;
    end = span.end_ms;
  }
  return end;
}

Turn turn_of(Party who, const Group& group, bool backchannel) {
  Turn turn;
  turn.who = who;
  turn.start_ms = group.start_ms;
  turn.end_ms = group.end_ms;
  turn.uncertainty_ms = group.uncertainty_ms;
  turn.backchannel = backchannel;
  return turn;
}

/// The other side's turn during which `turn` begins, or null.
const Turn* interrupted_turn(const std::vector<Turn>& turns, const Turn& turn) {
  for (const Turn& other : turns)
    if (other.who != turn.who && !other.backchannel && other.start_ms < turn.start_ms &&
        turn.start_ms < other.end_ms - kTouchMs)
      return &other;
  return nullptr;
}

/// The caller's turn that an agent's turn answers: the last one that ended before it, with no agent speech
/// since.
const Turn* answered_turn(const std::vector<Turn>& turns, const Turn& agent) {
  const Turn* caller = nullptr;
  for (const Turn& turn : turns)
    if (turn.who == Party::caller && !turn.backchannel && turn.start_ms < agent.start_ms &&
        turn.end_ms <= agent.start_ms + kTouchMs && (!caller || turn.end_ms > caller->end_ms))
      caller = &turn;
  if (!caller) return nullptr;
  for (const Turn& turn : turns)
    if (turn.who == Party::agent && !turn.backchannel && &turn != &agent && turn.start_ms < agent.start_ms &&
        turn.end_ms > caller->end_ms)
      return nullptr;
  return caller;
}

bool near_any(double at, const std::vector<double>& sorted) {
  const auto next = std::lower_bound(sorted.begin(), sorted.end(), at - kLateTickReachMs);
  return next != sorted.end() && *next <= at + kLateTickReachMs;
}

}  // namespace

std::vector<SpeechSpan> caller_speech(const CallRecord& call, double from_ms, double to_ms) {
  std::vector<SpeechSpan> spans;
  for (const Utterance& utterance : call.utterances) {
    std::vector<media::Span> speech = utterance.speech;
    if (speech.empty()) speech.push_back({utterance.start_ms, utterance.end_ms});
    for (const media::Span& part : speech) {
      SpeechSpan span;
      // What was cut short was not said beyond the cut.
      span.start_ms = std::max({part.start_ms, utterance.start_ms, from_ms});
      span.end_ms = std::min({part.end_ms, utterance.end_ms, to_ms});
      span.barge_in = utterance.barge_in;
      if (span.end_ms > span.start_ms) spans.push_back(span);
    }
  }
  std::sort(spans.begin(), spans.end(),
            [](const SpeechSpan& a, const SpeechSpan& b) { return a.start_ms < b.start_ms; });
  return spans;
}

std::vector<Turn> make_turns(const std::vector<SpeechSpan>& caller, const std::vector<SpeechSpan>& agent,
                             const EvaluateOptions& options) {
  const std::vector<Group> callers = bridge(caller, {}, options);
  const std::vector<Group> agents = bridge(agent, callers, options);
  std::vector<Turn> turns;
  turns.reserve(callers.size() + agents.size());
  for (const Group& g : callers)
    turns.push_back(turn_of(Party::caller, g, is_backchannel(g, agents, options.backchannel_ms)));
  for (const Group& g : agents)
    turns.push_back(turn_of(Party::agent, g, is_backchannel(g, callers, options.backchannel_ms)));
  std::stable_sort(turns.begin(), turns.end(),
                   [](const Turn& a, const Turn& b) { return a.start_ms < b.start_ms; });

  for (Turn& turn : turns) {
    if (turn.backchannel) continue;
    if (const Turn* other = interrupted_turn(turns, turn)) {
      turn.interrupts = true;
      turn.overlap_ms = overlap(caller, agent, turn.start_ms, std::min(turn.end_ms, other->end_ms));
      if (turn.who == Party::caller)
        turn.yielded_after_ms = silent_at(agent, turn.start_ms, turn.end_ms) - turn.start_ms;
    } else if (turn.who == Party::agent) {
      if (const Turn* question = answered_turn(turns, turn))
        turn.latency_ms = std::max(0.0, turn.start_ms - question->end_ms);
    }
  }
  return turns;
}

void mark_late_ticks(std::vector<Turn>& turns, const std::vector<double>& late_tick_ms) {
  std::vector<double> sorted = late_tick_ms;
  std::sort(sorted.begin(), sorted.end());
  for (Turn& turn : turns) {
    turn.touched_by_late_tick = near_any(turn.start_ms, sorted) || near_any(turn.end_ms, sorted);
    if (turn.latency_ms && near_any(turn.start_ms - *turn.latency_ms, sorted))
      turn.touched_by_late_tick = true;
  }
}

}  // namespace linecheck::engine
