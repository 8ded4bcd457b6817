// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which run a call from outside belongs to, and what everybody else is told.
#include "engine/call/waiting_runs.h"

#include <doctest/doctest.h>

using namespace linecheck::engine;
namespace sip = linecheck::sip;
using State = WaitingRuns::State;

namespace {

ExpectedCall expected(std::int64_t run, const std::string& number, const std::string& caller = "+16665550100",
                      bool by_header = false) {
  ExpectedCall call;
  call.run_id = run;
  call.result_id = 500 + run;
  call.number = number;
  call.number_forms = number_forms(number, number);
  call.caller = caller;
  call.caller_forms = number_forms(caller, caller);
  call.by_header = by_header;
  return call;
}

sip::Incoming incoming(const std::string& called, const std::string& from, const std::string& run_id = {}) {
  sip::Incoming call;
  call.request_user = called;
  call.from_user = from;
  if (!run_id.empty()) call.headers.push_back({"x-run-id", run_id});
  return call;
}

/// The run that has the call, else "status reason".
std::string outcome(WaitingRuns& runs, const sip::Incoming& call, std::size_t endpoint = 0) {
  WaitingRuns::Refusal refusal;
  if (const auto* entry = runs.take(endpoint, call, refusal)) return std::to_string(entry->call.run_id);
  return std::to_string(refusal.status) + " " + refusal.reason;
}

const std::string kOurs = "+15550100001";
const std::string kAgent = "+16665550100";

}  // namespace

TEST_CASE("waiting runs: the right caller at the right number, once") {
  WaitingRuns runs;
  const auto one = runs.enter(expected(1, kOurs), nullptr);
  CHECK(one->state == State::in_line);
  REQUIRE(runs.admit().size() == 1);
  CHECK(one->state == State::holding);
  CHECK(outcome(runs, incoming(kOurs, kAgent)) ==
        "480 called +15550100001, expected from +16665550100, came from +16665550100: run 1 has not asked "
        "for its "
        "call yet");
  one->state = State::open;
  CHECK(outcome(runs, incoming(kOurs, "+17775550100")) ==
        "403 called +15550100001, expected from +16665550100, came from +17775550100");
  CHECK(outcome(runs, incoming("+15550100002", kAgent)) ==
        "404 called +15550100002, expected at +15550100001, expected from +16665550100, came from "
        "+16665550100");
  CHECK(outcome(runs, incoming(kOurs, kAgent), 1).starts_with("404 "));  // another endpoint is another number
  CHECK(one->refused == 3);
  CHECK(one->last_refusal.starts_with("called +15550100002, expected at +15550100001"));
  CHECK(outcome(runs, incoming(kOurs, kAgent)) == "1");
  CHECK(one->state == State::taken);
  CHECK(outcome(runs, incoming(kOurs, kAgent)) ==
        "486 called +15550100001, expected from +16665550100, came from +16665550100: run 1 has its call "
        "already");
  runs.leave(one);
  CHECK(
      outcome(runs, incoming(kOurs, kAgent)) ==
      "480 called +15550100001, expected from +16665550100, came from +16665550100: run 1 has had its call");
}

TEST_CASE("waiting runs: too late, and unasked") {
  WaitingRuns runs;
  WaitingRuns::Refusal refusal;
  CHECK(runs.take(0, incoming(kOurs, kAgent), refusal) == nullptr);
  CHECK(refusal.status == 404);
  CHECK(refusal.reason ==
        "called +15550100001, came from +16665550100: no run waits for a call to that number");
  CHECK(refusal.run_id == 0);
  const auto one = runs.enter(expected(1, kOurs), nullptr);
  runs.admit();
  one->state = State::open;
  runs.leave(one);
  CHECK(runs.take(0, incoming(kOurs, kAgent), refusal) == nullptr);
  CHECK(refusal.status == 480);
  CHECK(refusal.reason.ends_with(": run 1 waits no longer: its dial window has passed"));
  CHECK(refusal.run_id == 1);
  CHECK(refusal.result_id == 501);
  // A number that is in use again is no longer the earlier run's.
  const auto two = runs.enter(expected(2, kOurs), nullptr);
  runs.admit();
  two->state = State::open;
  CHECK(outcome(runs, incoming(kOurs, kAgent)) == "2");
}

