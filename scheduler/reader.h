// SPDX-License-Identifier: GPL-3.0-or-later
//
// Typed reading of YAML nodes. A Reader walks the keys of one map: each read names a key and where its value
// goes, and finish() reports the keys that nobody asked for, with "did you mean". Everything wrong is
// collected as a Problem with the place in the file and the path from the root; nothing throws, and reading
// goes on so that all problems are seen at once.
//
//   Reader map(document, problems);
//   map.require("id", agent.id, at_least(1));
//   map.read("name", agent.name);
//   map.object("sip_auth", [&](Reader& auth) { auth.require("username", agent.sip_auth.username); });
//   map.each("limits", [&](const Field& item) { ... });
//   map.unavailable("trigger_url", "an agent that dials out");
//   map.finish();
//
// A value of null counts as absent everywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scheduler/model.h"
#include "scheduler/suggest.h"
#include "scheduler/yaml.h"

namespace linecheck::scheduler {

/// `300ms`, `2s`, `1.5m`, `1h`, or a bare number of seconds. Empty when it has another form, is negative or
/// longer than a year.
std::optional<Millis> parse_duration(std::string_view text);

/// `300ms`, `2s`, `1.5s`: the shortest exact form in milliseconds or seconds.
std::string duration_text(Millis duration);

/// Limits of a number, or of a duration in seconds.
struct Bound {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool min_excluded = false;
};
inline Bound between(double min, double max) {
  return {min, max, false};
}
inline Bound at_least(double min) {
  return {min, std::numeric_limits<double>::infinity(), false};
}
inline Bound more_than(double min) {
  return {min, std::numeric_limits<double>::infinity(), true};
}

/// One value with its path. Each get() returns false and records a Problem when the value has another type.
class Field {
 public:
  Field(const Node& node, std::string path, Problems& problems)
      : node_(&node), path_(std::move(path)), problems_(&problems) {}

  [[nodiscard]] const Node& node() const { return *node_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Problems& problems() const { return *problems_; }
  [[nodiscard]] Mark mark() const { return node_->mark(); }

  /// Records a problem at this value.
  void problem(std::string message) const;

  bool get(std::string& out) const;
  bool get(bool& out) const;
  bool get(std::int64_t& out, Bound bound = {}) const;
  bool get(std::uint64_t& out, Bound bound = {}) const;
  bool get(int& out, Bound bound = {}) const;
  bool get(double& out, Bound bound = {}) const;
  bool get(Millis& out, Bound bound = {}) const;
  /// Any scalar but null, as written: `4471`, `"4471"` and `true` alike.
  bool get_as_written(std::string& out) const;

  template <class T>
  bool get(std::optional<T>& out, Bound bound = {}) const {
    T value{};
    if (!get_bounded(value, bound)) return false;
    out = std::move(value);
    return true;
  }
  /// A list; items that can't be read are left out (and reported).
  template <class T>
  bool get(std::vector<T>& out, Bound bound = {}) const {
    bool good = true;
    std::vector<T> values;
    if (!each([&](const Field& item) {
          T value{};
          if (item.get_bounded(value, bound)) {
            values.push_back(std::move(value));
          } else {
            good = false;
          }
        })) {
      return false;
    }
    out = std::move(values);
    return good;
  }
  template <class T>
  bool get_bounded(T& out, Bound bound) const {
    if constexpr (requires { get(out, bound); }) {
      return get(out, bound);
    } else {
      return get(out);
    }
  }

  /// One of a few words.
  template <class E>
  bool choice(E& out, std::initializer_list<std::pair<const char*, E>> words) const {
    std::vector<std::string> names;
    std::string text;
    for (const auto& [name, value] : words) {
      names.emplace_back(name);
      if (node_->kind == Node::Kind::scalar && node_->text == name) {
        out = value;
        return true;
      }
    }
    wrong_choice(names);
    return false;
  }

  /// Calls `item` for each item of a list; false (and a Problem) when it is not a list.
  bool each(const std::function<void(const Field&)>& item) const;

 private:
  void wrong_type(const std::string& expected) const;
  void wrong_choice(const std::vector<std::string>& names) const;
  bool check(double value, Bound bound, const char* unit) const;

  const Node* node_;
  std::string path_;
  Problems* problems_;
};

/// Reads the keys of one map.
class Reader {
 public:
  /// A value that is not a map is a Problem, and then nothing else is reported about it.
  explicit Reader(const Field& field);
  Reader(const Node& root, Problems& problems) : Reader(Field(root, "", problems)) {}

  [[nodiscard]] bool is_map() const { return map_ != nullptr; }
  [[nodiscard]] Mark mark() const { return field_.mark(); }
  [[nodiscard]] Problems& problems() const { return field_.problems(); }
  /// Path of a key from the root.
  [[nodiscard]] std::string path(std::string_view key) const;

  /// Present and not null; marks the key as known.
  [[nodiscard]] bool has(std::string_view key);
  /// The value of a key, marked as known; empty when absent or null.
  [[nodiscard]] std::optional<Field> field(std::string_view key);

  /// Absent: `out` keeps its value. Returns true when `out` was set.
  template <class T>
  bool read(std::string_view key, T& out, Bound bound = {}) {
    const auto value = field(key);
    return value && value->get_bounded(out, bound);
  }
  /// Absent is a Problem.
  template <class T>
  bool require(std::string_view key, T& out, Bound bound = {}) {
    const auto value = required(key);
    return value && value->get_bounded(out, bound);
  }
  template <class E>
  bool choice(std::string_view key, E& out, std::initializer_list<std::pair<const char*, E>> words) {
    const auto value = field(key);
    return value && value->choice(out, words);
  }
  /// The value of a key, which must be there.
  std::optional<Field> required(std::string_view key);

  /// A map under a key; calls finish() on it afterwards. Returns whether the key was there and a map.
  bool object(std::string_view key, const std::function<void(Reader&)>& body);
  /// A list under a key. Returns whether the key was there and a list.
  bool each(std::string_view key, const std::function<void(const Field&)>& item);
  /// Every entry of the map: for maps whose keys are the user's own.
  void entries(const std::function<void(const std::string& key, const Field& value)>& entry);

  /// A key of the format that this version can't honour: present is a Problem, `<what> is not available
  /// in this version`.
  void unavailable(std::string_view key, const std::string& what);

  /// Where the value of each key stands.
  [[nodiscard]] Marks marks() const;

  /// Records a problem at the map.
  void problem(std::string message);
  /// Records a problem at a key (at the map itself when the key is absent).
  void problem(std::string_view key, std::string message);

  /// Reports unknown keys.
  void finish();

 private:
  Field field_;
  const Node* map_ = nullptr;
  std::vector<std::string> known_;
  bool all_known_ = false;
};

/// `<what> is not available in this version`.
std::string not_available(const std::string& what);

}  // namespace linecheck::scheduler
