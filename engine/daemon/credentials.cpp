// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/credentials.h"

#include <fstream>
#include <stdexcept>

namespace linecheck::engine {

std::optional<sip::Credentials> credentials_of(const scheduler::Agent& agent, const scheduler::Trunk& trunk) {
  const auto& auth = agent.sip_auth ? agent.sip_auth : trunk.auth;
  if (!auth) return std::nullopt;
  sip::Credentials credentials;
  credentials.username = auth->username;
  if (!auth->password_file.empty()) {
    std::ifstream file(auth->password_file);
    if (!std::getline(file, credentials.password)) {
      throw std::runtime_error("the password file '" + auth->password_file + "' can't be read");
    }
  }
  return credentials;
}

}  // namespace linecheck::engine
