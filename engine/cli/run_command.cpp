// SPDX-License-Identifier: GPL-3.0-or-later
#include <signal.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <iostream>
#include <optional>

#include "engine/cli/commands.h"
#include "engine/cli/files.h"
#include "engine/daemon/job_runner.h"
#include "engine/daemon/local_address.h"
#include "engine/daemon/preflight.h"
#include "engine/report/html.h"
#include "engine/report/json.h"
#include "engine/report/junit.h"
#include "engine/store/result_store.h"
#include "scheduler/job.h"
#include "scheduler/sqlite_job_store.h"

namespace linecheck::engine::cli {
namespace {

namespace fs = std::filesystem;
using boost::asio::awaitable;

std::chrono::milliseconds steady_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
}

/// The job with what the command line overrides.
std::optional<scheduler::Job> read_job(const RunArguments& arguments, const Loaded& loaded,
                                       scheduler::Problems& problems) {
  auto job = scheduler::load_job(arguments.job, *loaded.catalog, problems);
  if (!job) {
    check_threshold_names(arguments.job, problems);
    return std::nullopt;
  }
  if (arguments.seed) job->seed = *arguments.seed;
  check_job(*job, *loaded.catalog, loaded.config, problems);
  return job;
}

void print_plan(const scheduler::Job& job, const Loaded& loaded) {
  constexpr std::uint64_t kShown = 20;
  const scheduler::Plan plan(job, *loaded.catalog);
  std::cout << job.name << ": " << plan.size() << " calls to " << job.dial_target << " over the trunk "
            << job.trunk << ", seed " << job.seed << "\n";
  double longest_s = 0;
  for (std::uint64_t i = 0; i < std::min(plan.size(), kShown); ++i) {
    const auto call = plan.at(i);
    const auto& scenario = loaded.catalog->scenarios.at(call.scenario);
    const auto* profile = scheduler::test_profile_of(call, *loaded.catalog);
    std::cout << "  " << i + 1 << ". " << scenario.name << " | "
              << scheduler::personality_of(call, *loaded.catalog).name
              << (profile != nullptr ? " | " + profile->name : "") << " | #" << call.repetition + 1 << "\n";
  }
  if (plan.size() > kShown) std::cout << "  ... and " << plan.size() - kShown << " more\n";
  for (const auto id : job.scenarios) {
    const auto limit = loaded.catalog->scenarios.at(id).max_duration;
    longest_s = std::max(longest_s, static_cast<double>(limit.count()) / 1000.0);
  }
  int cap = loaded.config.limits.concurrent_calls;
  if (job.concurrency_limit) cap = std::min(cap, *job.concurrency_limit);
  const auto rounds = (plan.size() + static_cast<std::uint64_t>(cap) - 1) / static_cast<std::uint64_t>(cap);
  std::cout << "At most " << cap << " at once: " << static_cast<double>(rounds) * longest_s / 60.0
            << " minutes at the longest (every call at its max_duration).\n";
}

/// One job in the foreground, with everything that it needs.
class Foreground {
 public:
  Foreground(const RunArguments& arguments, Loaded loaded, scheduler::Job job, const fs::path& out)
      : arguments_(arguments), loaded_(std::move(loaded)), job_(std::move(job)), state_(out) {}

  int run() {
    state_.require_free(loaded_.config.limits.min_free_disk);
    VoicesOptions voices_options;
    voices_options.cache_directory = state_.root() / "cache";
    Voices voices(voices_options);
    boost::asio::io_context control;
    boost::asio::thread_pool database(1);
    boost::asio::thread_pool pool(2);
    scheduler::SqliteJobStore store(state_.database().string());
    Switchboard switchboard(control, loaded_.config.media);
    for (const auto& endpoint : loaded_.config.endpoints)
      switchboard.add_endpoint(endpoint_options(endpoint));
    CallServices services{switchboard, voices, pool, loaded_.config.voices, media_address(switchboard)};
    JobRunnerParts parts{control, database, services, store, state_, loaded_.config, loaded_.catalog};
    JobRunner runner(parts, job_);

    const media::EngineStatus media = switchboard.media().status();
    if (!arguments_.quiet && !media.realtime_note.empty()) {
      std::cerr << "note: media threads run without real-time priority (" << media.realtime_note
                << "); late packets are counted and shown.\n";
    }
    boost::asio::signal_set signals(control, SIGINT, SIGTERM);
    std::exception_ptr failure;
    auto main = [&]() -> awaitable<void> { co_await conduct(runner); };
    boost::asio::co_spawn(control, watch_signals(signals, runner), boost::asio::detached);
    boost::asio::co_spawn(control, std::move(main), [&](const std::exception_ptr& error) {
      failure = error;
      finished_ = true;
      signals.cancel();
      switchboard.shutdown();
      control.stop();
    });
    control.run();
    voices.shutdown();
    database.join();
    pool.join();
    if (failure) std::rethrow_exception(failure);
    return write_reports();
  }

 private:
  sip::EndpointOptions endpoint_options(const SipEndpointConfig& config) const {
    sip::EndpointOptions options;
    options.name = config.name;
    options.listen = config.listen;
    options.allow = sip::AllowList(endpoint_allow_list(loaded_.config, config.name));
    return options;
  }

