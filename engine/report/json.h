// SPDX-License-Identifier: GPL-3.0-or-later
//
// result.json, runs.jsonl and what the API answers for `GET /results/{id}/` and `GET /runs/{id}/`: the only
// place where their shape is made, and the reader that makes reports again from what was stored.
//
// Every key of the shape is always present: a value that does not apply is null, and a metric then has a
// `reason`. All strings are valid UTF-8. Times `*_ms` are on the call's sample clock; durations in words are
// "MM:SS".
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "engine/result.h"

namespace linecheck::engine::report {

struct JsonOptions {
  /// Recordings are named relative to this folder, with forward slashes; empty: as the record has them.
  std::filesystem::path relative_to = {};
  /// Makes `voice_recording_url`; takes precedence over relative_to. Not asked for runs without a recording.
  std::function<std::string(const Run&)> recording_url = {};
  /// Runs in `runs`: beyond it the failed ones come first, and `runs_truncated` and `runs_url` are set.
  std::size_t max_runs = 1000;
  std::string runs_url = "runs.jsonl";
  /// sip, turns, rtp, timeline: false leaves them empty, as the paged lists of the API do.
  bool details = true;
};

/// A stored document that is not ours or is damaged; what() says where.
class BadJson : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

[[nodiscard]] nlohmann::json run_json(const Run& run, const JsonOptions& options = {});
[[nodiscard]] nlohmann::json result_json(const Result& result, const JsonOptions& options = {});

/// One run a line, all of them.
void write_runs_jsonl(std::ostream& out, const Result& result, const JsonOptions& options = {});

/// Writes `file` and, above options.max_runs, runs.jsonl beside it. Each is complete or absent (written under
/// another name, then renamed). Recordings are named relative to the file's folder unless options say
/// otherwise. Throws std::system_error with the path.
void write_result_json(const Result& result, const std::filesystem::path& file, JsonOptions options = {});

/// The inverse, as far as reports go: what these return prints, draws and exports like the original. Relative
/// recording paths are joined to `recordings_base`. Unknown keys are ignored, missing ones keep their
/// defaults; throws BadJson for a document of another shape.
[[nodiscard]] Run run_from_json(const nlohmann::json& json,
                                const std::filesystem::path& recordings_base = {});
[[nodiscard]] Result result_from_json(const nlohmann::json& json,
                                      const std::filesystem::path& recordings_base = {});

/// Reads result.json and, where it was truncated, runs.jsonl beside it.
[[nodiscard]] Result read_result_json(const std::filesystem::path& file);

}  // namespace linecheck::engine::report
