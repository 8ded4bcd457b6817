// SPDX-License-Identifier: GPL-3.0-or-later
//
// The words that every reporter shares: names of states as they stand on the wire, durations, numbers with
// their units, text made safe for JSON and XML, and what a user can do about a failure. Pure functions, any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"

namespace linecheck::engine::report {

/// It passed, but not at its first attempt.
[[nodiscard]] bool is_flaky(const Run& run);
[[nodiscard]] std::vector<std::int64_t> flaky_runs(const Result& result);

/// The wire's names: "in_queue", "completed", "agent", ... and back (nullopt: unknown).
[[nodiscard]] std::string_view name_of(RunStatus status);
[[nodiscard]] std::string_view name_of(ResultStatus status);
[[nodiscard]] std::string_view name_of(FailureCategory category);
[[nodiscard]] std::string_view name_of(Party party);
[[nodiscard]] std::optional<RunStatus> run_status_of(std::string_view name);
[[nodiscard]] std::optional<ResultStatus> result_status_of(std::string_view name);
[[nodiscard]] std::optional<FailureCategory> failure_category_of(std::string_view name);
[[nodiscard]] std::optional<Party> party_of(std::string_view name);

/// True once nothing more will happen to the run.
[[nodiscard]] bool is_over(RunStatus status);

/// "MM:SS", rounded to the nearest second; minutes grow past 99 rather than wrap. Negative and NaN: "00:00".
[[nodiscard]] std::string minutes_seconds(double seconds);

/// Seconds that a call lasted: from the answer to its end, 0 when it was never answered.
[[nodiscard]] double conversation_seconds(const CallRecord& call);

/// "Hurried, in a cafe / Jane, premium / #2": what sets a run apart within its scenario.
[[nodiscard]] std::string variant_of(const Run& run);

/// A number for people: "742 ms", "1,207 ms", "0.93", "4.41", "12 %". No trailing zeros.
[[nodiscard]] std::string quantity(double value, std::string_view unit);

/// The same bytes where they are valid UTF-8, U+FFFD for each byte that is not.
[[nodiscard]] std::string valid_utf8(std::string_view text);

/// Text for XML 1.0 content or a quoted attribute: valid UTF-8, the characters that XML forbids left out, & <
/// > " ' escaped, line breaks and tabs as character references so that attributes keep them.
[[nodiscard]] std::string xml_escaped(std::string_view text);

/// Terminal-safe text: control characters (escape sequences above all) become '?', so that what an agent
/// sends cannot move our cursor.
[[nodiscard]] std::string printable(std::string_view text);

/// What to do about a failure, one or two sentences. Never empty.
[[nodiscard]] std::string advice_for(const Failure& failure);

/// A check as people say it: "metric: latency_ms.p50, at_most: 1500" is "latency_ms.p50 at most 1500". Other
/// checks stay as written.
[[nodiscard]] std::string check_words(std::string_view check);

/// What to do about a check that failed, as written in the scenario ("metric: latency_ms.p50, below: 1500").
[[nodiscard]] std::string advice_for_check(std::string_view check);

}  // namespace linecheck::engine::report
