// SPDX-License-Identifier: GPL-3.0-or-later
//
// A media worker: serves its legs at absolute ticks of 1 ms. Each leg belongs to one of the 20 slots of a 20
// ms frame, so that the legs' packets are spread over it. The worker itself has no thread and no sleep:
// WorkerThread drives it in the program, tests drive it by hand in virtual time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "media/clock.h"
#include "media/io_ring.h"
#include "media/leg.h"
#include "media/outlet.h"
#include "media/queues.h"

namespace linecheck::media {

struct AttachLeg {
  std::unique_ptr<Leg> leg;
};
struct StartStream {
  LegId leg = 0;
  Stream stream;
  std::unique_ptr<SrtpPair> srtp{};
};
struct EnqueueItem {
  LegId leg = 0;
  std::unique_ptr<PlayItem> item;
};
struct StopPlaying {
  LegId leg = 0;
};
/// One of the two lines is there.
struct ImpairLine {
  LegId leg = 0;
  std::unique_ptr<SendLine> send;
  std::unique_ptr<HearLine> hear;
};
using Command = std::variant<std::monostate, AttachLeg, StartStream, EnqueueItem, StopPlaying, ImpairLine>;

class Worker {
 public:
  static constexpr int kSlots = kFrameMs;
  static constexpr std::int64_t kTickNs = kNsPerMs;
  /// How far behind it still sends every frame: five of them. Beyond that, frames are left out.
  static constexpr std::int64_t kMostBehindNs = 5 * kFrameMs * kNsPerMs;

  /// `capacity`: the low 32 bits of leg ids are below it. Clock and outlet must outlive the worker.
  Worker(const Clock& clock, std::size_t capacity, std::size_t commands, Outlet& outlet);
  ~Worker();

  /// Any thread. False: full, the command is untouched.
  bool submit(Command&& command) { return commands_.push(std::move(command)); }

  /// Before it has legs: its sockets are read and written through the ring.
  void use(std::unique_ptr<IoRing> ring) { ring_ = std::move(ring); }

  // The rest belongs to the worker's thread.

  /// All ticks that are due at the clock's time.
  void run();
  [[nodiscard]] std::int64_t next_tick_ns() const { return next_tick_ns_; }
  [[nodiscard]] std::size_t legs() const { return leg_count_; }
  /// Without legs there is nothing to be late for: commands are looked at, and the ticks go on from now.
  void rest();
  void set_realtime(bool realtime) { realtime_ = realtime; }
  /// Ends every leg.
  void shut_down();

 private:
  using Slot = std::vector<std::unique_ptr<Leg>>;

  void tick(std::int64_t tick_ns);
  void obey();
  void obey(Command& command);
  void attach(std::unique_ptr<Leg> leg);
  void impair(Leg& leg, ImpairLine& command);
  void receive(Slot& slot, std::int64_t tick_ns);
  void submit();
  void retire_closing(Slot& slot, std::int64_t tick_ns);
  [[nodiscard]] Leg* find(LegId id) const;

  MpscQueue<Command> commands_;  // first: it is aligned to cache lines
  const Clock& clock_;
  Outlet& outlet_;
  std::array<Slot, kSlots> slots_;
  std::vector<Leg*> by_index_;
  std::vector<Leg*> on_bad_lines_;  // what they send may leave at any tick
  std::size_t leg_count_ = 0;
  std::int64_t next_tick_ns_;
  bool realtime_ = false;
  std::vector<PlayNote> notes_;
  std::unique_ptr<DatagramBatch> batch_;
  std::unique_ptr<IoRing> ring_;  // null: plain system calls
};

}  // namespace linecheck::media
