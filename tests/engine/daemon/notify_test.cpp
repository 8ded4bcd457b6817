// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/notify.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "tests/temporary_directory.h"

using namespace linecheck::engine;

namespace {

/// What systemd would be.
class FakeManager {
 public:
  explicit FakeManager(const std::string& path)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    const void* where = &address;
    REQUIRE(::bind(socket_.get(), static_cast<const sockaddr*>(where), sizeof address) == 0);
  }
  std::string received() {
    char buffer[1024];
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    return n < 0 ? "" : std::string(buffer, static_cast<std::size_t>(n));
  }

 private:
  UniqueFd socket_;
};

}  // namespace

TEST_CASE("notify: every state in sd_notify's words, and nothing for children to inherit") {
  const linecheck::tests::TemporaryDirectory directory;
  FakeManager manager(directory.file("notify"));
  ::setenv("NOTIFY_SOCKET", directory.file("notify").c_str(), 1);
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  const ServiceManager other = ServiceManager::of_environment();
  CHECK_FALSE(other.watchdog());  // meant for another process
  CHECK(::getenv("NOTIFY_SOCKET") == nullptr);
  CHECK(::getenv("WATCHDOG_USEC") == nullptr);

  other.ready("3 results\n12/400 calls");
  CHECK(manager.received().starts_with("READY=1\nSTATUS=3 results 12/400 calls\nMAINPID="));
  other.reloading();
  CHECK(manager.received().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  other.reloaded();
  CHECK(manager.received() == "READY=1");
  other.alive();
  CHECK(manager.received() == "WATCHDOG=1");
  other.stopping("stopping");
  CHECK(manager.received() == "STOPPING=1\nSTATUS=stopping");
  other.extend_timeout(std::chrono::seconds(10));
  CHECK(manager.received() == "EXTEND_TIMEOUT_USEC=10000000");
}

TEST_CASE("notify: without a manager nothing is sent, and a watchdog is taken for this process") {
  ::setenv("WATCHDOG_USEC", "2000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  const ServiceManager manager = ServiceManager::of_environment();
  REQUIRE(manager.watchdog());
  CHECK(manager.watchdog()->count() == 2'000'000);
  manager.ready("idle");
  manager.alive();
}
