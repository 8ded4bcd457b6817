// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/ladder.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/engine/report/sample.h"

using namespace linecheck::engine;
using namespace linecheck::engine::report;

TEST_CASE("a ladder is drawn with one arrow a message and the time between them") {
  const Run refused = sample::result().runs[3];
  CHECK(text_ladder(refused, {.unicode = false, .column_width = 24}) ==
        "Call 274, Call-ID 3f1c77b0-6a51-4f0e@127.0.0.1\n"
        "\n"
        "   time s     delta\n"
        "                          127.0.0.1:5062          127.0.0.1:5080\n"
        "                                 |                       |\n"
        "    0.004                        |      INVITE SDP       |\n"
        "                                 |---------------------->|\n"
        "    0.032    +0.028              |486 Busy Here (INVITE) |\n"
        "                                 |<----------------------|\n"
        "    0.032    +0.000              |          ACK          |\n"
        "                                 |---------------------->|\n");
}

TEST_CASE("a message that is sent again is marked") {
  const Run run = sample::result().runs[2];
  const Ladder ladder = ladder_of(run.call);
  REQUIRE(ladder.steps.size() == 8);
  CHECK(ladder.columns == std::vector<std::string>{"127.0.0.1:5062", "127.0.0.1:5080"});
  CHECK_FALSE(ladder.steps[0].retransmission);
  CHECK(ladder.steps[1].retransmission);
  CHECK(ladder.steps[1].delta_ms == doctest::Approx(500.7));
  // The 200 of the INVITE and that of the BYE are two answers.
  CHECK_FALSE(ladder.steps[7].retransmission);
  CHECK(ladder.steps[4].label == "200 OK (INVITE) SDP");
  CHECK(text_ladder(run).find("INVITE SDP (again)") != std::string::npos);
}

TEST_CASE("messages are put in order of time, and odd ones do no harm") {
  Run run = sample::result().runs[0];
  std::reverse(run.call.sip.begin(), run.call.sip.end());
  CHECK(ladder_of(run.call).steps.front().label == "INVITE SDP");

  TracedMessage odd;
  odd.start_line = sample::hostile();
  odd.message = "no headers at all";
  odd.from = odd.to = "here";
  run.call.sip.push_back(odd);
  CHECK(text_ladder(run).find('\x1b') == std::string::npos);

  run.call.sip.clear();
  CHECK(text_ladder(run).find("No SIP messages were kept.") != std::string::npos);
}
