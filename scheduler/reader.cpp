// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace linecheck::scheduler {
namespace {

constexpr double kLongestDurationSeconds = 366.0 * 24 * 3600;
constexpr std::size_t kMaxUnknownKeysReported = 20;

std::string number_text(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.15g", value);
  return buffer;
}

}  // namespace

std::optional<Millis> parse_duration(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(value) || std::signbit(value)) return std::nullopt;
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  double seconds = value;
  if (unit == "ms") {
    seconds = value / 1000;
  } else if (unit == "m") {
    seconds = value * 60;
  } else if (unit == "h") {
    seconds = value * 3600;
  } else if (!unit.empty() && unit != "s") {
    return std::nullopt;
  }
  if (seconds > kLongestDurationSeconds) return std::nullopt;
  return Millis(std::llround(seconds * 1000));
}

std::string duration_text(Millis duration) {
  const auto ms = duration.count();
  if (ms != 0 && std::abs(ms) < 1000) return std::to_string(ms) + "ms";
  return number_text(static_cast<double>(ms) / 1000) + "s";
}

std::string not_available(const std::string& what) {
  return what + " is not available in this version";
}

// ---- Field
// ------------------------------------------------------------------------------------------------------

void Field::problem(std::string message) const {
  problems_->push_back({mark(), path_, std::move(message)});
}

void Field::wrong_type(const std::string& expected) const {
  problem("expected " + expected + ", found " + node_->describe());
}

void Field::wrong_choice(const std::vector<std::string>& names) const {
  std::string message = "expected " + join_or(names) + ", found " + node_->describe();
  if (node_->kind == Node::Kind::scalar) message += did_you_mean(node_->text, names);
  problem(std::move(message));
}

bool Field::check(double value, Bound bound, const char* unit) const {
  const bool low = bound.min_excluded ? value <= bound.min : value < bound.min;
  if (!low && value <= bound.max) return true;
  std::string message = "must be ";
  if (std::isfinite(bound.min) && std::isfinite(bound.max)) {
    message += "between " + number_text(bound.min) + unit + " and " + number_text(bound.max) + unit;
  } else if (std::isfinite(bound.min)) {
    message += (bound.min_excluded ? "more than " : "at least ") + number_text(bound.min) + unit;
  } else {
    message += "at most " + number_text(bound.max) + unit;
  }
  problem(message + ", not " + number_text(value) + unit);
  return false;
}

bool Field::get(std::string& out) const {
  if (node_->is_text()) {
    out = node_->text;
    return true;
  }
  if (node_->kind == Node::Kind::scalar) {
    problem("expected text, found " + node_->describe() + ": put it in quotes");
  } else {
    wrong_type("text");
  }
  return false;
}

bool Field::get(bool& out) const {
  const auto value = node_->as_bool();
  if (!value) {
    wrong_type("true or false");
    return false;
  }
  out = *value;
  return true;
}

bool Field::get(std::int64_t& out, Bound bound) const {
  const auto value = node_->as_int();
  if (!value) {
    if (node_->kind == Node::Kind::scalar && !node_->plain && node_->text.size() < 20) {
      Node unquoted = *node_;
      unquoted.plain = true;
      if (unquoted.as_int()) {
        problem("expected a whole number, found " + node_->describe() + ": take the quotes away");
        return false;
      }
    }
    wrong_type("a whole number");
    return false;
  }
  if (!check(static_cast<double>(*value), bound, "")) return false;
  out = *value;
  return true;
}

bool Field::get(std::uint64_t& out, Bound bound) const {
  std::int64_t value = 0;
  bound.min = std::max(bound.min, 0.0);
  if (!get(value, bound)) return false;
  out = static_cast<std::uint64_t>(value);
  return true;
}

bool Field::get(int& out, Bound bound) const {
  constexpr double kMax = std::numeric_limits<int>::max();
  std::int64_t value = 0;
  if (!get(value, {std::max(bound.min, -kMax), bound.max, bound.min_excluded})) return false;
  if (value > std::numeric_limits<int>::max())
    return check(static_cast<double>(value), {-kMax, kMax, false}, "");
  out = static_cast<int>(value);
  return true;
}

bool Field::get(double& out, Bound bound) const {
  const auto value = node_->as_number();
  if (!value) {
    wrong_type("a number");
    return false;
  }
  if (!check(*value, bound, "")) return false;
  out = *value;
  return true;
}

