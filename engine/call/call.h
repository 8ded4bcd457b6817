// SPDX-License-Identifier: GPL-3.0-or-later
//
// One call, from dial to verdict. run_call() is a coroutine on the control thread that reads top to bottom:
// prepare, dial, converse, hang up, measure, judge.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/call/reception.h"
#include "engine/call/switchboard.h"
#include "engine/persona/noise.h"
#include "engine/persona/voices.h"
#include "engine/result.h"

namespace linecheck::engine {

/// What all calls share. Outlives them.
struct CallServices {
  Switchboard& switchboard;
  Voices& voices;
  boost::asio::thread_pool& pool;  ///< evaluation
  std::vector<VoiceProvider> voice_providers;
  Reception* reception = nullptr;  ///< needed for calls that agents make
};

/// Of a call that the agent makes.
struct AwaitedCall {
  ExpectedCall call;
  std::chrono::milliseconds window{300'000};
  /// Asks the agent to call, and returns at once; empty: it is not asked.
  std::function<void()> trigger;
  /// Ours, that a peer at that address is told in SDP.
  std::function<std::string(const std::string& host)> own_address_towards;
};

/// Everything that is known of a call before it is dialled.
struct CallSpec {
  CallSpec() = default;

  Run run;  ///< ids and names filled in; the verdict is added by run_call
  int attempt = 1;
  std::shared_ptr<const scheduler::Scenario> scenario;
  std::shared_ptr<const scheduler::Personality> personality;
  std::shared_ptr<const scheduler::TestProfile> profile;  ///< may be null
  std::size_t endpoint = 0;
  std::string trunk;
  std::string caller_number;
  std::string target;         ///< as the job says it: a number or a SIP URI
  std::string target_uri;     ///< what goes into the Request-URI
  std::string proxy;          ///< SIP URI or empty
  std::string proxy_address;  ///< IP address in place of a look-up of the proxy's name
  std::string from_domain;    ///< host of our From; empty: our own address
  std::string media_address;  ///< in our SDP
  std::string contact;        ///< address:port in our Contact; empty: the endpoint's
  sip::Identity identity = sip::Identity::from;
  bool follow_redirects = false;
  std::chrono::seconds session_timer{0};
  int rtp_dscp = -1;
  std::vector<sip::Codec> codecs;
  media::DigitTransport dtmf = media::DigitTransport::rfc4733;
  sip::Srtp srtp = sip::Srtp::off;
  std::vector<sip::SrtpSuite> srtp_suites;  ///< offered, in this order; empty: the usual ones
  bool rtcp_mux = false;
  std::optional<sip::Credentials> auth;
  std::optional<AwaitedCall> awaited;  ///< the agent calls; else we call it
  std::uint64_t seed = 0;
  std::string recording_path;
  scheduler::RecordingChoice keep;  ///< the capture lies beside the recording
  std::chrono::milliseconds no_answer_timeout{60'000};

  /// The durable point of no return, just before the INVITE: false when the call is no longer wanted.
  std::function<boost::asio::awaitable<bool>()> begin;
  /// Why the trunk takes no calls at the moment; empty: it does. Asked before anything leaves.
  std::function<std::string()> trunk_trouble;
  /// For live progress: "dialling", "talking", ...
  std::function<void(const std::string&)> doing;
};

/// `inbox` outlives the coroutine; whoever holds it may push StopCall at any time.
boost::asio::awaitable<Run> run_call(CallServices& services, std::shared_ptr<CallSpec> spec,
                                     CallInbox& inbox);

/// Exposed for tests: what a failed INVITE means for the verdict (contract 2a), in plain words.
Failure failure_of(const sip::Failed& failed, const std::string& target);

}  // namespace linecheck::engine
