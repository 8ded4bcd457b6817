// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/evaluation/checks.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <variant>

#include "engine/evaluation/metric_value.h"
#include "engine/evaluation/pattern.h"
#include "engine/evaluation/words.h"

namespace linecheck::engine {
namespace {

using By = scheduler::Said::By;

std::string name_of(By by) {
  return by == By::agent ? "agent" : "caller";
}

std::string span_text(scheduler::Millis ms) {
  return seconds_text(static_cast<double>(ms.count()));
}

std::string quantity(double value) {
  std::string text = number_text(value, std::abs(value) < 10 ? 3 : 1);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text;
}

std::string tone_text(const media::ToneEvent& tone) {
  std::string text = std::string(media::tone_name(tone.kind)) + " at " + seconds_text(tone.start_ms);
  if (tone.low_hz > 0) {
    text += ", " + number_text(tone.low_hz, 0) +
            (tone.high_hz > 0 ? " + " + number_text(tone.high_hz, 0) : "") + " Hz";
  }
  return text;
}

/// Judges one call's entries of `expect`: one overload for each kind.
class Judge {
 public:
  Judge(const CallRecord& call, const scheduler::Scenario& scenario, const Evaluation& evaluation)
      : call_(call), evaluation_(evaluation) {
    asks_for_barge_in_ = std::any_of(
        scenario.conditional_actions.conditions.begin(), scenario.conditional_actions.conditions.end(),
        [](const scheduler::Condition& c) { return c.action.find("<interruption") != std::string::npos; });
  }

  CheckResult operator()(const scheduler::MetricBound& bound) const {
    const ResolvedMetric metric = resolve_metric(evaluation_, bound.metric);
    if (metric.value)
      return answer(holds(bound, *metric.value), bound.metric + " was " + quantity(*metric.value) +
                                                     ", wanted " + condition_text(bound) + ".");
    const std::string key = split_metric(bound.metric).first;
    const bool about_barge_in = key == "stop_time_ms" || key == "yield_rate";
    if (metric.nothing_to_measure && !(asks_for_barge_in_ && about_barge_in))
      return answer(true, "Nothing to measure: " + metric.reason + ".");
    return answer(false, bound.metric + " has no value: " + metric.reason + ".");
  }

  CheckResult operator()(const scheduler::AgentSpeaksWithin& check) const {
    if (!call_.answered_ms) return answer(false, "The call was not answered.");
    const Metric* delay = evaluation_.find("greeting_delay_ms");
    if (!delay || !delay->value)
      return answer(false, "The agent did not speak: " + (delay ? delay->reason : "not measured") + ".");
    return answer(*delay->value <= static_cast<double>(check.within.count()),
                  "The agent first spoke " + seconds_text(*delay->value) +
                      " after the answer, wanted within " + span_text(check.within) + ".");
  }

  CheckResult operator()(const scheduler::Said& check) const {
    if (check.by == By::agent)
      return answer(false, "What the agent said is not known: it needs a transcript of the agent's side.");
    for (const Utterance& utterance : call_.utterances) {
      const PatternMatch match = find_pattern(utterance.text, check.matches);
      if (!match.error.empty())
        return answer(false, "'" + check.matches + "' could not be looked for: " + match.error + ".");
      if (!match.found) continue;
      const double after = utterance.start_ms - call_.answered_ms.value_or(0);
      if (check.within && after > static_cast<double>(check.within->count())) continue;
      const std::string what = "The caller said \"" + utterance.text + "\" at " +
                               seconds_text(utterance.start_ms) +
                               (utterance.interrupted ? ", cut short." : ".");
      return answer(!check.negated, what);
    }
    return answer(check.negated, "The caller said nothing that matches '" + check.matches + "'" +
                                     (check.within ? " within " + span_text(*check.within) : std::string()) +
                                     ".");
  }

