// SPDX-License-Identifier: GPL-3.0-or-later
//
// The report as one HTML file that needs nothing else: style, program, data and (up to a limit) sound are
// inside, and its content security policy forbids the page to fetch anything. What came from outside is
// carried as JSON data and put on the page as text, never as markup, so a hostile agent can't run a script in
// it.
//
// Cost: about 16 kB of page for each call and 16 kB (as base64 21 kB) for each second of embedded sound.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "engine/result.h"

namespace linecheck::engine::report {

struct HtmlOptions {
  /// The folder in which the file will lie: recordings that are not embedded are linked relative to it.
  std::filesystem::path relative_to = {};
  bool embed_audio = true;
  /// Embedded sound in all (before base64); further recordings are linked. Failed calls are embedded first.
  std::size_t max_audio_bytes = 24U << 20U;
  /// Calls with their details on the page, failed ones first; the overview counts all of them.
  std::size_t max_runs = 500;
  /// Names this page's own script in its policy. Empty: drawn at random, as it should be; tests set it.
  std::string nonce = {};
};

[[nodiscard]] std::string html_report(const Result& result, const HtmlOptions& options = {});

}  // namespace linecheck::engine::report
