// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/waiting_runs.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

namespace linecheck::engine {
namespace {

constexpr std::size_t kPastKept = 1000;

/// RFC 3966: parameters and visual separators are no part of a number; some peers leave out the +.
std::string bare(const std::string& number) {
  std::string out = number.substr(0, number.find(';'));
  if (out.find_first_not_of("0123456789+-.() ") == std::string::npos)
    std::erase_if(out, [](char c) { return c < '0' || c > '9'; });
  return out;
}

bool among(const std::vector<std::string>& forms, const std::string& number) {
  return std::find(forms.begin(), forms.end(), bare(number)) != forms.end();
}

bool is_called(const ExpectedCall& call, std::size_t endpoint, const std::string& number) {
  return call.endpoint == endpoint && among(call.number_forms, number);
}

bool comes_from(const ExpectedCall& call, const std::string& number) {
  return call.caller_forms.empty() || among(call.caller_forms, number);
}

/// -1: there is something, which is no run's.
std::optional<std::int64_t> run_id_of(const sip::Incoming& incoming) {
  for (const sip::Header& header : incoming.headers) {
    if (strcasecmp(header.name.c_str(), "X-Run-Id") != 0) continue;
    std::int64_t id = 0;
    const char* end = header.value.data() + header.value.size();
    const auto [rest, error] = std::from_chars(header.value.data(), end, id);
    return error == std::errc{} && rest == end && id > 0 ? id : -1;
  }
  return std::nullopt;
}

std::string shown(const std::string& number) {
  return number.empty() ? "nobody" : number.substr(0, 64);
}

/// "called +1555..., expected from +1666..., came from +1777...".
std::string course_of(const ExpectedCall& wanted, const sip::Incoming& incoming) {
  return "called " + shown(incoming.request_user) +
         (among(wanted.number_forms, incoming.request_user) ? "" : ", expected at " + wanted.number) +
         ", expected from " + (wanted.caller.empty() ? "anybody" : wanted.caller) + ", came from " +
         shown(incoming.from_user);
}

std::string course_of(const sip::Incoming& incoming) {
  return "called " + shown(incoming.request_user) + ", came from " + shown(incoming.from_user);
}

WaitingRuns::Refusal refusal_of(int status, const ExpectedCall& nearest, const sip::Incoming& incoming,
                                const std::string& why = {}) {
  const std::string run = "run " + std::to_string(nearest.run_id);
  return {status, course_of(nearest, incoming) + (why.empty() ? "" : ": " + run + why), nearest.run_id,
          nearest.result_id};
}

/// Of a run at the right number, which does not wait for this call.
WaitingRuns::Refusal not_now(const WaitingRuns::Entry& entry, const sip::Incoming& incoming) {
  if (entry.state == WaitingRuns::State::taken)
    return refusal_of(486, entry.call, incoming, " has its call already");
  return refusal_of(480, entry.call, incoming, " has not asked for its call yet");
}

const char* past_text(bool had_its_call) {
  return had_its_call ? " has had its call" : " waits no longer: its dial window has passed";
}

}  // namespace

std::vector<std::string> number_forms(const std::string& number, const std::string& as_written) {
  if (number.empty()) return {};
  return {bare(number), bare(as_written)};
}

// ---- the line ----

WaitingRuns::Entries::iterator WaitingRuns::enter(ExpectedCall call, CallInbox* inbox) {
  Entry entry;
  entry.call = std::move(call);
  entry.inbox = inbox;
  return entries_.insert(entries_.end(), std::move(entry));
}

void WaitingRuns::leave(Entries::iterator entry) {
  if (entry->state == State::open || entry->state == State::taken) {
    past_.push_back({std::move(entry->call), entry->state == State::taken});
    if (past_.size() > kPastKept) past_.pop_front();
  }
  entries_.erase(entry);
}

std::vector<WaitingRuns::Entry*> WaitingRuns::admit() {
  std::vector<Entry*> admitted;
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->state != State::in_line) continue;
    const bool barred = std::any_of(entries_.begin(), entry, [&](const Entry& other) {
      return other.call.endpoint == entry->call.endpoint && other.call.number == entry->call.number &&
             !(other.call.by_header && entry->call.by_header);
    });
    if (barred) continue;
    entry->state = State::holding;
    admitted.push_back(&*entry);
  }
  return admitted;
}

