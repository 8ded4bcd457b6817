// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cli/admin_client.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/cli/files.h"
#include "engine/daemon/commands.h"

namespace linecheck::engine::cli {
namespace {

UniqueFd connected(const std::filesystem::path& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.empty() || path.string().size() >= sizeof to.sun_path) {
    errno = ENOENT;
    return {};
  }
  std::strncpy(to.sun_path, path.c_str(), sizeof to.sun_path - 1);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const void* address = &to;
  if (!socket || ::connect(socket.get(), static_cast<const sockaddr*>(address), sizeof to) != 0) return {};
  return socket;
}

}  // namespace

std::filesystem::path admin_socket(const std::string& config) {
  const std::string file = find_config(config);
  scheduler::Problems problems;
  const auto read = file.empty() ? std::nullopt : load_config(file, problems);
  return read ? read->state / "admin.sock" : std::filesystem::path();
}

bool AdminClient::answers(const std::filesystem::path& socket) {
  return static_cast<bool>(connected(socket));
}

AdminClient::AdminClient(const std::filesystem::path& socket) : socket_(connected(socket)) {
  if (socket_) return;
  throw std::runtime_error(socket.empty()
                               ? "no configuration: name the daemon's with -c"
                               : "no daemon answers at " + socket.string() + ": " + std::strerror(errno) +
                                     (errno == EACCES ? " (is this user in the daemon's group?)" : ""));
}

AdminClient::Json AdminClient::ask(const Json& request) {
  const std::string text = request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t n = ::send(socket_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw std::runtime_error("the daemon has gone away");
    sent += static_cast<std::size_t>(n);
  }
  std::size_t end = 0;
  while ((end = received_.find('\n')) == std::string::npos) {
    char buffer[65536];
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw std::runtime_error("the daemon has gone away");
    received_.append(buffer, static_cast<std::size_t>(n));
  }
  const Json reply = Json::parse(received_.substr(0, end));
  received_.erase(0, end + 1);
  if (reply.value("ok", false)) return reply.at("answer");
  throw Refused(reply.value("error", "refused"), problems_from_json(reply.value("problems", Json::array())));
}

}  // namespace linecheck::engine::cli
