// SPDX-License-Identifier: GPL-3.0-or-later
//
// The agent transfers its caller to somebody else (REFER, RFC 3515; attended with Replaces, RFC 5589): we
// call that party beside the call in progress, tell the agent how it goes, and talk on with whoever answers.
// Control thread only.
#pragma once

#include <optional>
#include <string>

#include "engine/call/call.h"
#include "sip/endpoint.h"

namespace linecheck::engine {

class Transfer {
 public:
  Transfer(CallServices& services, const CallSpec& spec, CallInbox& inbox)
      : services_(services), spec_(spec), inbox_(inbox) {}
  /// Hangs up what is still up.
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// Dials the target with `invite`'s offer and caller.
  void begin(sip::LegId agent, const sip::TransferRequested& asked, sip::DialRequest invite);

  /// Whether an event is of the new leg.
  [[nodiscard]] bool owns(const sip::Event& event) const { return leg_ != 0 && event.leg == leg_; }
  [[nodiscard]] bool dialling() const { return leg_ != 0 && !over_ && !answered_; }
  /// Its last event has not come yet.
  [[nodiscard]] bool pending() const { return leg_ != 0; }
  [[nodiscard]] const std::string& target() const { return target_; }

  /// Tells the agent what has become of it. The answer, once there is one.
  struct Outcome {
    std::optional<sip::Answered> answered;
    std::string failed;  ///< plain words
    int status = 0;      ///< of the failure
  };
  std::optional<Outcome> on_event(const sip::Event& event);

  /// The new leg is from now on the caller's: what had to be ended here is not.
  sip::LegId take_leg();
  void hang_up();

 private:
  CallServices& services_;
  const CallSpec& spec_;
  CallInbox& inbox_;
  sip::LegId agent_ = 0;
  sip::LegId leg_ = 0;
  std::string target_;
  int last_told_ = 0;
  bool answered_ = false;
  bool over_ = false;
};

}  // namespace linecheck::engine
