// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/call.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <utility>

#include "engine/call/kept_files.h"
#include "engine/call/offload.h"
#include "engine/call/placed_call.h"
#include "engine/call/time.h"
#include "engine/evaluation/conclude.h"
#include "engine/evaluation/evaluate.h"
#include "engine/evaluation/heard.h"
#include "engine/evaluation/recording.h"

namespace linecheck::engine {
namespace {

constexpr std::chrono::seconds kWatchdogSlack{5};

/// Outside the call's own logic: if that has not ended the call 5 s after its longest duration, this does.
class Watchdog {
 public:
  Watchdog(boost::asio::any_io_executor executor, std::chrono::milliseconds limit, CallInbox& inbox)
      : timer_(executor) {
    timer_.expires_after(limit + kWatchdogSlack);
    timer_.async_wait([&inbox](const boost::system::error_code& error) {
      if (!error) inbox.push(StopCall{StopCall::Why::watchdog});
    });
  }

 private:
  boost::asio::steady_timer timer_;
};

/// Once the call is measured. What goes wrong here takes nothing away from it: it is noted.
void finish_files(CallRecord& call, const CallSpec& spec, const std::string& address) {
  const auto note = [&call](const std::string& error) {
    if (!error.empty()) call.timeline.push_back({call.ended_ms.value_or(0), "file_trouble", error});
  };
  if (!call.recording_path.empty()) {
    note(pack_recording(call.recording_path, spec.keep.after.value_or(scheduler::RecordingAfter::keep)));
  }
  note(call.media.capture_error);
  if (!call.capture_path.empty()) {
    const std::int64_t wall_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                                     std::chrono::system_clock::now().time_since_epoch())
                                     .count();
    note(complete_capture(call.capture_path, call, address, wall_ns - mono_ns()));
  }
}

/// A coroutine of its own: its frame, with all that measuring needs, exists only once the call is over.
boost::asio::awaitable<Run> measure(CallServices& services, std::shared_ptr<CallSpec> spec,
                                    PlacedCall& call) {
  Run run = spec->run;
  run.call = call.take_record();
  if (spec->doing) spec->doing("measuring");
  auto judge = [spec, run = std::move(run)]() mutable {
    const StereoRecording recording =
        run.call.recording_path.empty() ? StereoRecording{} : read_recording(run.call.recording_path);
    hear_signals(run.call, recording);
    run.evaluation = evaluate(run.call, *spec->scenario, recording);
    conclude(run, spec->scenario.get());
    finish_files(run.call, *spec, spec->media_address);
    return std::move(run);
  };
  co_return co_await offload(services.pool, std::move(judge));
}

}  // namespace

boost::asio::awaitable<Run> run_call(CallServices& services, std::shared_ptr<CallSpec> spec,
                                     CallInbox& inbox) {
  PlacedCall call(services, spec, inbox);
  bool connected = co_await call.prepare();
  if (connected && spec->awaited) {
    connected = co_await call.await_call();
  } else if (connected) {
    connected = co_await call.dial();
  }
  if (connected) {
    auto executor = co_await boost::asio::this_coro::executor;
    const Watchdog watchdog(executor, spec->scenario->max_duration, inbox);
    co_await call.converse();
  }
  co_await call.hang_up();
  co_return co_await measure(services, spec, call);
}

Failure failure_of(const sip::Failed& failed, const std::string& target) {
  using sip::FailureKind;
  Failure failure;
  if (failed.status != 0) failure.sip_status = failed.status;
  failure.q850 = failed.q850;
  failure.retry_after_s = failed.retry_after_s;
  const std::string answer = std::to_string(failed.status) + " " + failed.phrase;
  const std::string why = failed.reason.empty() || failed.reason == failed.phrase || failed.reason == answer
                              ? ""
                              : ": " + failed.reason;
  const auto blame = [&failure](FailureCategory category, std::string reason) {
    failure.category = category;
    failure.reason = std::move(reason);
  };
  switch (failed.kind) {
    case FailureKind::rejected:
      blame(FailureCategory::agent, "The agent rejected the call with " + answer + why + ".");
      break;
    case FailureKind::media_not_acceptable:
      blame(FailureCategory::agent, "The agent accepts none of the offered codecs: " + answer + why + ".");
      break;
    case FailureKind::server_error:
      blame(FailureCategory::network,
            "The trunk or the agent's server failed the call with " + answer + why + ".");
      break;
    case FailureKind::redirected:
      blame(FailureCategory::agent,
            "The agent redirected the call (" + answer + ")" +
                (failed.contact.empty() ? "" : " to " + failed.contact) +
                (why.empty() ? "; the trunk reports redirects, it does not follow them."
                             : ", which was not followed" + why + "."));
      break;
    case FailureKind::no_answer:
      blame(FailureCategory::agent, "The agent did not answer in time; the call was cancelled.");
      break;
    case FailureKind::timeout:
      blame(FailureCategory::network,
            "Nothing answered the INVITE to " + target + ": no SIP response at all.");
      break;
    case FailureKind::unresolved:
      blame(FailureCategory::network, "The host name in " + target + " could not be resolved.");
      break;
    case FailureKind::transport:
      blame(FailureCategory::network, "The INVITE to " + target + " could not be delivered" + why + ".");
      break;
    case FailureKind::cancelled:
      blame(FailureCategory::engine, "The call was cancelled before it was answered.");
      break;
    case FailureKind::not_allowed:
      blame(FailureCategory::configuration, target + " is not in the trunk's allow list.");
      break;
    case FailureKind::invalid_request:
      blame(FailureCategory::configuration, "The INVITE can't be made" + why + ".");
      break;
  }
  return failure;
}

}  // namespace linecheck::engine
