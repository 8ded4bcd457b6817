// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "engine/call/time.h"

namespace linecheck::engine {
namespace {

std::string taken(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

/// A status is one line.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return text;
}

}  // namespace

ServiceManager ServiceManager::of_environment() {
  ServiceManager manager;
  manager.address_ = taken("NOTIFY_SOCKET");
  if (!manager.address_.empty() && manager.address_.front() == '@') manager.address_.front() = '\0';
  if (manager.address_.size() >= sizeof(sockaddr_un::sun_path)) manager.address_.clear();
  if (!manager.address_.empty()) {
    manager.socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  }
  const std::string usec = taken("WATCHDOG_USEC");
  const std::string pid = taken("WATCHDOG_PID");
  const bool ours = pid.empty() || pid == std::to_string(::getpid());
  const long long every = std::strtoll(usec.c_str(), nullptr, 10);
  if (ours && every > 0) manager.watchdog_ = std::chrono::microseconds(every);
  return manager;
}

void ServiceManager::send(const std::string& text) const {
  if (address_.empty() || !socket_) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  const void* where = &to;
  // A manager that does not read is no reason to stop working.
  [[maybe_unused]] const auto sent = ::sendto(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL,
                                              static_cast<const sockaddr*>(where), length);
}

void ServiceManager::ready(const std::string& status) const {
  send("READY=1\nSTATUS=" + one_line(status) + "\nMAINPID=" + std::to_string(::getpid()));
}

void ServiceManager::status(const std::string& text) const {
  send("STATUS=" + one_line(text));
}

void ServiceManager::reloading() const {
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(mono_ns() / 1000));
}

void ServiceManager::reloaded() const {
  send("READY=1");
}

void ServiceManager::stopping(const std::string& status) const {
  send("STOPPING=1\nSTATUS=" + one_line(status));
}

void ServiceManager::extend_timeout(std::chrono::microseconds by) const {
  send("EXTEND_TIMEOUT_USEC=" + std::to_string(by.count()));
}

void ServiceManager::alive() const {
  send("WATCHDOG=1");
}

}  // namespace linecheck::engine
