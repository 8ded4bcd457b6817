// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/action.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <optional>

#include "scheduler/reader.h"
#include "scheduler/suggest.h"

namespace linecheck::scheduler {
namespace {

constexpr std::string_view kProfilePrefix = "test_profile.";
constexpr std::string_view kDigits = "0123456789*#ABCD";
constexpr std::size_t kMaxDigits = 64;
constexpr Millis kLongestPause{3'600'000};

const std::vector<std::string> kTagsNow = {"silence", "dtmf", "interruption", "network_simulation",
                                           "endcall"};
const std::vector<std::string> kTagsLater = {"ivr",
                                             "voicemail",
                                             "ignore_interruptions",
                                             "hold",
                                             "speed",
                                             "volume",
                                             "background_noise",
                                             "noise",
                                             "spell",
                                             "voice",
                                             "audio"};

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// Calls `literal` for text and `placeholder` for what stands between {{ and }}, in order; returns whether
/// the last
/// {{ is closed.
bool split_placeholders(
    std::string_view text, const std::function<void(std::string_view)>& literal,
    const std::function<void(std::string_view whole, std::string_view inner)>& placeholder) {
  while (!text.empty()) {
    const auto begin = text.find("{{");
    literal(text.substr(0, begin));
    if (begin == std::string_view::npos) return true;
    const auto end = text.find("}}", begin + 2);
    if (end == std::string_view::npos) {
      literal(text.substr(begin));
      return false;
    }
    placeholder(text.substr(begin, end + 2 - begin), trimmed(text.substr(begin + 2, end - begin - 2)));
    text.remove_prefix(end + 2);
  }
  return true;
}

/// The key of {{test_profile.key}}, or nothing.
std::optional<std::string> profile_key(std::string_view inner) {
  if (!inner.starts_with(kProfilePrefix)) return std::nullopt;
  const std::string_view key = inner.substr(kProfilePrefix.size());
  if (key.empty() || !std::all_of(key.begin(), key.end(), is_name_character)) return std::nullopt;
  return std::string(key);
}

std::string digits_problem(std::string_view digits) {
  if (digits.empty()) return "<dtmf> has no digits";
  if (digits.size() > kMaxDigits) return "<dtmf> has more than " + std::to_string(kMaxDigits) + " digits";
  const auto bad = digits.find_first_not_of(kDigits);
  if (bad == std::string_view::npos) return {};
  return std::string("'") + digits[bad] + "' is not a telephone's key (0-9, *, #, A-D)";
}

struct Tag {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;
  bool closing = false;       // </name>
  bool self_closing = false;  // <name/>
};

class Parser {
 public:
  Parser(std::string_view text, const Mark& mark, Problems& problems, const std::string& field)
      : text_(text), mark_(mark), problems_(problems), field_(field) {}

  std::vector<ActionStep> run() {
    check_placeholders();
    std::string words;
    const auto flush = [&] {
      if (const auto said = trimmed(words); !said.empty()) add(Say{std::string(said)}, "words");
      words.clear();
    };
    while (at_ < text_.size()) {
      if (!at_tag()) {
        words += text_[at_++];
        continue;
      }
      flush();
      const std::size_t begin = at_;
      const auto tag = read_tag();
      if (tag) apply(*tag, text_.substr(begin, at_ - begin));
    }
    flush();
    return std::move(steps_);
  }

 private:
  void problem(std::string message) { problems_.push_back({mark_, field_, std::move(message)}); }

  void check_placeholders() {
    const bool closed = split_placeholders(
        text_, [](std::string_view) {},
        [&](std::string_view whole, std::string_view inner) {
          if (profile_key(inner)) return;
          problem("'" + std::string(whole) + "' is not known here: write {{test_profile.key}}");
        });
    if (!closed) problem("'{{' is never closed with '}}'");
  }

  [[nodiscard]] bool at_tag() const {
    if (text_[at_] != '<' || at_ + 1 >= text_.size()) return false;
    const char next = text_[at_ + 1];
    return next == '/' || std::isalpha(static_cast<unsigned char>(next)) != 0;
  }

  [[nodiscard]] std::string read_name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_name_character(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  void skip_blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }

