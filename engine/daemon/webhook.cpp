// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/webhook.h"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <cctype>
#include <utility>

#include "engine/daemon/version.h"

namespace linecheck::engine {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using asio::use_awaitable;

constexpr std::size_t kLongestAnswer = 64U << 10U;

std::string authority(const HttpUrl& url) {
  const std::string host = url.host.find(':') != std::string::npos ? "[" + url.host + "]" : url.host;
  return url.port == (url.secure ? "443" : "80") ? host : host + ":" + url.port;
}

/// The system's certificates: read once, and not by the control thread for each webhook.
asio::ssl::context& trusting_the_system() {
  static asio::ssl::context context = [] {
    asio::ssl::context made(asio::ssl::context::tls_client);
    made.set_default_verify_paths();
    made.set_verify_mode(asio::ssl::verify_peer);
    return made;
  }();
  return context;
}

/// The status of the answer.
template <class Stream>
asio::awaitable<unsigned> exchange(Stream& stream, const HttpUrl& url, std::string body) {
  beast_http::request<beast_http::string_body> request(beast_http::verb::post, url.target, 11);
  request.set(beast_http::field::host, authority(url));
  request.set(beast_http::field::user_agent, std::string("linecheck/") + kVersion);
  request.set(beast_http::field::content_type, "application/json");
  request.set(beast_http::field::connection, "close");
  request.body() = std::move(body);
  request.prepare_payload();
  co_await beast_http::async_write(stream, request, use_awaitable);
  beast::flat_buffer buffer(kLongestAnswer);
  beast_http::response_parser<beast_http::empty_body> answer;
  answer.skip(true);
  co_await beast_http::async_read_header(stream, buffer, answer, use_awaitable);
  co_return answer.get().result_int();
}

asio::awaitable<unsigned> post(HttpUrl url, std::string body, std::chrono::seconds timeout) {
  const auto executor = co_await asio::this_coro::executor;
  asio::ip::tcp::resolver resolver(executor);
  const auto addresses = co_await resolver.async_resolve(url.host, url.port, use_awaitable);
  if (!url.secure) {
    beast::tcp_stream stream(executor);
    stream.expires_after(timeout);
    co_await stream.async_connect(addresses, use_awaitable);
    co_return co_await exchange(stream, url, std::move(body));
  }
  beast::ssl_stream<beast::tcp_stream> stream(executor, trusting_the_system());
  stream.set_verify_callback(asio::ssl::host_name_verification(url.host));
  boost::system::error_code no_address;
  asio::ip::make_address(url.host, no_address);
  // A name only, never an address (RFC 6066, section 3). Not by OpenSSL's macro, which casts.
  std::string name = no_address ? url.host : "";
  if (!name.empty() && SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME,
                                TLSEXT_NAMETYPE_host_name, name.data()) != 1)
    throw std::runtime_error("the host's name can't be sent by TLS");
  auto& socket = beast::get_lowest_layer(stream);
  socket.expires_after(timeout);
  co_await socket.async_connect(addresses, use_awaitable);
  co_await stream.async_handshake(asio::ssl::stream_base::client, use_awaitable);
  co_return co_await exchange(stream, url, std::move(body));
}

}  // namespace

std::optional<HttpUrl> parse_http_url(const std::string& url) {
  HttpUrl parsed;
  std::string rest;
  if (url.starts_with("http://")) {
    rest = url.substr(7);
  } else if (url.starts_with("https://")) {
    rest = url.substr(8);
    parsed.secure = true;
  } else {
    return std::nullopt;
  }
  if (std::any_of(rest.begin(), rest.end(), [](unsigned char c) { return c <= ' ' || c >= 127; }))
    return std::nullopt;
  rest = rest.substr(0, rest.find('#'));
  const auto slash = rest.find_first_of("/?");
  std::string host = rest.substr(0, slash);
  if (slash != std::string::npos) parsed.target = (rest[slash] == '?' ? "/" : "") + rest.substr(slash);
  if (host.find('@') != std::string::npos) return std::nullopt;
  parsed.port = parsed.secure ? "443" : "80";
  const auto close = host.find(']');
  const auto colon = host.find(':', close == std::string::npos ? 0 : close);
  if (colon != std::string::npos) {
    parsed.port = host.substr(colon + 1);
    host.resize(colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  parsed.host = host;
  const bool digits = std::all_of(parsed.port.begin(), parsed.port.end(),
                                  [](unsigned char c) { return std::isdigit(c) != 0; });
  if (parsed.host.empty() || parsed.port.empty() || parsed.port.size() > 5 || !digits) return std::nullopt;
  return parsed;
}

asio::awaitable<HttpOutcome> post_json(HttpUrl url, std::string body, std::chrono::seconds timeout) {
  const std::string where = (url.secure ? "https://" : "http://") + authority(url) + url.target;
  HttpOutcome outcome;
  try {
    const unsigned status = co_await post(std::move(url), std::move(body), timeout);
    if (status < 200 || status > 299) {
      outcome.trouble = where + " answered " + std::to_string(status) +
                        (status >= 300 && status <= 399 ? ": redirects are not followed" : "");
    }
  } catch (const boost::system::system_error& error) {
    outcome.unreachable = error.code() != beast::error::timeout;
    outcome.trouble =
        where + (outcome.unreachable ? " can't be reached: " + error.code().message()
                                     : " did not answer within " + std::to_string(timeout.count()) + " s");
  } catch (const std::exception& error) {
    outcome.unreachable = true;
    outcome.trouble = where + " can't be reached: " + error.what();
  }
  co_return outcome;
}

}  // namespace linecheck::engine
