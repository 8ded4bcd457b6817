// SPDX-License-Identifier: GPL-3.0-or-later
//
// What tests with SIPp as the callee share.
#pragma once

#include <doctest/doctest.h>

#include "caller.h"
#include "recorder.h"
#include "sipp.h"

namespace linecheck::sip::test {

inline bool sipp_is_missing() {
  static const bool missing = !find_sipp();
  if (missing) MESSAGE("skipped: sipp is not installed (Debian: sip-tester)");
  return missing;
}

inline void finishes(Caller& caller, Sipp& peer) {
  REQUIRE(caller.events.wait<Finished>(caller.id));
  const int status = peer.wait();
  CAPTURE(peer.errors());
  CAPTURE(ladder(caller.trace()));
  CHECK(status == 0);
}

}  // namespace linecheck::sip::test
