// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/words.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

namespace linecheck::engine::report {
namespace {

constexpr std::array<std::pair<RunStatus, std::string_view>, 8> kRunStatus{{
    {RunStatus::pending, "pending"},
    {RunStatus::in_queue, "in_queue"},
    {RunStatus::running, "running"},
    {RunStatus::evaluating, "evaluating"},
    {RunStatus::completed, "completed"},
    {RunStatus::failed, "failed"},
    {RunStatus::timeout, "timeout"},
    {RunStatus::cancelled, "cancelled"},
}};

constexpr std::array<std::pair<ResultStatus, std::string_view>, 7> kResultStatus{{
    {ResultStatus::pending, "pending"},
    {ResultStatus::running, "running"},
    {ResultStatus::evaluating, "evaluating"},
    {ResultStatus::completed, "completed"},
    {ResultStatus::failed, "failed"},
    {ResultStatus::cancelled, "cancelled"},
    {ResultStatus::paused, "paused"},
}};

constexpr std::array<std::pair<FailureCategory, std::string_view>, 5> kCategory{{
    {FailureCategory::agent, "agent"},
    {FailureCategory::network, "network"},
    {FailureCategory::engine, "engine"},
    {FailureCategory::provider, "provider"},
    {FailureCategory::configuration, "configuration"},
}};

constexpr std::array<std::pair<Party, std::string_view>, 2> kParty{{
    {Party::caller, "caller"},
    {Party::agent, "agent"},
}};

template <typename Table, typename Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [known, name] : table) {
    if (known == value) return name;
  }
  return "unknown";
}

template <typename Table>
auto value_in(const Table& table, std::string_view name) -> std::optional<decltype(table[0].first)> {
  for (const auto& [known, its_name] : table) {
    if (its_name == name) return known;
  }
  return std::nullopt;
}

/// Length of the valid UTF-8 sequence (RFC 3629) at the head of `text`, 0 where there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
  }
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF.
  const unsigned char second = byte(1);
  if (first == 0xE0 && second < 0xA0) return 0;
  if (first == 0xED && second > 0x9F) return 0;
  if (first == 0xF0 && second < 0x90) return 0;
  if (first == 0xF4 && second > 0x8F) return 0;
  return length;
}

