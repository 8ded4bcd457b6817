// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/voices_process.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "engine/persona/speaker.h"
#include "engine/persona/unique_fd.h"
#include "engine/persona/voices_protocol.h"

namespace linecheck::engine {
namespace {

namespace protocol = voices_protocol;
using Clock = std::chrono::steady_clock;

constexpr int kNiceness = 5;          ///< a voice may wait, a packet may not
constexpr int kHighestRate = 48'000;  ///< Hz, of any voice
constexpr rlim_t kMaxClipBytes = rlim_t{protocol::kMaxClipSeconds} * kHighestRate * sizeof(std::int16_t);

/// None of this can fail in a way that matters: what an unprivileged process may not give up it does not
/// have.
void give_up_privileges() {
  sched_param no_priority{};
  sched_setscheduler(0, SCHED_OTHER, &no_priority);
  setpriority(PRIO_PROCESS, 0, kNiceness);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (unsigned long capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  syscall(SYS_capset, &header, none.data());
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
}

/// The daemon says when to stop, by closing the socket: what a terminal or systemd sends to the whole group
/// would end the voices while calls are still being finished.
void ignore_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) std::signal(signal, SIG_IGN);
}

int cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

bool write_all(int fd, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(fd, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

/// The forked child: speaks into the memfd, says how that went on the pipe, and is gone. No destructor and no
/// exit handler runs in it, for they belong to the process that it is a copy of.
[[noreturn]] void speak_and_exit(Speaker& speaker, const protocol::Request& request, int memfd,
                                 int status_pipe) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  std::signal(SIGXFSZ, SIG_IGN);  // a full memfd is a failed write
  const rlimit file_size{kMaxClipBytes, kMaxClipBytes};
  setrlimit(RLIMIT_FSIZE, &file_size);
  const rlimit cpu{protocol::kUtteranceSeconds + 5,
                   protocol::kUtteranceSeconds + 5};  // if nobody else ends it
  setrlimit(RLIMIT_CPU, &cpu);

  std::size_t samples = 0;
  const SampleSink sink = [&](std::span<const std::int16_t> block) {
    samples += block.size();
    return write_all(memfd, block.data(), block.size_bytes());
  };
  const Spoken spoken =
      speaker.speak(request.engine, request.voice, request.speed, request.pitch, request.text, sink);
  protocol::Reply reply;
  reply.id = request.id;
  reply.rate = spoken.rate;
  reply.samples = static_cast<std::uint32_t>(samples);
  reply.error = spoken.error;
  if (spoken.cut_short ||
      (reply.error.empty() && samples > static_cast<std::size_t>(reply.rate) *
                                            static_cast<std::size_t>(protocol::kMaxClipSeconds))) {
    reply.error =
        "the text makes more than " + std::to_string(protocol::kMaxClipSeconds) + " s of speech: split it";
  }
  const std::string message = protocol::encode(reply);
  write_all(status_pipe, message.data(), message.size());
  _exit(0);
}

struct Pending {
  std::uint64_t id = 0;
  pid_t child = -1;
  UniqueFd memfd;
  UniqueFd status;    ///< read end: the child's reply, then its end
  std::string reply;  ///< what came of it so far
  Clock::time_point deadline;
  bool overdue = false;
};

class Server {
 public:
  explicit Server(int fd) : fd_(fd), parallel_(cores()) {}
  ~Server() {
    for (Pending& utterance : utterances_) {
      ::kill(utterance.child, SIGKILL);
      ::waitpid(utterance.child, nullptr, 0);
    }
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int run() {
    protocol::Reply greeting;
    greeting.parallel = parallel_;
    if (!send(greeting, -1)) return 1;
    for (;;) {
      std::vector<pollfd> waited{{fd_, POLLIN, 0}};
      for (const Pending& utterance : utterances_) waited.push_back({utterance.status.get(), POLLIN, 0});
      if (::poll(waited.data(), waited.size(), wait_ms()) < 0 && errno != EINTR) return 1;
      kill_overdue();
      // Backwards, so that what is finished can be taken out; an index in `waited` is one more than in
      // utterances_.
      for (std::size_t i = utterances_.size(); i > 0; --i) {
        if (waited[i].revents == 0 || !finished(utterances_[i - 1])) continue;
        const bool sent = report(utterances_[i - 1]);
        utterances_.erase(utterances_.begin() + static_cast<std::ptrdiff_t>(i - 1));
        if (!sent) return 1;
      }
      if (waited[0].revents != 0) {
        const std::optional<int> over = receive();
        if (over) return *over;
      }
    }
  }

 private:
  [[nodiscard]] int wait_ms() const {
    int wait = -1;
    for (const Pending& utterance : utterances_) {
      if (utterance.overdue) continue;
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(utterance.deadline - Clock::now()).count();
      const int ms = static_cast<int>(std::max<std::int64_t>(0, left));
      wait = wait < 0 ? ms : std::min(wait, ms);
    }
    return wait;
  }

  void kill_overdue() {
    for (Pending& utterance : utterances_) {
      if (utterance.overdue || Clock::now() < utterance.deadline) continue;
      utterance.overdue = true;
      ::kill(utterance.child, SIGKILL);
    }
  }

  /// Reads on; true when the child has closed its end of the pipe, which it does by ending.
  static bool finished(Pending& utterance) {
    std::array<char, 4096> buffer;
    const ssize_t got = ::read(utterance.status.get(), buffer.data(), buffer.size());
    if (got < 0) return errno != EINTR;
    utterance.reply.append(buffer.data(), static_cast<std::size_t>(got));
    return got == 0;
  }

  bool report(Pending& utterance) {
    int status = 0;
    ::waitpid(utterance.child, &status, 0);
    protocol::Reply reply = protocol::decode_reply(utterance.reply).value_or(protocol::Reply{});
    const bool whole = reply.id == utterance.id;
    reply.id = utterance.id;
    if (utterance.overdue) {
      reply.error = "the voice took longer than " + std::to_string(protocol::kUtteranceSeconds) +
                    " s: shorten the text";
    } else if (!whole && WIFSIGNALED(status)) {
      reply.error = std::string("the voice crashed on this text (") + strsignal(WTERMSIG(status)) + ")";
    } else if (!whole) {
      reply.error = "the voice ended without a word (exit code " + std::to_string(WEXITSTATUS(status)) + ")";
    }
    return send(reply, reply.error.empty() ? utterance.memfd.get() : -1);
  }

  /// One request. Returns an exit code when it was the last.
  std::optional<int> receive() {
    std::array<char, protocol::kMaxMessage> buffer;
    const protocol::Received received = protocol::receive_message(fd_, buffer, 0);
    const UniqueFd unasked(received.passed_fd);
    if (received.size == 0) return 0;
    if (received.size < 0) return errno == ECONNRESET ? 0 : 1;
    const std::optional<protocol::Request> request =
        protocol::decode_request({buffer.data(), static_cast<std::size_t>(received.size)});
    if (!request) return 1;
    const std::string error = start(*request);
    if (!error.empty()) {
      protocol::Reply reply;
      reply.id = request->id;
      reply.error = error;
      if (!send(reply, -1)) return 1;
    }
    return std::nullopt;
  }

  std::string start(const protocol::Request& request) {
    if (utterances_.size() >= static_cast<std::size_t>(parallel_)) return "the voices are busy";
    UniqueFd memfd(::memfd_create("linecheck-clip", MFD_CLOEXEC));
    std::array<int, 2> ends{};
    if (!memfd || ::pipe2(ends.data(), O_CLOEXEC) != 0)
      return std::string("no room for a clip: ") + strerror(errno);
    UniqueFd read_end(ends[0]);
    const UniqueFd write_end(ends[1]);
    const pid_t child = ::fork();
    if (child < 0) return std::string("no process for a voice: ") + strerror(errno);
    if (child == 0) {
      // Else the daemon would not notice the end of this process as long as an utterance lasts.
      ::close(fd_);
      speak_and_exit(speaker_, request, memfd.get(), write_end.get());
    }
    Pending utterance;
    utterance.id = request.id;
    utterance.child = child;
    utterance.memfd = std::move(memfd);
    utterance.status = std::move(read_end);
    utterance.deadline = Clock::now() + std::chrono::seconds(protocol::kUtteranceSeconds);
    utterances_.push_back(std::move(utterance));
    return {};
  }

  bool send(const protocol::Reply& reply, int memfd) const {
    return protocol::send_message(fd_, protocol::encode(reply), memfd, 0);
  }

  int fd_;
  int parallel_;
  Speaker speaker_;
  std::vector<Pending> utterances_;
};

}  // namespace

int serve_voices(int fd) {
  // Twice bound to the daemon's life: by this signal, and by the end of the socket, which also covers a
  // daemon that was gone before the signal could be asked for.
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ignore_signals();
  give_up_privileges();
  return Server(fd).run();
}

}  // namespace linecheck::engine
