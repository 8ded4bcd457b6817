// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/job_folder.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <system_error>

#include "engine/persona/unique_fd.h"
#include "engine/store/state_directory.h"
#include "scheduler/yaml.h"

namespace linecheck::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestName = 200;  ///< leaves room for what is put behind it

std::string sha256(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  std::string hex;
  for (unsigned i = 0; i < length; ++i) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(digest[i]));
    hex += two;
  }
  return hex;
}

/// The name in accepted/ is the one that was dropped, or that with `.2`, `.3` ... behind it, which no job's
/// name ends in.
std::string original_of(const std::string& name) {
  const auto dot = name.rfind('.');
  const bool numbered = dot != std::string::npos && dot + 1 < name.size() &&
                        std::all_of(name.begin() + static_cast<std::ptrdiff_t>(dot) + 1, name.end(),
                                    [](char c) { return c >= '0' && c <= '9'; });
  return numbered && JobFolder::is_job_name(name.substr(0, dot)) ? name.substr(0, dot) : name;
}

/// Moves without ever replacing; puts a number behind a name that is taken. Returns the name that it got,
/// empty when the file is gone.
std::string move_into(const fs::path& from, const fs::path& folder, const std::string& name) {
  for (int number = 1;; ++number) {
    const std::string target = number == 1 ? name : name + "." + std::to_string(number);
    const fs::path to = folder / target;
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return target;
    if (errno == ENOENT) return {};
    if (errno == EINVAL) {  // a file system without RENAME_NOREPLACE
      struct stat about {};
      if (::lstat(to.c_str(), &about) == 0) continue;
      if (::rename(from.c_str(), to.c_str()) == 0) return target;
      if (errno == ENOENT) return {};
    }
    if (errno != EEXIST) throw state_error(errno, "move to " + folder.string() + "/ the file", from);
  }
}

std::string shortened(const std::string& name) {
  return name.size() <= kLongestName ? name
                                     : name.substr(0, kLongestName - 20) + "-" + sha256(name).substr(0, 16);
}

std::string owner_name(uid_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return entry.pw_name;
  }
  return std::to_string(uid);
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (text.size() <= scheduler::kMaxFileBytes) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw std::system_error(errno, std::generic_category(), "read");
    if (n == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return text;
}

}  // namespace

JobFolder::JobFolder(JobFolderOptions options) : options_(std::move(options)) {
  for (const char* part : {"", "accepted", "done", "failed"}) {
    const fs::path folder = *part == '\0' ? options_.directory : options_.directory / part;
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) throw state_error(error.value(), "make the directory", folder);
    if (::access(folder.c_str(), W_OK | X_OK) != 0) throw state_error(errno, "write in", folder);
  }
}

bool JobFolder::is_job_name(const std::string& name) {
  if (name.empty() || name.front() == '.' || name.back() == '~') return false;
  const auto ends = [&](const char* ending) { return name.ends_with(ending); };
  return ends(".yaml") || ends(".yml") || ends(".json");
}

std::vector<std::string> JobFolder::waiting() const {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(options_.directory, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    std::error_code ignored;
    const auto type = it->symlink_status(ignored).type();
    if (type != fs::file_type::directory && is_job_name(name)) names.push_back(std::move(name));
  }
  if (error) throw state_error(error.value(), "read", options_.directory);
  std::sort(names.begin(), names.end());
  return names;
}

JobFolder::Look JobFolder::look(const std::string& name) const {
  const fs::path path = options_.directory / name;
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0) return Look::gone;
  if (S_ISDIR(about.st_mode)) return Look::gone;
  if (!S_ISREG(about.st_mode)) return Look::complete;  // to be refused
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return errno == ENOENT ? Look::gone : Look::complete;
  // The kernel grants a read lease only while nobody has the file open for writing (fcntl(2)).
  if (::fcntl(file.get(), F_SETLEASE, F_RDLCK) == 0) {
    ::fcntl(file.get(), F_SETLEASE, F_UNLCK);
    return Look::complete;
  }
  return errno == EAGAIN ? Look::being_written : Look::uncertain;
}

double JobFolder::quiet_seconds(const std::string& name) const {
  struct stat about {};
  if (::lstat((options_.directory / name).c_str(), &about) != 0) return 0;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec - about.st_mtim.tv_sec) +
         static_cast<double>(now.tv_nsec - about.st_mtim.tv_nsec) / 1e9;
}

bool JobFolder::is_linked(const std::string& name) const {
  struct stat about {};
  return ::lstat((options_.directory / name).c_str(), &about) == 0 && about.st_nlink > 1;
}

bool JobFolder::take(const std::string& name, TakenFile& taken) const {
  const std::string moved =
      move_into(options_.directory / name, options_.directory / "accepted", shortened(name));
  if (moved.empty()) return false;
  taken = read(moved);
  return true;
}

std::vector<TakenFile> JobFolder::taken() const {
  std::vector<TakenFile> files;
  std::error_code error;
  for (fs::directory_iterator it(options_.directory / "accepted", error), end; !error && it != end;
       it.increment(error)) {
    files.push_back(read(it->path().filename().string()));
  }
  if (error) throw state_error(error.value(), "read", options_.directory / "accepted");
  std::sort(files.begin(), files.end(),
            [](const TakenFile& a, const TakenFile& b) { return a.name < b.name; });
  return files;
}

TakenFile JobFolder::read(const std::string& name) const {
  TakenFile taken;
  taken.name = name;
  taken.original = original_of(name);
  const fs::path path = options_.directory / "accepted" / name;
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) {
    taken.refusal = S_ISLNK(about.st_mode) ? "is a symbolic link: drop the file itself"
                                           : "is no regular file: drop a YAML or JSON file";
    return taken;
  }
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file || ::fstat(file.get(), &about) != 0) {
    taken.refusal = "can't be read: " + std::generic_category().message(errno);
    return taken;
  }
  const std::string owner = owner_name(about.st_uid);
  const auto& owners = options_.owners;
  if (!owners.empty() && std::find(owners.begin(), owners.end(), owner) == owners.end()) {
    taken.refusal = "belongs to the user " + owner + ", who is not among watch.owners";
    return taken;
  }
  try {
    taken.text = read_all(file.get());
  } catch (const std::system_error& error) {
    taken.refusal = "can't be read: " + error.code().message();
    return taken;
  }
  if (taken.text.size() > scheduler::kMaxFileBytes) taken.refusal = "is longer than 1 MiB";
  taken.key = "watch:" + taken.original + ":" + sha256(taken.text);
  return taken;
}

fs::path JobFolder::report_path(const TakenFile& file) const {
  for (int number = 1;; ++number) {
    const std::string name = number == 1 ? file.original : file.original + "." + std::to_string(number);
    struct stat about {};
    if (::lstat((options_.directory / "done" / name).c_str(), &about) != 0) {
      return options_.directory / "done" / (name + ".json");
    }
  }
}

void JobFolder::finish(const TakenFile& file, const fs::path& report) const {
  move_into(options_.directory / "accepted" / file.name, options_.directory / "done", report.stem().string());
}

void JobFolder::refuse(const TakenFile& file, const std::string& problems) const {
  const fs::path failed = options_.directory / "failed";
  std::string name = file.original;
  struct stat about {};
  for (int number = 2; ::lstat((failed / name).c_str(), &about) == 0; ++number) {
    name = file.original + "." + std::to_string(number);
  }
  write_file_atomically(failed / (name + ".error"), problems);
  move_into(options_.directory / "accepted" / file.name, failed, name);
}

}  // namespace linecheck::engine
