// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/worker_thread.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

#include <cstring>
#include <future>

namespace linecheck::media {
namespace {

// Above ordinary work, below what the kernel itself runs at 50 (threaded interrupts).
constexpr int kPriority = 20;
constexpr int kNapMs = 100;

int become_realtime() {
  sched_param parameters{};
  parameters.sched_priority = kPriority;
  return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
}

void sleep_until(std::int64_t mono_ns) {
  timespec until{};
  until.tv_sec = mono_ns / 1'000'000'000;
  until.tv_nsec = mono_ns % 1'000'000'000;
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

}  // namespace

WorkerThread::WorkerThread(Worker& worker, bool want_realtime) : worker_(worker) {
  std::promise<int> scheduled;
  std::future<int> answer = scheduled.get_future();
  thread_ = std::thread([this, want_realtime, &scheduled] {
    pthread_setname_np(pthread_self(), "media");
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // the default of 50 us shows in the pacing
    const int code = want_realtime ? become_realtime() : 0;
    worker_.set_realtime(want_realtime && code == 0);
    scheduled.set_value(code);
    loop();
  });
  const int code = answer.get();
  realtime_ = want_realtime && code == 0;
  if (!want_realtime) {
    note_ = "switched off";
  } else if (code != 0) {
    note_ =
        std::string("SCHED_FIFO was refused (") + std::strerror(code) + "): give the program CAP_SYS_NICE";
  }
}

WorkerThread::~WorkerThread() {
  stop_.store(true, std::memory_order_release);
  wake_.signal();
  thread_.join();
}

void WorkerThread::loop() {
  while (!stop_.load(std::memory_order_acquire)) {
    if (worker_.legs() == 0) {
      worker_.rest();
      if (worker_.legs() == 0) nap();
    } else {
      sleep_until(worker_.next_tick_ns());
      worker_.run();
    }
  }
  worker_.shut_down();
}

void WorkerThread::nap() {
  pollfd waiting{wake_.fd(), POLLIN, 0};
  if (poll(&waiting, 1, kNapMs) > 0) wake_.clear();
}

}  // namespace linecheck::media
