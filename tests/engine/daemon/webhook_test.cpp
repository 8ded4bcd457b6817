// SPDX-License-Identifier: GPL-3.0-or-later
//
// One POST, and what comes of it.
#include "engine/daemon/webhook.h"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "engine/agent/order_listener.h"

using namespace linecheck::engine;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

std::string parts(const char* url) {
  const auto parsed = parse_http_url(url);
  if (!parsed) return "none";
  return std::string(parsed->secure ? "tls " : "") + parsed->host + " " + parsed->port + " " + parsed->target;
}

/// Takes one connection, reads what fits the head of a request, answers with `answer` (empty: never), and
/// keeps the connection until the other side ends it.
struct Server {
  asio::io_context& control;
  tcp::acceptor acceptor{control, {asio::ip::make_address("127.0.0.1"), 0}};
  std::string answer{};
  std::string heard{};

  asio::awaitable<void> serve() {
    tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
    co_await asio::async_read_until(socket, asio::dynamic_buffer(heard), '}', asio::use_awaitable);
    if (!answer.empty()) co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
    char rest = 0;
    boost::system::error_code ended;
    co_await socket.async_read_some(asio::buffer(&rest, 1), asio::redirect_error(asio::use_awaitable, ended));
  }
  [[nodiscard]] HttpUrl url() const {
    return *parse_http_url("http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) +
                           "/call?x=1");
  }
};

HttpOutcome post_to(asio::io_context& control, HttpUrl url, const std::string& body,
                    std::chrono::seconds timeout = std::chrono::seconds(30)) {
  HttpOutcome outcome;
  asio::co_spawn(control, post_json(std::move(url), body, timeout),
                 [&](const std::exception_ptr&, HttpOutcome told) {
                   outcome = std::move(told);
                   control.stop();
                 });
  control.run();
  return outcome;
}

HttpOutcome answered_with(const std::string& answer, std::string& heard,
                          std::chrono::seconds timeout = std::chrono::seconds(30)) {
  asio::io_context control;
  Server server{control};
  server.answer = answer;
  asio::co_spawn(control, server.serve(), asio::detached);
  HttpOutcome outcome = post_to(control, server.url(), R"({"to_number":"+1"})", timeout);
  heard = server.heard;
  return outcome;
}

}  // namespace

TEST_CASE("webhook: URLs") {
  CHECK(parts("http://agents.example.net") == "agents.example.net 80 /");
  CHECK(parts("https://agents.example.net/call") == "tls agents.example.net 443 /call");
  CHECK(parts("http://127.0.0.1:8090/a/b?c=d#e") == "127.0.0.1 8090 /a/b?c=d");
  CHECK(parts("http://[::1]:8090?x") == "::1 8090 /?x");
  for (const char* odd : {"", "ftp://x", "http://", "http://:80/", "http://user@host/", "http://host:port/",
                          "http://host:123456/", "http://ho st/", "http://host/\r\nX: y", "sip:x@y"})
    CHECK_MESSAGE(parts(odd) == "none", odd);
}

TEST_CASE("webhook: what is sent, and which answers are good") {
  std::string heard;
  CHECK(answered_with("HTTP/1.1 204 No Content\r\n\r\n", heard).trouble.empty());
  CHECK(heard.starts_with("POST /call?x=1 HTTP/1.1\r\n"));
  CHECK(heard.find("\r\nContent-Type: application/json\r\n") != std::string::npos);
  CHECK(heard.ends_with("\r\n\r\n{\"to_number\":\"+1\"}"));

  HttpOutcome outcome = answered_with("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", heard);
  CHECK(outcome.trouble.ends_with("/call?x=1 answered 302: redirects are not followed"));
  CHECK_FALSE(outcome.unreachable);
  outcome =
      answered_with("HTTP/1.1 500 Oh\r\nContent-Length: 9\r\n\r\n", heard);  // whose body is not waited for
  CHECK(outcome.trouble.ends_with(" answered 500"));
  outcome = answered_with("Good morning to you\r\n\r\n", heard);
  CHECK(outcome.trouble.find("can't be reached") != std::string::npos);
}

TEST_CASE("webhook: nobody there, or nothing said") {
  std::string heard;
  HttpOutcome outcome = answered_with("", heard, std::chrono::seconds(1));
  CHECK(outcome.trouble.ends_with(" did not answer within 1 s"));
  CHECK_FALSE(outcome.unreachable);
  asio::io_context control;
  HttpUrl url;
  {
    const Server gone{control};
    url = gone.url();
  }
  outcome = post_to(control, url, "{}");
  CHECK(outcome.trouble.find(" can't be reached: ") != std::string::npos);
  CHECK(outcome.unreachable);
}

TEST_CASE("the reference agent's orders") {
  std::string trouble;
  const auto order = read_call_order(
      R"({"from_number":"+16665550100","to_number":"+15550100001","dynamic_variables":{"name":"Jane","X-Run-Id":"7",)"
      R"("X-Vip":true}})",
      trouble);
  REQUIRE_MESSAGE(order, trouble);
  CHECK(order->from == "+16665550100");
  CHECK(order->to == "+15550100001");
  REQUIRE(order->headers.size() == 2);
  CHECK(order->headers[0].name == "X-Run-Id");
  CHECK(order->headers[0].value == "7");
  CHECK(order->headers[1].value == "true");
  const auto told = [](const char* body) {
    std::string why;
    CHECK_FALSE(read_call_order(body, why));
    return why;
  };
  CHECK(told("x") == "the body is not a JSON object");
  CHECK(told("{}") == "to_number is missing");
  CHECK(told(R"({"to_number":5})") == "to_number is not a text");
  CHECK(told(R"({"to_number":"1","dynamic_variables":{"X-A":"1\r\nX-B: 2"}})")
            .starts_with("dynamic_variables.X-A: "));

  asio::io_context control;
  std::vector<std::string> called;
  const OrderListener listener(control, "127.0.0.1:0", [&](CallOrder one) { called.push_back(one.to); });
  const auto url = parse_http_url(listener.url());
  REQUIRE(url);
  CHECK(post_to(control, *url, R"({"to_number":"+15550100001"})").trouble.empty());
  control.restart();
  CHECK(post_to(control, *url, "{}").trouble.ends_with(" answered 400"));
  CHECK(called == std::vector<std::string>{"+15550100001"});
  CHECK_THROWS_WITH(OrderListener(control, "127.0.0.1", {}),
                    "'127.0.0.1' is not an address and a port, such as 127.0.0.1:8090");
}
