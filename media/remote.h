// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where our packets go: to the address that SDP announced, unless the remote evidently sits behind something
// that rewrites it (symmetric RTP, RFC 4961). Valid packets from elsewhere move the destination after three
// in a row, and only while nothing has come from the announced address: one stray packet, or a forged one,
// diverts nothing.
#pragma once

#include "media/address.h"

namespace linecheck::media {

class Remote {
 public:
  void announce(const Address& address, bool symmetric) {
    if (address == announced_) {
      symmetric_ = symmetric;
      return;
    }
    announced_ = destination_ = address;
    symmetric_ = symmetric;
    announced_heard_ = false;
    count_ = 0;
  }

  /// A valid RTP packet came from there.
  void heard(const Address& from) {
    if (!announced_.valid()) return;
    if (from == announced_) {
      announced_heard_ = true;
      destination_ = announced_;
    } else if (symmetric_ && !announced_heard_) {
      count_ = from == candidate_ ? count_ + 1 : 1;
      candidate_ = from;
      if (count_ >= kEnough) destination_ = from;
    }
  }

  /// Not where SDP said that it would come from.
  [[nodiscard]] bool elsewhere(const Address& from) const {
    return announced_.valid() && !(from == announced_);
  }

  [[nodiscard]] const Address& destination() const { return destination_; }

 private:
  static constexpr int kEnough = 3;

  Address announced_;
  Address destination_;
  Address candidate_;
  bool symmetric_ = true;
  bool announced_heard_ = false;
  int count_ = 0;
};

}  // namespace linecheck::media
