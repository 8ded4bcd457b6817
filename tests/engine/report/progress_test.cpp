// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include <chrono>
#include <sstream>

#include "engine/report/columns.h"
#include "engine/report/console.h"

using namespace linecheck::engine::report;
using namespace std::chrono_literals;

namespace {

ProgressState midway() {
  ProgressState state;
  state.name = "nightly Sales.Inbound";
  state.total = 12;
  state.passed = 6;
  state.failed = 1;
  state.cap = 4;
  state.active = {{8, "Book an appointment", "Hurried / Jane / #2", 6.2, "agent speaks"},
                  {9, "Reach sales through the menu", "Calm / #1", 1.0, "dialling"}};
  return state;
}

ProgressOptions terminal(int width, bool color = false, bool unicode = true) {
  ProgressOptions options;
  options.terminal = {true, color, unicode, width};
  return options;
}

}  // namespace

TEST_CASE("the block shows where the job stands") {
  std::ostringstream out;
  Progress progress(out, terminal(72, false, false), 1000ms);
  const auto lines = progress.block(midway(), 13'000ms);
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == " nightly Sales.Inbound                                            00:12");
  CHECK(lines[1] == " #################################.........................  7/12 calls");
  CHECK(lines[2] == " 6 passed   1 failed   2 active of 4   0.6 calls/s   ETA 00:09");
  CHECK(lines[3] == " #8      Book an appointment / Hurried / Ja...  00:06  agent speaks    ");
  CHECK(lines[4] == " #9      Reach sales through the menu / Cal...  00:01  dialling        ");
}

TEST_CASE("no line is wider than the terminal, whatever names hold") {
  std::ostringstream out;
  ProgressState state = midway();
  state.name = std::string(300, 'x') + "\x1b[2J\n";
  state.active[0].scenario = "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E" + std::string(200, 'y');
  state.active.resize(9, state.active[0]);
  state.notice = "Stopping: " + std::string(200, 'z');
  for (const int width : {40, 60, 80, 200}) {
    Progress progress(out, terminal(width), 0ms);
    const auto lines = progress.block(state, 9'000ms);
    CHECK(lines.size() == 3 + 6 + 1 + 1);
    for (const std::string& line : lines) {
      CAPTURE(line);
      CHECK(line.find('\x1b') == std::string::npos);
      if (width >= 80) CHECK(display_width(line) <= width);
    }
  }
}

TEST_CASE("a terminal is redrawn in place, at most ten times a second, and left clean") {
  std::ostringstream out;
  {
    Progress progress(out, terminal(72), 0ms);
    progress.update(midway(), 1000ms);
    CHECK(out.str().starts_with("\x1b[?25l\x1b[2K nightly"));
    const std::size_t first = out.str().size();
    progress.update(midway(), 1050ms);
    CHECK(out.str().size() == first);
    progress.update(midway(), 1100ms);
    CHECK(out.str().substr(first).starts_with("\r\x1b[5A\x1b[2K nightly"));

    ProgressState fewer = midway();
    fewer.active.clear();
    const std::size_t second = out.str().size();
    progress.update(fewer, 1300ms);
    CHECK(out.str().substr(second).ends_with("\n\x1b[J"));

    const std::size_t third = out.str().size();
    progress.message("#8 failed: the agent is busy");
    CHECK(out.str().substr(third).starts_with("\r\x1b[3A\x1b[J#8 failed: the agent is busy\n"));

    const std::size_t fourth = out.str().size();
    progress.finish(fewer, 2000ms);
    CHECK(out.str().substr(fourth) == "\r\x1b[3A\x1b[J\x1b[?25h");
    progress.update(fewer, 9000ms);
    CHECK(out.str().substr(fourth) == "\r\x1b[3A\x1b[J\x1b[?25h");
  }
  CHECK(out.str().ends_with("\x1b[?25h"));
}

TEST_CASE("the cursor comes back when the block is abandoned") {
  std::ostringstream out;
  { Progress(out, terminal(80), 0ms).update(midway(), 10ms); }
  CHECK(out.str().ends_with("\x1b[?25h"));
}

TEST_CASE("elsewhere it is a plain line each ten seconds and one at the end") {
  std::ostringstream out;
  Progress progress(out, {}, 0ms);
  ProgressState state = midway();
  for (auto now = 0ms; now <= 25'000ms; now += 500ms) progress.update(state, now);
  progress.message("a message");
  state.active.clear();
  state.passed = 11;
  progress.finish(state, 26'000ms);
  CHECK(out.str() ==
        "00:10  7/12 calls, 6 passed, 1 failed, 2 active of 4, 0.7 calls/s, ETA 00:07\n"
        "00:20  7/12 calls, 6 passed, 1 failed, 2 active of 4, 0.3 calls/s, ETA 00:14\n"
        "a message\n"
        "00:26  12/12 calls, 11 passed, 1 failed, 0 active of 4, 0.5 calls/s\n");
}

TEST_CASE("quiet says nothing but messages") {
  std::ostringstream out;
  ProgressOptions options = terminal(80);
  options.quiet = true;
  Progress progress(out, options, 0ms);
  progress.update(midway(), 5000ms);
  progress.finish(midway(), 6000ms);
  CHECK(out.str().empty());
  progress.message("only this");
  CHECK(out.str() == "only this\n");
}

TEST_CASE("colours are used only where they were allowed") {
  std::ostringstream out;
  Progress plain(out, terminal(80, false), 0ms);
  Progress colored(out, terminal(80, true), 0ms);
  CHECK(plain.block(midway(), 1000ms)[2].find('\x1b') == std::string::npos);
  CHECK(colored.block(midway(), 1000ms)[2].find("\x1b[31m1 failed\x1b[0m") != std::string::npos);
}
