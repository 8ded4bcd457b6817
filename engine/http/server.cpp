// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/http/server.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <ctime>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

#include "engine/call/offload.h"

namespace linecheck::engine::http {
namespace {

namespace beast = boost::beast;
using boost::asio::awaitable;
using boost::asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using Parser = beast::http::request_parser<beast::http::string_body>;

constexpr std::size_t kFileChunk = 256U << 10U;
constexpr std::size_t kReadBuffer = 64U << 10U;
constexpr std::size_t kMostIgnored = 8U << 20U;  ///< of what a refused client still sends

/// No braces of an aggregate inside a co_await: made here.
auto error_into(error_code& error) {
  return boost::asio::redirect_error(boost::asio::use_awaitable, error);
}

std::string reason_phrase(int status) {
  return std::string(beast::http::obsolete_reason(static_cast<beast::http::status>(status)));
}

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);  // the C locale's names
  return text.data();
}

/// A header's value cannot begin another header.
std::string one_line(std::string value) {
  std::replace_if(
      value.begin(), value.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  return value;
}

std::string head_of(const Response& response, bool keep_alive) {
  const std::uint64_t length = response.file ? response.file->length : response.body.size();
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " + reason_phrase(response.status);
  head += "\r\nServer: linecheck\r\nDate: " + http_date();
  if (response.status != 304) {
    head += "\r\nContent-Type: " + one_line(response.type);
    head += "\r\nContent-Length: " + std::to_string(length);
  }
  for (const auto& [name, value] : response.headers) head += "\r\n" + name + ": " + one_line(value);
  head += "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff";
  head += keep_alive ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
  return head;
}

/// What a request that could not be read is answered with; nullopt: with nothing, nobody is there any more.
std::optional<Response> refusal(const error_code& error, bool timed_out, bool began) {
  using beast::http::error;
  if (timed_out) return began ? std::optional(detail(408, "The request took too long.")) : std::nullopt;
  if (error == error::end_of_stream || error == error::partial_message) return std::nullopt;
  if (error == error::body_limit) return detail(413, "The body is too large.");
  if (error == error::header_limit || error == error::buffer_overflow) {
    return detail(431, "The header is too large.");
  }
  if (error.category() == beast::http::make_error_code(error::bad_method).category()) {
    return detail(400, "This is no HTTP request: " + error.message() + ".");
  }
  return std::nullopt;
}

struct Connection {
  explicit Connection(boost::asio::io_context& context) : socket(context), deadline(context) {}
  tcp::socket socket;
  boost::asio::steady_timer deadline;
  std::uint64_t round = 0;  ///< of the deadline: an earlier one may have fired already
  bool timed_out = false;
  bool answering = false;
};

using ConnectionPtr = std::shared_ptr<Connection>;

/// Whatever is being read or written is cut off after `time`.
void allow(const ConnectionPtr& connection, milliseconds time) {
  connection->timed_out = false;
  const std::uint64_t round = ++connection->round;
  connection->deadline.expires_after(time);
  connection->deadline.async_wait([connection, round](const error_code& cancelled) {
    if (cancelled || round != connection->round) return;
    connection->timed_out = true;
    error_code ignored;
    connection->socket.cancel(ignored);
  });
}

void no_deadline(const ConnectionPtr& connection) {
  ++connection->round;
  connection->deadline.cancel();
}

Request request_of(Parser::value_type& message, std::string peer) {
  Request request;
  request.method = std::string(message.method_string());
  const std::string_view target(message.target().data(), message.target().size());
  const std::size_t question = std::min(target.find('?'), target.size());
  request.path = target.substr(0, question);
  request.query = target.substr(std::min(question + 1, target.size()));
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  request.body = std::move(message.body());
  request.peer = std::move(peer);
  return request;
}

}  // namespace

struct Server::Inside : std::enable_shared_from_this<Server::Inside> {
  Inside(boost::asio::io_context& context_, ServerOptions options_, Handler handler_, Log& log_)
      : context(context_),
        options(std::move(options_)),
        handler(std::move(handler_)),
        log(log_),
        acceptor(context_) {}

  boost::asio::io_context& context;
  ServerOptions options;
  Handler handler;
  Log& log;
  tcp::acceptor acceptor;
  boost::asio::thread_pool files{1};
  std::set<ConnectionPtr> connections;
  std::atomic<bool> closing{false};
  std::atomic<int> in_flight{0};
  mutable std::mutex counts_lock;
  ServerCounts counts;
  std::thread thread;

