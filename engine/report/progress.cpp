// SPDX-License-Identifier: GPL-3.0-or-later
//
// The live block. What a terminal gets for one redraw, so that nothing flickers and nothing is left behind:
//
//   ESC[?25l  (first time: hide the cursor)
//   CR ESC[<lines above>A   up to the block's first line
//   ESC[2K line LF          for each line, over the old one
//   ESC[J                   the rest of an older, longer block
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ostream>

#include <sys/ioctl.h>

#include "engine/report/columns.h"
#include "engine/report/console.h"
#include "engine/report/words.h"

namespace linecheck::engine::report {
namespace {

constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::string_view kShowCursor = "\x1b[?25h";
constexpr std::string_view kEraseBelow = "\x1b[J";
constexpr std::string_view kEraseLine = "\x1b[2K";
constexpr int kWidest = 110;  // a bar across a whole wide screen is harder to read, not easier

std::string painted(const Terminal& terminal, std::string_view sgr, const std::string& text) {
  return terminal.color ? "\x1b[" + std::string(sgr) + "m" + text + "\x1b[0m" : text;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string bar(const Terminal& terminal, int width, double share) {
  const int full = static_cast<int>(std::floor(std::clamp(share, 0.0, 1.0) * width));
  std::string done;
  std::string rest;
  for (int i = 0; i < full; ++i) done += terminal.unicode ? "\u2588" : "#";
  for (int i = full; i < width; ++i) rest += terminal.unicode ? "\u2591" : ".";
  return painted(terminal, "32", done) + painted(terminal, "2", rest);
}

std::string rate_text(double per_second) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.1f calls/s", per_second);
  return buffer.data();
}

struct Figures {
  double elapsed = 0;
  double per_second = 0;
  std::string eta;  // empty: nothing to go by
};

Figures figures_of(const ProgressState& state, Progress::Time elapsed) {
  Figures figures;
  figures.elapsed = std::chrono::duration<double>(elapsed).count();
  if (state.done() == 0 || figures.elapsed <= 0) return figures;
  figures.per_second = static_cast<double>(state.done()) / figures.elapsed;
  if (state.done() < state.total) {
    figures.eta = minutes_seconds(static_cast<double>(state.total - state.done()) / figures.per_second);
  }
  return figures;
}

std::string active_text(const ProgressState& state) {
  std::string text = std::to_string(state.active.size()) + " active";
  if (state.cap) text += " of " + std::to_string(*state.cap);
  return text;
}

}  // namespace

Terminal Terminal::of(int fd, bool no_color_asked) {
  Terminal terminal;
  terminal.is_tty = ::isatty(fd) == 1 && environment("TERM") != "dumb";
  terminal.color = terminal.is_tty && !no_color_asked && environment("NO_COLOR").empty();
  std::string locale = environment("LC_ALL");
  if (locale.empty()) locale = environment("LC_CTYPE");
  if (locale.empty()) locale = environment("LANG");
  std::transform(locale.begin(), locale.end(), locale.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  terminal.unicode = locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.width = size.ws_col;
  } else if (const int columns = std::atoi(environment("COLUMNS").c_str()); columns > 0) {
    terminal.width = columns;
  }
  terminal.width = std::clamp(terminal.width, 40, 400);
  return terminal;
}

Progress::Progress(std::ostream& out, ProgressOptions options, Time started)
    : out_(out), options_(options), started_(started) {
}

Progress::~Progress() {
  if (!finished_ && !shown_.empty()) out_ << kShowCursor << std::flush;
}

std::vector<std::string> Progress::block(const ProgressState& state, Time now) const {
  const Terminal& terminal = options_.terminal;
  const int width = std::min(terminal.width, kWidest) - 2;
  const Figures figures = figures_of(state, now - started_);
  const std::string gap = "   ";
  std::vector<std::string> lines;

  const std::string clock = minutes_seconds(figures.elapsed);
  const std::string name = left_in(printable(state.name), width - display_width(clock) - 1, terminal.unicode);
  lines.push_back(" " + painted(terminal, "1", name) + " " + painted(terminal, "2", clock));

  const double share =
      state.total > 0 ? static_cast<double>(state.done()) / static_cast<double>(state.total) : 0;
  const std::string done = std::to_string(state.done()) + "/" + std::to_string(state.total) + " calls";
  lines.push_back(" " + bar(terminal, std::max(10, width - display_width(done) - 2), share) + "  " + done);

  std::string counts =
      painted(terminal, state.passed > 0 ? "32" : "2", std::to_string(state.passed) + " passed") + gap +
      painted(terminal, state.failed > 0 ? "31" : "2", std::to_string(state.failed) + " failed");
  if (state.excused > 0)
    counts += gap + painted(terminal, "33", std::to_string(state.excused) + " not judged");
  if (state.cancelled > 0) counts += gap + std::to_string(state.cancelled) + " cancelled";
  counts += gap + active_text(state) + gap + rate_text(figures.per_second);
  if (!figures.eta.empty()) counts += gap + "ETA " + figures.eta;
  lines.push_back(" " + counts);

  const std::size_t most = std::min(options_.max_active_lines, state.active.size());
  for (std::size_t i = 0; i < most; ++i) {
    const ActiveCall& call = state.active[i];
    const std::string head = "#" + std::to_string(call.run_id);
    const std::string tail =
        minutes_seconds(call.seconds) + "  " + left_in(printable(call.doing), 16, terminal.unicode);
    const int room = std::max(8, width - 8 - display_width(tail) - 2);
    const std::string what =
        printable(call.scenario) + (call.variant.empty() ? "" : " / " + printable(call.variant));
    lines.push_back(" " + painted(terminal, "36", left_in(head, 6, terminal.unicode)) + "  " +
                    left_in(what, room, terminal.unicode) + "  " + painted(terminal, "2", tail));
  }
  if (state.active.size() > most) {
    lines.push_back(painted(terminal, "2", " and " + std::to_string(state.active.size() - most) + " more"));
  }
  if (!state.notice.empty()) {
    lines.push_back(" " + painted(terminal, "33", fitted(printable(state.notice), width, terminal.unicode)));
  }
  return lines;
}

std::string Progress::plain_line(const ProgressState& state, Time now) const {
  const Figures figures = figures_of(state, now - started_);
  std::string line = minutes_seconds(figures.elapsed) + "  " + std::to_string(state.done()) + "/" +
                     std::to_string(state.total) + " calls, " + std::to_string(state.passed) + " passed, " +
                     std::to_string(state.failed) + " failed";
  if (state.excused > 0) line += ", " + std::to_string(state.excused) + " not judged";
  if (state.cancelled > 0) line += ", " + std::to_string(state.cancelled) + " cancelled";
  line += ", " + active_text(state) + ", " + rate_text(figures.per_second);
  if (!figures.eta.empty()) line += ", ETA " + figures.eta;
  if (!state.notice.empty()) line += ". " + printable(state.notice);
  return line;
}

void Progress::erase() {
  if (shown_.empty()) return;
  out_ << "\r\x1b[" << shown_.size() << "A" << kEraseBelow;
}

void Progress::draw(const std::vector<std::string>& lines) {
  if (shown_.empty()) {
    out_ << kHideCursor;
  } else {
    out_ << "\r\x1b[" << shown_.size() << "A";
  }
  for (const std::string& line : lines) out_ << kEraseLine << line << '\n';
  if (lines.size() < shown_.size()) out_ << kEraseBelow;
  out_ << std::flush;
  shown_ = lines;
}

void Progress::update(const ProgressState& state, Time now) {
  if (options_.quiet || finished_) return;
  const Time every = options_.terminal.is_tty ? options_.redraw : options_.plain_every;
  // The first plain line comes after its interval too: a short job needs none.
  if (!last_drawn_ && !options_.terminal.is_tty) last_drawn_ = started_;
  if (last_drawn_ && now - *last_drawn_ < every) return;
  last_drawn_ = now;
  if (options_.terminal.is_tty) {
    draw(block(state, now));
  } else {
    out_ << plain_line(state, now) << '\n' << std::flush;
  }
}

void Progress::message(std::string_view line) {
  if (!options_.terminal.is_tty || shown_.empty()) {
    out_ << line << '\n' << std::flush;
    return;
  }
  const std::vector<std::string> lines = shown_;
  erase();
  out_ << line << '\n';
  shown_.clear();
  draw(lines);
}

void Progress::finish(const ProgressState& state, Time now) {
  if (finished_) return;
  finished_ = true;
  if (options_.quiet) return;
  if (options_.terminal.is_tty) {
    erase();
    if (!shown_.empty()) out_ << kShowCursor;
    out_ << std::flush;
    shown_.clear();
  } else {
    out_ << plain_line(state, now) << '\n' << std::flush;
  }
}

}  // namespace linecheck::engine::report
