// SPDX-License-Identifier: GPL-3.0-or-later
//
// Contract 2a: whom a failed INVITE counts against, and in which words.
#include <doctest/doctest.h>

#include "engine/call/call.h"

using namespace linecheck::engine;
namespace sip = linecheck::sip;

namespace {

Failure failure(sip::FailureKind kind, int status = 0, std::string phrase = {}) {
  sip::Failed failed;
  failed.kind = kind;
  failed.status = status;
  failed.phrase = std::move(phrase);
  return failure_of(failed, "sip:agent@127.0.0.1");
}

}  // namespace

TEST_CASE("failure: what the agent does counts against it") {
  CHECK(failure(sip::FailureKind::rejected, 486, "Busy Here").category == FailureCategory::agent);
  CHECK(failure(sip::FailureKind::rejected, 603, "Decline").category == FailureCategory::agent);
  CHECK(failure(sip::FailureKind::no_answer).category == FailureCategory::agent);
  CHECK(failure(sip::FailureKind::media_not_acceptable, 488, "Not Acceptable Here").category ==
        FailureCategory::agent);
  CHECK(failure(sip::FailureKind::redirected, 302, "Moved").category == FailureCategory::agent);
}

TEST_CASE("failure: what the network does is excused") {
  CHECK(failure(sip::FailureKind::server_error, 503, "Service Unavailable").category ==
        FailureCategory::network);
  CHECK(failure(sip::FailureKind::timeout).category == FailureCategory::network);
  CHECK(failure(sip::FailureKind::unresolved).category == FailureCategory::network);
  CHECK(failure(sip::FailureKind::transport).category == FailureCategory::network);
}

TEST_CASE("failure: what could never have been dialled is the configuration's fault") {
  CHECK(failure(sip::FailureKind::not_allowed).category == FailureCategory::configuration);
  CHECK(failure(sip::FailureKind::invalid_request).category == FailureCategory::configuration);
}

TEST_CASE("failure: status, cause and Retry-After are kept, and the words name them") {
  sip::Failed failed;
  failed.kind = sip::FailureKind::server_error;
  failed.status = 503;
  failed.phrase = "Service Unavailable";
  failed.reason = "congestion";
  failed.q850 = 42;
  failed.retry_after_s = 30;
  const Failure kept = failure_of(failed, "+1555");
  CHECK(kept.sip_status == 503);
  CHECK(kept.q850 == 42);
  CHECK(kept.retry_after_s == 30);
  CHECK(kept.reason.find("503 Service Unavailable: congestion") != std::string::npos);
}
