// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the service manager is told (sd_notify(3)): ready, reloading, stopping, a line of status, and that the
// loop which does the work still turns.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "engine/persona/unique_fd.h"

namespace linecheck::engine {

class ServiceManager {
 public:
  /// Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from the environment, and out of it, so that no
  /// child speaks in our name. Without them nothing is sent.
  static ServiceManager of_environment();

  void ready(const std::string& status) const;
  void status(const std::string& text) const;
  /// Between the two stands a reload.
  void reloading() const;
  void reloaded() const;
  void stopping(const std::string& status) const;
  /// From now on; call it again before the time is over.
  void extend_timeout(std::chrono::microseconds by) const;
  void alive() const;

  /// After how long a silence we are killed; nullopt: never.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

 private:
  void send(const std::string& text) const;

  std::string address_;  ///< as in sockaddr_un: abstract ones begin with a zero byte
  UniqueFd socket_;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace linecheck::engine
