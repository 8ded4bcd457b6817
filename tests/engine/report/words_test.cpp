// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/words.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/report/columns.h"
#include "tests/engine/report/sample.h"

using namespace linecheck::engine;
using namespace linecheck::engine::report;

TEST_CASE("a duration is minutes and seconds, and minutes grow") {
  CHECK(minutes_seconds(0) == "00:00");
  CHECK(minutes_seconds(59.4) == "00:59");
  CHECK(minutes_seconds(59.5) == "01:00");
  CHECK(minutes_seconds(6001) == "100:01");
  CHECK(minutes_seconds(-3) == "00:00");
  CHECK(minutes_seconds(std::nan("")) == "00:00");
}

TEST_CASE("quantities are rounded to what can be read") {
  CHECK(quantity(742.4, "ms") == "742 ms");
  CHECK(quantity(1207.4, "ms") == "1,207 ms");
  CHECK(quantity(0.21, "ms") == "0.2 ms");
  CHECK(quantity(0.9166, "") == "0.917");
  CHECK(quantity(4.41, "MOS") == "4.41 MOS");
  CHECK(quantity(12, "percent") == "12 %");
  CHECK(quantity(-25.7, "dBov") == "-25.7 dBov");
  CHECK(quantity(-1234567, "") == "-1,234,567");
  CHECK(quantity(-0.0001, "") == "0");
  CHECK(quantity(INFINITY, "ms") == "-");
}

TEST_CASE("bytes that are not UTF-8 are replaced one by one") {
  CHECK(valid_utf8("h\xC3\xA9llo") == "h\xC3\xA9llo");
  CHECK(valid_utf8("\xF0\x9F\x93\x9E") == "\xF0\x9F\x93\x9E");
  CHECK(valid_utf8("a\xFFz") == "a\xEF\xBF\xBDz");
  CHECK(valid_utf8("\xC0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
  CHECK(valid_utf8("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
  CHECK(valid_utf8("\xE2\x82") == "\xEF\xBF\xBD\xEF\xBF\xBD");                  // cut short
  CHECK(valid_utf8("\xF4\x90\x80\x80").find("\xF4") == std::string::npos);      // beyond U+10FFFF
}

TEST_CASE("XML text has only what XML allows") {
  CHECK(xml_escaped("<a b=\"c\" d='e'>&") == "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
  CHECK(xml_escaped(std::string("a\x01\x0B\x1b[31m\0b", 10)) == "a[31mb");
  CHECK(xml_escaped("line\r\nline\t") == "line&#13;&#10;line&#9;");
  CHECK(xml_escaped("\xEF\xBF\xBE\xEF\xBF\xBF"
                    "x") == "x");
}

TEST_CASE("terminal text can't move the cursor") {
  CHECK(printable("a\x1b[2Jb") == "a?[2Jb");
  CHECK(printable("a\xC2\x9B"
                  "31mb") == "a?31mb");  // the one-byte CSI
  CHECK(printable("two\nlines") == "two lines");
}

TEST_CASE("names go to the wire and back") {
  for (const RunStatus status :
       {RunStatus::pending, RunStatus::in_queue, RunStatus::running, RunStatus::evaluating,
        RunStatus::completed, RunStatus::failed, RunStatus::timeout, RunStatus::cancelled}) {
    CHECK(run_status_of(name_of(status)) == status);
  }
  CHECK(name_of(RunStatus::in_queue) == "in_queue");
  CHECK_FALSE(run_status_of("scaling_up"));
  CHECK(failure_category_of("provider") == FailureCategory::provider);
  CHECK(party_of("agent") == Party::agent);
  CHECK(result_status_of("paused") == ResultStatus::paused);
}

TEST_CASE("advice is there for every kind of failure") {
  for (const FailureCategory category :
       {FailureCategory::agent, FailureCategory::network, FailureCategory::engine, FailureCategory::provider,
        FailureCategory::configuration}) {
    for (const std::optional<int> status :
         {std::optional<int>(), std::optional<int>(302), std::optional<int>(404), std::optional<int>(486),
          std::optional<int>(488), std::optional<int>(503)}) {
      CHECK_FALSE(advice_for(Failure{category, "x", status, {}, {}}).empty());
    }
  }
  CHECK(advice_for(Failure{FailureCategory::network, "", 503, {}, 30}).find("30 s") != std::string::npos);
  CHECK_FALSE(advice_for_check("anything at all").empty());
}

TEST_CASE("a bound is said in words, other checks as written") {
  CHECK(check_words("metric: latency_ms.p50, below: 1500") == "latency_ms.p50 below 1500");
  CHECK(check_words("metric: yield_rate, at_least: 0.5") == "yield_rate at least 0.5");
  CHECK(check_words("hung_up_by: agent") == "hung_up_by: agent");
  CHECK(check_words("digits: {by: caller, equals: \"1\"}") == "digits: {by: caller, equals: \"1\"}");
  CHECK(check_words("metric: odd") == "metric: odd");
  CHECK(check_words("") == "");
}

TEST_CASE("columns count cells, not bytes") {
  CHECK(display_width("h\xC3\xA9llo") == 5);
  CHECK(display_width("\xE6\x97\xA5\xE6\x9C\xAC") == 4);  // two wide characters
  CHECK(display_width("e\xCC\x81") == 1);                 // a combining accent
  CHECK(fitted("appointment", 6, true) == "appoi\u2026");
  CHECK(fitted("appointment", 6, false) == "app...");
  CHECK(left_in("ab", 4, true) == "ab  ");
  CHECK(right_in("ab", 4, true) == "  ab");
  CHECK(wrapped("one two three four", 9, 2) == "one two\n  three\n  four");
}