  [[nodiscard]] bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  /// Reads a tag up to its '>'. On a bad form: a problem, and the rest of the tag is skipped.
  std::optional<Tag> read_tag() {
    const std::size_t begin = at_++;
    Tag tag;
    tag.closing = take('/');
    tag.name = read_name();
    while (true) {
      skip_blanks();
      if (take('>')) return tag;
      if (take('/')) {
        tag.self_closing = true;
        continue;
      }
      const std::string name = read_name();
      skip_blanks();
      if (name.empty() || !take('=')) break;
      skip_blanks();
      const char quote = at_ < text_.size() ? text_[at_] : '\0';
      if (quote != '"' && quote != '\'') break;
      const auto end = text_.find(quote, at_ + 1);
      if (end == std::string_view::npos) break;
      tag.attributes.emplace_back(name, text_.substr(at_ + 1, end - at_ - 1));
      at_ = end + 1;
    }
    const auto end = text_.find('>', begin);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
    problem("the tag '" + std::string(text_.substr(begin, std::min<std::size_t>(at_ - begin, 40))) +
            (end == std::string_view::npos ? "' is never closed with '>'"
                                           : R"(' can't be read: write <name attribute="value"/>)"));
    return std::nullopt;
  }

  void apply(const Tag& tag, std::string_view written) {
    if (contains(kTagsLater, tag.name)) {
      if (!tag.closing) problem(not_available("the tag <" + tag.name + ">"));
      return;
    }
    if (!contains(kTagsNow, tag.name)) {
      problem("unknown tag <" + tag.name + ">" + did_you_mean(tag.name, kTagsNow));
      return;
    }
    if (tag.closing || !tag.self_closing) {
      problem("'" + std::string(written) + "' encloses nothing: end it with '/>'");
      return;
    }
    if (tag.name == "endcall") {
      check_attributes(tag, {});
      add(EndCall{}, "<endcall/>");
    } else if (tag.name == "dtmf") {
      const auto digits = attribute(tag, "digits");
      if (!digits) return;
      if (digits->find("{{") == std::string::npos) {
        if (const auto why = digits_problem(*digits); !why.empty()) return problem(why);
      }
      add(Dtmf{*digits}, "<dtmf>");
    } else if (tag.name == "network_simulation") {
      network_simulation(tag);
    } else {
      const auto time = attribute(tag, "time");
      if (!time) return;
      const auto duration = parse_duration(*time);
      if (!duration || *duration > kLongestPause) {
        return problem("<" + tag.name + " time=\"" + *time + "\">: expected a duration such as 300ms or 2s");
      }
      if (tag.name == "silence") return add(Silence{*duration}, "<silence>");
      if (!steps_.empty()) return problem("<interruption> must be the first thing in its action");
      add(Interruption{*duration}, "<interruption>");
    }
  }

  void network_simulation(const Tag& tag) {
    check_attributes(tag, {"packet_loss", "burst", "jitter", "latency", "direction"});
    NetworkSimulation network;
    for (const auto& [name, value] : tag.attributes) {
      if (value.empty()) continue;
      if (name == "direction") {
        network.send = value != "receive";
        network.receive = value != "send";
        if (value != "send" && value != "receive" && value != "both") {
          problem("<network_simulation direction=\"" + value + "\">: expected send, receive or both");
        }
      } else if (name == "packet_loss") {
        amount(tag, name, value, "%", 100, network.line.packet_loss_percent);
      } else if (name == "burst") {
        amount(tag, name, value, "", 50, network.line.burst);
      } else if (name == "jitter") {
        amount(tag, name, value, "ms", LineImpairment::kMostJitterMs, network.line.jitter_ms);
      } else if (name == "latency") {
        amount(tag, name, value, "ms", LineImpairment::kMostLatencyMs, network.line.latency_ms);
      }
    }
    add(network, "<network_simulation>");
  }

  /// A number from 0 to `most`, its unit may follow.
  void amount(const Tag& tag, const std::string& name, std::string_view value, std::string_view unit,
              double most, double& out) {
    std::string_view number = trimmed(value);
    if (!unit.empty() && number.ends_with(unit))
      number = trimmed(number.substr(0, number.size() - unit.size()));
    double read = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), read);
    if (error == std::errc() && end == number.data() + number.size() && read >= 0 && read <= most) {
      out = read;
      return;
    }
    problem("<" + tag.name + " " + name + "=\"" + std::string(value) + "\">: expected a number from 0 to " +
            std::to_string(static_cast<int>(most)) + (unit.empty() ? "" : " (" + std::string(unit) + ")"));
  }

