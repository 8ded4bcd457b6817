// SPDX-License-Identifier: GPL-3.0-or-later
//
// `<state>/admin.sock`: the commands of commands.h for programs on this machine. Who may write to the socket
// may command the daemon: it belongs to the daemon's user and group, and nobody else may open it.
//
//   -> {"command": "status"}\n
//   <- {"ok": true, "answer": {...}}\n      or   {"ok": false, "error": "...", "problems": [...]}\n
//
// One JSON object a line, any number of requests on a connection, answered in order.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>
#include <memory>
#include <set>

#include "engine/daemon/commands.h"
#include "engine/daemon/log.h"

namespace linecheck::engine {

class AdminSocket {
 public:
  /// Takes the place of a socket that a dead process left. Throws std::runtime_error. The caller holds the
  /// lock on the state directory, so no living daemon has it.
  AdminSocket(boost::asio::io_context& control, Commands& commands, Log& log, std::filesystem::path path);
  /// Removes the socket.
  ~AdminSocket();
  AdminSocket(const AdminSocket&) = delete;
  AdminSocket& operator=(const AdminSocket&) = delete;

  /// Takes no more connections and ends those that there are.
  void close();

 private:
  using Socket = boost::asio::local::stream_protocol::socket;

  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> serve(std::shared_ptr<Socket> socket);
  boost::asio::awaitable<std::string> answer(const std::string& line);

  boost::asio::io_context& control_;
  Commands& commands_;
  Log& log_;
  std::filesystem::path path_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::set<std::shared_ptr<Socket>> connections_;
  bool closed_ = false;
};

}  // namespace linecheck::engine
