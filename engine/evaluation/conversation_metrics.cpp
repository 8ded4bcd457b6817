// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "engine/call/line.h"
#include "engine/evaluation/measured.h"
#include "engine/evaluation/metric_value.h"
#include "engine/evaluation/words.h"

namespace linecheck::engine {
namespace {

std::string moments(const std::vector<double>& at) {
  constexpr std::size_t kMost = 20;
  std::string text;
  for (std::size_t n = 0; n < std::min(at.size(), kMost); ++n)
    text += (n == 0 ? "" : ", ") + seconds_text(at[n]);
  if (at.size() > kMost) text += " and " + std::to_string(at.size() - kMost) + " more";
  return text;
}

/// The recording is made on the wire, so a simulated line's delay is in no latency. What is in it is the
/// jitter: the end of a question leaves later than the shortest way allows, and no answer can come before.
void add_net_latency(const Measured& m, MetricSheet& sheet) {
  const media::LegReport& leg = m.call.media;
  std::vector<double> values;
  for (const Turn& turn : m.turns) {
    if (!turn.latency_ms) continue;
    const double asked_ms = turn.start_ms - *turn.latency_ms;
    values.push_back(std::max(0.0, *turn.latency_ms - held_up_ms(leg.send_line, asked_ms)));
  }
  Metric& net = sheet.distribution("latency_net_ms", Distribution::of(values));
  if (leg.send_line.empty() && leg.receive_line.empty()) {
    net.explanation.push_back("No delay was added to this call on purpose.");
    return;
  }
  const auto line = [&](const char* where, const std::vector<media::LinePeriod>& periods) {
    for (const media::LinePeriod& period : periods) {
      net.explanation.push_back("From " + seconds_text(period.from_ms) + ", " + where + ": " +
                                line_text(period.asked) + " were asked for; " + line_text(period.achieved) +
                                ".");
    }
  };
  line("to the agent", leg.send_line);
  line("from the agent", leg.receive_line);
  net.explanation.push_back("The caller heard each answer later than this, by the delay of both directions.");
}

void add_latency(const Measured& m, MetricSheet& sheet) {
  std::vector<double> values;
  std::size_t touched = 0;
  const Turn* slowest = nullptr;
  for (const Turn& turn : m.turns) {
    if (!turn.latency_ms) continue;
    values.push_back(*turn.latency_ms);
    if (turn.touched_by_late_tick) ++touched;
    if (!slowest || *turn.latency_ms > *slowest->latency_ms) slowest = &turn;
  }
  if (values.empty()) {
    const bool asked = std::any_of(m.turns.begin(), m.turns.end(),
                                   [](const Turn& t) { return t.who == Party::caller && !t.backchannel; });
    for (const char* key : {"latency_ms", "latency_net_ms"})
      sheet.none(key, asked ? "no agent turn followed a caller turn" : kNoCallerTurn);
    return;
  }
  const Distribution distribution = Distribution::of(values);
  Metric& latency = sheet.distribution("latency_ms", distribution);
  latency.explanation.push_back(count_text(values.size(), "answer") + "; the slowest began at " +
                                seconds_text(slowest->start_ms) + ", " + ms_text(*slowest->latency_ms) +
                                " after the caller's last sound.");
  const int ptime = m.call.media.receive.ptime_ms > 0 ? m.call.media.receive.ptime_ms : 20;
  latency.explanation.push_back("The network's delay and the agent's packetisation (" +
                                std::to_string(ptime) + " ms) are in it; no jitter buffer of ours is.");
  if (touched > 0)
    latency.explanation.push_back(count_text(touched, "answer") +
                                  " had a boundary within 100 ms of a late tick of the engine.");
  add_net_latency(m, sheet);
}

void add_interruptions(const Measured& m, MetricSheet& sheet) {
  std::vector<double> by_agent;
  std::vector<double> by_caller;
  std::vector<double> stops;
  std::vector<std::string> agent_words;
  std::vector<std::string> caller_words;
  std::size_t turns = 0;
  std::size_t yielded = 0;
  for (const Turn& turn : m.turns) {
    if (turn.backchannel) continue;
    if (turn.who == Party::agent) ++turns;
    if (!turn.interrupts) continue;
    if (turn.who == Party::agent) {
      by_agent.push_back(turn.start_ms);
      agent_words.push_back("At " + seconds_text(turn.start_ms) +
                            " the agent began while the caller spoke; both spoke for " +
                            ms_text(turn.overlap_ms.value_or(0)) + ".");
      continue;
    }
    by_caller.push_back(turn.start_ms);
    const double stop = turn.yielded_after_ms.value_or(0);
    stops.push_back(stop);
    const bool yields = stop <= m.options.yield_ms;
    if (yields) ++yielded;
    caller_words.push_back("At " + seconds_text(turn.start_ms) +
                           " the caller spoke over the agent, which fell silent after " + ms_text(stop) +
                           (yields ? "." : ": it did not yield."));
  }
  Metric& ai = sheet.value("ai_interruptions", static_cast<double>(by_agent.size()));
  ai.explanation = std::move(agent_words);
  Metric& user = sheet.value("user_interruptions", static_cast<double>(by_caller.size()));
  if (!by_caller.empty()) user.explanation.push_back("At " + moments(by_caller) + ".");

  if (stops.empty()) {
    sheet.none("stop_time_ms", kNoInterruption);
    sheet.none("yield_rate", kNoInterruption);
  } else {
    Metric& stop = sheet.distribution("stop_time_ms", Distribution::of(stops));
    stop.passed = yielded == stops.size();
    stop.explanation = caller_words;
    sheet.value("yield_rate", static_cast<double>(yielded) / static_cast<double>(stops.size()),
                std::to_string(yielded) + " of " + count_text(stops.size(), "interruption") +
                    " heeded within " + seconds_text(m.options.yield_ms) + ".");
  }
  if (turns == 0) {
    sheet.none("interruption_score", "the agent took no turn");
  } else {
    const double score = 5 * (1 - static_cast<double>(by_agent.size()) / static_cast<double>(turns));
    sheet.value("interruption_score", std::clamp(score, 0.0, 5.0),
                std::to_string(by_agent.size()) + " of " + count_text(turns, "agent turn") +
                    " began while the caller spoke; 5 is best.");
  }
}

struct Shares {
  double agent = 0;
  double caller = 0;
  double both = 0;
  double longest_silence = 0;
  double silence_from = 0;
};

/// Walks through the edges of all spans: who speaks between each two of them.
Shares share_out(const Measured& m) {
  std::vector<std::pair<double, std::pair<int, int>>> edges;  // when, change of (agent, caller)
  for (const SpeechSpan& s : m.agent) {
    edges.push_back({s.start_ms, {1, 0}});
    edges.push_back({s.end_ms, {-1, 0}});
  }
  for (const SpeechSpan& s : m.caller) {
    edges.push_back({s.start_ms, {0, 1}});
    edges.push_back({s.end_ms, {0, -1}});
  }
  edges.push_back({m.to_ms, {0, 0}});
  std::sort(edges.begin(), edges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Shares shares;
  double at = m.from_ms;
  int agents = 0;
  int callers = 0;
  for (const auto& [when, change] : edges) {
    const double to = std::clamp(when, m.from_ms, m.to_ms);
    const double length = to - at;
    if (agents > 0 && callers > 0) {
      shares.both += length;
    } else if (agents > 0) {
      shares.agent += length;
    } else if (callers > 0) {
      shares.caller += length;
    } else if (length > shares.longest_silence) {
      shares.longest_silence = length;
      shares.silence_from = at;
    }
    agents += change.first;
    callers += change.second;
    at = to;
  }
  return shares;
}

void add_shares(const Measured& m, MetricSheet& sheet) {
  const double whole = m.to_ms - m.from_ms;
  const Shares shares = share_out(m);
  const double agent = shares.agent / whole;
  const double caller = shares.caller / whole;
  const double both = shares.both / whole;
  const double silence = std::max(0.0, 1 - agent - caller - both);
  const auto percent = [](double v) { return number_text(100 * v) + " %"; };
  sheet.value("talk_ratio", agent + both,
              "Agent alone " + percent(agent) + ", caller alone " + percent(caller) + ", both " +
                  percent(both) + ", neither " + percent(silence) + " of " + seconds_text(whole) + ".");
  sheet.value("talk_ratio.agent_alone", agent);
  sheet.value("talk_ratio.caller_alone", caller);
  sheet.value("talk_ratio.overlap", both);
  sheet.value("talk_ratio.silence", silence);

  Metric& dead = sheet.value("dead_air_ms", shares.longest_silence);
  dead.passed = shares.longest_silence <= m.options.silence_duration_ms;
  dead.explanation.push_back("Nobody spoke from " + seconds_text(shares.silence_from) + " to " +
                             seconds_text(shares.silence_from + shares.longest_silence) + ".");
}

/// Agent speech at or after `from`: when it begins (`from` itself where it goes on), or where the call ends.
double next_agent_speech(const Measured& m, double from) {
  for (const SpeechSpan& span : m.agent)
    if (span.end_ms > from) return std::max(from, span.start_ms);
  return m.to_ms;
}

void add_infrastructure(const Measured& m, MetricSheet& sheet) {
  std::vector<std::string> issues;
  const double limit = m.options.infra_issues_timeout_ms;
  const auto unanswered = [&](double from, const std::string& what) {
    const double wait = next_agent_speech(m, from) - from;
    if (wait >= limit)
      issues.push_back("The agent said nothing for " + seconds_text(wait) + " after " + what + " at " +
                       seconds_text(from) + ".");
  };
  unanswered(m.from_ms, "the answer");
  for (const Turn& turn : m.turns)
    if (turn.who == Party::caller && !turn.backchannel)
      unanswered(turn.end_ms, "the caller's turn that ended");
  if (m.call.media.receive.packets == 0)
    issues.push_back("The agent sent no RTP.");
  else if (m.call.media.last_packet_ms && m.to_ms - *m.call.media.last_packet_ms >= limit)
    issues.push_back("The agent's RTP stopped at " + seconds_text(*m.call.media.last_packet_ms) + ".");
  Metric& metric = sheet.value("infrastructure_issues", static_cast<double>(issues.size()));
  metric.passed = issues.empty();
  metric.explanation = std::move(issues);
}

void add_greeting(const Measured& m, MetricSheet& sheet) {
  if (m.agent.empty()) {
    sheet.none("greeting_delay_ms", "the agent never spoke");
    return;
  }
  const double first = m.agent.front().start_ms;
  sheet.value("greeting_delay_ms", std::max(0.0, first - m.from_ms),
              "Answered at " + seconds_text(m.from_ms) + ", first speech at " + seconds_text(first) + ".");
}

}  // namespace

void add_conversation_metrics(const Measured& m, MetricSheet& sheet) {
  if (!m.answered && m.call.failure && m.call.failure->category == FailureCategory::agent) {
    Metric& metric =
        sheet.value("infrastructure_issues", 1, "The call was not set up: " + m.call.failure->reason);
    metric.passed = false;
  }
  if (!m.unheard.empty()) return;
  add_latency(m, sheet);
  add_interruptions(m, sheet);
  add_shares(m, sheet);
  add_infrastructure(m, sheet);
  add_greeting(m, sheet);
}

}  // namespace linecheck::engine
