// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/watch.h"

#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/call/offload.h"
#include "engine/daemon/result_files.h"
#include "engine/daemon/wait.h"
#include "engine/report/json.h"
#include "engine/store/state_directory.h"
#include "scheduler/excerpt.h"

namespace linecheck::engine {
namespace {

namespace fs = std::filesystem;
using boost::asio::awaitable;
using std::chrono::steady_clock;

/// Where the file system can't tell whether a file is being written, it must have been left alone this long.
constexpr double kQuietSeconds = 5;
constexpr std::chrono::seconds kSoon{1};

std::string problems_text(const scheduler::Problems& problems) {
  scheduler::Problems sorted = problems;
  scheduler::sort_problems(sorted);
  std::string text;
  for (const auto& problem : sorted) text += problem.text() + "\n";
  return text;
}

}  // namespace

Watch::Watch(boost::asio::io_context& control, boost::asio::thread_pool& files,
             boost::asio::thread_pool& database, Commands& commands, ResultStore& documents, Log& log,
             JobFolderOptions folder, std::chrono::milliseconds poll)
    : control_(control),
      files_(files),
      database_(database),
      commands_(commands),
      documents_(documents),
      log_(log),
      folder_(std::move(folder)),
      poll_(poll),
      events_(control),
      wake_(control) {
}

void Watch::open_inotify() {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) {
    log_.write(
        Part::watch, LogLevel::warn,
        std::string("inotify is not available: ") + std::strerror(errno) + "; the directory is polled");
    return;
  }
  events_.assign(fd);
  // CREATE: a hard link raises nothing else. The events of the work in progress are told apart by look().
  if (::inotify_add_watch(fd, folder_.directory().c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE) < 0) {
    log_.write(Part::watch, LogLevel::warn,
               "can't watch " + folder_.directory().string() + ": " + std::strerror(errno) +
                   "; the directory is polled");
    events_.close();
  }
}

void Watch::start() {
  open_inotify();
  if (events_.is_open()) boost::asio::co_spawn(control_, listen(), boost::asio::detached);
  boost::asio::co_spawn(control_, work(), boost::asio::detached);
}

void Watch::stop() {
  stopped_ = true;
  boost::system::error_code ignored;
  events_.close(ignored);
  wake_.cancel();
}

void Watch::consider(std::string name, bool whole) {
  if (!JobFolder::is_job_name(name)) return;
  bool& known = considered_[std::move(name)];
  known = known || whole;
  wake_.cancel();
}

awaitable<void> Watch::listen() {
  std::array<char, 65536> buffer{};
  while (!stopped_) {
    boost::system::error_code error;
    const std::size_t length = co_await events_.async_read_some(
        boost::asio::buffer(buffer), boost::asio::redirect_error(boost::asio::use_awaitable, error));
    if (error) co_return;
    on_events({buffer.data(), length});
  }
}

void Watch::on_events(std::string_view events) {
  while (events.size() >= sizeof(inotify_event)) {
    inotify_event event{};
    std::memcpy(&event, events.data(), sizeof event);
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
      scan_ = true;
      wake_.cancel();
    } else if (event.len > 0) {
      const bool whole = (event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0;
      consider(events.data() + sizeof event, whole);  // the name ends with zeros
    }
    events.remove_prefix(std::min(events.size(), sizeof event + event.len));
  }
}

awaitable<void> Watch::work() {
  auto next_scan = steady_clock::now();
  while (!stopped_) {
    if (steady_clock::now() >= next_scan) scan_ = true;
    if (std::exchange(scan_, false)) {
      next_scan = steady_clock::now() + poll_;
      try {
        auto list = [this] { return folder_.waiting(); };
        for (std::string& name : co_await offload(files_, std::move(list))) {
          considered_.try_emplace(std::move(name), false);
        }
      } catch (const std::exception& error) {
        log_.write(Part::watch, LogLevel::error, error.what());
      }
    }
    retry_soon_ = false;
    while (!considered_.empty() && !stopped_) {
      const auto [name, whole] = *considered_.begin();
      considered_.erase(considered_.begin());
      std::string trouble;
      try {
        co_await look_at(name, whole);
      } catch (const std::exception& error) {
        trouble = error.what();
      }
      if (trouble.empty()) continue;
      log_.write(Part::watch, LogLevel::error, trouble, {{"FILE", name}});
    }
    if (stopped_) break;
    if (scan_ || !considered_.empty()) continue;
    auto until = next_scan;
    if (retry_soon_) {
      until = std::min(until, steady_clock::now() + kSoon);
      next_scan = until;
    }
    co_await wait(wake_, until);
  }
}

