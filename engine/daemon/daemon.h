// SPDX-License-Identifier: GPL-3.0-or-later
//
// `linecheck serve`: the process that owns endpoints, media, voices and the state directory, and works until
// it is told to stop.
//
//   start: configuration, lock on the state, ports, what an earlier process left, READY
//   SIGHUP: everything is read again, all or nothing
//   SIGTERM: no new calls; those in progress may take limits.drain_timeout; a second one hangs up at once
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/daemon/admin_socket.h"
#include "engine/daemon/commands.h"
#include "engine/daemon/dispatcher.h"
#include "engine/daemon/notify.h"
#include "engine/daemon/watch.h"
#include "scheduler/sqlite_job_store.h"

namespace linecheck::engine {

namespace http {
class Api;
class Server;
}  // namespace http

class Daemon {
 public:
  /// Takes the state directory, opens every port. Throws StateError, scheduler::StoreError,
  /// sip::EndpointError, std::runtime_error.
  Daemon(std::filesystem::path config_file, Settings settings, Log& log);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Until a signal ends it. Throws what made the start fail.
  void run();

 private:
  using Changes = std::vector<std::string>;

  std::shared_ptr<const Settings> open_endpoints(Settings settings);
  boost::asio::awaitable<void> live();
  boost::asio::awaitable<void> watch_signals();
  boost::asio::awaitable<void> keep_manager_informed();
  boost::asio::awaitable<Changes> reload();
  boost::asio::awaitable<void> reload_by_signal();
  void log_refusal(const std::exception_ptr& failure);
  boost::asio::awaitable<void> drain();
  void open_http(const HttpConfig& config);
  boost::asio::awaitable<void> close_http();
  boost::asio::awaitable<void> on_over(std::shared_ptr<OpenResult> result, Result judged);

  std::filesystem::path config_file_;
  Log& log_;
  ServiceManager manager_;
  StateDirectory state_;
  boost::asio::io_context http_context_{1};  ///< outlives what its requests wait for: see http/server.h
  boost::asio::io_context control_;
  boost::asio::thread_pool database_{1};
  boost::asio::thread_pool files_{2};
  boost::asio::thread_pool pool_{2};
  scheduler::SqliteJobStore store_;
  ResultStore documents_;
  Voices voices_;
  Switchboard switchboard_;
  CallServices services_;
  Dispatcher dispatcher_;
  ReloadState reload_state_;
  Commands commands_;
  std::unique_ptr<Watch> watch_;
  std::unique_ptr<AdminSocket> admin_;
  std::unique_ptr<http::Api> api_;
  std::unique_ptr<http::Server> http_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer stop_;  ///< cancelled by the first SIGTERM
  boost::asio::steady_timer inform_;
  int terms_ = 0;
  bool stopping_ = false;
  bool over_ = false;
  bool reloading_ = false;
};

}  // namespace linecheck::engine