  void count(int status) {
    const std::lock_guard guard(counts_lock);
    ++counts.answers[status];
  }
  void listen();
  awaitable<void> accept();
  awaitable<void> serve(ConnectionPtr connection);
  awaitable<bool> answer_one(ConnectionPtr connection, beast::flat_buffer& buffer);
  awaitable<bool> write(ConnectionPtr connection, Response response, bool keep_alive, bool head_only);
  awaitable<bool> write_file(ConnectionPtr connection, FilePart part);
  awaitable<void> turn_away(ConnectionPtr connection, Response response);
  awaitable<Response> handled(Request request);
};

void Server::Inside::listen() {
  error_code error;
  const auto address = boost::asio::ip::make_address(options.address, error);
  const std::string where = options.address + ":" + std::to_string(options.port);
  if (error) throw std::runtime_error("http.listen: " + options.address + " is no IP address");
  const tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(boost::asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) throw std::runtime_error("cannot listen at " + where + " (http.listen): " + error.message());
}

awaitable<void> Server::Inside::accept() {
  while (!closing) {
    auto connection = std::make_shared<Connection>(context);
    error_code error;
    co_await acceptor.async_accept(connection->socket, error_into(error));
    if (closing) co_return;
    if (error) {
      log.write(Part::http, LogLevel::warn, error.message());
      boost::asio::steady_timer pause(context, milliseconds(100));  // out of descriptors, say
      co_await pause.async_wait(error_into(error));
      continue;
    }
    const bool full = connections.size() >= options.max_connections;
    connections.insert(connection);
    auto self = shared_from_this();
    const auto ended = [self, connection](const std::exception_ptr&) {
      no_deadline(connection);
      self->connections.erase(connection);
      const std::lock_guard guard(self->counts_lock);
      self->counts.connections = self->connections.size();
    };
    {
      const std::lock_guard guard(counts_lock);
      counts.connections = connections.size();
    }
    if (!full) {
      boost::asio::co_spawn(context, serve(connection), ended);
    } else if (connections.size() <= 2 * options.max_connections) {
      boost::asio::co_spawn(context, turn_away(connection, try_again(503, "Too many connections.", 1)),
                            ended);
    } else {
      ended(nullptr);
    }
  }
}

awaitable<void> Server::Inside::serve(ConnectionPtr connection) {
  const auto self = shared_from_this();
  error_code ignored;
  connection->socket.set_option(tcp::no_delay(true), ignored);
  beast::flat_buffer buffer(kReadBuffer);
  bool more = true;
  while (more && !closing) more = co_await answer_one(connection, buffer);
  connection->socket.shutdown(tcp::socket::shutdown_both, ignored);
  connection->socket.close(ignored);
}

/// False: the connection ends.
awaitable<bool> Server::Inside::answer_one(ConnectionPtr connection, beast::flat_buffer& buffer) {
  error_code error;
  // The wait for a first byte is the longer one, and nobody needs to hear of its end.
  if (buffer.size() == 0) {
    allow(connection, options.idle);
    co_await connection->socket.async_wait(tcp::socket::wait_read, error_into(error));
    if (error || closing) co_return false;
  }
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(options.max_header));
  parser.body_limit(options.max_body);
  allow(connection, options.header);
  co_await beast::http::async_read_header(connection->socket, buffer, parser, error_into(error));
  if (!error) {
    const auto expect = parser.get()[beast::http::field::expect];
    if (beast::iequals(expect, "100-continue") && !parser.is_done()) {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await boost::asio::async_write(connection->socket, boost::asio::buffer(kContinue),
                                        error_into(error));
      if (error) co_return false;
    }
    allow(connection, options.body);
    co_await beast::http::async_read(connection->socket, buffer, parser, error_into(error));
  }
  if (error) {
    const bool began = parser.got_some() || buffer.size() > 0;
    auto refused = refusal(error, connection->timed_out, began);
    if (refused) co_await turn_away(connection, std::move(*refused));
    co_return false;
  }
  no_deadline(connection);
  if (parser.get().version() == 11 && parser.get()[beast::http::field::host].empty()) {
    co_await turn_away(connection, detail(400, "The Host header is missing."));
    co_return false;
  }
  if (parser.get().target().empty() || parser.get().target().front() != '/') {
    co_await turn_away(connection, detail(400, "The request's target is not a path."));
    co_return false;
  }
  const bool keep_alive = parser.get().keep_alive() && !closing;
  const bool head_only = parser.get().method() == beast::http::verb::head;
  error_code unknown;
  std::string peer = connection->socket.remote_endpoint(unknown).address().to_string();
  Request request = request_of(parser.get(), std::move(peer));
  connection->answering = true;
  ++in_flight;
  Response response = co_await handled(std::move(request));
  const bool written = co_await write(connection, std::move(response), keep_alive, head_only);
  --in_flight;
  connection->answering = false;
  co_return written&& keep_alive;
}

