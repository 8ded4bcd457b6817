// SPDX-License-Identifier: GPL-3.0-or-later
#include "sipp.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace linecheck::sip::test {
namespace {

namespace fs = std::filesystem;

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(fd);
  return ntohs(address.sin_port);
}

/// Read from the kernel's table: trying to bind would get in SIPp's way.
bool somebody_listens(std::uint16_t port) {
  char wanted[8];
  std::snprintf(wanted, sizeof wanted, ":%04X", port);
  for (const char* kernel : {"/proc/net/udp", "/proc/net/tcp"}) {
    std::ifstream table(kernel);
    for (std::string line; std::getline(table, line);) {
      std::istringstream words(line);
      std::string slot;
      std::string local;
      if (words >> slot >> local && local.size() > 5 && local.compare(local.size() - 5, 5, wanted) == 0)
        return true;
    }
  }
  return false;
}

}  // namespace

std::optional<std::string> find_sipp() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string candidate = folder + "/sipp";
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

Sipp::Sipp(const std::string& scenario, const std::vector<std::string>& arguments) : port_(free_port()) {
  std::string pattern = (fs::temp_directory_path() / "linecheck-sipp-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
  std::vector<std::string> line = {find_sipp().value(),
                                   "-sf",
                                   std::string(LINECHECK_SOURCE_DIR) + "/tests/sip/sipp/" + scenario + ".xml",
                                   "-i",
                                   "127.0.0.1",
                                   "-p",
                                   std::to_string(port_),
                                   "-m",
                                   "1",
                                   "-nostdin",
                                   "-nd",
                                   "-timeout",
                                   "20s",
                                   "-timeout_error",
                                   "-recv_timeout",
                                   "8000",
                                   "-trace_err",
                                   "-error_file",
                                   folder_ + "/errors.log"};
  line.insert(line.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(line.size() + 1);
  for (std::string& word : line) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    const int nothing = ::open("/dev/null", O_RDWR);
    for (const int fd : {0, 1, 2}) ::dup2(nothing, fd);
    if (::chdir(folder_.c_str()) == 0) ::execv(argv[0], argv.data());
    ::_exit(127);
  }
}

Sipp Sipp::answering(const std::string& scenario, const std::vector<std::string>& more) {
  for (int attempt = 1;; ++attempt) {
    Sipp out(scenario, more);
    // SIPp tells nobody when it listens: its port being taken is the sign.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    bool gone = false;
    while (!somebody_listens(out.port_) && !gone) {
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("SIPp does not listen");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      gone = ::waitpid(out.pid_, nullptr, WNOHANG) == out.pid_;
    }
    if (!gone) return out;
    out.pid_ = -1;  // the port was taken by somebody else in between
    if (attempt == 3) throw std::runtime_error("SIPp does not start: " + out.errors());
  }
}

Sipp Sipp::calling(const std::string& scenario, std::uint16_t port) {
  return {scenario, {"127.0.0.1:" + std::to_string(port)}};
}

Sipp::Sipp(Sipp&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), port_(other.port_), folder_(std::exchange(other.folder_, {})) {
}

Sipp::~Sipp() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

int Sipp::wait() {
  if (pid_ <= 0) return -1;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  pollfd waiting{handle, POLLIN, 0};
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
  if (handle >= 0) ::close(handle);
  if (ready <= 0) return -1;  // the destructor ends it
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string Sipp::errors() const {
  std::ifstream file(folder_ + "/errors.log");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace linecheck::sip::test
