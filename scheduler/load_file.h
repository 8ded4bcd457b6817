// SPDX-License-Identifier: GPL-3.0-or-later
//
// `load` and `start_at` as they are written in a job.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "scheduler/reader.h"

namespace linecheck::scheduler {

/// Sets job.load where it is given and whole; whether it did.
bool read_load(Reader& job_map, Job& job);
void read_start_at(Reader& job_map, Job& job);

/// RFC 3339: 2026-03-01T08:00:00Z, with fractions, with +01:00 in place of Z. Milliseconds since 1970.
std::optional<std::int64_t> parse_time(std::string_view text);

}  // namespace linecheck::scheduler
