// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/yaml_source.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include "scheduler/yaml.h"

namespace linecheck::scheduler {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

unsigned byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

/// Length of the well-formed UTF-8 sequence at `i` (Unicode 15, table 3-7), or 0.
std::size_t sequence_length(std::string_view text, std::size_t i) {
  const unsigned first = byte_at(text, i);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  unsigned low = 0x80;
  unsigned high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return 0;
  }
  if (i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    const unsigned next = byte_at(text, i + k);
    if (next < low || next > high) return 0;
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

std::string hex(unsigned value, int digits) {
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, "%0*X", digits, value);
  return buffer;
}

std::optional<unsigned> four_hex_digits(std::string_view text, std::size_t i) {
  if (i + 4 > text.size()) return std::nullopt;
  unsigned value = 0;
  for (std::size_t k = i; k < i + 4; ++k) {
    const char c = text[k];
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<unsigned>(c - 'A') + 10;
    } else {
      return std::nullopt;
    }
    value = value * 16 + digit;
  }
  return value;
}

std::size_t indentation(std::string_view line) {
  const auto end = line.find_first_not_of(' ');
  return end == std::string_view::npos ? line.size() : end;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

std::optional<YamlSource> YamlSource::open(std::string_view text, const std::string& name,
                                           Problems& problems) {
  YamlSource source;
  source.file_ = std::make_shared<const std::string>(name);
  if (text.size() > kMaxFileBytes) {
    problems.push_back({{name, 1, 1}, "", "is larger than 1 MiB: split it into several files"});
    return std::nullopt;
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  source.text_ = text;
  source.index_lines();
  if (!source.check_bytes(problems)) return std::nullopt;
  if (!source.text_.ends_with('\n')) source.text_ += '\n';
  const auto first = source.text_.find_first_not_of(" \t\r\n");
  source.json_ = first != std::string::npos && (source.text_[first] == '{' || source.text_[first] == '[');
  if (source.json_) {
    source.join_surrogates();
    source.index_lines();
  }
  return source;
}

void YamlSource::index_lines() {
  lines_.assign(1, 0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') lines_.push_back(i + 1);
  }
}

bool YamlSource::check_bytes(Problems& problems) const {
  for (std::size_t i = 0; i < text_.size();) {
    const unsigned c = byte_at(text_, i);
    const bool control = (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
    if (c == 0) {
      problems.push_back({mark(i), "", "is not a text file: it holds a NUL byte (save it as UTF-8)"});
      return false;
    }
    if (control) {
      problems.push_back({mark(i), "", "control character U+" + hex(c, 4) + " is not allowed"});
      return false;
    }
    const std::size_t length = sequence_length(text_, i);
    if (length == 0) {
      problems.push_back({mark(i), "", "is not UTF-8: byte 0x" + hex(c, 2) + " (save it as UTF-8)"});
      return false;
    }
    i += length;
  }
  return true;
}

// JSON writes characters beyond U+FFFF as two \u escapes, YAML as one \U escape, and yaml-cpp refuses the
// former.
void YamlSource::join_surrogates() {
  std::string out;
  out.reserve(text_.size());
  bool quoted = false;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '"') quoted = !quoted;
    if (c != '\\' || !quoted || i + 1 >= text_.size()) {
      out += c;
      continue;
    }
    const auto high = text_[i + 1] == 'u' ? four_hex_digits(text_, i + 2) : std::nullopt;
    const auto low =
        high && text_.compare(i + 6, 2, "\\u") == 0 ? four_hex_digits(text_, i + 8) : std::nullopt;
    if (low && *high >= 0xD800 && *high < 0xDC00 && *low >= 0xDC00 && *low < 0xE000) {
      joined_.push_back(out.size());
      out += "\\U" + hex(0x10000 + ((*high - 0xD800) << 10U) + (*low - 0xDC00), 8);
      i += 11;
    } else {
      out += c;
      out += text_[++i];
    }
  }
  text_ = std::move(out);
}

YamlSource::Place YamlSource::place(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  if (offset == text_.size() && offset > 0) --offset;  // the end of the file: its last character
  const auto next = std::upper_bound(lines_.begin(), lines_.end(), offset);
  const std::size_t start = *(next - 1);
  if (counted_line_ != start || counted_ > offset) {
    counted_line_ = start;
    counted_ = start;
    counted_column_ = 1;
  }
  for (; counted_ < offset; ++counted_) {
    if ((byte_at(text_, counted_) & 0xC0U) != 0x80U) ++counted_column_;
  }
  int column = counted_column_;
  const auto from = std::lower_bound(joined_.begin(), joined_.end(), start);
  const auto to = std::lower_bound(from, joined_.end(), offset);
  column += 2 * static_cast<int>(to - from);
  return {static_cast<int>(next - lines_.begin()), column};
}

Mark YamlSource::mark(std::size_t offset) const {
  const Place at = place(offset);
  return {*file_, at.line, at.column};
}

std::optional<std::size_t> YamlSource::quote_end(std::size_t offset) const {
  const auto skip_blanks = [&] {
    while (offset < text_.size()) {
      if (text_[offset] == '#') {
        offset = std::min(text_.find('\n', offset), text_.size());
      } else if (text_[offset] == ' ' || text_[offset] == '\t' || text_[offset] == '\r' ||
                 text_[offset] == '\n') {
        ++offset;
      } else {
        return;
      }
    }
  };
  if (offset < text_.size() && text_[offset] == '&') {
    offset = std::min(text_.find_first_of(" \t\r\n", offset), text_.size());
    skip_blanks();
  }
  if (offset >= text_.size()) return std::nullopt;
  const char quote = text_[offset];
  if (quote != '"' && quote != '\'') return std::nullopt;
  for (std::size_t i = offset + 1; i < text_.size(); ++i) {
    if (quote == '"' && text_[i] == '\\') {
      ++i;
    } else if (text_[i] == quote) {
      if (quote != '\'' || i + 1 >= text_.size() || text_[i + 1] != '\'') return i + 1;
      ++i;
    }
  }
  return std::string::npos;
}

bool YamlSource::bracket_is_open(std::size_t offset) const {
  if (offset >= text_.size() || (text_[offset] != '[' && text_[offset] != '{')) return false;
  int depth = 0;
  char before = ' ';  // the last character that is not blank: quotes begin after an indicator only
  for (std::size_t i = offset; i < text_.size(); ++i) {
    const char c = text_[i];
    if ((c == '"' || c == '\'') && std::string_view("[{,:").find(before) != std::string_view::npos) {
      const auto end = quote_end(i);
      if (!end || *end == std::string::npos) return true;
      i = *end - 1;
    }
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && --depth == 0) return false;
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') before = c;
  }
  return true;
}

