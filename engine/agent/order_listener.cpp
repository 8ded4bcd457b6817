// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/agent/order_listener.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "sip/headers.h"

namespace linecheck::engine {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using asio::use_awaitable;

constexpr std::chrono::seconds kOrderPatience{10};
constexpr std::size_t kLongestOrder = 64U << 10U;
constexpr std::chrono::milliseconds kAcceptAgain{100};

asio::ip::tcp::endpoint endpoint_of(const std::string& listen) {
  const auto colon = listen.rfind(':');
  std::string host = listen.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  boost::system::error_code wrong;
  const auto address = asio::ip::make_address(host, wrong);
  std::uint16_t port = 0;
  const char* const end = listen.data() + listen.size();
  const char* const begin = colon == std::string::npos ? end : listen.data() + colon + 1;
  const auto [rest, error] = std::from_chars(begin, end, port);
  if (wrong || begin == end || error != std::errc{} || rest != end)
    throw std::runtime_error("'" + listen + "' is not an address and a port, such as 127.0.0.1:8090");
  return {address, port};
}

beast_http::response<beast_http::string_body> answer(
    const beast_http::request<beast_http::string_body>& request, const OrderListener::Handler& handler) {
  beast_http::response<beast_http::string_body> response(beast_http::status::ok, request.version());
  response.set(beast_http::field::content_type, "application/json");
  std::string trouble;
  if (request.method() != beast_http::verb::post) {
    response.result(beast_http::status::method_not_allowed);
    response.set(beast_http::field::allow, "POST");
    trouble = "only POST is understood";
  } else if (auto order = read_call_order(request.body(), trouble)) {
    handler(std::move(*order));
  } else {
    response.result(beast_http::status::bad_request);
  }
  const nlohmann::json body =
      trouble.empty() ? nlohmann::json{{"status", "dialling"}} : nlohmann::json{{"detail", trouble}};
  response.body() = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  response.keep_alive(false);
  response.prepare_payload();
  return response;
}

}  // namespace

std::optional<CallOrder> read_call_order(const std::string& body, std::string& trouble) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) {
    trouble = "the body is not a JSON object";
    return std::nullopt;
  }
  CallOrder order;
  const auto text = [&](const char* key, std::string& out) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) return;
    if (found->is_string())
      out = found->get<std::string>();
    else
      trouble = std::string(key) + " is not a text";
  };
  text("from_number", order.from);
  text("to_number", order.to);
  if (trouble.empty() && order.to.empty()) trouble = "to_number is missing";
  if (const auto variables = json.find("dynamic_variables");
      variables != json.end() && variables->is_object()) {
    for (const auto& [name, value] : variables->items()) {
      if (!name.starts_with("X-") && !name.starts_with("x-")) continue;
      sip::Header header{name, value.is_string() ? value.get<std::string>() : value.dump()};
      if (const auto problem = sip::header_problem(header)) {
        trouble = "dynamic_variables." + name + ": " + *problem;
        break;
      }
      order.headers.push_back(std::move(header));
    }
  }
  if (!trouble.empty()) return std::nullopt;
  return order;
}

struct OrderListener::Shared {
  Shared(asio::io_context& control, const asio::ip::tcp::endpoint& endpoint, Handler on_order)
      : acceptor(control, endpoint), handler(std::move(on_order)) {}

  asio::ip::tcp::acceptor acceptor;
  Handler handler;
};

OrderListener::OrderListener(asio::io_context& control, const std::string& listen, Handler handler) {
  const auto endpoint = endpoint_of(listen);
  try {
    shared_ = std::make_shared<Shared>(control, endpoint, std::move(handler));
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error("can't listen on " + listen + ": " + error.code().message());
  }
  asio::co_spawn(control, accept(shared_), asio::detached);
}

OrderListener::~OrderListener() {
  shared_->handler = nullptr;
  boost::system::error_code ignored;
  shared_->acceptor.close(ignored);
}

std::string OrderListener::url() const {
  const auto endpoint = shared_->acceptor.local_endpoint();
  const std::string host = endpoint.address().to_string();
  return "http://" + (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(endpoint.port()) + "/";
}

asio::awaitable<void> OrderListener::accept(std::shared_ptr<Shared> shared) {
  const auto executor = shared->acceptor.get_executor();
  while (shared->acceptor.is_open()) {
    boost::system::error_code error;
    asio::ip::tcp::socket socket =
        co_await shared->acceptor.async_accept(asio::redirect_error(use_awaitable, error));
    if (!error) {
      asio::co_spawn(executor, serve(shared, std::move(socket)), asio::detached);
    } else if (error != asio::error::operation_aborted) {  // out of descriptors, say
      asio::steady_timer again(executor, kAcceptAgain);
      co_await again.async_wait(asio::redirect_error(use_awaitable, error));
    }
  }
}

asio::awaitable<void> OrderListener::serve(std::shared_ptr<Shared> shared, asio::ip::tcp::socket socket) {
  beast::tcp_stream stream(std::move(socket));
  stream.expires_after(kOrderPatience);
  beast::flat_buffer buffer;
  beast_http::request_parser<beast_http::string_body> parser;
  parser.body_limit(kLongestOrder);
  boost::system::error_code error;
  co_await beast_http::async_read(stream, buffer, parser, asio::redirect_error(use_awaitable, error));
  if (error || !shared->handler) co_return;
  const auto response = answer(parser.get(), shared->handler);
  co_await beast_http::async_write(stream, response, asio::redirect_error(use_awaitable, error));
  stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
}

}  // namespace linecheck::engine
