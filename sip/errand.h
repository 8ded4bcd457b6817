// SPDX-License-Identifier: GPL-3.0-or-later
//
// One request outside any call, from when it is sent to its final answer: a MESSAGE (RFC 3428) or a REFER
// (RFC 3515) that asks an agent to call us. Internal; lives on the SIP thread.
#pragma once

#include <sofia-sip/sip.h>

#include <set>
#include <string>

#include "sip/leg.h"
#include "sip/sofia.h"

namespace linecheck::sip {

class Errand {
 public:
  Errand(LegSurroundings& around, LooseRequest&& request) : around_(around), request_(std::move(request)) {}
  Errand(const Errand&) = delete;
  Errand& operator=(const Errand&) = delete;

  void start();
  void on_event(int status, const char* phrase, const sip_t* sip);
  /// Reports that nothing came of it.
  void abandon();
  [[nodiscard]] bool over() const { return over_; }

 private:
  void finish(int status, std::string reason);

  LegSurroundings& around_;
  LooseRequest request_;
  Handle handle_;
  std::set<std::string> realms_;  // that have had our credentials
  bool over_ = false;
};

}  // namespace linecheck::sip