bool Field::get(Millis& out, Bound bound) const {
  std::optional<Millis> value;
  if (const auto seconds = node_->as_number()) {
    if (*seconds >= 0 && *seconds <= kLongestDurationSeconds) value = Millis(std::llround(*seconds * 1000));
  } else if (node_->is_text()) {
    value = parse_duration(node_->text);
  }
  if (!value) {
    wrong_type("a duration such as 300ms, 2s, 5m or a number of seconds");
    return false;
  }
  if (!check(static_cast<double>(value->count()) / 1000, bound, " s")) return false;
  out = *value;
  return true;
}

bool Field::get_as_written(std::string& out) const {
  if (node_->kind != Node::Kind::scalar) {
    wrong_type("text");
    return false;
  }
  out = node_->text;
  return true;
}

bool Field::each(const std::function<void(const Field&)>& item) const {
  if (node_->kind != Node::Kind::sequence) {
    wrong_type("a list");
    return false;
  }
  for (std::size_t i = 0; i < node_->items.size(); ++i) {
    item(Field(node_->items[i], path_ + "[" + std::to_string(i) + "]", *problems_));
  }
  return true;
}

// ---- Reader
// -----------------------------------------------------------------------------------------------------

Reader::Reader(const Field& field) : field_(field) {
  if (field.node().kind == Node::Kind::map) {
    map_ = &field.node();
  } else {
    const bool colon = field.node().is_text() && field.node().text.find(':') != std::string::npos;
    field.problem("expected a map of keys and values, found " + field.node().describe() +
                  (colon ? ": is a blank missing after a ':'?" : ""));
  }
}

std::string Reader::path(std::string_view key) const {
  return field_.path().empty() ? std::string(key) : field_.path() + "." + std::string(key);
}

std::optional<Field> Reader::field(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  const Node* const value = map_ == nullptr ? nullptr : map_->find(key);
  if (value == nullptr || value->kind == Node::Kind::null) return std::nullopt;
  return Field(*value, path(key), problems());
}

bool Reader::has(std::string_view key) {
  return field(key).has_value();
}

std::optional<Field> Reader::required(std::string_view key) {
  auto value = field(key);
  if (value || map_ == nullptr) return value;
  const Node* const empty = map_->find(key);
  problems().push_back(
      {empty != nullptr ? empty->mark() : mark(), path(key), empty != nullptr ? "is empty" : "is missing"});
  return std::nullopt;
}

bool Reader::object(std::string_view key, const std::function<void(Reader&)>& body) {
  const auto value = field(key);
  if (!value) return false;
  Reader reader(*value);
  if (!reader.is_map()) return false;
  body(reader);
  reader.finish();
  return true;
}

bool Reader::each(std::string_view key, const std::function<void(const Field&)>& item) {
  const auto value = field(key);
  return value && value->each(item);
}

void Reader::entries(const std::function<void(const std::string& key, const Field& value)>& entry) {
  if (map_ == nullptr) return;
  all_known_ = true;
  for (const Node::Entry& each : map_->entries) {
    entry(each.key, Field(each.value, path(each.key), problems()));
  }
}

Marks Reader::marks() const {
  Marks marks;
  if (map_ == nullptr) return marks;
  for (const Node::Entry& entry : map_->entries) marks[entry.key] = entry.value.mark();
  return marks;
}

void Reader::unavailable(std::string_view key, const std::string& what) {
  if (const auto value = field(key)) value->problem(not_available(what));
}

void Reader::problem(std::string message) {
  field_.problem(std::move(message));
}

void Reader::problem(std::string_view key, std::string message) {
  const auto value = field(key);
  problems().push_back({value ? value->mark() : mark(), path(key), std::move(message)});
}

void Reader::finish() {
  if (map_ == nullptr || all_known_) return;
  std::size_t unknown = 0;
  for (const Node::Entry& entry : map_->entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    if (++unknown > kMaxUnknownKeysReported) continue;
    const Mark at{entry.value.file ? *entry.value.file : std::string(), entry.line, entry.column};
    const std::string merge = entry.key == "<<" ? "; merge keys are not part of YAML 1.2" : "";
    problems().push_back(
        {at, path(entry.key), "unknown key" + (merge.empty() ? did_you_mean(entry.key, known_) : merge)});
  }
  if (unknown > kMaxUnknownKeysReported) {
    problems().push_back({mark(), field_.path(),
                          "and " + std::to_string(unknown - kMaxUnknownKeysReported) + " more unknown keys"});
  }
}

}  // namespace linecheck::scheduler
