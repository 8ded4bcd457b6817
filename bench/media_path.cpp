// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the ways through the media worker cost: RTP packets made by oRTP or in place, sockets by plain system
// calls or io_uring. Legs call each other in pairs over real loopback sockets, in real time, with recording
// (not to disk) and live turn detection on; one packet pair is one sent and one received by a leg. The ways
// take turns, so that a busy machine is busy for all of them.
//
//   bench_media_path [LEGS [SECONDS [ROUNDS]]]      1000 legs, 4 s each, 3 rounds
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "media/leg.h"
#include "media/outlet.h"
#include "media/worker.h"
#include "media/worker_thread.h"

namespace {

using namespace linecheck::media;

constexpr std::uint16_t kFirstPort = 30000;

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Way {
  const char* name;
  RtpPath rtp;
  IoPath io;
  double best_us = 1e9;
  double sum_us = 0;
};

class Run {
 public:
  Run(const Way& way, std::size_t legs)
      : outlet_(65536, legs, ready_, ready_), worker_(clock_, legs, 65536, outlet_) {
    std::string why;
    if (way.io == IoPath::automatic) {
      auto ring = IoRing::make(why);
      if (!ring) std::printf("%s\n", why.c_str());
      worker_.use(std::move(ring));
    }
    std::vector<std::unique_ptr<UdpPort>> ports;
    for (std::uint16_t at = kFirstPort; ports.size() < legs && at < 65000; at += 2) {
      int error = 0;
      if (auto port = UdpPort::bind("127.0.0.1", at, error)) ports.push_back(std::move(port));
    }
    if (ports.size() < legs) {
      std::fprintf(stderr, "bench_media_path: no %zu pairs of ports (or too few open files) are free\n",
                   legs);
      std::exit(3);
    }
    for (std::size_t i = 0; i < legs; ++i) numbers_.push_back(ports[i]->number());
    for (std::size_t i = 0; i < legs; ++i) {
      LegSetup setup;
      setup.id = (std::uint64_t{1} << 32) | i;
      setup.port = std::move(ports[i]);
      setup.origin_ns = clock_.now_ns() / kNsPerMs * kNsPerMs;
      setup.control = std::make_shared<LegControl>();
      setup.numbers = StreamNumbers(i + 1);
      setup.rtp = way.rtp;
      rings_.push_back(setup.ring = std::make_shared<RecordingRing>(kNarrowRate, pool_));
      worker_.submit(AttachLeg{std::make_unique<Leg>(std::move(setup))});
      Stream stream;
      stream.remote = *Address::parse("127.0.0.1", numbers_[i ^ 1]);
      worker_.submit(StartStream{(std::uint64_t{1} << 32) | i, stream});
    }
    thread_ = std::make_unique<WorkerThread>(worker_, true);
  }

  /// Microseconds of the worker's CPU for a packet pair.
  double measure(int seconds) {
    serve(1000);
    const double before = cpu_seconds(RUSAGE_SELF) - cpu_seconds(RUSAGE_THREAD);
    const auto begun = std::chrono::steady_clock::now();
    serve(seconds * 1000);
    const double used = cpu_seconds(RUSAGE_SELF) - cpu_seconds(RUSAGE_THREAD) - before;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    return used * 1e6 / (took.count() * 50 * static_cast<double>(rings_.size()));
  }

 private:
  void serve(int ms) {
    std::vector<RecordingRing::Frame> batch(4096);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
    while (std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      for (const auto& ring : rings_) {
        while (ring->take(batch) > 0) {
        }
      }
      WorkerEvent event;
      while (outlet_.next_event(event)) {
      }
    }
  }

  SteadyClock clock_;
  WakeUp ready_;
  Outlet outlet_;
  Worker worker_;
  std::shared_ptr<RecordingPool> pool_ = std::make_shared<RecordingPool>();
  std::vector<std::shared_ptr<RecordingRing>> rings_;
  std::vector<std::uint16_t> numbers_;
  std::unique_ptr<WorkerThread> thread_;
};

}  // namespace

int main(int count, char** arguments) {
  const auto argument = [&](int n, int otherwise) { return count > n ? std::atoi(arguments[n]) : otherwise; };
  const auto legs = static_cast<std::size_t>(std::clamp(argument(1, 1000), 2, 4000)) / 2 * 2;
  const int seconds = std::clamp(argument(2, 4), 1, 60);
  const int rounds = std::clamp(argument(3, 3), 1, 20);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<Way> ways{{"oRTP, plain system calls", RtpPath::ortp, IoPath::plain},
                        {"in place, plain system calls", RtpPath::direct, IoPath::plain},
                        {"oRTP, io_uring", RtpPath::ortp, IoPath::automatic},
                        {"in place, io_uring", RtpPath::direct, IoPath::automatic}};
  for (int round = 0; round < rounds; ++round) {
    for (Way& way : ways) {
      Run run(way, legs);
      const double us = run.measure(seconds);
      way.best_us = std::min(way.best_us, us);
      way.sum_us += us;
    }
  }
  std::printf("%zu legs, %d x %d s: us of CPU for each packet pair, with recording and turn detection\n",
              legs, rounds, seconds);
  for (const Way& way : ways) {
    std::printf("  %-30s mean %6.2f  best %6.2f\n", way.name, way.sum_us / rounds, way.best_us);
  }
  return 0;
}