awaitable<Response> Server::Inside::handled(Request request) {
  const std::string what = request.method + " " + request.path;
  try {
    Response response = co_await handler(std::move(request));
    log.write(Part::http, LogLevel::debug, what + ": " + std::to_string(response.status));
    co_return response;
  } catch (const std::exception& error) {
    log.write(Part::http, LogLevel::error, what + ": " + error.what());
  }
  co_return detail(500, "This is a fault of linecheck's: its log says more.");
}

awaitable<bool> Server::Inside::write(ConnectionPtr connection, Response response, bool keep_alive,
                                      bool head_only) {
  count(response.status);
  std::string bytes = head_of(response, keep_alive);
  if (!head_only && !response.file) bytes += response.body;
  allow(connection, options.write);
  error_code error;
  co_await boost::asio::async_write(connection->socket, boost::asio::buffer(bytes), error_into(error));
  bool good = !error;
  if (good && !head_only && response.file) good = co_await write_file(connection, std::move(*response.file));
  no_deadline(connection);
  co_return good;
}

awaitable<bool> Server::Inside::write_file(ConnectionPtr connection, FilePart part) {
  auto chunk = std::make_shared<std::vector<char>>(std::min<std::uint64_t>(kFileChunk, part.length));
  while (part.length > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(chunk->size(), part.length));
    auto read = [chunk, wanted, part] {
      return ::pread(part.file->get(), chunk->data(), wanted, static_cast<off_t>(part.offset));
    };
    const ssize_t got = co_await offload(files, std::move(read));
    if (got <= 0) co_return false;  // it has become shorter: the client sees that bytes are missing
    allow(connection, options.write);
    error_code error;
    co_await boost::asio::async_write(connection->socket,
                                      boost::asio::buffer(chunk->data(), static_cast<std::size_t>(got)),
                                      error_into(error));
    if (error) co_return false;
    part.offset += static_cast<std::uint64_t>(got);
    part.length -= static_cast<std::uint64_t>(got);
  }
  co_return true;
}

/// Answers and ends the connection. What the client is still sending is read away for a moment: closing a
/// socket with unread bytes resets it, and the client would never see the answer.
awaitable<void> Server::Inside::turn_away(ConnectionPtr connection, Response response) {
  const auto self = shared_from_this();
  if (!co_await write(connection, std::move(response), false, false)) co_return;
  error_code error;
  connection->socket.shutdown(tcp::socket::shutdown_send, error);
  allow(connection, options.farewell);
  std::array<char, 4096> unread{};
  std::size_t ignored = 0;
  while (!error && ignored < kMostIgnored) {
    ignored += co_await connection->socket.async_read_some(boost::asio::buffer(unread), error_into(error));
  }
  connection->socket.close(error);
}

Server::Server(boost::asio::io_context& context, ServerOptions options, Handler handler, Log& log)
    : inside_(std::make_shared<Inside>(context, std::move(options), std::move(handler), log)) {
  inside_->listen();
}

Server::~Server() {
  inside_->closing = true;
  inside_->context.stop();
  if (inside_->thread.joinable()) inside_->thread.join();
  inside_->files.join();
  error_code ignored;
  inside_->acceptor.close(ignored);
}

void Server::start() {
  boost::asio::co_spawn(
      inside_->context, [self = inside_]() -> awaitable<void> { co_await self->accept(); },
      boost::asio::detached);
  inside_->thread = std::thread([self = inside_.get()] {
    const auto work = boost::asio::make_work_guard(self->context);
    self->context.run();
  });
}

void Server::close() {
  inside_->closing = true;
  boost::asio::post(inside_->context, [self = inside_] {
    error_code ignored;
    self->acceptor.close(ignored);
    for (const ConnectionPtr& connection : self->connections) {
      if (!connection->answering) connection->socket.close(ignored);
    }
  });
}

bool Server::quiet() const {
  return inside_->in_flight == 0;
}

std::string Server::address() const {
  error_code ignored;
  const tcp::endpoint endpoint = inside_->acceptor.local_endpoint(ignored);
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

ServerCounts Server::counts() const {
  const std::lock_guard guard(inside_->counts_lock);
  return inside_->counts;
}

}  // namespace linecheck::engine::http
