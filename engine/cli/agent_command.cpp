// SPDX-License-Identifier: GPL-3.0-or-later
#include <signal.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iostream>

#include "engine/agent/reference_agent.h"
#include "engine/cli/commands.h"
#include "engine/cli/files.h"

namespace linecheck::engine::cli {
namespace {

boost::asio::awaitable<void> serve(ReferenceAgent& agent, boost::asio::signal_set& signals) {
  co_await agent.start();
  const std::string orders = agent.order_url();
  std::cout << "ready " << agent.address() << (orders.empty() ? "" : " ") << orders << std::endl;
  boost::system::error_code cancelled;
  co_await signals.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
  co_await agent.stop();
}

}  // namespace

int serve_reference_agent(const AgentArguments& arguments) {
  scheduler::Problems problems;
  auto config = load_reference_agent(arguments.config, problems);
  if (!config) {
    print_problems(problems);
    return kExitRefused;
  }
  try {
    Voices voices;
    boost::asio::io_context control;
    boost::asio::signal_set signals(control, SIGINT, SIGTERM);
    ReferenceAgent agent(control, std::move(*config), voices);
    std::exception_ptr failure;
    boost::asio::co_spawn(control, serve(agent, signals), [&](const std::exception_ptr& error) {
      failure = error;
      control.stop();
    });
    control.run();
    voices.shutdown();
    if (failure) std::rethrow_exception(failure);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "linecheck: " << error.what() << "\n";
    return kExitEnvironment;
  }
}

}  // namespace linecheck::engine::cli
