// SPDX-License-Identifier: GPL-3.0-or-later
//
// `linecheck run` without a daemon: one job in this process, with everything that it needs.
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iostream>
#include <optional>

#include "engine/call/offload.h"
#include "engine/cli/run_parts.h"
#include "engine/daemon/dispatcher.h"
#include "engine/daemon/result_files.h"
#include "engine/daemon/wait.h"
#include "scheduler/sqlite_job_store.h"

namespace linecheck::engine::cli {
namespace {

namespace fs = std::filesystem;
using boost::asio::awaitable;

std::chrono::milliseconds steady_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
}

/// What an earlier `linecheck run` left unfinished in this directory is over: nobody will make those calls.
/// What a daemon left is not ours to end.
void end_earlier_jobs(scheduler::JobStore& store) {
  const auto now = scheduler::moment_now();
  store.reap(now);
  for (const auto id : store.unfinished()) {
    const auto stored = store.result(id);
    if (stored && !stored->spec.idempotency_key.empty()) {
      throw std::runtime_error(
          "result " + std::to_string(id) +
          " of the daemon is unfinished in this directory: start the daemon, which goes on "
          "with it, or name another directory with --out");
    }
    store.control(now, id, scheduler::Control::cancel);
  }
}

class Foreground {
 public:
  Foreground(const RunArguments& arguments, Settings settings, scheduler::Job job, const fs::path& out)
      : arguments_(arguments), settings_(std::move(settings)), job_(std::move(job)), state_(out) {}

  int run() {
    const Config& config = settings_.config;
    state_.require_free(config.limits.min_free_disk);
    VoicesOptions voices_options;
    voices_options.cache_directory = state_.root() / "cache";
    Voices voices(voices_options);
    boost::asio::io_context control;
    boost::asio::thread_pool database(1);
    boost::asio::thread_pool files(1);
    boost::asio::thread_pool pool(2);
    scheduler::SqliteJobStore store(state_.database().string());
    end_earlier_jobs(store);
    Switchboard switchboard(control, config.media);
    for (const auto& endpoint : config.endpoints) {
      settings_.endpoints.push_back(switchboard.add_endpoint(endpoint_options(config, endpoint)));
    }
    const scheduler::Trunk& trunk = settings_.catalog->trunks.at(job_.trunk);
    if (auto watched = watched_trunk(trunk)) {
      switchboard.endpoint(settings_.endpoint_of(trunk)).watch_trunk(std::move(*watched));
    }
    CallServices services{switchboard, voices, pool, config.voices};
    Log log(LogFormat::text, true);
    DispatcherParts parts{control, database, files, services, store, state_, log, "run", true};
    if (!arguments_.quiet) parts.announce = [](const std::string& text) { std::cerr << text << "\n"; };
    boost::asio::steady_timer over(control, boost::asio::steady_timer::time_point::max());
    auto keep = [&](std::shared_ptr<OpenResult>, Result result) -> awaitable<void> {
      result_ = std::move(result);
      over.cancel();
      co_return;
    };
    Dispatcher dispatcher(parts, std::make_shared<const Settings>(settings_), std::move(keep));

    const media::EngineStatus media = switchboard.media().status();
    if (!arguments_.quiet && !media.realtime_note.empty()) {
      std::cerr << "note: media threads run without real-time priority (" << media.realtime_note
                << "); late packets are counted and shown.\n";
    }
    boost::asio::signal_set signals(control, SIGINT, SIGTERM);
    std::exception_ptr failure;
    auto main = [&]() -> awaitable<void> { co_await conduct(dispatcher, over); };
    boost::asio::co_spawn(control, watch_signals(signals, dispatcher), boost::asio::detached);
    boost::asio::co_spawn(control, std::move(main), [&](const std::exception_ptr& error) {
      failure = error;
      signals.cancel();
      switchboard.shutdown();
      control.stop();
    });
    control.run();
    voices.shutdown();
    database.join();
    files.join();
    pool.join();
    if (failure) std::rethrow_exception(failure);
    return report();
  }

