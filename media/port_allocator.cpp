// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/port_allocator.h"

#include <cerrno>
#include <cstring>
#include <random>
#include <stdexcept>
#include <utility>

#include "media/engine.h"

namespace linecheck::media {
namespace {

std::size_t pair_count(std::uint16_t first, std::uint16_t last) {
  const int even = first + (first & 1);
  return last > even ? static_cast<std::size_t>(last - even + 1) / 2 : 0;
}

}  // namespace

PortAllocator::PortAllocator(std::uint16_t first, std::uint16_t last, std::string bind_address,
                             std::int64_t quarantine_ns, const Clock& clock)
    : first_(static_cast<std::uint16_t>(first + (first & 1))),
      pairs_(pair_count(first, last)),
      bind_address_(std::move(bind_address)),
      quarantine_ns_(quarantine_ns),
      clock_(clock) {
  if (first == 0 || pairs_ == 0) {
    throw std::runtime_error("media ports " + std::to_string(first) + "-" + std::to_string(last) +
                             " hold no pair of an even port and the odd one above it");
  }
  if (!Address::parse(bind_address_, 0)) {
    throw std::runtime_error("media address '" + bind_address_ + "' is no IPv4 or IPv6 address");
  }
  // Two processes on one machine that share a range meet less often when they do not begin at the same place.
  next_ = std::random_device{}() % pairs_;
}

std::unique_ptr<UdpPort> PortAllocator::acquire() {
  const std::scoped_lock lock(mutex_);
  sweep_locked();
  int error = 0;
  for (std::size_t tried = 0; tried < pairs_; ++tried) {
    const auto number = static_cast<std::uint16_t>(first_ + 2 * next_);
    next_ = (next_ + 1) % pairs_;
    if (auto port = UdpPort::bind(bind_address_, number, error)) return port;
    if (error != EADDRINUSE && error != EACCES) break;
  }
  const std::string range =
      std::to_string(first_) + "-" + std::to_string(first_ + 2 * static_cast<int>(pairs_) - 1);
  if (error != EADDRINUSE) {
    throw PortsExhausted("cannot bind a media port in " + range + " on " + bind_address_ + ": " +
                         std::strerror(error));
  }
  throw PortsExhausted(
      "no free pair of media ports in " + range + " on " + bind_address_ + " (" +
      std::to_string(retired_.size()) + " of " + std::to_string(pairs_) +
      " pairs are ours and in quarantine after a call): widen media.ports or run fewer calls at once");
}

void PortAllocator::release(std::unique_ptr<UdpPort> port) {
  if (!port) return;
  const std::scoped_lock lock(mutex_);
  const std::int64_t now = clock_.now_ns();
  retired_.push_back({std::move(port), now + quarantine_ns_, now + 10 * quarantine_ns_});
}

void PortAllocator::sweep() {
  const std::scoped_lock lock(mutex_);
  sweep_locked();
}

void PortAllocator::sweep_locked() {
  const std::int64_t now = clock_.now_ns();
  std::erase_if(retired_, [&](Retired& retired) {
    if (retired.port->discard() > 0 && quarantine_ns_ > 0) retired.free_at_ns = now + quarantine_ns_;
    return now >= retired.free_at_ns || now >= retired.give_up_ns;
  });
}

std::size_t PortAllocator::quarantined() const {
  const std::scoped_lock lock(mutex_);
  return retired_.size();
}

}  // namespace linecheck::media
