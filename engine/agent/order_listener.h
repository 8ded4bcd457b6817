// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where the reference agent is asked to call somebody: one HTTP POST for each call, in the form that outbound
// agents are triggered with.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sip/types.h"

namespace linecheck::engine {

/// A call that the agent is to make.
struct CallOrder {
  std::string from;  ///< from_number: its own
  std::string to;    ///< to_number
  /// The dynamic_variables whose names begin with X-.
  std::vector<sip::Header> headers;
};

/// From {from_number, to_number, dynamic_variables}; nullopt, and what is wrong with it.
[[nodiscard]] std::optional<CallOrder> read_call_order(const std::string& body, std::string& trouble);

class OrderListener {
 public:
  using Handler = std::function<void(CallOrder)>;

  /// `listen`: address:port, port 0 for any free one. Throws std::runtime_error with a text for the user.
  OrderListener(boost::asio::io_context& control, const std::string& listen, Handler handler);
  ~OrderListener();
  OrderListener(const OrderListener&) = delete;
  OrderListener& operator=(const OrderListener&) = delete;

  /// "http://127.0.0.1:8090/", as bound.
  [[nodiscard]] std::string url() const;

 private:
  struct Shared;  // outlives this object in connections that are still open

  static boost::asio::awaitable<void> accept(std::shared_ptr<Shared> shared);
  static boost::asio::awaitable<void> serve(std::shared_ptr<Shared> shared,
                                            boost::asio::ip::tcp::socket socket);

  std::shared_ptr<Shared> shared_;
};

}  // namespace linecheck::engine