  void check_attributes(const Tag& tag, const std::vector<std::string>& known) {
    for (std::size_t i = 0; i < tag.attributes.size(); ++i) {
      const std::string& name = tag.attributes[i].first;
      if (!contains(known, name)) {
        problem("<" + tag.name + "> has no attribute '" + name + "'" + did_you_mean(name, known));
      }
      for (std::size_t k = 0; k < i; ++k) {
        if (tag.attributes[k].first == name) problem("<" + tag.name + "> has '" + name + "' twice");
      }
    }
  }

  /// The only attribute of a tag, which must be there.
  std::optional<std::string> attribute(const Tag& tag, const std::string& name) {
    check_attributes(tag, {name});
    for (const auto& [key, value] : tag.attributes) {
      if (key == name) return value;
    }
    problem("<" + tag.name + "> needs " + name + "=\"...\"");
    return std::nullopt;
  }

  void add(ActionStep step, const char* what) {
    if (!steps_.empty() && std::holds_alternative<EndCall>(steps_.back())) {
      problem(std::string(what) + " after <endcall/>: the call is over by then");
      return;
    }
    steps_.push_back(std::move(step));
  }

  std::string_view text_;
  const Mark& mark_;
  Problems& problems_;
  const std::string& field_;
  std::size_t at_ = 0;
  std::vector<ActionStep> steps_;
};

}  // namespace

std::vector<ActionStep> parse_action(std::string_view text, const Mark& mark, Problems& problems,
                                     const std::string& field) {
  return Parser(text, mark, problems, field).run();
}

std::vector<std::string> placeholders(std::string_view text) {
  std::vector<std::string> keys;
  split_placeholders(
      text, [](std::string_view) {},
      [&](std::string_view, std::string_view inner) {
        if (const auto key = profile_key(inner); key && !contains(keys, *key)) keys.push_back(*key);
      });
  return keys;
}

std::string substitute(std::string_view text, const Variables& variables) {
  std::string out;
  split_placeholders(
      text, [&](std::string_view literal) { out += literal; },
      [&](std::string_view whole, std::string_view inner) {
        const auto key = profile_key(inner);
        const auto value = key ? variables.find(*key) : variables.end();
        out += value != variables.end() ? std::string_view(value->second) : whole;
      });
  return out;
}

std::vector<ActionStep> resolve(std::vector<ActionStep> steps, const Variables& variables) {
  for (ActionStep& step : steps) {
    if (auto* const say = std::get_if<Say>(&step)) say->text = substitute(say->text, variables);
    if (auto* const dtmf = std::get_if<Dtmf>(&step)) dtmf->digits = substitute(dtmf->digits, variables);
  }
  return steps;
}

std::vector<std::string> check_variables(const std::vector<ActionStep>& steps, const TestProfile* profile) {
  std::vector<std::string> messages;
  const auto add = [&](std::string message) {
    if (!contains(messages, message)) messages.push_back(std::move(message));
  };
  static const Variables kNone;
  const Variables& variables = profile != nullptr ? profile->testing_agent_variables : kNone;
  const auto missing = [&](const std::string& text) {
    bool any = false;
    for (const std::string& key : placeholders(text)) {
      if (variables.contains(key)) continue;
      any = true;
      if (profile == nullptr) {
        add("{{test_profile." + key + "}} needs a test profile, and there is none");
        continue;
      }
      std::vector<std::string> known;
      for (const auto& [name, value] : variables) known.push_back(name);
      add("test profile " + std::to_string(profile->id) + " has no testing_agent_variables." + key +
          did_you_mean(key, known));
    }
    return any;
  };
  for (const ActionStep& step : steps) {
    if (const auto* const say = std::get_if<Say>(&step)) missing(say->text);
    const auto* const dtmf = std::get_if<Dtmf>(&step);
    if (dtmf == nullptr || missing(dtmf->digits)) continue;
    const std::string why = digits_problem(substitute(dtmf->digits, variables));
    if (!why.empty())
      add(why + (profile != nullptr ? ", in test profile " + std::to_string(profile->id) : ""));
  }
  return messages;
}

}  // namespace linecheck::scheduler
