// SPDX-License-Identifier: GPL-3.0-or-later
//
// A result to report on: calls that passed, and one for each way in which a call can go wrong, with sound
// that was computed rather than recorded.
#pragma once

#include <filesystem>
#include <string>

#include "engine/result.h"

namespace linecheck::engine::report::sample {

/// A folder of its own under the system's temporary one, removed with everything in it.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Eight runs, ids 271 to 278: passed (with an interruption that the agent yields to), passed (keys pressed),
/// a check failed (the agent cuts in and does not stop), 486, 503, an engine's fault, a provider's,
/// cancelled. With a folder, the three calls that were held have recordings in it.
[[nodiscard]] Result result(const std::filesystem::path& folder = {});

[[nodiscard]] inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Twelve calls of three scenarios and two personalities, all passed.
[[nodiscard]] Result all_passed(const std::filesystem::path& folder);

/// A string of everything that could break a report: markup, quotes, control characters, invalid UTF-8.
[[nodiscard]] std::string hostile();

}  // namespace linecheck::engine::report::sample
