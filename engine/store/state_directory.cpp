// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/store/state_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

namespace linecheck::engine {

namespace fs = std::filesystem;

namespace {

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }
  /// Some file systems report a failed write only here.
  [[nodiscard]] bool close() { return ::close(std::exchange(descriptor_, -1)) == 0; }

 private:
  int descriptor_;
};

StateError::Kind kind_of(int error) {
  switch (error) {
    case ENOENT:
      return StateError::Kind::missing;
    case ENOTDIR:
    case EISDIR:
    case EEXIST:
      return StateError::Kind::not_a_directory;
    case EACCES:
    case EPERM:
      return StateError::Kind::not_permitted;
    case EROFS:
      return StateError::Kind::read_only;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return StateError::Kind::full;
    default:
      return StateError::Kind::io;
  }
}

const char* advice(StateError::Kind kind) {
  switch (kind) {
    case StateError::Kind::missing:
      return "make its parent directory first";
    case StateError::Kind::not_a_directory:
      return "something else has that name: remove it, or choose another directory";
    case StateError::Kind::not_permitted:
      return "give this user the right to write there, or choose another directory";
    case StateError::Kind::read_only:
      return "the file system is mounted read-only: choose another directory";
    case StateError::Kind::full:
      return "free some space, or choose another directory";
    case StateError::Kind::io:
      return "look at the system's log";
  }
  return "";
}

[[noreturn]] void fail(std::string_view what, const fs::path& path) {
  throw state_error(errno, what, path);
}

void write_all(int descriptor, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("write", path);
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

// After a power cut a renamed file may be missing unless its directory is on disk too.
void sync_directory(const fs::path& directory) {
  const File opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0) fail("open", directory);
  // Not every file system can sync a directory; those say EINVAL, and there is nothing to be done.
  if (::fsync(opened.get()) != 0 && errno != EINVAL) fail("sync", directory);
}

fs::path parent_of(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

void make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw state_error(error.value(), "make the directory", path);
  if (!fs::is_directory(path)) throw state_error(ENOTDIR, "use the directory", path);
}

}  // namespace

StateError state_error(int error, std::string_view what, const fs::path& path) {
  const StateError::Kind kind = kind_of(error);
  return StateError(kind, "cannot " + std::string(what) + " " + path.string() + ": " +
                              std::generic_category().message(error) + "; " + advice(kind));
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  static std::atomic<unsigned> counter{0};
  // Dot files are left alone by everything that watches directories, ours included.
  const fs::path temporary =
      parent_of(path) / ("." + path.filename().string() + "." + std::to_string(::getpid()) + "." +
                         std::to_string(++counter) + ".tmp");
  {
    File file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (file.get() < 0) fail("create", temporary);
    try {
      write_all(file.get(), content, path);
      if (::fsync(file.get()) != 0) fail("write", path);
      if (!file.close()) fail("write", path);
      if (::rename(temporary.c_str(), path.c_str()) != 0) fail("replace", path);
    } catch (...) {
      ::unlink(temporary.c_str());
      throw;
    }
  }
  sync_directory(parent_of(path));
}

StateDirectory::StateDirectory(fs::path root) : root_(std::move(root)) {
  make_directories(root_);
  // Rights and mount options lie to access(2) in more than one way: only writing proves that writing works.
  const fs::path probe = root_ / (".probe." + std::to_string(::getpid()));
  const File file(::open(probe.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.get() < 0) fail("write in", root_);
  try {
    write_all(file.get(), "linecheck\n", root_);
  } catch (...) {
    ::unlink(probe.c_str());
    throw;
  }
  ::unlink(probe.c_str());
}

fs::path StateDirectory::recording_path(std::int64_t run_id, std::int64_t started_unix_ms,
                                        int attempt) const {
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::milliseconds> started{std::chrono::milliseconds(started_unix_ms)};
  const std::chrono::year_month_day day{floor<std::chrono::days>(started)};
  char folder[32];
  std::snprintf(folder, sizeof folder, "%04d/%02u/%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  const std::string name = attempt > 1 ? "call-" + std::to_string(attempt) + ".wav" : "call.wav";
  return root_ / "recordings" / folder / std::to_string(run_id) / name;
}

fs::path StateDirectory::make_recording_path(std::int64_t run_id, std::int64_t started_unix_ms,
                                             int attempt) const {
  fs::path path = recording_path(run_id, started_unix_ms, attempt);
  make_directories(path.parent_path());
  return path;
}

std::uint64_t StateDirectory::free_bytes() const {
  struct statvfs about {};
  if (::statvfs(root_.c_str(), &about) != 0) fail("ask for the free space of", root_);
  return static_cast<std::uint64_t>(about.f_bavail) * about.f_frsize;
}

void StateDirectory::require_free(std::uint64_t min_bytes) const {
  const std::uint64_t available = free_bytes();
  if (available >= min_bytes) return;
  throw StateError(StateError::Kind::full,
                   "only " + format_bytes(available) + " free in " + root_.string() + ", " +
                       format_bytes(min_bytes) +
                       " are wanted (limits.min_free_disk): free some space, lower the limit, or "
                       "choose another directory");
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, kUnits[unit]);
  return text;
}

}  // namespace linecheck::engine
