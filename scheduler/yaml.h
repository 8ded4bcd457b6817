// SPDX-License-Identifier: GPL-3.0-or-later
//
// Strict YAML, read into plain nodes that know where they stand. The grammar is yaml-cpp's, by its event
// interface; what it lets through and we don't is checked here: duplicate keys, quotes that never end, tabs
// as indentation, explicit tags, aliases that blow up, depth, size, bytes that are not UTF-8. Scalars follow
// the YAML 1.2 core schema (section 10.3.2): `no`, `on` and `off` are text, and so is anything in quotes.
// JSON is read by the same code, as YAML 1.2 contains it.
//
// Content never throws: whatever is wrong becomes a Problem with its file, line and column. Not thread-safe
// by itself; nodes are plain values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/model.h"

namespace linecheck::scheduler {

inline constexpr std::size_t kMaxFileBytes = 1U << 20U;
inline constexpr int kMaxDepth = 64;                   ///< maps and lists within each other
inline constexpr std::size_t kMaxNodes = 250'000;      ///< in one file, aliases expanded
inline constexpr std::size_t kMaxAliasNodes = 10'000;  ///< of them, values that aliases repeat

/// One value of a document.
struct Node {
  enum class Kind { null, scalar, sequence, map };
  struct Entry;

  Kind kind = Kind::null;
  bool plain = false;          ///< scalar without quotes: may be a number or a boolean
  std::string text;            ///< scalar, escapes resolved
  std::vector<Node> items;     ///< sequence
  std::vector<Entry> entries;  ///< map, in the order of the file, keys unique
  int line = 0;                ///< from 1
  int column = 0;              ///< from 1, in characters, not bytes
  std::shared_ptr<const std::string> file;

  [[nodiscard]] Mark mark() const;
  [[nodiscard]] const Node* find(std::string_view key) const;  ///< map: the value of a key, or null

  // Core schema: each is empty unless the scalar is plain and has that form.
  [[nodiscard]] std::optional<std::int64_t> as_int() const;  ///< also 0o17 and 0x1f; empty on overflow
  [[nodiscard]] std::optional<double> as_number() const;  ///< integers and floats; .inf and .nan are refused
  [[nodiscard]] std::optional<bool> as_bool() const;
  [[nodiscard]] bool is_text() const;  ///< quoted, or plain and neither null, boolean nor number

  /// `the number 5`, `the text 'abc'`, `a list`, ... to say what was found.
  [[nodiscard]] std::string describe() const;
  /// On one line as it would be written in a flow: `metric: latency_ms.p50, below: 1500`.
  [[nodiscard]] std::string one_line() const;
  /// As JSON.
  [[nodiscard]] std::string json() const;
};

struct Node::Entry {
  std::string key;
  int line = 0;
  int column = 0;
  Node value;
};

/// Every document of a text. `name` is what marks show as the file. After a syntax error the documents before
/// it are still returned.
std::vector<Node> parse_documents(std::string_view text, const std::string& name, Problems& problems);

/// The same from a file. A file that is missing, unreadable, empty, not a regular file or over kMaxFileBytes
/// is a Problem on line 1.
std::vector<Node> load_documents(const std::filesystem::path& path, Problems& problems);

/// For files with exactly one document: more or fewer are a Problem.
std::optional<Node> load_document(const std::filesystem::path& path, Problems& problems);
std::optional<Node> parse_document(std::string_view text, const std::string& name, Problems& problems);

}  // namespace linecheck::scheduler
