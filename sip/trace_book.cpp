// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/trace_book.h"

#include <algorithm>
#include <charconv>

#include "sip/ascii.h"
#include "sip/sdp_crypto.h"

namespace linecheck::sip {
namespace {

constexpr std::size_t kMaxUnclaimed = 256;
constexpr std::int64_t kUnclaimedFor =
    5'000'000'000;  // an INVITE is claimed within the same turn of the loop

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == y; });
}

/// Takes a line off the front, without its CRLF or LF.
std::string_view next_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

}  // namespace

MessageFacts facts_of(std::string_view message) {
  MessageFacts facts;
  std::string_view rest = message;
  const std::string_view first = next_line(rest);
  facts.start_line = first;
  constexpr std::string_view kVersion = "SIP/2.0 ";
  if (first.substr(0, kVersion.size()) == kVersion) {
    const std::string_view status = first.substr(kVersion.size(), 3);
    std::from_chars(status.data(), status.data() + status.size(), facts.status);
  } else {
    facts.method = first.substr(0, first.find(' '));
  }
  while (!rest.empty() && (facts.call_id.empty() || facts.cseq_method.empty())) {
    const std::string_view line = next_line(rest);
    if (line.empty()) break;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = trimmed(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (same_name(name, "call-id") || same_name(name, "i")) {
      facts.call_id = value;
    } else if (same_name(name, "cseq")) {
      const auto blank = value.find_last_of(" \t");
      if (blank != std::string_view::npos) facts.cseq_method = value.substr(blank + 1);
    }
  }
  return facts;
}

std::string masked(std::string_view message) {
  std::string out;
  std::string_view rest = message;
  bool hiding = false;
  while (!rest.empty()) {
    const std::string_view before = rest;
    const std::string_view line = next_line(rest);
    const std::string_view raw = before.substr(0, before.size() - rest.size());
    if (line.empty()) {  // the body follows
      out += masked_keys(std::string(before));
      break;
    }
    const bool folded = line.front() == ' ' || line.front() == '\t';
    if (folded && hiding) continue;
    const auto colon = line.find(':');
    const std::string_view name =
        colon == std::string_view::npos ? std::string_view{} : trimmed(line.substr(0, colon));
    hiding = !folded && (same_name(name, "authorization") || same_name(name, "proxy-authorization"));
    if (!hiding) {
      out += raw;
      continue;
    }
    const std::string_view value = trimmed(line.substr(colon + 1));
    out += line.substr(0, colon);
    out += ": ";
    out += value.substr(0, value.find(' '));
    out += " ***\r\n";
  }
  return out;
}

TraceBook::TraceBook(std::size_t limit, std::function<void(const std::string&, Note)> note)
    : limit_(limit), note_(std::move(note)) {
}

void TraceBook::on_wire(WireMessage&& message) noexcept {
  try {
    MessageFacts facts = facts_of(message.text);
    if (facts.call_id.empty()) return;
    auto found = calls_.find(facts.call_id);
    if (found == calls_.end()) {
      if (message.sent || facts.method != "INVITE") return;
      forget_unclaimed(message.mono_ns);
      found = calls_.emplace(facts.call_id, Call{}).first;
      unclaimed_.push_back({message.mono_ns, facts.call_id});
    }
    Call& call = found->second;
    const bool invite_sent = message.sent && facts.method == "INVITE";
    const bool ack_received = !message.sent && facts.method == "ACK";
    if (call.entries.size() >= limit_) {
      call.truncated = true;
    } else {
      Entry entry;
      entry.message = {message.mono_ns,
                       message.sent,
                       message.sent ? message.local : message.remote,
                       message.sent ? message.remote : message.local,
                       std::move(message.transport),
                       std::move(facts.start_line),
                       masked(message.text)};
      entry.method = facts.status == 0 ? facts.method : facts.cseq_method;
      entry.status = facts.status;
      call.entries.push_back(std::move(entry));
    }
    if (invite_sent) note_(facts.call_id, Note::invite_sent);
    if (ack_received) note_(facts.call_id, Note::ack_received);
  } catch (...) {  // out of memory: the trace has a hole, the call goes on
  }
}

void TraceBook::claim(const std::string& call_id) {
  ++calls_[call_id].claims;
}

TraceBook::Taken TraceBook::take(const std::string& call_id) {
  const auto found = calls_.find(call_id);
  if (found == calls_.end()) return {};
  Call& call = found->second;
  Taken out;
  out.truncated = call.truncated;
  out.messages.reserve(call.entries.size());
  const bool last = --call.claims <= 0;
  for (Entry& entry : call.entries)
    out.messages.push_back(last ? std::move(entry.message) : TraceMessage(entry.message));
  if (last) calls_.erase(found);
  return out;
}

const TraceBook::Call* TraceBook::find(const std::string& call_id) const {
  const auto found = calls_.find(call_id);
  return found == calls_.end() ? nullptr : &found->second;
}

template <class Iterator, class Match>
std::optional<std::int64_t> TraceBook::time_of(Iterator begin, Iterator end, Match match) {
  const auto found = std::find_if(begin, end, match);
  if (found == end) return std::nullopt;
  return found->message.mono_ns;
}

std::optional<std::int64_t> TraceBook::first_request(const std::string& call_id, bool sent,
                                                     std::string_view method) const {
  const Call* call = find(call_id);
  if (call == nullptr) return std::nullopt;
  return time_of(call->entries.begin(), call->entries.end(), [&](const Entry& entry) {
    return entry.message.sent == sent && entry.status == 0 && entry.method == method;
  });
}

std::optional<std::int64_t> TraceBook::last_request(const std::string& call_id, bool sent,
                                                    std::string_view method) const {
  const Call* call = find(call_id);
  if (call == nullptr) return std::nullopt;
  return time_of(call->entries.rbegin(), call->entries.rend(), [&](const Entry& entry) {
    return entry.message.sent == sent && entry.status == 0 && entry.method == method;
  });
}

std::optional<std::int64_t> TraceBook::first_response(const std::string& call_id, bool sent,
                                                      std::string_view method, int status) const {
  const Call* call = find(call_id);
  if (call == nullptr) return std::nullopt;
  return time_of(call->entries.begin(), call->entries.end(), [&](const Entry& entry) {
    return entry.message.sent == sent && entry.status != 0 && (status == 0 || entry.status == status) &&
           entry.method == method;
  });
}

std::optional<std::int64_t> TraceBook::last_response(const std::string& call_id, bool sent,
                                                     std::string_view method, int status) const {
  const Call* call = find(call_id);
  if (call == nullptr) return std::nullopt;
  return time_of(call->entries.rbegin(), call->entries.rend(), [&](const Entry& entry) {
    return entry.message.sent == sent && entry.status != 0 && (status == 0 || entry.status == status) &&
           entry.method == method;
  });
}

std::string TraceBook::source(const std::string& call_id) const {
  const Call* call = find(call_id);
  if (call == nullptr) return {};
  for (const Entry& entry : call->entries)
    if (!entry.message.sent) return entry.message.from;
  return {};
}

void TraceBook::forget_unclaimed(std::int64_t now_ns) {
  // INVITEs that Sofia refused by itself (malformed, merged, 405, 420) never become a leg.
  while (!unclaimed_.empty() &&
         (unclaimed_.size() >= kMaxUnclaimed || now_ns - unclaimed_.front().since_ns > kUnclaimedFor)) {
    const auto found = calls_.find(unclaimed_.front().call_id);
    if (found != calls_.end() && found->second.claims == 0) calls_.erase(found);
    unclaimed_.pop_front();
  }
}

}  // namespace linecheck::sip
