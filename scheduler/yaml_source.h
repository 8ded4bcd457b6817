// SPDX-License-Identifier: GPL-3.0-or-later
//
// The text of a YAML file before and beside the parser: is it text at all, where is byte n, does this quote
// end, where are tabs used as indentation. Private to the YAML reader.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scheduler/model.h"

namespace linecheck::scheduler {

class YamlSource {
 public:
  /// Empty, with a Problem, when the text is too long, binary, or not UTF-8.
  static std::optional<YamlSource> open(std::string_view text, const std::string& name, Problems& problems);

  /// What the parser reads: no byte order mark, ends with a line feed.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::shared_ptr<const std::string>& file() const { return file_; }

  struct Place {
    int line;    ///< from 1
    int column;  ///< from 1, in characters of the original text
  };
  [[nodiscard]] Place place(std::size_t offset) const;
  [[nodiscard]] Mark mark(std::size_t offset) const;

  /// The offset after the closing quote of the scalar at `offset` (after an anchor, if there is one); npos
  /// when the quote never ends; nothing when there is no quote.
  [[nodiscard]] std::optional<std::size_t> quote_end(std::size_t offset) const;

  /// Whether a '[' or '{' stands at `offset` and nothing closes it.
  [[nodiscard]] bool bracket_is_open(std::size_t offset) const;

  /// The offset after the last line of the block scalar (`|`, `>`) whose header is on the line of `offset`.
  [[nodiscard]] std::size_t block_end(std::size_t offset) const;

  /// Reports tabs in the indentation of lines that begin outside of `scalars` (ranges of offsets, sorted) and
  /// before `limit`. Returns whether there was one. JSON may indent with tabs.
  bool check_tabs(const std::vector<std::pair<std::size_t, std::size_t>>& scalars, std::size_t limit,
                  Problems& problems) const;

 private:
  YamlSource() = default;
  bool check_bytes(Problems& problems) const;
  void index_lines();
  void join_surrogates();

  std::string text_;
  std::shared_ptr<const std::string> file_;
  std::vector<std::size_t> lines_;  // offset of each line's first byte
  std::vector<std::size_t>
      joined_;  // offsets of escapes that stand for two, 2 characters longer in the original
  bool json_ = false;
  // Where place() last counted to: a file may be one line of a million bytes, asked about front to back.
  mutable std::size_t counted_ = 0;
  mutable std::size_t counted_line_ = 0;
  mutable int counted_column_ = 1;
};

}  // namespace linecheck::scheduler
