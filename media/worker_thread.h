// SPDX-License-Identifier: GPL-3.0-or-later
//
// Drives a Worker at absolute times of CLOCK_MONOTONIC, at SCHED_FIFO where that is asked for and permitted.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "media/outlet.h"
#include "media/worker.h"

namespace linecheck::media {

class WorkerThread {
 public:
  /// Starts it. The worker belongs to the thread from here to stop().
  WorkerThread(Worker& worker, bool want_realtime);
  /// Ends every leg of the worker and joins.
  ~WorkerThread();
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  /// A worker without legs sleeps: to be called after submitting the first one.
  void wake() const { wake_.signal(); }
  [[nodiscard]] bool realtime() const { return realtime_; }
  [[nodiscard]] const std::string& realtime_note() const { return note_; }  ///< why not

 private:
  void loop();
  void nap();

  Worker& worker_;
  WakeUp wake_;
  std::atomic<bool> stop_{false};
  bool realtime_ = false;
  std::string note_;
  std::thread thread_;
};

}  // namespace linecheck::media
