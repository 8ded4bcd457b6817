// SPDX-License-Identifier: GPL-3.0-or-later
//
// Messages that nobody should send, each of another kind, and mutations of any message.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace linecheck::sip::test {

struct HostileMessage {
  std::string kind;
  std::string text;
};

/// At least 100 kinds. Requests are addressed to 127.0.0.1; Via names `via` (address:port).
std::vector<HostileMessage> hostile_messages(const std::string& via);

/// The same seed gives the same text.
std::string mutated(const std::string& message, std::mt19937_64& random);

}  // namespace linecheck::sip::test
