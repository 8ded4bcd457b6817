// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is behind Voices: one thread that owns the voices process, the caches and every request that is not
// answered yet. Other threads only put requests into its inbox.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/persona/clip_cache.h"
#include "engine/persona/unique_fd.h"
#include "engine/persona/voices.h"
#include "engine/persona/voices_link.h"

namespace linecheck::engine {

class VoicesClient {
 public:
  explicit VoicesClient(VoicesOptions options);
  ~VoicesClient();
  VoicesClient(const VoicesClient&) = delete;
  VoicesClient& operator=(const VoicesClient&) = delete;

  void submit(VoiceSpec voice, std::string text, Voices::Done done);
  [[nodiscard]] VoicesStatistics statistics() const;
  [[nodiscard]] pid_t process_id() const;
  void shutdown();

 private:
  using Clock = std::chrono::steady_clock;

  /// Somebody who waits for a clip.
  struct Waiter {
    Voices::Done done;
    Clock::time_point since;
  };
  struct Submitted {
    VoiceSpec voice;
    std::string text;
    Waiter waiter;
  };
  /// A clip to be made, and all who asked for it.
  struct Job {
    std::uint64_t id = 0;
    std::string key;
    VoiceSpec voice;
    std::string text;
    std::vector<Waiter> waiters;
  };

  void run();
  [[nodiscard]] int wait_ms() const;
  void take(Submitted submitted);
  void launch();
  void watch();
  void send_waiting();
  void receive();
  void answer(const VoicesLink::Incoming& incoming);
  void lose_process(const std::string& why);
  void finish(Job& job, const SynthResult& result);
  void fail(Job& job, const std::string& error);
  void fail_waiting(const std::string& error);
  void deliver(const Waiter& waiter, SynthResult result);
  template <typename Change>
  void count(Change change);

  const VoicesOptions options_;
  UniqueFd wake_;  ///< eventfd

  mutable std::mutex mutex_;  ///< guards what stands from here to the blank line
  std::vector<Submitted> inbox_;
  VoicesStatistics statistics_;
  pid_t process_ = 0;
  bool stopping_ = false;
  bool stopped_ = false;

  // The thread's own.
  MemoryClipCache memory_;
  std::unique_ptr<DiskClipCache> disk_;
  VoicesLink link_;
  std::unordered_map<std::string, std::unique_ptr<Job>> jobs_;  ///< unanswered, by key
  std::deque<Job*> waiting_;                                    ///< not sent yet
  std::map<std::uint64_t, Job*> in_flight_;                     ///< sent, by id
  std::uint64_t next_id_ = 1;
  int parallel_ = 0;           ///< what the process takes on at a time; 0: it has not said that it is ready
  int failures_in_a_row_ = 0;  ///< ends of the process since it last answered
  Clock::time_point launch_at_;
  Clock::time_point last_sign_of_life_;

  std::mutex shutdown_mutex_;
  std::thread thread_;
};

}  // namespace linecheck::engine
