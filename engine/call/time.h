// SPDX-License-Identifier: GPL-3.0-or-later
//
// The two clocks: CLOCK_MONOTONIC for everything that is measured, the wall clock for people.
#pragma once

#include <cstdint>
#include <string>

namespace linecheck::engine {

/// CLOCK_MONOTONIC, ns. The same clock as std::chrono::steady_clock here.
[[nodiscard]] std::int64_t mono_ns();
/// Milliseconds since 1970, UTC.
[[nodiscard]] std::int64_t unix_ms();
/// RFC 3339 with microseconds: 2025-02-25T21:00:01.990052Z.
[[nodiscard]] std::string utc_now();
/// The same form for a moment in milliseconds since 1970.
[[nodiscard]] std::string utc_text(std::int64_t unix_ms);

}  // namespace linecheck::engine