  CheckResult operator()(const scheduler::DigitsEqual& check) const {
    std::string digits = check.by == By::caller ? call_.digits_sent : std::string();
    if (digits.empty())
      for (const media::DigitEvent& digit : call_.media.digits)
        if (digit.sent == (check.by == By::caller)) digits.push_back(digit.digit);
    return answer(digits == check.digits, "The " + name_of(check.by) + " sent " +
                                              (digits.empty() ? "no digits" : "\"" + digits + "\"") +
                                              ", wanted \"" + check.digits + "\".");
  }

  CheckResult operator()(const scheduler::ToneHeard& check) const {
    std::string others;
    for (const media::ToneEvent& tone : call_.tones) {
      const std::string name(media::tone_name(tone.kind));
      if (name == check.tone || (check.tone == "fax" && name.starts_with("fax_")))
        return answer(true, "There was a " + tone_text(tone) + ".");
      if (others.find(name) == std::string::npos) others += (others.empty() ? "" : ", ") + name;
    }
    if (call_.recording_path.empty())
      return answer(false, "Tones are heard in the recording, and there is none.");
    return answer(false, "There was no " + check.tone +
                             (others.empty() ? ", nor any other tone." : ", but " + others + "."));
  }

  CheckResult operator()(const scheduler::HungUpBy& check) const {
    if (!call_.hung_up_by)
      return answer(false, "Nobody hung up: " +
                               (call_.ended_reason.empty() ? "no reason known" : call_.ended_reason) + ".");
    const By by = *call_.hung_up_by == Party::agent ? By::agent : By::caller;
    const std::string when = call_.ended_ms ? " at " + seconds_text(*call_.ended_ms) : "";
    return answer(by == check.by, "The " + name_of(by) + " hung up" + when + ".");
  }

  CheckResult operator()(const scheduler::SipStatusIs& check) const {
    if (!call_.sip_status) return answer(false, "There was no final SIP response.");
    return answer(*call_.sip_status == check.status, "The INVITE was answered with " +
                                                         std::to_string(*call_.sip_status) + ", wanted " +
                                                         std::to_string(check.status) + ".");
  }

  CheckResult operator()(const scheduler::TransferredTo& check) const {
    if (call_.transferred_to.empty())
      return answer(false, call_.transfer_not_made.empty() ? "The agent did not transfer the call."
                                                           : call_.transfer_not_made);
    const std::string& target = call_.transferred_to;
    const auto colon = target.find(':');
    const bool whole = check.target.find(':') != std::string::npos;
    const std::string got = whole ? target : target.substr(colon + 1, target.find('@') - colon - 1);
    return answer(got == check.target,
                  "The agent transferred the call to " + target + ", wanted " + check.target + ".");
  }

  CheckResult operator()(const scheduler::DurationBetween& check) const {
    if (!call_.answered_ms || !call_.ended_ms) return answer(false, "The call was not answered.");
    const double length = std::max(0.0, *call_.ended_ms - *call_.answered_ms);
    const bool enough = !check.at_least || length >= static_cast<double>(check.at_least->count());
    const bool not_too_much = !check.at_most || length <= static_cast<double>(check.at_most->count());
    std::string wanted;
    if (check.at_least) wanted += " at least " + span_text(*check.at_least);
    if (check.at_most)
      wanted += std::string(wanted.empty() ? "" : " and") + " at most " + span_text(*check.at_most);
    return answer(enough && not_too_much, "The call lasted " + seconds_text(length) +
                                              (wanted.empty() ? "" : ", wanted" + wanted) + ".");
  }

 private:
  static CheckResult answer(bool passed, std::string explanation) {
    CheckResult result;
    result.passed = passed;
    result.explanation = std::move(explanation);
    return result;
  }

  const CallRecord& call_;
  const Evaluation& evaluation_;
  bool asks_for_barge_in_ = false;
};

}  // namespace

std::vector<CheckResult> run_checks(const CallRecord& call, const scheduler::Scenario& scenario,
                                    const Evaluation& evaluation) {
  const Judge judge(call, scenario, evaluation);
  std::vector<CheckResult> results;
  results.reserve(scenario.expect.size());
  for (const scheduler::Check& check : scenario.expect) {
    CheckResult result = std::visit(judge, check.what);
    result.check = check.text;
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace linecheck::engine
