// SPDX-License-Identifier: GPL-3.0-or-later
//
// The voices process as its parent sees it: launched, spoken to, ended. Used by one thread, which has to
// outlive the process: the kernel ends the process when the thread that launched it is gone.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "engine/persona/unique_fd.h"
#include "engine/persona/voices_protocol.h"

namespace linecheck::engine {

class VoicesLink {
 public:
  VoicesLink() = default;
  ~VoicesLink() { end(); }
  VoicesLink(const VoicesLink&) = delete;
  VoicesLink& operator=(const VoicesLink&) = delete;

  /// Starts `program voices --fd N`. Returns an error text; empty: it runs.
  std::string launch(const std::string& program);

  [[nodiscard]] bool alive() const { return process_ > 0; }
  [[nodiscard]] pid_t process() const { return process_; }
  /// To be polled for input.
  [[nodiscard]] int fd() const { return socket_.get(); }

  /// False if it cannot be sent: the process is as good as dead.
  bool send(const voices_protocol::Request& request);

  struct Incoming {
    voices_protocol::Reply reply;
    UniqueFd samples;
  };
  enum class Receipt { message, nothing, closed };
  Receipt receive(Incoming& incoming);

  /// Closes the socket, which ends the process, and helps after `patience_ms`. Says how it ended.
  std::string end(int patience_ms = 500);

 private:
  pid_t process_ = 0;
  UniqueFd socket_;
};

}  // namespace linecheck::engine
