// SPDX-License-Identifier: GPL-3.0-or-later
//
// Runs Debian's SIPp as a peer, with a scenario of sipp/. Its exit status says whether the wire was as the
// scenario has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linecheck::sip::test {

/// Path of the program; nullopt: it is not installed.
[[nodiscard]] std::optional<std::string> find_sipp();

class Sipp {
 public:
  /// Waits for one call on a port of its own.
  static Sipp answering(const std::string& scenario, const std::vector<std::string>& more = {});
  /// Calls 127.0.0.1:port.
  static Sipp calling(const std::string& scenario, std::uint16_t port);
  Sipp(Sipp&& other) noexcept;
  Sipp& operator=(Sipp&&) = delete;
  ~Sipp();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Exit status; 0: the call went as the scenario has it. -1: it had to be ended.
  int wait();
  /// What it complained about.
  [[nodiscard]] std::string errors() const;

 private:
  Sipp(const std::string& scenario, const std::vector<std::string>& arguments);

  int pid_ = -1;
  std::uint16_t port_ = 0;
  std::string folder_;
};

}  // namespace linecheck::sip::test
