// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/checks.h"
#include "scheduler/trunks.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <regex>

namespace linecheck::scheduler {
namespace {

constexpr std::size_t kLongestPattern = 500;
constexpr std::array kComparisons = {Comparison::below, Comparison::at_most, Comparison::above,
                                     Comparison::at_least, Comparison::equals};

/// What an entry of `expect` may be: the key that says which.
const std::vector<std::string> kCheckKeys = {
    "metric",     "agent_speaks_within", "said",       "not_said", "digits",
    "hung_up_by", "transferred_to",      "sip_status", "duration", "tone"};

/// lower_case words joined by dots: `latency_ms.p95`.
bool is_metric_name(std::string_view name) {
  bool start = true;
  for (const char c : name) {
    if (c == '.') {
      if (start) return false;
      start = true;
    } else if ((c >= 'a' && c <= 'z') || (!start && (c == '_' || (c >= '0' && c <= '9')))) {
      start = false;
    } else {
      return false;
    }
  }
  return !start;
}

/// `metric: x, below: n`, also with two comparisons.
std::vector<MetricBound> parse_metric(Reader& map) {
  MetricBound bound;
  bound.mark = map.mark();
  std::vector<MetricBound> bounds;
  const auto name = map.required("metric");
  if (name && name->get(bound.metric) && !is_metric_name(bound.metric)) {
    name->problem("'" + bound.metric +
                  "' is not the name of a metric, such as latency_ms.p95 or success_rate");
  }
  bool any = false;
  for (const Comparison comparison : kComparisons) {
    bound.comparison = comparison;
    any = map.has(comparison_name(comparison)) || any;
    if (map.read(comparison_name(comparison), bound.value)) bounds.push_back(bound);
  }
  if (!any) map.problem("needs a comparison: below, at_most, above, at_least or equals, with a number");
  return bounds;
}

bool read_by(Reader& map, Said::By& by) {
  const auto field = map.required("by");
  return field && field->choice(by, {{"agent", Said::By::agent}, {"caller", Said::By::caller}});
}

void check_pattern(const Field& field, const std::string& pattern) {
  if (pattern.size() > kLongestPattern) {
    field.problem("a pattern has at most " + std::to_string(kLongestPattern) + " characters");
    return;
  }
  try {
    const std::regex compiled(pattern, std::regex::ECMAScript | std::regex::icase);
  } catch (const std::regex_error& error) {
    field.problem(std::string("is not a regular expression: ") + error.what());
  }
}

Said parse_said(Reader& map, bool negated) {
  Said said;
  said.negated = negated;
  if (read_by(map, said.by) && said.by == Said::By::agent) {
    map.problem("by", not_available("hearing the agent's words"));
  }
  const auto pattern = map.required("matches");
  if (pattern && pattern->get(said.matches)) check_pattern(*pattern, said.matches);
  map.read("within", said.within, more_than(0));
  return said;
}

DigitsEqual parse_digits(Reader& map) {
  DigitsEqual digits;
  read_by(map, digits.by);
  const auto value = map.required("equals");
  if (value && value->get(digits.digits)) {
    const auto bad = digits.digits.find_first_not_of("0123456789*#ABCD");
    if (bad != std::string::npos || digits.digits.empty()) value->problem("may hold only 0-9, *, # and A-D");
  }
  return digits;
}

DurationBetween parse_between(Reader& map) {
  DurationBetween between;
  map.read("at_least", between.at_least);
  map.read("at_most", between.at_most);
  if (!map.has("at_least") && !map.has("at_most")) map.problem("needs at_least or at_most");
  if (between.at_least && between.at_most && *between.at_least > *between.at_most) {
    map.problem("at_least", "is more than at_most: no call could pass");
  }
  return between;
}

/// The keys of an entry that say what it is; exactly one is right.
std::vector<std::string> kinds_of(Reader& map) {
  std::vector<std::string> kinds;
  for (const std::string& key : kCheckKeys) {
    if (map.has(key)) kinds.push_back(key);
  }
  return kinds;
}

void parse_check(const Field& item, std::vector<Check>& checks) {
  Reader map(item);
  if (!map.is_map()) return;
  const auto kinds = kinds_of(map);
  if (kinds.size() > 1) {
    item.problem("holds two checks, '" + kinds[0] + "' and '" + kinds[1] + "': make them two entries");
    return;
  }
  if (kinds.empty()) {
    map.finish();
    item.problem("is no check: expected one of " + join_or(kCheckKeys));
    return;
  }
  const std::string& kind = kinds.front();
  const auto add = [&](auto what) {
    checks.push_back({std::move(what), item.node().one_line(), item.mark()});
  };
  if (kind == "metric") {
    const auto bounds = parse_metric(map);
    for (const MetricBound& bound : bounds) {
      add(bound);
      if (bounds.size() > 1) checks.back().text = metric_text(bound);
    }
  } else if (kind == "agent_speaks_within") {
    AgentSpeaksWithin check;
    if (map.read(kind, check.within, more_than(0))) add(check);
  } else if (kind == "said" || kind == "not_said") {
    map.object(kind, [&](Reader& said) { add(parse_said(said, kind == "not_said")); });
  } else if (kind == "digits") {
    map.object(kind, [&](Reader& digits) { add(parse_digits(digits)); });
  } else if (kind == "hung_up_by") {
    HungUpBy check;
    if (map.choice(kind, check.by, {{"agent", Said::By::agent}, {"caller", Said::By::caller}})) add(check);
  } else if (kind == "sip_status") {
    SipStatusIs check;
    if (map.read(kind, check.status, between(100, 699))) add(check);
  } else if (kind == "tone") {
    ToneHeard check;
    if (map.choice<std::string>(kind, check.tone,
                                {{"ringback", "ringback"},
                                 {"busy", "busy"},
                                 {"congestion", "congestion"},
                                 {"sit", "sit"},
                                 {"dial", "dial"},
                                 {"fax", "fax"},
                                 {"beep", "beep"},
                                 {"music", "music"}})) {
      add(check);
    }
  } else if (kind == "transferred_to") {
    TransferredTo check;
    if (map.read(kind, check.target)) {
      const bool uri = check.target.find(':') != std::string::npos;
      if (const auto why = uri ? sip_uri_problem(check.target) : std::string(); !why.empty())
        map.problem(kind, why);
      else if (check.target.empty())
        map.problem(kind, "expected a SIP URI, or the number or the name that it begins with");
      else
        add(check);
    }
  } else if (kind == "duration") {
    map.object(kind, [&](Reader& duration) { add(parse_between(duration)); });
  } else {
    map.unavailable(kind, "the check '" + kind + "'");
  }
  map.finish();
}

}  // namespace

const char* comparison_name(Comparison comparison) {
  switch (comparison) {
    case Comparison::below:
      return "below";
    case Comparison::at_most:
      return "at_most";
    case Comparison::above:
      return "above";
    case Comparison::at_least:
      return "at_least";
    case Comparison::equals:
      return "equals";
  }
  return "";
}

std::string metric_text(const MetricBound& bound) {
  std::string value = std::to_string(bound.value);
  value.erase(value.find_last_not_of('0') + 1);
  if (value.ends_with('.')) value.pop_back();
  return "metric: " + bound.metric + ", " + comparison_name(bound.comparison) + ": " + value;
}

std::vector<Check> parse_expect(const Field& list) {
  std::vector<Check> checks;
  list.each([&](const Field& item) { parse_check(item, checks); });
  return checks;
}

std::vector<MetricBound> parse_thresholds(const Field& list) {
  std::vector<MetricBound> thresholds;
  list.each([&](const Field& item) {
    Reader map(item);
    if (!map.is_map()) return;
    bool abort_on_fail = false;
    map.read("abort_on_fail", abort_on_fail);
    map.unavailable("delay_abort", "delay_abort");
    for (MetricBound& bound : parse_metric(map)) {
      bound.abort_on_fail = abort_on_fail;
      thresholds.push_back(std::move(bound));
    }
    map.finish();
  });
  return thresholds;
}

}  // namespace linecheck::scheduler