  std::string media_address(Switchboard& switchboard) const {
    const scheduler::Trunk& trunk = loaded_.catalog->trunks.at(job_.trunk);
    const auto index = loaded_.config.endpoint_index(trunk.endpoint).value_or(0);
    const std::string bound = switchboard.endpoint(index).local_address();
    if (bound != "0.0.0.0" && bound != "::") return bound;
    const auto destination = destination_of(job_.dial_target, trunk);
    const std::string uri = trunk.proxy.empty() && destination ? destination->request_uri : trunk.proxy;
    return local_address_towards(host_of_uri(uri));
  }

  awaitable<void> conduct(JobRunner& runner) {
    report::ProgressOptions options;
    options.terminal = report::Terminal::of(STDERR_FILENO, arguments_.no_color);
    options.quiet = arguments_.quiet;
    report::Progress progress(std::cerr, options, steady_now());
    auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer tick(executor);
    auto show = [&]() -> awaitable<void> {
      while (!finished_) {
        progress.update(runner.progress(), steady_now());
        tick.expires_after(std::chrono::milliseconds(200));
        boost::system::error_code cancelled;
        co_await tick.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
      }
    };
    boost::asio::steady_timer shown(executor, std::chrono::steady_clock::time_point::max());
    bool show_ended = false;
    boost::asio::co_spawn(executor, show, [&](const std::exception_ptr&) {
      show_ended = true;
      shown.cancel();
    });
    std::exception_ptr failure;
    try {
      co_await runner.warm_up();
      result_ = co_await runner.run();
    } catch (...) {
      failure = std::current_exception();
    }
    finished_ = true;
    tick.cancel();
    while (!show_ended) {
      boost::system::error_code woken;
      co_await shown.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
    progress.finish(runner.progress(), steady_now());
    if (failure) std::rethrow_exception(failure);
  }

  awaitable<void> watch_signals(boost::asio::signal_set& signals, JobRunner& runner) {
    for (int count = 1; !finished_; ++count) {
      boost::system::error_code cancelled;
      co_await signals.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
      if (cancelled) co_return;
      if (count == 1) {
        runner.stop_gently();
      } else {
        runner.stop_now();
      }
    }
  }

  int write_reports() {
    const fs::path json = arguments_.json.empty() ? state_.root() / "result.json" : fs::path(arguments_.json);
    const fs::path html = arguments_.html.empty() ? state_.root() / "report.html" : fs::path(arguments_.html);
    report::SummaryOptions summary;
    summary.terminal = report::Terminal::of(STDOUT_FILENO, arguments_.no_color);
    std::string trouble;
    const auto write = [&](const char* what, const fs::path& path, const auto& writer) {
      try {
        writer();
        summary.files.emplace_back(what, path.string());
      } catch (const std::exception& error) {
        trouble += std::string(error.what()) + "\n";
      }
    };
    write("report", html, [&] {
      report::HtmlOptions options;
      options.relative_to = fs::absolute(html).parent_path();
      write_file_atomically(html, report::html_report(result_, options));
    });
    write("result", json, [&] {
      report::write_result_json(result_, json);
      save_result(json);
    });
    if (!arguments_.junit.empty()) {
      write("junit", arguments_.junit, [&] {
        report::JunitOptions options;
        options.relative_to = fs::absolute(fs::path(arguments_.junit)).parent_path();
        write_file_atomically(arguments_.junit, report::junit_xml(result_, options));
      });
    }
    summary.files.emplace_back("recordings", (state_.root() / "recordings").string());
    if (!arguments_.next_step.empty()) {
      summary.next_title = "A first job of your own";
      summary.next_commands = {arguments_.next_step};
    }
    std::cout << report::summary(result_, summary) << std::flush;
    std::cerr << trouble;
    const int code = result_.exit_code();
    return trouble.empty() || code == 130 || code == kExitRefused ? code : kExitEnvironment;
  }

  void save_result(const fs::path& json) {
    ResultStore store(state_.database().string());
    StoredResultDocument document;
    document.id = result_.id;
    document.name = result_.name;
    document.agent = result_.agent;
    document.status = status_text();
    document.success_rate = result_.success_rate();
    document.scenarios = job_.scenarios;
    document.created_at = result_.created_at;
    document.updated_at = result_.updated_at;
    document.json = fs::absolute(json).string();
    store.save_result(document);
  }

  [[nodiscard]] std::string status_text() const {
    report::JsonOptions brief;
    brief.max_runs = 0;
    return report::result_json(result_, brief).value("status", "");
  }

  const RunArguments& arguments_;
  Loaded loaded_;
  scheduler::Job job_;
  StateDirectory state_;
  Result result_;
  bool finished_ = false;
};

}  // namespace

int run_job(const RunArguments& arguments) {
  scheduler::Problems problems;
  const std::string config = find_config(arguments.config);
  if (config.empty()) {
    std::cerr << "linecheck: no configuration: name one with -c, or make ./linecheck.yaml or "
                 "/etc/linecheck/linecheck.yaml\n";
    return kExitRefused;
  }
  auto loaded = load_all(config, problems);
  std::optional<scheduler::Job> job;
  if (loaded) job = read_job(arguments, *loaded, problems);
  if (!loaded || !job || !problems.empty()) {
    print_problems(problems);
    return kExitRefused;
  }
  if (arguments.dry_run) {
    print_plan(*job, *loaded);
    return 0;
  }
  try {
    const fs::path out = arguments.out.empty() ? loaded->config.state : fs::path(arguments.out);
    Foreground foreground(arguments, std::move(*loaded), std::move(*job), out);
    return foreground.run();
  } catch (const std::exception& error) {
    std::cerr << "linecheck: " << error.what() << "\n";
    return kExitEnvironment;
  }
}

}  // namespace linecheck::engine::cli
