// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/voices_link.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace linecheck::engine {
namespace {

constexpr int kChildSocket = 3;  ///< the only file beside 0, 1 and 2 that the process inherits

struct FileActions {
  posix_spawn_file_actions_t value{};
  FileActions() { posix_spawn_file_actions_init(&value); }
  ~FileActions() { posix_spawn_file_actions_destroy(&value); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
};

struct Attributes {
  posix_spawnattr_t value{};
  Attributes() { posix_spawnattr_init(&value); }
  ~Attributes() { posix_spawnattr_destroy(&value); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
};

/// A process group of its own (a terminal's Ctrl-C is for the daemon to judge), signals as a new program
/// expects them.
void set_attributes(posix_spawnattr_t* attributes) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(attributes, &none);
  posix_spawnattr_setsigdefault(attributes, &all);
  posix_spawnattr_setpgroup(attributes, 0);
  posix_spawnattr_setflags(
      attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) return std::string("ended by a signal (") + strsignal(WTERMSIG(status)) + ")";
  return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

std::string VoicesLink::launch(const std::string& program) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return std::string("no socket for the voices process: ") + strerror(errno);
  }
  UniqueFd ours(ends[0]);
  // dup2 onto itself would leave close-on-exec set, so the child's end must not be the number that it is to
  // have.
  UniqueFd theirs(ends[1]);
  if (theirs.get() <= kChildSocket)
    theirs = UniqueFd(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, kChildSocket + 1));

  FileActions actions;
  posix_spawn_file_actions_addopen(&actions.value, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions.value, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions.value, theirs.get(), kChildSocket);
  posix_spawn_file_actions_addclosefrom_np(&actions.value, kChildSocket + 1);
  Attributes attributes;
  set_attributes(&attributes.value);

  std::string name = "linecheck";
  std::string command = "voices";
  std::string option = "--fd";
  std::string number = std::to_string(kChildSocket);
  const std::array<char*, 5> arguments = {name.data(), command.data(), option.data(), number.data(), nullptr};
  pid_t process = 0;
  const int error =
      ::posix_spawn(&process, program.c_str(), &actions.value, &attributes.value, arguments.data(), environ);
  if (error != 0) return "cannot start " + program + ": " + strerror(error);
  process_ = process;
  socket_ = std::move(ours);
  return {};
}

bool VoicesLink::send(const voices_protocol::Request& request) {
  // Few requests are under way at a time, so the socket always has room; without it the process does not
  // read.
  return voices_protocol::send_message(socket_.get(), voices_protocol::encode(request), -1, MSG_DONTWAIT);
}

VoicesLink::Receipt VoicesLink::receive(Incoming& incoming) {
  std::array<char, voices_protocol::kMaxMessage> buffer;
  const voices_protocol::Received received =
      voices_protocol::receive_message(socket_.get(), buffer, MSG_DONTWAIT);
  incoming.samples = UniqueFd(received.passed_fd);
  if (received.size < 0) return errno == EAGAIN ? Receipt::nothing : Receipt::closed;
  if (received.size == 0) return Receipt::closed;
  auto reply = voices_protocol::decode_reply({buffer.data(), static_cast<std::size_t>(received.size)});
  if (!reply) return Receipt::closed;
  incoming.reply = std::move(*reply);
  return Receipt::message;
}

std::string VoicesLink::end(int patience_ms) {
  if (process_ <= 0) return "was not running";
  socket_.reset();
  const UniqueFd watch(static_cast<int>(::syscall(SYS_pidfd_open, process_, 0)));
  pollfd ended{watch.get(), POLLIN, 0};
  int ready = 0;
  if (watch) {
    do {
      ready = ::poll(&ended, 1, patience_ms);
    } while (ready < 0 && errno == EINTR);
  }
  if (ready <= 0) ::kill(process_, SIGKILL);
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = 0;
  return describe(status);
}

}  // namespace linecheck::engine
