// SPDX-License-Identifier: GPL-3.0-or-later
//
// What goes over the socket between the daemon (voices.h) and the voices process (voices_process.h): one
// SOCK_SEQPACKET message for each request and each reply, in the byte order of this machine, for both ends
// are the same binary. The samples of a clip come in a memfd that is passed along with its reply. The first
// reply has id 0: the greeting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace linecheck::engine::voices_protocol {

/// Longest message, both ways: a text of kMaxSpokenCharacters in UTF-8, and room to spare.
inline constexpr std::size_t kMaxMessage = 32 * 1024;
/// What one utterance may take in time, and yield in sound.
inline constexpr int kUtteranceSeconds = 30;
inline constexpr int kMaxClipSeconds = 300;

struct Request {
  std::uint64_t id = 0;  ///< not 0
  double speed = 1.0;
  std::int32_t pitch = 50;
  std::string engine;
  std::string voice;
  std::string text;
};

struct Reply {
  std::uint64_t id = 0;
  std::int32_t rate = 0;      ///< Hz
  std::uint32_t samples = 0;  ///< 16-bit mono, in the memfd
  std::int32_t parallel = 0;  ///< greeting only: how many utterances it takes on at a time
  std::string error;          ///< empty: all went well
};

std::string encode(const Request& request);
std::string encode(const Reply& reply);
/// nullopt: not a message of that kind.
std::optional<Request> decode_request(std::string_view message);
std::optional<Reply> decode_reply(std::string_view message);

/// Sends one message, with `passed_fd` if that is not -1. Returns false with errno set if it did not go out
/// whole.
bool send_message(int fd, std::string_view message, int passed_fd, int flags);

struct Received {
  long size = 0;       ///< 0: the other end is closed; -1: errno says
  int passed_fd = -1;  ///< to be closed by the caller
};
Received receive_message(int fd, std::span<char> buffer, int flags);

}  // namespace linecheck::engine::voices_protocol