awaitable<void> Watch::look_at(std::string name, bool whole) {
  auto take = [this, name, whole](TakenFile& taken) {
    switch (folder_.look(name)) {
      case JobFolder::Look::gone:
      case JobFolder::Look::being_written:
        return 0;
      case JobFolder::Look::uncertain:
        if (!whole && !folder_.is_linked(name) && folder_.quiet_seconds(name) < kQuietSeconds) return 2;
        break;
      case JobFolder::Look::complete:
        break;
    }
    return folder_.take(name, taken) ? 1 : 0;
  };
  auto taken = std::make_shared<TakenFile>();
  auto there = [take, taken] { return take(*taken); };
  const int answer = co_await offload(files_, std::move(there));
  if (answer == 2) retry_soon_ = true;
  if (answer == 1) co_await submit(std::move(*taken));
}

/// A taken file becomes a result, or is refused. Whatever happens in between, it is still in accepted/, and
/// the next process does this again with the same key.
awaitable<void> Watch::submit(TakenFile file) {
  if (!file.refusal.empty()) {
    std::string why = (folder_.directory() / file.original).string() + ": " + file.refusal + "\n";
    co_await refuse(std::move(file), std::move(why));
    co_return;
  }
  auto known = [this, key = file.key] { return documents_.result_of_key(key); };
  scheduler::ResultId id = 0;
  scheduler::Problems problems;
  std::string why;
  if (const auto existing = co_await offload(database_, std::move(known))) {
    id = *existing;
    log_.write(Part::watch, LogLevel::info, "the same file was taken before",
               {{"FILE", file.original}, {"RESULT_ID", std::to_string(id)}});
  } else {
    try {
      JobRequest request;
      request.text = file.text;
      request.name = (folder_.directory() / file.original).string();
      request.key = file.key;
      const scheduler::Created created = co_await commands_.submit(std::move(request));
      id = created.result_id;
      log_.write(Part::watch, LogLevel::info, "taken",
                 {{"FILE", file.original}, {"RESULT_ID", std::to_string(id)}});
    } catch (const CommandError& error) {
      problems = error.problems();
      why = error.what();
    }
  }
  if (id == 0) {
    if (problems.empty()) throw std::runtime_error(why);  // not the file's fault: it stays in accepted/
    co_await refuse(std::move(file), problems_text(problems));
    co_return;
  }
  // Tied first, looked up afterwards: whichever of the two comes later, on_over() or this, files the
  // report.
  tied_[id].push_back(file);
  auto look = [this, id] { return documents_.result(id); };
  const auto document = co_await offload(database_, std::move(look));
  if (!document) co_return;
  const auto tied = tied_.find(id);
  if (tied == tied_.end()) co_return;
  tied_.erase(tied);
  if (document->json.empty()) {
    co_await refuse(std::move(file), (folder_.directory() / file.original).string() + ": result " +
                                         std::to_string(id) + " could not go on after a restart\n");
    co_return;
  }
  auto read = [path = document->json] {
    return std::make_shared<const Result>(report::read_result_json(path));
  };
  std::shared_ptr<const Result> result = co_await offload(files_, std::move(read));
  co_await file_report(std::move(file), std::move(result));
}

awaitable<void> Watch::refuse(TakenFile file, std::string problems) {
  log_.write(Part::watch, LogLevel::warn, "refused: " + problems, {{"FILE", file.original}});
  auto move = [this, file, problems] { folder_.refuse(file, problems); };
  co_await offload(files_, std::move(move));
}

awaitable<void> Watch::recover() {
  auto list = [this] { return folder_.taken(); };
  for (TakenFile& file : co_await offload(files_, std::move(list))) {
    const std::string name = file.original;
    std::string trouble;
    try {
      co_await submit(std::move(file));
    } catch (const std::exception& error) {
      trouble = error.what();
    }
    if (!trouble.empty()) log_.write(Part::watch, LogLevel::error, trouble, {{"FILE", name}});
  }
}

awaitable<void> Watch::on_over(std::shared_ptr<const Result> result) {
  for (auto found = tied_.find(result->id); found != tied_.end(); found = tied_.find(result->id)) {
    const TakenFile file = found->second.back();
    co_await file_report(file, result);  // where it throws, the file stays tied
    found = tied_.find(result->id);
    if (found == tied_.end()) break;
    found->second.pop_back();
    if (found->second.empty()) tied_.erase(found);
  }
}

awaitable<void> Watch::file_report(TakenFile file, std::shared_ptr<const Result> result) {
  auto write = [this, file, result] {
    const fs::path report = folder_.report_path(file);
    report::JsonOptions options;
    options.relative_to = report.parent_path();
    options.runs_url.clear();
    write_file_atomically(report, report::result_json(*result, options).dump(1) + "\n");
    folder_.finish(file, report);
  };
  co_await offload(files_, std::move(write));
}

}  // namespace linecheck::engine