 private:
  awaitable<void> conduct(Dispatcher& dispatcher, boost::asio::steady_timer& over) {
    report::ProgressOptions options;
    options.terminal = report::Terminal::of(STDERR_FILENO, arguments_.no_color);
    options.quiet = arguments_.quiet;
    report::Progress progress(std::cerr, options, steady_now());
    auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer tick(executor);
    report::ProgressState last;
    const auto look = [&] {
      if (const auto result = dispatcher.find(id_)) last = dispatcher.progress(*result);
      return last;
    };
    auto show = [&]() -> awaitable<void> {
      while (!finished_) {
        progress.update(look(), steady_now());
        co_await wait(tick, std::chrono::steady_clock::now() + std::chrono::milliseconds(200));
      }
    };
    boost::asio::steady_timer shown(executor, std::chrono::steady_clock::time_point::max());
    bool show_ended = false;
    std::exception_ptr failure;
    bool showing = false;
    try {
      CallBasis basis = co_await dispatcher.basis_of(job_);
      last.name = job_.name;
      last.total = basis.plan->size();
      boost::asio::co_spawn(executor, show, [&](const std::exception_ptr&) {
        show_ended = true;
        shown.cancel();
      });
      showing = true;
      std::function<bool()> enough = [this] { return interrupted_ > 0; };
      co_await dispatcher.warm_up(std::move(basis), std::move(enough));
      std::string key;  // none: it is no daemon's
      const scheduler::Created created = co_await dispatcher.submit(job_, std::move(key));
      id_ = created.result_id;
      if (interrupted_ > 0) stop(dispatcher);
      co_await dispatcher.start();
      while (!result_) {
        boost::system::error_code woken;
        co_await over.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
      }
      last.passed = last.failed = last.excused = last.cancelled = 0;
      count(last);
      co_await dispatcher.finish();
    } catch (...) {
      failure = std::current_exception();
    }
    finished_ = true;
    tick.cancel();
    while (showing && !show_ended) {
      boost::system::error_code woken;
      co_await shown.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
    progress.finish(last, steady_now());
    if (failure) std::rethrow_exception(failure);
  }

  /// The last line of the progress is of the end, not of the last look before it.
  void count(report::ProgressState& state) const {
    state.active.clear();
    for (const Run& run : result_->runs) {
      if (run.status == RunStatus::cancelled) {
        ++state.cancelled;
      } else if (!run.success) {
        ++state.excused;
      } else {
        ++(*run.success ? state.passed : state.failed);
      }
    }
  }

  void stop(Dispatcher& dispatcher) const {
    if (interrupted_ > 1) {
      dispatcher.stop_now(id_);
    } else {
      dispatcher.stop_gently(id_, "Stopping: no new calls. Ctrl-C again hangs up.");
    }
  }

  awaitable<void> watch_signals(boost::asio::signal_set& signals, Dispatcher& dispatcher) {
    while (!finished_) {
      boost::system::error_code cancelled;
      co_await signals.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
      if (cancelled) co_return;
      ++interrupted_;
      if (id_ != 0) stop(dispatcher);
    }
  }

  int report() {
    RunPlaces places;
    places.json = arguments_.json.empty() ? state_.root() / "result.json" : fs::path(arguments_.json);
    places.html = arguments_.html.empty() ? state_.root() / "report.html" : fs::path(arguments_.html);
    places.recordings = state_.root() / "recordings";
    const int code = report_run(arguments_, *result_, places);
    try {
      ResultStore documents(state_.database().string());
      save_result(documents, *result_, job_, places.json);
    } catch (const std::exception& error) {
      std::cerr << error.what() << "\n";
      return code == 130 || code == kExitRefused ? code : kExitEnvironment;
    }
    return code;
  }

  const RunArguments& arguments_;
  Settings settings_;
  scheduler::Job job_;
  StateDirectory state_;
  scheduler::ResultId id_ = 0;  ///< once the job is stored
  std::optional<Result> result_;
  int interrupted_ = 0;
  bool finished_ = false;
};

}  // namespace

int run_in_foreground(const RunArguments& arguments, Settings settings, scheduler::Job job,
                      const fs::path& out) {
  Foreground foreground(arguments, std::move(settings), std::move(job), out);
  return foreground.run();
}

}  // namespace linecheck::engine::cli
