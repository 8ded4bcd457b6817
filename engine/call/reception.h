// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where calls from outside are brought to the runs that wait for them. Every run that an outbound agent is to
// call holds one of our numbers; a call that fits it (waiting_runs.h) comes to its inbox. Whatever fits
// nobody is refused, with the reason, and told to whoever keeps the result. Control thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "engine/call/refused_call.h"
#include "engine/call/switchboard.h"
#include "engine/call/waiting_runs.h"

namespace linecheck::engine {

class Reception {
 public:
  using OnRefused = std::function<void(const RefusedCall&)>;

  explicit Reception(Switchboard& switchboard);
  ~Reception();
  Reception(const Reception&) = delete;
  Reception& operator=(const Reception&) = delete;

  void on_refused(OnRefused handler) { on_refused_ = std::move(handler); }

  /// A run's place in the line for its number; leaving it makes room for the next.
  class Place {
   public:
    Place(Reception& reception, WaitingRuns::Entries::iterator entry)
        : reception_(reception), entry_(entry) {}
    ~Place() { reception_.leave(entry_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    /// It holds its number. Until then a Nudge to its inbox says when that changes.
    [[nodiscard]] bool holds() const { return entry_->state != WaitingRuns::State::in_line; }
    /// From now on its call is let in: the Incoming event comes to its inbox, which is connected to the leg.
    void open() { entry_->state = WaitingRuns::State::open; }
    /// How many calls were refused that were near to its own, and what the last one was told.
    [[nodiscard]] std::uint64_t refused() const { return entry_->refused; }
    [[nodiscard]] const std::string& last_refusal() const { return entry_->last_refusal; }

   private:
    Reception& reception_;
    WaitingRuns::Entries::iterator entry_;
  };

  /// `inbox` outlives the place.
  [[nodiscard]] std::unique_ptr<Place> enter(ExpectedCall call, CallInbox& inbox);

 private:
  void leave(WaitingRuns::Entries::iterator entry);
  void admit();
  void on_incoming(std::size_t endpoint, sip::Event event);
  void tell(RefusedCall refused);

  Switchboard& switchboard_;
  OnRefused on_refused_;
  WaitingRuns waiting_;
};

}  // namespace linecheck::engine
