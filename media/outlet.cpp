// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/outlet.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "media/leg.h"

namespace linecheck::media {

WakeUp::WakeUp() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!fd_.valid()) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void WakeUp::signal() const noexcept {
  const std::uint64_t one = 1;
  // It can only fail where the counter is full, and then it is readable already.
  [[maybe_unused]] const ssize_t written = ::write(fd_.get(), &one, sizeof(one));
}

void WakeUp::clear() const noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(fd_.get(), &count, sizeof(count));
}

Outlet::Outlet(std::size_t events, std::size_t legs, const WakeUp& event_ready, const WakeUp& leg_ready)
    : events_(events), retired_(legs), event_ready_(event_ready), leg_ready_(leg_ready) {
}

Outlet::~Outlet() = default;

bool Outlet::emit(WorkerEvent&& event) {
  if (events_.push(std::move(event))) {
    new_events_ = true;
    return true;
  }
  dropped_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

bool Outlet::retire(std::unique_ptr<Leg>&& leg) {
  if (!retired_.push(std::move(leg))) return false;
  new_legs_ = true;
  return true;
}

void Outlet::flush() {
  if (std::exchange(new_events_, false)) event_ready_.signal();
  if (std::exchange(new_legs_, false)) leg_ready_.signal();
}

}  // namespace linecheck::media
