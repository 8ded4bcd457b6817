// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/admin_socket.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace linecheck::engine {
namespace {

using boost::asio::awaitable;
using boost::asio::local::stream_protocol;

constexpr std::size_t kLongestRequest = 4U << 20U;  ///< a job of 1 MiB, escaped
constexpr std::size_t kMostConnections = 64;

std::string refused(const std::string& error, const scheduler::Problems& problems = {}) {
  Commands::Json json;
  json["ok"] = false;
  json["error"] = error;
  json["problems"] = problems_json(problems);
  return json.dump(-1, ' ', false, Commands::Json::error_handler_t::replace) + "\n";
}

}  // namespace

AdminSocket::AdminSocket(boost::asio::io_context& control, Commands& commands, Log& log,
                         std::filesystem::path path)
    : control_(control), commands_(commands), log_(log), path_(std::move(path)), acceptor_(control) {
  if (path_.string().size() >= sizeof(sockaddr_un::sun_path)) {
    throw std::runtime_error("the path " + path_.string() + " is too long for a socket: " +
                             std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                             " characters at most; choose a shorter state directory");
  }
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
  acceptor_.open();
  // Nobody may connect before the permissions are right: others never get any.
  const mode_t before = ::umask(0117);
  boost::system::error_code error;
  acceptor_.bind(stream_protocol::endpoint(path_.string()), error);
  ::umask(before);
  if (error) throw std::runtime_error("cannot make " + path_.string() + ": " + error.message());
  acceptor_.listen();
  boost::asio::co_spawn(control_, accept(), boost::asio::detached);
}

AdminSocket::~AdminSocket() {
  close();
}

void AdminSocket::close() {
  if (std::exchange(closed_, true)) return;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& socket : connections_) socket->close(ignored);
  std::error_code gone;
  std::filesystem::remove(path_, gone);
}

awaitable<void> AdminSocket::accept() {
  while (!closed_) {
    auto socket = std::make_shared<Socket>(control_);
    boost::system::error_code error;
    co_await acceptor_.async_accept(*socket, boost::asio::redirect_error(boost::asio::use_awaitable, error));
    if (closed_) co_return;
    if (error || connections_.size() >= kMostConnections) {
      log_.write(Part::admin, LogLevel::warn,
                 error ? error.message() : "too many connections: one is refused");
      if (!error) continue;
      boost::asio::steady_timer pause(control_, std::chrono::milliseconds(100));  // out of descriptors, say
      co_await pause.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, error));
      continue;
    }
    connections_.insert(socket);
    boost::asio::co_spawn(control_, serve(socket),
                          [this, socket](const std::exception_ptr&) { connections_.erase(socket); });
  }
}

awaitable<void> AdminSocket::serve(std::shared_ptr<Socket> socket) {
  std::string buffer;
  for (;;) {
    boost::system::error_code error;
    const std::size_t length = co_await boost::asio::async_read_until(
        *socket, boost::asio::dynamic_buffer(buffer, kLongestRequest), '\n',
        boost::asio::redirect_error(boost::asio::use_awaitable, error));
    std::string reply;
    if (error == boost::asio::error::not_found) {
      reply = refused("the request is longer than 4 MiB");
    } else if (error) {
      co_return;
    } else {
      reply = co_await answer(buffer.substr(0, length));
      buffer.erase(0, length);
    }
    const bool last = error.failed();
    co_await boost::asio::async_write(*socket, boost::asio::buffer(reply),
                                      boost::asio::redirect_error(boost::asio::use_awaitable, error));
    if (error || last) co_return;
  }
}

awaitable<std::string> AdminSocket::answer(const std::string& line) {
  try {
    auto request = Commands::Json::parse(line);
    if (!request.is_object()) co_return refused("a JSON object is expected");
    Commands::Json json;
    json["ok"] = true;
    json["answer"] = co_await commands_.execute(std::move(request));
    co_return json.dump(-1, ' ', false, Commands::Json::error_handler_t::replace) + "\n";
  } catch (const CommandError& error) {
    co_return refused(error.what(), error.problems());
  } catch (const nlohmann::json::exception&) {
    co_return refused("this is no JSON");
  } catch (const std::exception& error) {
    log_.write(Part::admin, LogLevel::error, error.what());
    co_return refused(error.what());
  }
}

}  // namespace linecheck::engine
