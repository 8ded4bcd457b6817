// SPDX-License-Identifier: GPL-3.0-or-later
//
// What leaves a worker: events for the owner, finished legs for the recorder. Bounded, without locks; the
// descriptors wake whoever waits at the other end.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <variant>

#include "media/events.h"
#include "media/play_queue.h"
#include "media/queues.h"
#include "media/udp_port.h"

namespace linecheck::media {

class Leg;

/// Every event of a leg but Closed, which comes from the recorder.
using LiveEvent = std::variant<PlayStarted, PlayEnded, MarkSent, SpeechStarted, SpeechEnded, DigitReceived,
                               DigitDue, DigitsSent, FirstPacket, RtpTimeout, RtpResumed>;

struct WorkerEvent {
  LegId leg = 0;
  double t_ms = 0;
  LiveEvent what;
  std::unique_ptr<PlayItem> done;  ///< freed by the consumer, not by the worker
};

/// A non-blocking eventfd.
class WakeUp {
 public:
  WakeUp();
  [[nodiscard]] int fd() const { return fd_.get(); }
  void signal() const noexcept;
  void clear() const noexcept;

 private:
  FileDescriptor fd_;
};

class Outlet {
 public:
  /// The descriptors must outlive the outlet.
  Outlet(std::size_t events, std::size_t legs, const WakeUp& event_ready, const WakeUp& leg_ready);
  ~Outlet();

  // The worker's side.

  /// False: no room, the event is lost and counted.
  bool emit(WorkerEvent&& event);
  /// Takes the leg only where it returns true.
  bool retire(std::unique_ptr<Leg>&& leg);
  /// Wakes the consumers of what came since the last call.
  void flush();

  // The other side.

  bool next_event(WorkerEvent& event) { return events_.pop(event); }
  bool next_retired(std::unique_ptr<Leg>& leg) { return retired_.pop(leg); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  SpscQueue<WorkerEvent> events_;
  SpscQueue<std::unique_ptr<Leg>> retired_;
  const WakeUp& event_ready_;
  const WakeUp& leg_ready_;
  bool new_events_ = false;
  bool new_legs_ = false;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace linecheck::media
