// SPDX-License-Identifier: GPL-3.0-or-later
//
// The directory in which everything that outlives a call is kept, and the care with which files in it are
// written.
//
//   <state>/linecheck.db                              results and calls (SQLite)
//   <state>/recordings/YYYY/MM/DD/<run id>/call.wav   one folder a run, by the UTC day of its start
//
// Errors are typed and worded for the user, with what to do about them. Any thread; every method touches the
// disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace linecheck::engine {

/// Why a file or directory could not be made or written.
class StateError : public std::runtime_error {
 public:
  enum class Kind {
    missing,          ///< a parent directory does not exist
    not_a_directory,  ///< something else has that name
    not_permitted,
    read_only,  ///< the file system is mounted read-only
    full,       ///< no space, quota or file-size limit
    io
  };
  StateError(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  [[nodiscard]] Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// The StateError for an errno, as "cannot <what> <path>: <reason>; <what to do>".
[[nodiscard]] StateError state_error(int error, std::string_view what, const std::filesystem::path& path);

/// Replaces `path` with `content` so that a reader, or a machine that loses power, sees the old file or the
/// new one and never a part: written beside it under a temporary name, synced, renamed, the directory synced.
/// Throws StateError and leaves the old file as it was.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

class StateDirectory {
 public:
  /// Makes the directory where it is missing and proves that files can be written in it. Throws StateError.
  explicit StateDirectory(std::filesystem::path root);

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path database() const { return root_ / "linecheck.db"; }

  /// Where the recording of a run goes; makes its folder. Attempts after the first are kept beside it as
  /// call-2.wav, ...
  std::filesystem::path make_recording_path(std::int64_t run_id, std::int64_t started_unix_ms,
                                            int attempt = 1) const;
  /// The same path, without touching the disk.
  [[nodiscard]] std::filesystem::path recording_path(std::int64_t run_id, std::int64_t started_unix_ms,
                                                     int attempt = 1) const;

  /// Bytes that this process may still write (statvfs f_bavail).
  [[nodiscard]] std::uint64_t free_bytes() const;
  /// Throws StateError{full} where less than `min_bytes` are free: "only 1.2 GiB free in DIR, 5.0 GiB are
  /// wanted (limits.min_free_disk): ...".
  void require_free(std::uint64_t min_bytes) const;

 private:
  std::filesystem::path root_;
};

/// "5.0 GiB", "512 B".
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

}  // namespace linecheck::engine
