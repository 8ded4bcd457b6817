// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the daemon can be asked to do, whoever asks: the admin socket today, any other interface by the same
// functions. Values in, JSON out; control thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "engine/daemon/dispatcher.h"

namespace linecheck::engine {

/// A request that is refused: why, and for files every problem in them.
class CommandError : public std::runtime_error {
 public:
  explicit CommandError(const std::string& what, scheduler::Problems problems = {})
      : std::runtime_error(what), problems_(std::move(problems)) {}
  [[nodiscard]] const scheduler::Problems& problems() const { return problems_; }

 private:
  scheduler::Problems problems_;
};

/// `[{file, line, column, field, message}]`, and back.
[[nodiscard]] nlohmann::ordered_json problems_json(const scheduler::Problems& problems);
[[nodiscard]] scheduler::Problems problems_from_json(const nlohmann::json& json);

/// The catalogue as somebody sees it who may know of one project only.
[[nodiscard]] scheduler::Catalog catalog_of_project(const scheduler::Catalog& catalog, scheduler::Id project);
/// The project that a job's calls belong to: its agent's, else that of the first scenario that has one.
[[nodiscard]] std::optional<scheduler::Id> project_of(const scheduler::Job& job,
                                                      const scheduler::Catalog& catalog);

/// How the last reloads went.
struct ReloadState {
  bool last_succeeded = true;
  std::string last_at;          ///< RFC 3339; of the last try
  std::string last_success_at;  ///< of the configuration in use
  std::uint64_t succeeded = 0;
  std::uint64_t refused = 0;
};

struct JobRequest {
  std::string text;  ///< YAML or JSON
  std::string name;  ///< what problems call the file
  std::optional<std::uint64_t> seed;
  std::string key;                       ///< idempotency; empty: a new result each time
  std::optional<scheduler::Id> project;  ///< what belongs to other projects is not there for this request
};

class Commands {
 public:
  using Json = nlohmann::ordered_json;

  struct Parts {
    Dispatcher& dispatcher;
    ResultStore& documents;
    boost::asio::thread_pool& database;
    boost::asio::thread_pool& files;
    const StateDirectory& state;
    Log& log;
    /// Reads everything again; returns what changed, throws CommandError.
    std::function<boost::asio::awaitable<std::vector<std::string>>()> reload;
    const ReloadState& reload_state;
    const bool& stopping;
  };
  explicit Commands(Parts parts);

  /// Runs `{"command": NAME, ...}`. Throws CommandError, and whatever a database throws.
  boost::asio::awaitable<Json> execute(Json request);

  boost::asio::awaitable<scheduler::Created> submit(JobRequest request);
  [[nodiscard]] Json status() const;
  boost::asio::awaitable<Json> results(std::size_t limit);
  /// Where a result stands: live counts, or its verdict and where its files are.
  boost::asio::awaitable<Json> result(std::int64_t id);
  boost::asio::awaitable<Json> run(std::int64_t run_id);
  boost::asio::awaitable<Json> stop(std::int64_t result, bool now);
  boost::asio::awaitable<Json> pause(std::int64_t result, bool paused);
  /// New caps for calls that are not yet claimed; what is not given is no cap.
  boost::asio::awaitable<Json> set_limits(scheduler::LimitScope scope, std::string name,
                                          scheduler::Limits limits);
  boost::asio::awaitable<Json> reload();
  Json set_log_level(const std::string& part, const std::string& level);

  /// "3 results, 212/400 calls, 8.1 calls/s": for the service manager.
  [[nodiscard]] std::string status_line();

 private:
  [[nodiscard]] Json open_result(const OpenResult& result) const;

  Parts parts_;
  std::int64_t started_ns_;
  std::string started_at_;
  std::int64_t measured_ns_ = 0;  ///< the last status line
  std::uint64_t measured_calls_ = 0;
  double calls_per_second_ = 0;
};

}  // namespace linecheck::engine
