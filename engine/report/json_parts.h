// SPDX-License-Identifier: GPL-3.0-or-later
//
// How single values are written in our JSON. Private to json.cpp, json_run.cpp and json_rtp.cpp.
#pragma once

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/report/words.h"
#include "engine/result.h"

namespace linecheck::engine::report {

using nlohmann::json;

inline json text(std::string_view value) {
  return valid_utf8(value);
}
inline json text_or_null(std::string_view value) {
  return value.empty() ? json(nullptr) : text(value);
}

/// Microseconds are as fine as anything that we measure; more digits are noise in the file.
inline json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::abs(value) < 1e12 ? std::round(value * 1000.0) / 1000.0 : value;
}
inline json number(std::optional<double> value) {
  return value ? number(*value) : json(nullptr);
}

template <typename T>
inline json integer(std::optional<T> value) {
  return value ? json(*value) : json(nullptr);
}

inline json numbers(const std::vector<double>& values) {
  json array = json::array();
  for (const double value : values) array.push_back(number(value));
  return array;
}

inline json texts(const std::vector<std::string>& values) {
  json array = json::array();
  for (const std::string& value : values) array.push_back(text(value));
  return array;
}

inline json spans(const std::vector<media::Span>& values) {
  json array = json::array();
  for (const media::Span& span : values) array.push_back({number(span.start_ms), number(span.end_ms)});
  return array;
}

inline json variables(const std::map<std::string, std::string>& values) {
  json object = json::object();
  for (const auto& [key, value] : values) object[valid_utf8(key)] = text(value);
  return object;
}

inline json percentiles(const Distribution& d) {
  return {{"mean", number(d.mean)}, {"p25", number(d.p25)}, {"p50", number(d.p50)},
          {"p75", number(d.p75)},   {"p90", number(d.p90)}, {"p95", number(d.p95)},
          {"p99", number(d.p99)},   {"max", number(d.max)}, {"n", d.n}};
}

inline json pacing(const media::PacingHistogram& histogram) {
  return {{"p50", number(histogram.quantile(0.5))},
          {"p99", number(histogram.quantile(0.99))},
          {"p999", number(histogram.quantile(0.999))},
          {"max", histogram.total > 0 ? number(histogram.max_ms) : json(nullptr)}};
}

/// [[bucket, count], ...], the empty ones left out: from it pacing of many calls is merged.
inline json histogram_counts(const media::PacingHistogram& histogram) {
  json array = json::array();
  for (std::size_t bucket = 0; bucket < histogram.counts.size(); ++bucket) {
    if (histogram.counts[bucket] > 0) array.push_back({bucket, histogram.counts[bucket]});
  }
  return array;
}

/// json_rtp.cpp. `details`: with the values of each second and each report.
json rtp_json(const media::LegReport& media, bool details);

}  // namespace linecheck::engine::report
