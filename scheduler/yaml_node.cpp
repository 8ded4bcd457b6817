// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a node is: the core schema's types (YAML 1.2.2 section 10.3.2), and how it is shown.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "scheduler/yaml.h"

#include "scheduler/ascii.h"

namespace linecheck::scheduler {
namespace {

constexpr std::size_t kShownCharacters = 40;

template <class T>
std::optional<T> parse_whole(std::string_view text, auto... format) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, format...);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool has_number_form(std::string_view text) {
  const auto digits = [&] {
    std::size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    text.remove_prefix(n);
    return n;
  };
  const auto sign = [&] {
    if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  };
  sign();
  const bool whole = digits() > 0;
  bool fraction = false;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    fraction = digits() > 0;
  }
  if (!whole && !fraction) return false;
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    text.remove_prefix(1);
    sign();
    if (digits() == 0) return false;
  }
  return text.empty();
}

bool is_null_word(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (out.size() >= kShownCharacters && (static_cast<unsigned char>(c) & 0xC0U) != 0x80U)
      return out + "...";
    out += c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
  }
  return out;
}

nlohmann::ordered_json to_json(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return nullptr;
    case Node::Kind::sequence: {
      auto list = nlohmann::ordered_json::array();
      for (const Node& item : node.items) list.push_back(to_json(item));
      return list;
    }
    case Node::Kind::map: {
      auto map = nlohmann::ordered_json::object();
      for (const Node::Entry& entry : node.entries) map[entry.key] = to_json(entry.value);
      return map;
    }
    case Node::Kind::scalar:
      break;
  }
  if (const auto number = node.as_int()) return *number;
  if (const auto number = node.as_number()) return *number;
  if (const auto truth = node.as_bool()) return *truth;
  return node.text;
}

void write_flow(const Node& node, bool outermost, std::string& out) {
  const char* separator = "";
  switch (node.kind) {
    case Node::Kind::null:
      out += "null";
      break;
    case Node::Kind::scalar:
      out += node.plain ? node.text : '"' + node.text + '"';
      break;
    case Node::Kind::sequence:
      out += '[';
      for (const Node& item : node.items) {
        out += std::exchange(separator, ", ");
        write_flow(item, false, out);
      }
      out += ']';
      break;
    case Node::Kind::map:
      if (!outermost) out += '{';
      for (const Node::Entry& entry : node.entries) {
        out += std::exchange(separator, ", ");
        out += entry.key + ": ";
        write_flow(entry.value, false, out);
      }
      if (!outermost) out += '}';
      break;
  }
}

}  // namespace

Mark Node::mark() const {
  return {file ? *file : std::string(), line, column};
}

const Node* Node::find(std::string_view key) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &found->value;
}

std::optional<std::int64_t> Node::as_int() const {
  if (kind != Kind::scalar || !plain) return std::nullopt;
  std::string_view digits = text;
  if (digits.starts_with("0x")) return parse_whole<std::int64_t>(digits.substr(2), 16);
  if (digits.starts_with("0o")) return parse_whole<std::int64_t>(digits.substr(2), 8);
  if (digits.starts_with('+')) {
    digits.remove_prefix(1);
    if (digits.starts_with('-')) return std::nullopt;
  }
  return parse_whole<std::int64_t>(digits, 10);
}

std::optional<double> Node::as_number() const {
  if (kind != Kind::scalar || !plain) return std::nullopt;
  if (const auto number = as_int()) return static_cast<double>(*number);
  if (!has_number_form(text)) return std::nullopt;
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const auto number = parse_whole<double>(digits);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<bool> Node::as_bool() const {
  if (kind != Kind::scalar || !plain) return std::nullopt;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

bool Node::is_text() const {
  if (kind != Kind::scalar) return false;
  return !plain || !(is_null_word(text) || as_bool() || as_number() || has_number_form(text));
}

std::string Node::describe() const {
  switch (kind) {
    case Kind::null:
      return "nothing";
    case Kind::sequence:
      return "a list";
    case Kind::map:
      return "a map";
    case Kind::scalar:
      break;
  }
  if (is_text()) return "the text '" + shown(text) + "'";
  return (as_bool() ? "" : "the number ") + shown(text);
}

std::string Node::one_line() const {
  std::string out;
  write_flow(*this, true, out);
  return out;
}

std::string Node::json() const {
  return to_json(*this).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace linecheck::scheduler
