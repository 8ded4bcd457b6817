// SPDX-License-Identifier: GPL-3.0-or-later
//
// Keeps what an endpoint says and lets a test wait for it.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sip/endpoint.h"
#include "sip/sdp.h"

namespace linecheck::sip::test {

inline std::string offer_sdp(std::uint16_t port = 12000) {
  OfferOptions options;
  options.address = "127.0.0.1";
  options.port = port;
  return make_offer(options);
}

inline std::string answer_to(const std::string& offer, std::uint16_t port = 14000) {
  OfferOptions options;
  options.address = "127.0.0.1";
  options.port = port;
  return make_answer(offer, options).value().sdp;
}

/// T1 = 50 ms, so that 64*T1 is 3.2 s.
inline Timers quick_timers() {
  using std::chrono::milliseconds;
  return {milliseconds(50), milliseconds(400), milliseconds(500), milliseconds(3200)};
}

class Recorder {
 public:
  using Hook = std::function<void(const Event&)>;

  /// `hook` runs on the SIP thread, after the event was kept.
  Endpoint::Callback callback(Hook hook = {}) {
    return [this, hook = std::move(hook)](Event&& event) {
      const Event copy = event;
      {
        const std::lock_guard lock(mutex_);
        events_[event.leg].push_back(std::move(event));
        order_.push_back(copy.leg);
      }
      changed_.notify_all();
      if (hook) hook(copy);
    };
  }

  template <class What>
  bool wait(LegId leg, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return find<What>(leg) != nullptr; });
  }
  /// Finished of n legs.
  bool wait_finished(std::size_t n, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return finished_locked() >= n; });
  }
  /// The first leg that came in; 0: none.
  LegId wait_incoming(std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    std::unique_lock lock(mutex_);
    LegId found = 0;
    changed_.wait_for(lock, limit, [&] {
      for (const auto& [leg, events] : events_)
        if (find<Incoming>(leg) != nullptr) return (found = leg) != 0;
      return false;
    });
    return found;
  }

  std::vector<Event> of(LegId leg) {
    const std::lock_guard lock(mutex_);
    return events_[leg];
  }
  std::vector<LegId> legs() {
    const std::lock_guard lock(mutex_);
    std::vector<LegId> out;
    for (const auto& entry : events_)
      if (entry.first != 0) out.push_back(entry.first);
    return out;
  }
  /// The only event of that kind; throws when there is none.
  template <class What>
  What get(LegId leg) {
    const std::lock_guard lock(mutex_);
    const Event* event = find<What>(leg);
    if (event == nullptr) throw std::runtime_error("no such event: " + names(leg));
    return std::get<What>(event->what);
  }
  template <class What>
  std::int64_t when(LegId leg) {
    const std::lock_guard lock(mutex_);
    const Event* event = find<What>(leg);
    if (event == nullptr) throw std::runtime_error("no such event: " + names(leg));
    return event->mono_ns;
  }
  template <class What>
  std::size_t count(LegId leg) {
    const std::lock_guard lock(mutex_);
    std::size_t n = 0;
    for (const Event& event : events_[leg]) n += std::holds_alternative<What>(event.what) ? 1 : 0;
    return n;
  }
  /// "Dialled Provisional Answered ..."
  std::string sequence(LegId leg) {
    const std::lock_guard lock(mutex_);
    return names(leg);
  }

 private:
  template <class What>
  const Event* find(LegId leg) {
    for (const Event& event : events_[leg])
      if (std::holds_alternative<What>(event.what)) return &event;
    return nullptr;
  }
  std::size_t finished_locked() {
    std::size_t n = 0;
    for (const auto& [leg, events] : events_)
      for (const Event& event : events) n += std::holds_alternative<Finished>(event.what) ? 1 : 0;
    return n;
  }
  std::string names(LegId leg) {
    static const char* const kNames[] = {"Incoming",         "Dialled",      "Provisional",
                                         "Answered",         "Confirmed",    "MediaChanged",
                                         "Failed",           "Ended",        "Finished",
                                         "InfoReceived",     "InfoAnswered", "TransferRequested",
                                         "TransferProgress", "TrunkChanged", "CallRefused"};
    std::string out;
    for (const Event& event : events_[leg])
      out += (out.empty() ? "" : " ") + std::string(kNames[event.what.index()]);
    return out;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<LegId, std::vector<Event>> events_;
  std::vector<LegId> order_;
};

/// Start lines in order, sent ones with '>' and received ones with '<', shortened to the method or the
/// status.
inline std::string ladder(const std::vector<TraceMessage>& trace) {
  std::string out;
  for (const TraceMessage& message : trace) {
    std::string word = message.start_line.substr(0, message.start_line.find(' '));
    if (word == "SIP/2.0") word = message.start_line.substr(8, 3);
    out += (out.empty() ? "" : " ") + std::string(message.sent ? ">" : "<") + word;
  }
  return out;
}

inline std::size_t occurrences(const std::vector<TraceMessage>& trace, bool sent, const std::string& start) {
  return static_cast<std::size_t>(std::count_if(trace.begin(), trace.end(), [&](const TraceMessage& message) {
    return message.sent == sent && message.start_line.rfind(start, 0) == 0;
  }));
}

}  // namespace linecheck::sip::test
