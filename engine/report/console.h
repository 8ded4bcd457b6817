// SPDX-License-Identifier: GPL-3.0-or-later
//
// What `linecheck run` shows while calls are made, and the summary at their end. The caller passes the time,
// so that tests need no clock. Progress belongs on standard error, the summary on standard output.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/result.h"

namespace linecheck::engine::report {

/// What a stream can show.
struct Terminal {
  bool is_tty = false;
  bool color = false;    ///< a tty, and neither NO_COLOR, TERM=dumb nor --no-color
  bool unicode = false;  ///< the locale's character set is UTF-8
  int width = 80;

  /// Looks at the descriptor and the environment (https://no-color.org, LC_ALL, LC_CTYPE, LANG, COLUMNS).
  static Terminal of(int fd, bool no_color_asked = false);
};

struct ActiveCall {
  std::int64_t run_id = 0;
  std::string scenario;
  std::string variant;  ///< personality / profile / #n
  double seconds = 0;   ///< since it was dialled
  std::string doing;    ///< "dialling", "agent speaks", ... may be empty
};

struct ProgressState {
  std::string name;
  std::uint64_t total = 0;
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  std::uint64_t excused = 0;
  std::uint64_t cancelled = 0;
  std::optional<int> cap;          ///< calls at once; nullopt: unbounded
  std::vector<ActiveCall> active;  ///< oldest first
  std::string notice;              ///< shown last: "Stopping: no new calls. Ctrl-C again hangs up."

  [[nodiscard]] std::uint64_t done() const { return passed + failed + excused + cancelled; }
};

struct ProgressOptions {
  Terminal terminal = {};
  bool quiet = false;
  std::chrono::milliseconds redraw{100};  ///< a terminal is drawn at most this often
  std::chrono::milliseconds plain_every{10'000};
  std::size_t max_active_lines = 6;
};

/// One block that is redrawn in place on a terminal; a plain line each 10 s elsewhere; nothing with `quiet`.
/// - update() as often as something changes, and at least once a second for the clock on the block;
/// - message() puts a line above the block;
/// - finish() removes the block (or writes the last plain line). The destructor restores the cursor if it is
/// not called. Not for several threads at once.
class Progress {
 public:
  using Time = std::chrono::milliseconds;  ///< any monotonic clock

  /// `out` outlives this. `started` is the zero of elapsed time.
  Progress(std::ostream& out, ProgressOptions options, Time started);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  void update(const ProgressState& state, Time now);
  void message(std::string_view line);
  void finish(const ProgressState& state, Time now);

  /// The lines of the block, for tests and for systemd's STATUS=.
  [[nodiscard]] std::vector<std::string> block(const ProgressState& state, Time now) const;
  [[nodiscard]] std::string plain_line(const ProgressState& state, Time now) const;

 private:
  void erase();
  void draw(const std::vector<std::string>& lines);

  std::ostream& out_;
  ProgressOptions options_;
  Time started_;
  std::optional<Time> last_drawn_;
  std::vector<std::string> shown_;
  bool finished_ = false;
};

struct SummaryOptions {
  Terminal terminal = {};
  /// What was written and where, in this order: {"report", "out/demo/report.html"}.
  std::vector<std::pair<std::string, std::string>> files = {};
  /// Shown last, one a line under a title: how to make a first own job. Empty: left out.
  std::string next_title = {};
  std::vector<std::string> next_commands = {};
  std::size_t max_run_ids = 12;  ///< in a failure group
};

/// Verdict, thresholds, checks, metrics, failures by cause (most frequent first) with what to do, files, next
/// step.
[[nodiscard]] std::string summary(const Result& result, const SummaryOptions& options = {});

}  // namespace linecheck::engine::report
