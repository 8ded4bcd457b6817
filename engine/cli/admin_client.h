// SPDX-License-Identifier: GPL-3.0-or-later
//
// The other end of the daemon's admin socket (engine/daemon/admin_socket.h).
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "engine/persona/unique_fd.h"
#include "scheduler/model.h"

namespace linecheck::engine::cli {

/// Where the daemon of a configuration (empty: the one that is found) listens; empty when there is none.
std::filesystem::path admin_socket(const std::string& config);

/// The daemon's refusal, in its words.
class Refused : public std::runtime_error {
 public:
  Refused(const std::string& what, scheduler::Problems problems)
      : std::runtime_error(what), problems_(std::move(problems)) {}
  [[nodiscard]] const scheduler::Problems& problems() const { return problems_; }

 private:
  scheduler::Problems problems_;
};

class AdminClient {
 public:
  using Json = nlohmann::ordered_json;

  /// Whether a daemon takes connections there.
  [[nodiscard]] static bool answers(const std::filesystem::path& socket);

  /// Throws std::runtime_error where nobody answers.
  explicit AdminClient(const std::filesystem::path& socket);

  /// Blocks for the answer. Throws Refused, and std::runtime_error when the daemon is gone.
  Json ask(const Json& request);

 private:
  UniqueFd socket_;
  std::string received_;
};

}  // namespace linecheck::engine::cli
