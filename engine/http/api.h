// SPDX-License-Identifier: GPL-3.0-or-later
//
// The HTTP interface of the daemon: keys, limits for each of them, and what each path answers.
//
// Everything here runs on the server's thread. What the daemon knows is asked on its own thread and comes
// back as values; the database and files are read on a small pool of this object's, so that no answer waits
// for a disk on a thread that others need.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/call/switchboard.h"
#include "engine/daemon/commands.h"
#include "engine/http/keys.h"
#include "engine/http/message.h"
#include "engine/http/router.h"
#include "engine/http/server.h"
#include "engine/http/stored.h"

namespace linecheck::engine::http {

/// All outlive it.
struct ApiParts {
  boost::asio::io_context& control;
  Commands& commands;
  Dispatcher& dispatcher;
  Switchboard& switchboard;
  const StateDirectory& state;
  Log& log;
  const bool& stopping;  ///< control thread
  double requests_per_second = 100;
};

class Api {
 public:
  /// Opens the database once more. Throws scheduler::StoreError.
  explicit Api(ApiParts parts);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  /// Where /metrics reads the server's own counts.
  void count_with(std::function<ServerCounts()> counts) { counts_ = std::move(counts); }

  boost::asio::awaitable<Response> answer(Request request);
  [[nodiscard]] const Router& router() const { return router_; }

 private:
  using Answer = boost::asio::awaitable<Response>;

  void add_routes();
  Answer admitted(Router::Match match, Request request);

  Answer health(Call call);
  Answer ready(Call call);
  Answer version(Call call);
  Answer metrics(Call call);
  Answer run_scenarios(Call call);
  Answer results(Call call);
  Answer result(Call call);
  Answer end_calls(Call call);
  Answer runs(Call call);
  Answer run(Call call);
  Answer runs_in_bulk(Call call);
  Answer end_call(Call call);
  Answer recording(Call call);

  /// Results in progress that the key may see, as the daemon has them now; of one, or of all.
  boost::asio::awaitable<std::vector<OpenView>> open_results(ApiKey key, std::optional<std::int64_t> id);
  boost::asio::awaitable<Json> accepted(scheduler::Created created, ApiKey key);
  boost::asio::awaitable<bool> same_request(std::int64_t result, Json body);
  boost::asio::awaitable<std::optional<Json>> find_run(ApiKey key, std::int64_t id);

  /// Runs `work` on the daemon's thread.
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work>> in_daemon(Work work) {
    using Value = std::invoke_result_t<Work>;
    auto there = [work = std::move(work)]() mutable -> boost::asio::awaitable<Value> { co_return work(); };
    co_return co_await boost::asio::co_spawn(parts_.control, std::move(there), boost::asio::use_awaitable);
  }
  /// Runs a coroutine on the daemon's thread.
  template <class Value>
  boost::asio::awaitable<Value> by_daemon(boost::asio::awaitable<Value> work) {
    co_return co_await boost::asio::co_spawn(parts_.control, std::move(work), boost::asio::use_awaitable);
  }

  ApiParts parts_;
  KeyStore keys_;
  Stored stored_;
  Router router_;
  RateLimit requests_;
  RateLimit failures_;
  std::function<ServerCounts()> counts_;
  boost::asio::thread_pool reads_{2};
};

}  // namespace linecheck::engine::http
