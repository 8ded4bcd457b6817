// SPDX-License-Identifier: GPL-3.0-or-later
//
// Small steps that the tests of job stores are written in.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "scheduler/job_store.h"

namespace linecheck::tests {

using namespace linecheck::scheduler;

inline constexpr std::int64_t kMs = 1'000'000;  // in ns
inline constexpr std::int64_t kSecond = 1'000 * kMs;

inline Moment at(double seconds) {
  Moment now;
  now.mono_ns = static_cast<std::int64_t>(seconds * 1e9);
  now.unix_ms = 1'700'000'000'000 + static_cast<std::int64_t>(seconds * 1e3);
  return now;
}

inline RunSpec job(std::uint64_t calls, const std::string& trunk = "carrier") {
  RunSpec spec;
  spec.name = "nightly";
  spec.job_text = "agent_id: 12\n";
  spec.settings_json = R"({"seed": 42})";
  spec.total_calls = calls;
  spec.trunk = trunk;
  return spec;
}

inline ClaimRequest ask(std::size_t max, const std::string& worker = "box-1") {
  ClaimRequest request;
  request.worker = worker;
  request.max = max;
  return request;
}

inline Outcome good(const std::string& document = R"({"status":"completed"})") {
  Outcome outcome;
  outcome.success = true;
  outcome.document = document;
  return outcome;
}

inline Lease claim_one(JobStore& store, const Moment& now) {
  Claim claim = store.claim(now, ask(1));
  REQUIRE(claim.leases.size() == 1);
  return claim.leases[0];
}

inline void finish(JobStore& store, const Moment& now, const Lease& lease) {
  REQUIRE(store.begin_call(now, lease) == Begun::yes);
  REQUIRE(store.complete(now, lease, good()).accepted);
}

}  // namespace linecheck::tests
