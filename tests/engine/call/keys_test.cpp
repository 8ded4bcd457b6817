// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/keys.h"

#include <doctest/doctest.h>

#include <string>

using namespace linecheck;
using namespace linecheck::engine;
using media::DigitEvent;
using media::DigitTransport;

namespace {

DigitEvent key(char digit, double start_ms, DigitTransport transport, double duration_ms = 100) {
  DigitEvent event;
  event.digit = digit;
  event.start_ms = start_ms;
  event.duration_ms = duration_ms;
  event.transport = transport;
  return event;
}

constexpr auto kEvents = DigitTransport::rfc4733;
constexpr auto kInfo = DigitTransport::info;
constexpr auto kInband = DigitTransport::inband;

std::string text_of(const std::vector<DigitEvent>& keys) {
  std::string text;
  for (const DigitEvent& event : keys) {
    text += std::string(text.empty() ? "" : " ") + event.digit + "@" +
            std::to_string(static_cast<int>(event.start_ms)) + ":" + media::transport_name(event.transport);
    for (std::size_t n = 0; n < event.also.size(); ++n)
      if (event.also[n]) text += std::string("+") + media::transport_name(static_cast<DigitTransport>(n));
  }
  return text;
}

}  // namespace

TEST_CASE("keys: one press by three transports is one") {
  const auto folded =
      fold_keys({key('5', 1104, kInband, 96), key('5', 1260, kInfo, 0), key('5', 1100, kEvents)});
  CHECK(text_of(folded) == "5@1100:rfc4733+info+inband");
}

TEST_CASE("keys: two presses of one key are never one") {
  CHECK(text_of(fold_keys({key('1', 1000, kEvents), key('1', 1200, kEvents)})) ==
        "1@1000:rfc4733 1@1200:rfc4733");
  // INFOs that come late, each nearer to the press after its own.
  const auto late = fold_keys(
      {key('1', 1000, kEvents), key('1', 1200, kEvents), key('1', 1190, kInfo, 0), key('1', 1390, kInfo, 0)});
  CHECK(text_of(late) == "1@1000:rfc4733+info 1@1200:rfc4733+info");
  // The event of the second press was lost on the way, its sound was not.
  const auto lost = fold_keys({key('1', 1000, kEvents), key('1', 1000, kInband), key('1', 1200, kInband)});
  CHECK(text_of(lost) == "1@1000:rfc4733+inband 1@1200:inband");
  CHECK(lost[1].gap_ms.value() == doctest::Approx(100));
}

TEST_CASE("keys: another key, or the same much later, is another press; ours are left alone") {
  DigitEvent ours = key('5', 1000, kEvents);
  ours.sent = true;
  const auto folded =
      fold_keys({key('5', 1000, kInband), ours, key('6', 1000, kInfo), key('5', 1601, kInfo, 0)});
  CHECK(text_of(folded) == "5@1000:rfc4733 5@1000:inband 6@1000:info 5@1601:info");
}

TEST_CASE("keys: live, the first transport that tells of a press counts") {
  HeardKeys heard;
  CHECK(heard.add(key('2', 1000, kInfo, 0)));
  CHECK_FALSE(heard.add(key('2', 1010, kInband)));
  CHECK(heard.add(key('2', 1300, kInband)));
  CHECK_FALSE(heard.add(key('2', 1340, kInfo, 0)));
  CHECK(heard.keys().size() == 2);
}

TEST_CASE("keys: of an INFO, and when ours left") {
  const auto heard = key_of_info({"application/dtmf-relay", "Signal=*\r\nDuration=160\r\n"}, 700);
  REQUIRE(heard);
  CHECK(text_of({*heard}) == "*@700:info");
  CHECK(heard->duration_ms == 160);
  CHECK_FALSE(heard->level_dbm0);
  CHECK_FALSE(key_of_info({"text/plain", "5"}, 700));

  std::vector<DigitEvent> keys = {key('1', 1000, kInfo), key('2', 1200, kInfo)};
  for (DigitEvent& event : keys) event.sent = true;
  std::vector<TracedMessage> trace(4);
  for (std::size_t n = 0; n < trace.size(); ++n) {
    trace[n].sent = n != 1;
    trace[n].t_ms = 1001.5 + 200.0 * static_cast<double>(n);
    trace[n].start_line = n == 1 ? "SIP/2.0 200 OK" : "INFO sip:x SIP/2.0";
    trace[n].message = n < 2 ? "a" : "b";  // the last one is the third, once more
  }
  time_info_keys(keys, trace);
  CHECK(keys[0].start_ms == doctest::Approx(1001.5));
  CHECK(keys[1].start_ms == doctest::Approx(1401.5));
  CHECK(keys[1].gap_ms.value() == doctest::Approx(300));
  trace.pop_back();
  trace.pop_back();  // one INFO for two keys: nothing is known better
  time_info_keys(keys, trace);
  CHECK(keys[1].start_ms == doctest::Approx(1401.5));
}
