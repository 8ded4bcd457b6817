// SPDX-License-Identifier: GPL-3.0-or-later
//
// Keeps one trunk registered and asks now and then whether it answers (OPTIONS, RFC 3261, 11). Internal;
// lives on the SIP thread.
#pragma once

#include <sofia-sip/nua.h>
#include <sofia-sip/sip.h>

#include <chrono>
#include <functional>
#include <set>
#include <string>

#include "sip/leg.h"
#include "sip/sofia.h"
#include "sip/trunk.h"

namespace linecheck::sip {

class TrunkWatch {
 public:
  /// `magic` is what Sofia carries for it: a number below 2^32, which is no leg's.
  TrunkWatch(LegSurroundings& around, LegId magic, TrunkOptions options);
  TrunkWatch(const TrunkWatch&) = delete;
  TrunkWatch& operator=(const TrunkWatch&) = delete;

  void start();
  /// Unregisters where it is registered; quiet() once that is done.
  void stop();
  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] bool quiet() const { return stopping_ && !registration_; }
  [[nodiscard]] const std::string& trunk() const { return options_.name; }

  void on_event(nua_event_t event, int status, const char* phrase, const sip_t* sip);
  void on_timer(const su_timer_t* timer);

 private:
  void send_register();
  void send_options();
  void on_register(int status, const char* phrase, const sip_t* sip);
  void on_options(int status, const char* phrase, const sip_t* sip);
  [[nodiscard]] bool authenticate(const Handle& handle, const sip_t* sip);
  void look_at_via(const sip_t* sip);
  void report();
  void start_timer(Timer& timer, std::chrono::milliseconds after);

  LegSurroundings& around_;
  LegId magic_;
  TrunkOptions options_;
  TrunkHealth health_;
  Handle registration_;
  Handle probe_;
  std::set<std::string> realms_;  // that have had our credentials since the last success
  std::chrono::milliseconds retry_;
  std::string seen_address_;
  TrunkChanged told_;
  bool is_registered_ = false;
  bool stopping_ = false;
  Timer again_;
  Timer next_probe_;
  Timer give_up_;
};

}  // namespace linecheck::sip
