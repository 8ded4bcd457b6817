// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/voices_protocol.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace linecheck::engine::voices_protocol {
namespace {

class Writer {
 public:
  template <typename T>
  void number(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes_.append(value);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Parser {
 public:
  explicit Parser(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T number() {
    T value{};
    if (bytes_.size() < sizeof value) {
      good_ = false;
      return value;
    }
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  std::string text() {
    const auto size = number<std::uint32_t>();
    if (bytes_.size() < size) {
      good_ = false;
      return {};
    }
    std::string value(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return value;
  }
  [[nodiscard]] bool whole() const { return good_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

}  // namespace

std::string encode(const Request& request) {
  Writer writer;
  writer.number(request.id);
  writer.number(request.speed);
  writer.number(request.pitch);
  writer.text(request.engine);
  writer.text(request.voice);
  writer.text(request.text);
  return writer.take();
}

std::string encode(const Reply& reply) {
  Writer writer;
  writer.number(reply.id);
  writer.number(reply.rate);
  writer.number(reply.samples);
  writer.number(reply.parallel);
  writer.text(reply.error);
  return writer.take();
}

std::optional<Request> decode_request(std::string_view message) {
  Parser parser(message);
  Request request;
  request.id = parser.number<std::uint64_t>();
  request.speed = parser.number<double>();
  request.pitch = parser.number<std::int32_t>();
  request.engine = parser.text();
  request.voice = parser.text();
  request.text = parser.text();
  if (!parser.whole() || request.id == 0) return std::nullopt;
  return request;
}

std::optional<Reply> decode_reply(std::string_view message) {
  Parser parser(message);
  Reply reply;
  reply.id = parser.number<std::uint64_t>();
  reply.rate = parser.number<std::int32_t>();
  reply.samples = parser.number<std::uint32_t>();
  reply.parallel = parser.number<std::int32_t>();
  reply.error = parser.text();
  if (!parser.whole()) return std::nullopt;
  return reply;
}

bool send_message(int fd, std::string_view message, int passed_fd, int flags) {
  iovec data{};
  data.iov_base = const_cast<char*>(message.data());
  data.iov_len = message.size();
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (passed_fd >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &passed_fd, sizeof(int));
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(fd, &header, flags | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(message.size());
}

Received receive_message(int fd, std::span<char> buffer, int flags) {
  iovec data{};
  data.iov_base = buffer.data();
  data.iov_len = buffer.size();
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  Received received;
  do {
    received.size = ::recvmsg(fd, &header, flags | MSG_CMSG_CLOEXEC);
  } while (received.size < 0 && errno == EINTR);
  if (received.size < 0) return received;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS &&
        part->cmsg_len == CMSG_LEN(sizeof(int))) {
      std::memcpy(&received.passed_fd, CMSG_DATA(part), sizeof(int));
    }
  }
  return received;
}

}  // namespace linecheck::engine::voices_protocol
