// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/daemon.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <utility>

#include "engine/call/offload.h"
#include "engine/call/time.h"
#include "engine/daemon/preflight.h"
#include "engine/daemon/reload.h"
#include "engine/daemon/result_files.h"
#include "engine/daemon/version.h"
#include "engine/daemon/wait.h"
#include "engine/http/api.h"
#include "engine/http/server.h"
#include "engine/report/json.h"

namespace linecheck::engine {
namespace {

using boost::asio::awaitable;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kInform{1};
constexpr seconds kExtend{10};       ///< what each EXTEND_TIMEOUT_USEC asks for
constexpr seconds kLongestTurn{10};  ///< of the claiming, as long as the watchdog is to be fed
constexpr seconds kAfterHangUp{60};  ///< for BYE, CANCEL, evaluation and storing, after hanging up

VoicesOptions voices_options(const StateDirectory& state) {
  VoicesOptions options;
  options.cache_directory = state.root() / "cache";
  return options;
}

}  // namespace

Daemon::Daemon(std::filesystem::path config_file, Settings settings, Log& log)
    : config_file_(std::move(config_file)),
      log_(log),
      manager_(ServiceManager::of_environment()),
      state_(settings.config.state),
      store_(state_.database().string()),
      documents_(state_.database().string()),
      voices_(voices_options(state_)),
      switchboard_(control_, settings.config.media),
      services_{switchboard_, voices_, pool_, settings.config.voices},
      dispatcher_({control_, database_, files_, services_, store_, state_, log_,
                   "serve-" + std::to_string(::getpid()), false,
                   [this](const std::string& text) { log_.write(Part::calls, LogLevel::info, text); }},
                  open_endpoints(std::move(settings)),
                  [this](std::shared_ptr<OpenResult> result, Result judged) {
                    return on_over(std::move(result), std::move(judged));
                  }),
      commands_({dispatcher_, documents_, database_, files_, state_, log_, [this] { return reload(); },
                 reload_state_, stopping_}),
      signals_(control_, SIGHUP, SIGTERM, SIGINT),
      stop_(control_, steady_clock::time_point::max()),
      inform_(control_) {
  reload_state_.last_at = reload_state_.last_success_at = utc_now();
  const WatchConfig& watch = dispatcher_.settings()->config.watch;
  if (!watch.directory.empty()) {
    JobFolderOptions folder{watch.directory, watch.owners};
    watch_ = std::make_unique<Watch>(control_, files_, database_, commands_, documents_, log_,
                                     std::move(folder), watch.poll);
  }
  admin_ = std::make_unique<AdminSocket>(control_, commands_, log_, state_.root() / "admin.sock");
  if (const auto& http = dispatcher_.settings()->config.http) open_http(*http);
}

Daemon::~Daemon() {
  http_.reset();
  api_.reset();
  admin_.reset();
  switchboard_.shutdown();
  voices_.shutdown();
  database_.join();
  files_.join();
  pool_.join();
}

std::shared_ptr<const Settings> Daemon::open_endpoints(Settings settings) {
  for (const auto& endpoint : settings.config.endpoints) {
    settings.endpoints.push_back(switchboard_.add_endpoint(endpoint_options(settings.config, endpoint)));
  }
  switchboard_.on_trunk([this](const sip::TrunkChanged& trunk) {
    const bool well = trunk.state == sip::TrunkState::up;
    log_.write(Part::daemon, well ? LogLevel::info : LogLevel::warn,
               "the trunk is " + std::string(sip::name(trunk.state)) +
                   (trunk.reason.empty() ? "" : ": " + trunk.reason),
               {{"TRUNK", trunk.name}});
  });
  apply(trunk_changes(settings), switchboard_);
  return std::make_shared<const Settings>(std::move(settings));
}

void Daemon::open_http(const HttpConfig& config) {
  http::ServerOptions options;
  options.address = config.address;
  options.port = config.port;
  options.max_connections = static_cast<std::size_t>(config.max_connections);
  options.max_body = config.max_body;
  api_ = std::make_unique<http::Api>(http::ApiParts{control_, commands_, dispatcher_, switchboard_, state_,
                                                    log_, stopping_, config.requests_per_second});
  http_ = std::make_unique<http::Server>(
      http_context_, std::move(options),
      [this](http::Request request) { return api_->answer(std::move(request)); }, log_);
  api_->count_with([this] { return http_->counts(); });
}

/// What is being asked at the end is still answered.
awaitable<void> Daemon::close_http() {
  if (!http_) co_return;
  http_->close();
  boost::asio::steady_timer poll(control_);
  const auto give_up = steady_clock::now() + kInform;
  while (!http_->quiet() && steady_clock::now() < give_up) {
    co_await wait(poll, steady_clock::now() + milliseconds(5));
  }
}

void Daemon::run() {
  std::exception_ptr failure;
  boost::asio::co_spawn(control_, watch_signals(), boost::asio::detached);
  boost::asio::co_spawn(control_, live(), [&](const std::exception_ptr& error) {
    failure = error;
    over_ = true;
    signals_.cancel();
    inform_.cancel();
    admin_->close();
    switchboard_.shutdown();
    control_.stop();
  });
  control_.run();
  if (failure) std::rethrow_exception(failure);
}

awaitable<void> Daemon::live() {
  log_.write(Part::daemon, LogLevel::info, std::string("linecheck ") + kVersion + " (" + kCommit + ") starts",
             {{"CONFIG", config_file_.string()}, {"STATE", state_.root().string()}});
  const media::EngineStatus media = switchboard_.media().status();
  if (!media.realtime_note.empty()) {
    log_.write(Part::daemon, LogLevel::warn,
               "media threads run without real-time priority (" + media.realtime_note +
                   "); late packets are counted and shown");
  }
  co_await dispatcher_.recover(documents_);
  if (watch_) co_await watch_->recover();
  co_await dispatcher_.start();
  if (watch_) watch_->start();
  if (http_) {
    http_->start();
    log_.write(Part::http, LogLevel::info, "listening at " + http_->address());
  }
  manager_.ready(commands_.status_line());
  log_.write(Part::daemon, LogLevel::info, "ready");
  boost::asio::co_spawn(control_, keep_manager_informed(), boost::asio::detached);
  while (!stopping_) {
    boost::system::error_code woken;
    co_await stop_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
  }
  if (watch_) watch_->stop();
  co_await drain();
  co_await dispatcher_.finish();
  co_await close_http();
  log_.write(Part::daemon, LogLevel::info, "stopped");
}

awaitable<void> Daemon::watch_signals() {
  while (!over_) {
    boost::system::error_code cancelled;
    const int signal =
        co_await signals_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
    if (cancelled) co_return;
    if (signal == SIGHUP) {
      boost::asio::co_spawn(control_, reload_by_signal(), boost::asio::detached);
      continue;
    }
    ++terms_;
    stopping_ = true;
    stop_.cancel();
    if (terms_ > 1) dispatcher_.hang_up_all();
  }
}

/// Status each second, and the watchdog as long as the claiming goes round: a process whose timers still fire
/// while its work stands still is not alive.
awaitable<void> Daemon::keep_manager_informed() {
  const auto watchdog = manager_.watchdog();
  steady_clock::duration every = kInform;
  if (watchdog) every = std::min<steady_clock::duration>(every, *watchdog / 3);
  std::string told;
  auto next_status = steady_clock::now();
  while (!over_) {
    const auto now = steady_clock::now();
    const bool turning = mono_ns() - dispatcher_.turned_ns() < std::chrono::nanoseconds(kLongestTurn).count();
    if (watchdog && (turning || stopping_)) manager_.alive();
    if (now >= next_status && !stopping_) {
      next_status = now + kInform;
      std::string line = commands_.status_line();
      if (line != told) manager_.status(line);
      told = std::move(line);
    }
    co_await wait(inform_, now + every);
  }
}

awaitable<void> Daemon::drain() {
  dispatcher_.drain();
  const auto timeout = dispatcher_.settings()->config.limits.drain_timeout;
  log_.write(Part::daemon, LogLevel::info,
             "stopping: no new calls; " + std::to_string(dispatcher_.active_calls()) +
                 " in progress may take " + std::to_string(timeout.count() / 1000) + " s");
  manager_.stopping("stopping: " + std::to_string(dispatcher_.active_calls()) + " calls in progress");
  const auto gently = steady_clock::now() + timeout;
  boost::asio::steady_timer poll(control_);
  auto next_extension = steady_clock::now();
  bool hung_up = false;
  steady_clock::time_point give_up = steady_clock::time_point::max();
  while (dispatcher_.active_calls() > 0) {
    const auto now = steady_clock::now();
    if (!hung_up && (now >= gently || terms_ > 1)) {
      hung_up = true;
      log_.write(Part::daemon, LogLevel::info,
                 "hanging up " + std::to_string(dispatcher_.active_calls()) + " calls");
      dispatcher_.hang_up_all();
      give_up = now + kAfterHangUp;
    }
    if (now >= give_up) throw std::runtime_error("calls did not end although they were hung up");
    if (now >= next_extension) {
      next_extension = now + kInform;
      manager_.extend_timeout(kExtend);
      manager_.status("stopping: " + std::to_string(dispatcher_.active_calls()) + " calls in progress");
    }
    co_await wait(poll, now + milliseconds(20));
  }
}

// ---- results ----

awaitable<void> Daemon::on_over(std::shared_ptr<OpenResult> result, Result judged) {
  const std::filesystem::path file = result_file(state_.root(), judged.id);
  auto shared = std::make_shared<const Result>(std::move(judged));
  for (;;) {
    std::string trouble;
    try {
      auto write = [shared, file] {
        std::filesystem::create_directories(file.parent_path());
        report::write_result_json(*shared, file);
      };
      co_await offload(files_, std::move(write));
      auto save = [this, shared, result, file] {
        save_result(documents_, *shared, result->job(), file,
                    project_of(result->job(), *result->basis().settings->catalog));
      };
      co_await offload(database_, std::move(save));
      if (watch_) co_await watch_->on_over(shared);
    } catch (const std::exception& error) {
      trouble = error.what();
    }
    if (trouble.empty()) co_return;
    log_.write(Part::jobs, LogLevel::error, "the result can't be written: " + trouble,
               {{"RESULT_ID", std::to_string(shared->id)}});
    if (stopping_) co_return;  // the next process writes it
    boost::asio::steady_timer again(control_);
    co_await wait(again, steady_clock::now() + kInform);
  }
}

// ---- reload ----

awaitable<Daemon::Changes> Daemon::reload() {
  if (reloading_) throw CommandError("a reload is going on");
  if (stopping_) throw CommandError("the daemon is stopping");
  reloading_ = true;
  manager_.reloading();
  Changes changes;
  std::exception_ptr failure;
  try {
    auto read = [file = config_file_] {
      scheduler::Problems problems;
      auto settings = load_settings(file, problems);
      return std::pair(std::move(settings), std::move(problems));
    };
    auto [settings, problems] = co_await offload(files_, std::move(read));
    if (!settings) throw CommandError("the configuration is refused; the old one stays", std::move(problems));
    const std::shared_ptr<const Settings> old = dispatcher_.settings();
    if (auto fixed = what_takes_a_restart(old->fingerprints, settings->fingerprints); !fixed.empty()) {
      scheduler::Problems restart;
      for (std::string& what : fixed) {
        scheduler::Problem problem;
        problem.mark.file = config_file_.string();
        problem.field = std::move(what);
        problem.message = "can't be changed while linecheck runs: restart it";
        restart.push_back(std::move(problem));
      }
      throw CommandError("the configuration is refused; the old one stays", std::move(restart));
    }
    changes = differences(old->fingerprints, settings->fingerprints);
    settings->endpoints = old->endpoints;
    TrunkChanges trunks = trunk_changes(*settings, old.get());
    for (std::size_t i = 0; i < settings->endpoints.size(); ++i) {
      switchboard_.endpoint(settings->endpoints[i])
          .set_allow(*endpoint_options(settings->config, settings->config.endpoints[i]).allow);
    }
    apply(std::move(trunks), switchboard_);
    co_await dispatcher_.adopt(std::make_shared<const Settings>(std::move(*settings)));
  } catch (...) {
    failure = std::current_exception();
  }
  reloading_ = false;
  manager_.reloaded();
  reload_state_.last_at = utc_now();
  reload_state_.last_succeeded = !failure;
  if (failure) {
    ++reload_state_.refused;
    log_refusal(failure);
    std::rethrow_exception(failure);
  }
  ++reload_state_.succeeded;
  reload_state_.last_success_at = reload_state_.last_at;
  log_.write(Part::daemon, LogLevel::info, changes.empty() ? "reloaded: nothing has changed" : "reloaded");
  for (const std::string& change : changes) log_.write(Part::daemon, LogLevel::info, "changed: " + change);
  co_return changes;
}

void Daemon::log_refusal(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const CommandError& error) {
    log_.write(Part::daemon, LogLevel::error, error.what());
    for (const auto& problem : error.problems()) log_.write(Part::daemon, LogLevel::error, problem.text());
  } catch (const std::exception& error) {
    log_.write(Part::daemon, LogLevel::error, std::string("the reload failed: ") + error.what());
  }
}

/// Asked for by a signal: whoever sent it reads the log.
awaitable<void> Daemon::reload_by_signal() {
  try {
    co_await reload();
  } catch (const std::exception&) {  // told already
  }
}

}  // namespace linecheck::engine
