// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/credentials.h"

#include <fstream>
#include <stdexcept>

namespace linecheck::engine {

namespace {

std::optional<sip::Credentials> read(const std::optional<scheduler::SipAuth>& auth) {
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

}  // namespace

std::optional<sip::Credentials> credentials_of(const scheduler::Agent& agent, const scheduler::Trunk& trunk) {
  return read(agent.sip_auth ? agent.sip_auth : trunk.auth);
}

std::optional<sip::Credentials> credentials_of(const scheduler::Trunk& trunk) {
  return read(trunk.auth);
}

}  // namespace linecheck::engine
