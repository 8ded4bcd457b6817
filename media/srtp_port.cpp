// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/srtp_port.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace linecheck::media {
namespace {

/// RFC 5761, 4: on a shared port the second byte tells RTCP from RTP.
bool is_control(std::span<const std::uint8_t> packet) {
  return packet.size() >= 2 && packet[1] >= 192 && packet[1] <= 223;
}

}  // namespace

SrtpPair::SrtpPair(SrtpKeys wanted)
    : keys(std::move(wanted)),
      send(std::make_unique<SrtpSession>(SrtpSession::Direction::send, keys.suite, keys.send_key)),
      receive(std::make_unique<SrtpSession>(SrtpSession::Direction::receive, keys.suite, keys.receive_key,
                                            keys.receive_mki)) {
}

void SrtpPort::rekey(std::unique_ptr<SrtpPair> pair) noexcept {
  before_.reset();
  if (pair && pair_ && pair->keys.suite == pair_->keys.suite) {
    if (pair->keys == pair_->keys) return;
    // A key never starts from packet 0 twice: what was sent under it would be sent again (RFC 3711, 9.1).
    if (pair->keys.send_key == pair_->keys.send_key) std::swap(pair->send, pair_->send);
    if (pair->keys.receive_key == pair_->keys.receive_key) {
      std::swap(pair->receive, pair_->receive);
      pair_.reset();
    }
  }
  std::swap(pair_, pair);
  if (pair_) before_ = std::move(pair);
}

bool SrtpPort::protect(std::span<const std::uint8_t> packet, bool control) noexcept {
  if (packet.size() > kMaxDatagram) return false;
  work_.assign(packet);
  return pair_->send->protect(work_, control) == SrtpSession::Result::done;
}

bool SrtpPort::send(std::span<const std::uint8_t> packet, const Address& to) noexcept {
  if (!pair_) return inner_->send(packet, to);
  // What cannot be encrypted does not leave.
  return protect(packet, is_control(packet)) && inner_->send(work_.view(), to);
}

bool SrtpPort::send_control(std::span<const std::uint8_t> packet, const Address& to) noexcept {
  if (!pair_) return inner_->send_control(packet, to);
  return protect(packet, true) && inner_->send_control(work_.view(), to);
}

bool SrtpPort::unprotect(Datagram& datagram, bool control) noexcept {
  // On a copy: one that fails may be damaged, and is tried again with the key before.
  work_.assign(datagram.view());
  auto result = pair_->receive->unprotect(work_, control);
  if (result == SrtpSession::Result::done) {
    before_.reset();
  } else if (result == SrtpSession::Result::forged && before_) {
    work_.assign(datagram.view());
    if (before_->receive->unprotect(work_, control) == SrtpSession::Result::done)
      result = SrtpSession::Result::done;
  }
  // The counters are of RTP: there are stacks that give RTCP the short tag as well, which is theirs alone.
  if (control && result != SrtpSession::Result::done) return false;
  switch (result) {
    case SrtpSession::Result::done:
      std::memcpy(datagram.bytes.data(), work_.bytes.data(), work_.size);
      datagram.size = static_cast<std::uint16_t>(work_.size);
      return true;
    case SrtpSession::Result::forged:
      ++counters_.forged;
      break;
    case SrtpSession::Result::replayed:
      ++counters_.replayed;
      break;
    case SrtpSession::Result::broken:
      ++counters_.broken;
      break;
  }
  return false;
}

void SrtpPort::unprotect(DatagramBatch& batch, bool control) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < batch.count; ++i) {
    Datagram& datagram = batch.items[i];
    if (!unprotect(datagram, control || is_control(datagram.view()))) continue;
    if (kept != i) batch.items[kept] = datagram;
    ++kept;
  }
  batch.count = kept;
}

void SrtpPort::receive(DatagramBatch& batch) noexcept {
  inner_->receive(batch);
  if (pair_) unprotect(batch, false);
}

void SrtpPort::receive_control(DatagramBatch& batch) noexcept {
  inner_->receive_control(batch);
  if (pair_) unprotect(batch, true);
}

}  // namespace linecheck::media
