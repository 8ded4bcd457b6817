// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/worker.h"

#include <algorithm>
#include <utility>

namespace linecheck::media {
namespace {

// Commands looked at in one tick. A flood of them must not make packets late.
constexpr int kMostCommands = 512;
constexpr std::size_t kNotes = 64;

std::size_t index_of(LegId id) {
  return static_cast<std::size_t>(id & 0xFFFFFFFFu);
}

}  // namespace

Worker::Worker(const Clock& clock, std::size_t capacity, std::size_t commands, Outlet& outlet)
    : commands_(commands),
      clock_(clock),
      outlet_(outlet),
      by_index_(capacity, nullptr),
      next_tick_ns_(clock.now_ns() / kTickNs * kTickNs + kTickNs),
      batch_(std::make_unique<DatagramBatch>()) {
  for (Slot& slot : slots_) slot.reserve(capacity / kSlots + 1);
  notes_.reserve(kNotes);
  on_bad_lines_.reserve(capacity);
}

Worker::~Worker() = default;

void Worker::run() {
  const std::int64_t now_ns = clock_.now_ns();
  if (now_ns - next_tick_ns_ >= kMostBehindNs) {
    next_tick_ns_ = (now_ns - kMostBehindNs) / kTickNs * kTickNs + kTickNs;
  }
  while (next_tick_ns_ <= now_ns) {
    tick(next_tick_ns_);
    submit();
    next_tick_ns_ += kTickNs;
  }
  outlet_.flush();
}

void Worker::rest() {
  obey();
  next_tick_ns_ = clock_.now_ns() / kTickNs * kTickNs + kTickNs;
}

void Worker::tick(std::int64_t tick_ns) {
  obey();
  for (Leg* leg : on_bad_lines_) leg->release(tick_ns);
  Slot& slot = slots_[static_cast<std::size_t>(tick_ns / kTickNs % kSlots)];
  if (slot.empty()) return;
  // All of the slot's packets leave before anything is read: reading can wait, departures are what is
  // measured.
  for (const auto& leg : slot) leg->send_frame(tick_ns, clock_, notes_, outlet_);
  receive(slot, tick_ns);
  retire_closing(slot, tick_ns);
}

void Worker::receive(Slot& slot, std::int64_t tick_ns) {
  for (std::size_t begin = 0; begin < slot.size(); begin += IoRing::kReceives) {
    const std::size_t end = std::min<std::size_t>(begin + IoRing::kReceives, slot.size());
    if (ring_) {
      for (std::size_t i = begin; i < end; ++i) slot[i]->expect();
      ring_->submit();
    }
    for (std::size_t i = begin; i < end; ++i) slot[i]->receive(tick_ns, clock_.now_ns(), *batch_, outlet_);
  }
}

void Worker::submit() {
  if (ring_) ring_->submit();
}

void Worker::retire_closing(Slot& slot, std::int64_t tick_ns) {
  for (std::size_t i = 0; i < slot.size();) {
    if (!slot[i]->close_requested()) {
      ++i;
      continue;
    }
    const LegId id = slot[i]->id();
    if (slot[i]->sends_over_bad_line()) std::erase(on_bad_lines_, slot[i].get());
    slot[i]->finish(tick_ns, realtime_);
    submit();                                         // its port goes with it
    if (!outlet_.retire(std::move(slot[i]))) return;  // no room: with the next frame
    by_index_[index_of(id)] = nullptr;
    --leg_count_;
    if (i + 1 != slot.size()) std::swap(slot[i], slot.back());
    slot.pop_back();
  }
}

void Worker::obey() {
  Command command;
  for (int i = 0; i < kMostCommands && commands_.pop(command); ++i) obey(command);
}

void Worker::obey(Command& command) {
  if (auto* attach_leg = std::get_if<AttachLeg>(&command)) {
    attach(std::move(attach_leg->leg));
  } else if (auto* start = std::get_if<StartStream>(&command)) {
    if (Leg* leg = find(start->leg)) leg->start(start->stream, clock_.now_ns(), std::move(start->srtp));
  } else if (auto* enqueue = std::get_if<EnqueueItem>(&command)) {
    if (Leg* leg = find(enqueue->leg)) leg->enqueue(std::move(enqueue->item));
  } else if (auto* stop = std::get_if<StopPlaying>(&command)) {
    if (Leg* leg = find(stop->leg)) leg->stop_playing();
  } else if (auto* line = std::get_if<ImpairLine>(&command)) {
    if (Leg* leg = find(line->leg)) impair(*leg, *line);
  }
}

void Worker::attach(std::unique_ptr<Leg> leg) {
  auto& slot = *std::min_element(slots_.begin(), slots_.end(),
                                 [](const Slot& a, const Slot& b) { return a.size() < b.size(); });
  if (ring_) leg->use(ring_.get());
  by_index_[index_of(leg->id())] = leg.get();
  if (leg->sends_over_bad_line()) on_bad_lines_.push_back(leg.get());
  slot.push_back(std::move(leg));
  ++leg_count_;
}

void Worker::impair(Leg& leg, ImpairLine& command) {
  if (command.send) {
    if (!leg.sends_over_bad_line()) on_bad_lines_.push_back(&leg);
    leg.impair(std::move(command.send), next_tick_ns_);
  }
  if (command.hear) leg.impair(std::move(command.hear), next_tick_ns_);
}

Leg* Worker::find(LegId id) const {
  const std::size_t index = index_of(id);
  Leg* leg = index < by_index_.size() ? by_index_[index] : nullptr;
  return leg != nullptr && leg->id() == id ? leg : nullptr;
}

void Worker::shut_down() {
  obey();
  for (Slot& slot : slots_) {
    for (auto& leg : slot) {
      leg->finish(next_tick_ns_, realtime_);
      submit();
      outlet_.retire(std::move(leg));
    }
    slot.clear();
  }
  on_bad_lines_.clear();
  std::fill(by_index_.begin(), by_index_.end(), nullptr);
  leg_count_ = 0;
  outlet_.flush();
}

}  // namespace linecheck::media
