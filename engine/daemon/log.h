// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the daemon tells its operator: one line for each thing that happened, with fields that a machine can
// filter by. Under systemd they are fields of the journal (`journalctl RUN_ID=274`), elsewhere `key=value`
// behind the text, or JSON. Each part has a level of its own, which can be changed at any time.
//
// Any thread. Writing never waits for whoever reads the log: a queue of bounded length lies between, and its
// oldest lines go first.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace linecheck::engine {

enum class Part { daemon, jobs, calls, watch, admin, http };
inline constexpr Part kParts[] = {Part::daemon, Part::jobs,  Part::calls,
                                  Part::watch,  Part::admin, Part::http};
enum class LogLevel { debug, info, warn, error, off };
enum class LogFormat { automatic, text, json, journal };

[[nodiscard]] const char* to_string(Part part);
[[nodiscard]] const char* to_string(LogLevel level);
[[nodiscard]] std::optional<Part> part_named(std::string_view name);
[[nodiscard]] std::optional<LogLevel> level_named(std::string_view name);

/// A name in capitals, as the journal wants it, and its value.
using LogField = std::pair<std::string, std::string>;

class Log {
 public:
  /// `automatic`: the journal where standard error is connected to it (JOURNAL_STREAM, systemd.exec(5)), text
  /// elsewhere. `quiet`: nothing is written at all.
  explicit Log(LogFormat format = LogFormat::automatic, bool quiet = false);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(Part part, LogLevel level, std::string_view text, std::initializer_list<LogField> fields = {});
  void set_level(Part part, LogLevel level);
  [[nodiscard]] LogLevel level(Part part) const;
  [[nodiscard]] LogFormat format() const { return format_; }
  /// Waits until everything so far has been written.
  void flush();

 private:
  struct Inside;
  LogFormat format_;
  std::unique_ptr<Inside> inside_;
};

/// One line as each format has it; exposed for tests. `payload` is "text", then "\x1fNAME\x1evalue" for each
/// field.
[[nodiscard]] std::string log_payload(std::string_view text, std::initializer_list<LogField> fields);
[[nodiscard]] std::string text_line(std::string_view time, Part part, LogLevel level,
                                    std::string_view payload);
[[nodiscard]] std::string json_line(std::string_view time, Part part, LogLevel level,
                                    std::string_view payload);
/// The journal's native protocol (systemd, "Native Journal Protocol").
[[nodiscard]] std::string journal_entry(Part part, LogLevel level, std::string_view payload);

}  // namespace linecheck::engine