std::string grouped(const std::string& digits) {
  std::string out;
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const std::size_t sign = digits.starts_with('-') ? 1 : 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > sign && i < point && (point - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string trimmed(double value, int decimals) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  std::string text = buffer.data();
  if (decimals > 0) {
    while (text.ends_with('0')) text.pop_back();
    if (text.ends_with('.')) text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

}  // namespace

bool is_flaky(const Run& run) {
  return run.success == true && run.call.attempt > 1;
}

std::vector<std::int64_t> flaky_runs(const Result& result) {
  std::vector<std::int64_t> ids;
  for (const Run& run : result.runs) {
    if (is_flaky(run)) ids.push_back(run.id);
  }
  return ids;
}

std::string_view name_of(RunStatus status) {
  return name_in(kRunStatus, status);
}
std::string_view name_of(ResultStatus status) {
  return name_in(kResultStatus, status);
}
std::string_view name_of(FailureCategory category) {
  return name_in(kCategory, category);
}
std::string_view name_of(Party party) {
  return name_in(kParty, party);
}
std::optional<RunStatus> run_status_of(std::string_view name) {
  return value_in(kRunStatus, name);
}
std::optional<ResultStatus> result_status_of(std::string_view name) {
  return value_in(kResultStatus, name);
}
std::optional<FailureCategory> failure_category_of(std::string_view name) {
  return value_in(kCategory, name);
}
std::optional<Party> party_of(std::string_view name) {
  return value_in(kParty, name);
}

bool is_over(RunStatus status) {
  return status == RunStatus::completed || status == RunStatus::failed || status == RunStatus::timeout ||
         status == RunStatus::cancelled;
}

std::string minutes_seconds(double seconds) {
  if (!(seconds > 0)) return "00:00";
  const long long whole = std::llround(std::min(seconds, 1e9));
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%02lld:%02lld", whole / 60, whole % 60);
  return buffer.data();
}

double conversation_seconds(const CallRecord& call) {
  if (!call.answered_ms || !call.ended_ms) return 0;
  return std::max(0.0, (*call.ended_ms - *call.answered_ms) / 1000.0);
}

std::string variant_of(const Run& run) {
  std::string text = run.personality_name;
  if (!run.test_profile_name.empty()) {
    if (!text.empty()) text += " / ";
    text += run.test_profile_name;
  }
  if (!text.empty()) text += " / ";
  return text + "#" + std::to_string(run.repetition);
}

std::string quantity(double value, std::string_view unit) {
  if (!std::isfinite(value)) return "-";
  const double size = std::abs(value);
  int decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  if (unit == "ms") decimals = size >= 10 ? 0 : 1;
  std::string text = grouped(trimmed(value, decimals));
  if (unit.empty() || unit == "ratio" || unit == "count") return text;
  return text + " " + (unit == "percent" ? std::string("%") : std::string(unit));
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

std::string xml_escaped(std::string_view text) {
  const std::string clean = valid_utf8(text);
  std::string out;
  out.reserve(clean.size());
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const char c = clean[i];
    // XML 1.0, production 2 (Char): U+FFFE and U+FFFF are not characters either.
    if (clean.compare(i, 3, "\xEF\xBF\xBE") == 0 || clean.compare(i, 3, "\xEF\xBF\xBF") == 0) {
      i += 2;
      continue;
    }
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\n':
        out += "&#10;";
        break;
      case '\r':
        out += "&#13;";
        break;
      case '\t':
        out += "&#9;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) out += c;
    }
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out;
  const std::string clean = valid_utf8(text);
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const auto byte = static_cast<unsigned char>(clean[i]);
    // C1 controls (U+0080 to U+009F) drive some terminals as well.
    if (byte == 0xC2 && i + 1 < clean.size() && static_cast<unsigned char>(clean[i + 1]) < 0xA0) {
      out += '?';
      ++i;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += byte == '\n' || byte == '\t' || byte == '\r' ? ' ' : '?';
    } else {
      out += clean[i];
    }
  }
  return out;
}

std::string advice_for(const Failure& failure) {
  const int status = failure.sip_status.value_or(0);
  const std::string code = std::to_string(status);
  switch (failure.category) {
    case FailureCategory::agent:
      if (status == 486 || status == 600) {
        return "The agent has no free line: lower concurrency_limit or calls_per_second, or let it take more "
               "calls.";
      }
      if (status == 401 || status == 403 || status == 407) {
        return "The far side refuses us: check the trunk's auth, and that it accepts our caller numbers.";
      }
      if (status == 404 || status == 410 || status == 484 || status == 604) {
        return "There is nobody at that address: check the agent's contact_number or sip_endpoint.";
      }
      if (status == 408 || status == 480 || status == 487) {
        return "Nobody answered: see that the agent runs, is registered and is reached at this address.";
      }
      if (status == 415 || status == 488 || status == 606) {
        return "It refuses our offer of audio: allow one of our codecs on its side, or change codecs of the "
               "trunk, the agent or the job.";
      }
      if (status >= 300 && status < 400) {
        return "Redirects are not followed: dial the new address, if the trunk's allow list names it.";
      }
      if (status >= 400)
        return "The agent refused with " + code + ": its own log says why; search it for the Call-ID.";
      if (failure.reason.starts_with("The agent did not call") ||
          failure.reason.starts_with("The agent could not be asked to call")) {
        return "Check the agent's trigger_url, that it calls the number that it is told, that it calls from "
               "its "
               "contact_number, and that its network is in the endpoint's incoming.from.";
      }
      return "Listen to the recording beside its timeline, then search the agent's log for the Call-ID.";
    case FailureCategory::network:
      if (failure.retry_after_s) {
        return "The far side asks to wait " + std::to_string(*failure.retry_after_s) +
               " s: lower calls_per_second, or run the job later.";
      }
      if (status >= 500) {
        return "The trunk or the far side answers " + code + ": lower calls_per_second, or ask who runs it.";
      }
      return "Check the trunk's proxy and its name, and that SIP and RTP pass the firewalls both ways.";
    case FailureCategory::engine:
      return "This is linecheck or its machine, not the agent: see the log, free disk space and load; "
             "a lower concurrency_limit tells whether the machine is too small.";
    case FailureCategory::provider:
      return "A speech provider failed, not the agent: check providers in linecheck.yaml and the "
             "personality's voice.";
    case FailureCategory::configuration:
      return "Run linecheck check on the job and the catalogue; a destination must be named in the trunk's "
             "allow list.";
  }
  return "See the log.";
}

std::string check_words(std::string_view check) {
  constexpr std::string_view kMetric = "metric: ";
  const std::size_t comma = check.find(", ");
  const std::size_t colon = check.find(": ", comma == std::string_view::npos ? check.size() : comma);
  if (!check.starts_with(kMetric) || colon == std::string_view::npos) return std::string(check);
  std::string comparison(check.substr(comma + 2, colon - comma - 2));
  std::replace(comparison.begin(), comparison.end(), '_', ' ');
  return std::string(check.substr(kMetric.size(), comma - kMetric.size())) + " " + comparison + " " +
         std::string(check.substr(colon + 2));
}

std::string advice_for_check(std::string_view check) {
  const auto has = [&](std::string_view word) { return check.find(word) != std::string_view::npos; };
  if (has("latency") || has("greeting_delay")) {
    return "Look at the arrows between the turns in the report: long ones are the agent's thinking time.";
  }
  if (has("stop_time") || has("yield")) {
    return "The agent goes on when it is talked over: check its barge-in (interruption) settings, "
           "then listen at the marked place.";
  }
  if (has("interruptions") || has("interruption_score")) {
    return "The agent starts before the caller has finished: give its end-of-turn detection more silence.";
  }
  if (has("agent_speaks_within")) {
    return "The agent is late with its first words: check what it waits for when a call begins.";
  }
  if (has("dead_air")) return "Both sides were silent for too long: see in the timeline whose turn it was.";
  if (has("sip_status"))
    return "Open the SIP messages in the report: the last answer to INVITE has the status.";
  if (has("digits")) return "Compare the keys in the timeline with what the agent's menu expects.";
  if (has("hung_up_by") || has("duration"))
    return "See in the timeline who ended the call, when, and after which words.";
  if (has("packet_loss") || has("jitter") || has("mos_cqe")) {
    return "The line was bad on the way: compare with RTP in the report, and with a call over another trunk.";
  }
  if (has("tone"))
    return "See in the timeline which tones there were: result.json has their frequencies and cadence.";
  if (has("said")) return "Read the transcript beside the recording: the words may be there in another form.";
  return "Open the call in the report: the marked place on its timeline shows what happened.";
}

}  // namespace linecheck::engine::report