// ---- calls ----

WaitingRuns::Entry* WaitingRuns::take(std::size_t endpoint, const sip::Incoming& incoming, Refusal& refusal) {
  const auto run_id = run_id_of(incoming);
  Entry* const entry =
      run_id ? match_run(endpoint, *run_id, incoming, refusal) : match(endpoint, incoming, refusal);
  if (entry != nullptr) {
    entry->state = State::taken;
    return entry;
  }
  for (Entry& one : entries_) {
    if (one.call.run_id != refusal.run_id) continue;
    ++one.refused;
    one.last_refusal = refusal.reason;
  }
  return nullptr;
}

WaitingRuns::Entry* WaitingRuns::match(std::size_t endpoint, const sip::Incoming& incoming,
                                       Refusal& refusal) {
  std::vector<Entry*> here;
  for (Entry& entry : entries_)
    if (is_called(entry.call, endpoint, incoming.request_user)) here.push_back(&entry);
  if (here.empty()) {
    refusal = wrong_number(endpoint, incoming);
    return nullptr;
  }
  const ExpectedCall& first = here.front()->call;
  std::erase_if(here, [&](const Entry* entry) { return !comes_from(entry->call, incoming.from_user); });
  if (here.empty()) {
    refusal = refusal_of(403, first, incoming);
    return nullptr;
  }
  Entry* const entry = here.front();
  if (entry->call.by_header) {
    // Several may wait here, and a call that is not marked could be anybody's, or one that comes twice.
    refusal = refusal_of(403, entry->call, incoming, " is known by its X-Run-Id, and the call has none");
    return nullptr;
  }
  const auto open =
      std::find_if(here.begin(), here.end(), [](const Entry* one) { return one->state == State::open; });
  if (open != here.end()) return *open;
  refusal = not_now(*entry, incoming);
  return nullptr;
}

/// Nobody waits at the number that was called.
WaitingRuns::Refusal WaitingRuns::wrong_number(std::size_t endpoint, const sip::Incoming& incoming) const {
  const auto past = std::find_if(past_.rbegin(), past_.rend(), [&](const Past& one) {
    return is_called(one.call, endpoint, incoming.request_user);
  });
  if (past != past_.rend()) return refusal_of(480, past->call, incoming, past_text(past->had_its_call));
  const auto waits_for_it = [&](const Entry& entry) {
    return entry.call.endpoint == endpoint && !entry.call.caller_forms.empty() &&
           comes_from(entry.call, incoming.from_user);
  };
  const auto nearest = std::find_if(entries_.begin(), entries_.end(), waits_for_it);
  if (nearest != entries_.end()) return refusal_of(404, nearest->call, incoming);
  Refusal refusal;
  refusal.status = 404;
  refusal.reason = course_of(incoming) + ": no run waits for a call to that number";
  return refusal;
}

WaitingRuns::Entry* WaitingRuns::match_run(std::size_t endpoint, std::int64_t run_id,
                                           const sip::Incoming& incoming, Refusal& refusal) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.call.run_id == run_id; });
  if (found == entries_.end()) {
    const auto past = std::find_if(past_.rbegin(), past_.rend(),
                                   [&](const Past& one) { return one.call.run_id == run_id; });
    if (past != past_.rend()) {
      refusal = refusal_of(480, past->call, incoming, past_text(past->had_its_call));
    } else {
      refusal = {404, course_of(incoming) + " with an X-Run-Id for which no run waits", 0, 0};
    }
    return nullptr;
  }
  if (!is_called(found->call, endpoint, incoming.request_user)) {
    refusal = refusal_of(404, found->call, incoming);
  } else if (!comes_from(found->call, incoming.from_user)) {
    refusal = refusal_of(403, found->call, incoming);
  } else if (found->state != State::open) {
    refusal = not_now(*found, incoming);
  } else {
    return &*found;
  }
  return nullptr;
}

}  // namespace linecheck::engine
