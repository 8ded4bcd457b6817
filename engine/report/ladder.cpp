// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/report/ladder.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

#include "engine/report/columns.h"
#include "engine/report/words.h"

namespace linecheck::engine::report {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return lower(x) == lower(y);
  });
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// The first header of that name (or its compact form, RFC 3261 7.3.3), empty where there is none.
std::string_view header(std::string_view message, std::string_view name, std::string_view compact) {
  std::size_t at = message.find('\n');
  while (at != std::string_view::npos) {
    const std::string_view rest = message.substr(at + 1);
    const std::string_view line = rest.substr(0, rest.find('\n'));
    if (without_blanks(line).empty()) break;  // the body follows
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      const std::string_view key = without_blanks(line.substr(0, colon));
      if (same_name(key, name) || (!compact.empty() && same_name(key, compact))) {
        return without_blanks(line.substr(colon + 1));
      }
    }
    at = message.find('\n', at + 1);
  }
  return {};
}

bool has_sdp(std::string_view message) {
  return header(message, "Content-Type", "c").find("application/sdp") != std::string_view::npos;
}

std::string label_of(const TracedMessage& message) {
  const std::string_view line = message.start_line;
  std::string label;
  if (line.starts_with("SIP/2.0 ")) {
    const std::string_view cseq = header(message.message, "CSeq", "");
    const std::size_t space = cseq.find(' ');
    label = std::string(without_blanks(line.substr(8)));
    if (space != std::string_view::npos)
      label += " (" + std::string(without_blanks(cseq.substr(space))) + ")";
  } else {
    label = std::string(line.substr(0, line.find(' ')));
  }
  if (has_sdp(message.message)) label += " SDP";
  return printable(label);
}

std::size_t column_of(std::vector<std::string>& columns, const std::string& address) {
  const auto found = std::find(columns.begin(), columns.end(), address);
  if (found != columns.end()) return static_cast<std::size_t>(found - columns.begin());
  columns.push_back(address);
  return columns.size() - 1;
}

std::string seconds_text(double ms, bool with_sign) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), with_sign ? "+%.3f" : "%.3f", ms / 1000.0);
  return buffer.data();
}

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

/// One arrow between two lifelines, with its label above the shaft.
class Drawing {
 public:
  Drawing(const Ladder& ladder, const LadderOptions& options)
      : ladder_(ladder), options_(options), width_(std::max(options.column_width, 16)) {}

  [[nodiscard]] std::string heads() const {
    std::string out(kMargin, ' ');
    for (const std::string& column : ladder_.columns) out += centred(printable(column));
    return trimmed(out) + "\n" + std::string(kMargin, ' ') + trimmed(lifelines()) + "\n";
  }

  [[nodiscard]] std::string arrow(const LadderStep& step, bool first) const {
    const int count = static_cast<int>(ladder_.columns.size());
    const int low = static_cast<int>(std::min(step.from, step.to));
    const int high = static_cast<int>(std::max(step.from, step.to));
    const bool rightward = step.from < step.to;
    const std::string bar = options_.unicode ? "\u2502" : "|";
    const std::string dash =
        options_.unicode ? (step.retransmission ? "\u254c" : "\u2500") : (step.retransmission ? "." : "-");
    const std::string delta = first ? std::string() : seconds_text(step.delta_ms, true);
    std::string label = step.label + (step.retransmission ? " (again)" : "");

    std::string upper = right_in(seconds_text(step.t_ms, false), 9, options_.unicode) + "  " +
                        right_in(delta, 8, options_.unicode) + "  ";
    std::string lower(kMargin, ' ');
    const int half = width_ / 2;
    upper += std::string(static_cast<std::size_t>(half), ' ');
    lower += std::string(static_cast<std::size_t>(half), ' ');
    for (int column = 0; column < count; ++column) {
      upper += bar;
      lower += bar;
      if (column + 1 == count) break;
      if (column == low && high > low) {
        const int inner = (high - low) * width_ - 1;
        const std::string cut = fitted(label, inner, options_.unicode);
        const int before = (inner - display_width(cut)) / 2;
        upper += std::string(static_cast<std::size_t>(before), ' ') +
                 left_in(cut, inner - before, options_.unicode);
        const std::string head =
            options_.unicode ? (rightward ? "\u25b6" : "\u25c0") : (rightward ? ">" : "<");
        const std::string shaft = repeated(dash, inner - 1);
        lower += rightward ? shaft + head : head + shaft;
        column = high - 1;
      } else {
        upper += std::string(static_cast<std::size_t>(width_ - 1), ' ');
        lower += std::string(static_cast<std::size_t>(width_ - 1), ' ');
      }
    }
    return trimmed(upper) + "\n" + trimmed(lower) + "\n";
  }

 private:
  static constexpr std::size_t kMargin = 21;  // "    0.000    +0.000  "

  [[nodiscard]] std::string centred(const std::string& text) const {
    const std::string cut = fitted(text, width_ - 2, options_.unicode);
    const int before = (width_ - display_width(cut)) / 2;
    return std::string(static_cast<std::size_t>(before), ' ') +
           left_in(cut, width_ - before, options_.unicode);
  }

  [[nodiscard]] std::string lifelines() const {
    const std::string half(static_cast<std::size_t>(width_ / 2), ' ');
    std::string out = half;
    for (std::size_t i = 0; i < ladder_.columns.size(); ++i) {
      out += left_in(options_.unicode ? "\u2502" : "|", width_, options_.unicode);
    }
    return out;
  }

  static std::string trimmed(std::string text) {
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  }

  const Ladder& ladder_;
  const LadderOptions& options_;
  int width_;
};

}  // namespace

Ladder ladder_of(const CallRecord& call) {
  std::vector<std::size_t> order(call.sip.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return call.sip[a].t_ms < call.sip[b].t_ms; });
  Ladder ladder;
  for (const std::size_t index : order) {
    const TracedMessage& message = call.sip[index];
    const std::string& ours = message.sent ? message.from : message.to;
    if (ladder.columns.empty()) column_of(ladder.columns, ours);
  }
  std::set<std::string> seen;
  for (const std::size_t index : order) {
    const TracedMessage& message = call.sip[index];
    LadderStep step;
    step.t_ms = message.t_ms;
    step.delta_ms = ladder.steps.empty() ? 0 : message.t_ms - ladder.steps.back().t_ms;
    step.from = column_of(ladder.columns, message.from);
    step.to = column_of(ladder.columns, message.to);
    step.label = label_of(message);
    step.message = index;
    const std::string identity = std::string(message.sent ? ">" : "<") + message.start_line + "\n" +
                                 std::string(header(message.message, "CSeq", "")) + "\n" +
                                 std::string(header(message.message, "Via", "v"));
    step.retransmission = !seen.insert(identity).second;
    ladder.steps.push_back(std::move(step));
  }
  return ladder;
}

std::string text_ladder(const Run& run, const LadderOptions& options) {
  const Ladder ladder = ladder_of(run.call);
  std::string out = "Call " + std::to_string(run.id);
  if (!run.call.call_id.empty()) out += ", Call-ID " + printable(run.call.call_id);
  out += "\n";
  if (ladder.steps.empty()) return out + "No SIP messages were kept.\n";
  const Drawing drawing(ladder, options);
  out += "\n" + right_in("time s", 9, true) + "  " + right_in("delta", 8, true) + "\n" + drawing.heads();
  bool first = true;
  for (const LadderStep& step : ladder.steps) {
    out += drawing.arrow(step, first);
    first = false;
  }
  return out;
}

}  // namespace linecheck::engine::report
