// SPDX-License-Identifier: GPL-3.0-or-later
//
// Jobs that are dropped into a directory: announced by inotify, or found by looking (at the start, when
// events were lost, and each `poll`, which is all that a network file system offers). Control thread only;
// the files themselves are handled by JobFolder on a pool.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/daemon/commands.h"
#include "engine/daemon/job_folder.h"

namespace linecheck::engine {

class Watch {
 public:
  /// Throws StateError.
  Watch(boost::asio::io_context& control, boost::asio::thread_pool& files, boost::asio::thread_pool& database,
        Commands& commands, ResultStore& documents, Log& log, JobFolderOptions folder,
        std::chrono::milliseconds poll);

  /// What an earlier process had taken is tied to its results again. Before the first call starts.
  boost::asio::awaitable<void> recover();
  void start();
  void stop();

  /// A result is over: its file goes to done/, if it came by one.
  boost::asio::awaitable<void> on_over(std::shared_ptr<const Result> result);

 private:
  boost::asio::awaitable<void> listen();
  boost::asio::awaitable<void> work();
  boost::asio::awaitable<void> look_at(std::string name, bool whole);
  boost::asio::awaitable<void> submit(TakenFile file);
  boost::asio::awaitable<void> refuse(TakenFile file, std::string problems);
  boost::asio::awaitable<void> file_report(TakenFile file, std::shared_ptr<const Result> result);
  void consider(std::string name, bool whole);
  void on_events(std::string_view events);
  void open_inotify();

  boost::asio::io_context& control_;
  boost::asio::thread_pool& files_;
  boost::asio::thread_pool& database_;
  Commands& commands_;
  ResultStore& documents_;
  Log& log_;
  JobFolder folder_;
  std::chrono::milliseconds poll_;
  boost::asio::posix::stream_descriptor events_;
  boost::asio::steady_timer wake_;
  std::map<std::string, bool> considered_;  ///< names to look at; true: announced as whole
  bool scan_ = true;                        ///< look at everything
  bool retry_soon_ = false;                 ///< a file was not quiet yet
  bool stopped_ = false;
  std::map<scheduler::ResultId, std::vector<TakenFile>> tied_;
};

}  // namespace linecheck::engine