std::size_t YamlSource::block_end(std::size_t offset) const {
  const auto header = static_cast<std::size_t>(place(offset).line - 1);
  const auto line = [&](std::size_t n) {
    const std::size_t end = n + 1 < lines_.size() ? lines_[n + 1] : text_.size();
    return std::string_view(text_).substr(lines_[n], end - lines_[n]);
  };
  const std::size_t parent = indentation(line(header));
  std::size_t n = header + 1;
  while (n < lines_.size() && (is_blank(line(n)) || indentation(line(n)) > parent)) ++n;
  return n < lines_.size() ? lines_[n] : text_.size();
}

bool YamlSource::check_tabs(const std::vector<std::pair<std::size_t, std::size_t>>& scalars,
                            std::size_t limit, Problems& problems) const {
  if (json_) return false;
  bool found = false;
  auto scalar = scalars.begin();
  for (const std::size_t start : lines_) {
    if (start >= limit) break;
    while (scalar != scalars.end() && scalar->second <= start) ++scalar;
    if (scalar != scalars.end() && scalar->first < start) continue;
    const auto text = text_.find_first_not_of(" \t", start);
    if (text == std::string::npos || text_[text] == '\n' || text_[text] == '\r' || text_[text] == '#')
      continue;
    const auto tab = text_.find('\t', start);
    if (tab >= text) continue;
    problems.push_back({mark(tab), "", "a tab can't be used as indentation: use spaces"});
    found = true;
    break;  // a file that was indented with tabs has them on every line
  }
  return found;
}

}  // namespace linecheck::scheduler
