// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the page is made from. Private to html.cpp and html_data.cpp.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "engine/report/html.h"

namespace linecheck::engine::report {

struct PageData {
  /// result.json itself, with a key `view` added for what only the page needs: per run its peaks, its ladder,
  /// where its sound is ("embedded", "linked", null); and in all the checks, metric values, advice.
  nlohmann::json document;
  /// Run id and its recording as a base64 WAV file.
  std::vector<std::pair<std::int64_t, std::string>> sounds;
  bool any_linked = false;
};

[[nodiscard]] PageData page_data(const Result& result, const HtmlOptions& options);

}  // namespace linecheck::engine::report