TEST_CASE("waiting runs: one at a time at a number, first come, first served") {
  WaitingRuns runs;
  const auto one = runs.enter(expected(1, kOurs), nullptr);
  const auto two = runs.enter(expected(2, kOurs), nullptr);
  const auto other = runs.enter(expected(3, "+15550100002"), nullptr);
  const auto three = runs.enter(expected(4, kOurs), nullptr);
  CHECK(runs.admit().size() == 2);
  CHECK(one->state == State::holding);
  CHECK(other->state == State::holding);
  CHECK(two->state == State::in_line);
  runs.leave(one);
  CHECK(runs.admit() == std::vector<WaitingRuns::Entry*>{&*two});
  CHECK(three->state == State::in_line);
  two->state = State::open;
  CHECK(outcome(runs, incoming(kOurs, kAgent)) == "2");
  runs.leave(two);
  CHECK(runs.admit().size() == 1);
  CHECK(three->state == State::holding);
}

TEST_CASE("waiting runs: several at one number, told apart by X-Run-Id") {
  WaitingRuns runs;
  std::vector<WaitingRuns::Entries::iterator> entries;
  for (std::int64_t run = 1; run <= 3; ++run)
    entries.push_back(runs.enter(expected(run, kOurs, kAgent, true), nullptr));
  CHECK(runs.admit().size() == 3);
  for (const auto& entry : entries) entry->state = State::open;
  CHECK(outcome(runs, incoming(kOurs, kAgent, "2")) == "2");
  CHECK(outcome(runs, incoming(kOurs, kAgent, "2")).starts_with("486 "));
  CHECK(outcome(runs, incoming(kOurs, kAgent)) ==
        "403 called +15550100001, expected from +16665550100, came from +16665550100: run 1 is known by its "
        "X-Run-Id, and the call has none");
  CHECK(outcome(runs, incoming(kOurs, kAgent, "9")) ==
        "404 called +15550100001, came from +16665550100 with an X-Run-Id for which no run waits");
  for (const char* odd : {"0", "-1", "x", "2x", "99999999999999999999"})
    CHECK(outcome(runs, incoming(kOurs, kAgent, odd)).starts_with("404 "));
  CHECK(outcome(runs, incoming("+15550100002", kAgent, "1")).starts_with("404 "));
  CHECK(outcome(runs, incoming(kOurs, "+17775550100", "1")).starts_with("403 "));
  CHECK(outcome(runs, incoming(kOurs, kAgent, "1")) == "1");
  runs.leave(entries[0]);
  CHECK(outcome(runs, incoming(kOurs, kAgent, "1")).ends_with(": run 1 has had its call"));
}

TEST_CASE("waiting runs: a number however it is written") {
  for (const char* written : {"+15550100001", "15550100001", "+1-555-010-0001", "+1.555.010.0001",
                              "+15550100001;phone-context=x", "00115550100001"}) {
    CAPTURE(written);
    WaitingRuns runs;
    ExpectedCall call = expected(1, kOurs, "");
    call.number_forms = number_forms(kOurs, "00115550100001");  // as the trunk's rules have it
    const auto one = runs.enter(std::move(call), nullptr);
    runs.admit();
    one->state = State::open;
    CHECK(outcome(runs, incoming(written, "anonymous")) == "1");  // from anybody
  }
  WaitingRuns runs;
  const auto one = runs.enter(expected(1, kOurs), nullptr);
  runs.admit();
  one->state = State::open;
  for (const char* written : {"", "5550100001", "+155501000011", "+15550100001x", "sip:+15550100001"}) {
    CAPTURE(written);
    CHECK(outcome(runs, incoming(written, kAgent)).starts_with("404 "));
  }
  CHECK(outcome(runs, incoming(std::string(5000, '1'), kAgent)).size() < 300);
}
