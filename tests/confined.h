// SPDX-License-Identifier: GPL-3.0-or-later
//
// Surroundings that a test cannot have for itself, as a child process can: no rights, a tiny file system.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>

namespace linecheck::tests {

/// What a check in a child process ends with.
enum class Confined { passed = 0, failed = 1, not_possible = 77 };

/// Runs `check` in a child process and hands back what it returned; a child that dies has failed. The check
/// must report by its return value only.
inline Confined in_child(const std::function<Confined()>& check) {
  std::cout.flush();  // or the child's exit may print it once more
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    Confined answer = Confined::failed;
    try {
      answer = check();
    } catch (...) {
    }
    _exit(static_cast<int>(answer));
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return Confined::failed;
  const int code = WEXITSTATUS(status);
  if (code == 0) return Confined::passed;
  return code == 77 ? Confined::not_possible : Confined::failed;
}

/// As in_child, without the rights of root.
inline Confined as_nobody(const std::function<Confined()>& check) {
  return in_child([&check] {
    if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return Confined::not_possible;
    return check();
  });
}

/// As in_child, with a memory file system mounted at `directory` that nobody else sees. `options`: size=256k,
/// ro, ...
inline Confined on_small_disk(const std::filesystem::path& directory, const char* options,
                              unsigned long flags, const std::function<Confined()>& check) {
  return in_child([&] {
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", directory.c_str(), "tmpfs", flags, options) != 0) {
      return Confined::not_possible;
    }
    return check();
  });
}

}  // namespace linecheck::tests
